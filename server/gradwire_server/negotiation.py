"""What a request says about itself in its headers and query, checked: content type, Accept, Request-Timeout, parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast, get_args
from urllib.parse import parse_qsl

from starlette.types import Scope

from .errors import InvalidParameter, NotAcceptable, UnsupportedMediaType
from .wire import Encoding

JSON: Final = "application/json"
ENCODINGS: Final = get_args(Encoding)


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What a caller may choose beside the body of a call.

    Attributes:
        encoding: How tensors are written in the answer, one of :data:`ENCODINGS`.
        seconds: The time that the request may take.
    """

    encoding: Encoding
    seconds: float


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """The request's headers by lower-case name; of a repeated one the values joined by commas, as HTTP has it."""
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers[name] = headers[name] + b"," + value if name in headers else value
    return headers


def call_options(scope: Scope, most_seconds: float, *, has_body: bool = True) -> CallOptions:
    """Checks the headers and the query of a call.

    Args:
        scope: The request.
        most_seconds: The time allowed by the settings, which Request-Timeout may only shorten.
        has_body: Whether the call has a body, which is JSON.

    Raises:
        UnsupportedMediaType: The body is not JSON in UTF-8, or is compressed.
        NotAcceptable: The answer may not be JSON.
        InvalidParameter: A query parameter is not known, repeated or wrong, or Request-Timeout is no number of seconds.
    """
    headers = headers_of(scope)
    if has_body:
        require_json_body(headers)
    require_acceptable(headers)
    encoding = "list"
    if scope["query_string"]:
        encoding = query_parameters(scope, {"encoding": "list"})["encoding"]
        if encoding not in ENCODINGS:
            raise InvalidParameter(f"The query parameter 'encoding' must be one of {', '.join(ENCODINGS)}; got {encoding!r}.")
    asked = headers.get(b"request-timeout")
    return CallOptions(cast(Encoding, encoding), most_seconds if asked is None else min(most_seconds, _seconds(asked)))


def query_parameters(scope: Scope, defaults: Mapping[str, str]) -> dict[str, str]:
    """The request's query parameters over ``defaults``.

    Raises:
        InvalidParameter: One is given twice, or is not among ``defaults``.
    """
    values = single_parameters(scope)
    for name in values:
        if name not in defaults:
            known = ", ".join(defaults) if defaults else "none"
            raise InvalidParameter(f"There is no query parameter {name!r}; known here: {known}.", code="unknown_parameter")
    return {**defaults, **values}


def single_parameters(scope: Scope) -> dict[str, str]:
    """The request's query parameters.

    Raises:
        InvalidParameter: One is given twice.
    """
    values: dict[str, str] = {}
    for name, value in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True):
        if name in values:
            raise InvalidParameter(f"The query parameter {name!r} is given more than once.")
        values[name] = value
    return values


def require_json_body(headers: Mapping[bytes, bytes]) -> None:
    """Raises ``UnsupportedMediaType`` unless the body is JSON in UTF-8, not compressed."""
    given = headers.get(b"content-type", b"").decode("latin-1")
    if given != JSON:
        kind, *parameters = (part.strip().lower() for part in given.split(";"))
        if kind != JSON and not (kind.startswith("application/") and kind.endswith("+json")):
            got = f"got {given!r}" if given else "there is none"
            raise UnsupportedMediaType(f"The Content-Type of the body must be application/json; {got}.")
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
                raise UnsupportedMediaType(f"JSON is always UTF-8, but the Content-Type is {given!r}.")
    compression = headers.get(b"content-encoding", b"identity").decode("latin-1")
    if compression.lower() != "identity":
        raise UnsupportedMediaType(f"A body with Content-Encoding {compression!r} is not taken; send it uncompressed.")


def require_acceptable(headers: Mapping[bytes, bytes]) -> None:
    """Raises ``NotAcceptable`` if the Accept header rules out JSON."""
    choose_media(headers, (JSON,))


def choose_media(headers: Mapping[bytes, bytes], offered: Sequence[str]) -> str:
    """The media type of the answer that the caller would rather have.

    Args:
        headers: The request's headers.
        offered: The media types that there are; of several as welcome as each other, the first is taken.

    Raises:
        NotAcceptable: The Accept header rules all of them out.
    """
    accept = headers.get(b"accept")
    if accept is None or accept == b"*/*" or accept.decode("latin-1") == offered[0]:
        return offered[0]
    quality = {}
    for item in accept.decode("latin-1").lower().split(","):
        media, *parameters = (part.strip() for part in item.split(";"))
        weights = [parameter[2:] for parameter in parameters if parameter.startswith("q=")]
        quality[media] = _weight(weights[0]) if weights else 1.0

    def welcome(media: str) -> float:
        # Of the ranges that match, the most specific one decides (RFC 9110, section 12.5.1).
        return next((quality[range] for range in (media, media.partition("/")[0] + "/*", "*/*") if range in quality), 0.0)

    best = max(offered, key=welcome)
    if welcome(best) == 0.0:
        raise NotAcceptable(f"The answer is {' or '.join(offered)}, which the Accept header {accept.decode('latin-1')!r} rules out.")
    return best


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _seconds(value: bytes) -> float:
    text = value.decode("latin-1")
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise InvalidParameter(f"The header Request-Timeout must be a positive number of seconds; got {text!r}.")
    return seconds
