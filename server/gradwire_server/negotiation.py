"""What a request says about itself in its headers and query, checked: formats, compression, Request-Timeout, parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast, get_args
from urllib.parse import parse_qsl

from starlette.types import Scope

from gradwire_engine.safetensors import MEDIA_TYPE

from .compression import CODINGS, GZIP, IDENTITY
from .errors import InvalidParameter, NotAcceptable, UnsupportedMediaType
from .wire import Encoding

JSON: Final = "application/json"
ENCODINGS: Final = get_args(Encoding)
SAFETENSORS: Final = MEDIA_TYPE
WITH_TENSORS: Final = (JSON, SAFETENSORS)
"""The media types of documents that hold tensors, the usual one first."""

EITHER: Final = f"{JSON}, {SAFETENSORS}"
"""The Accept header of who leaves the choice to the server, for it to see how much there is to send."""

EVENTS: Final = "text/event-stream"
"""The media type of an answer that says, as it comes about, how far it is."""

_EITHER: Final = EITHER.encode()
# The headers that decide about the options of a call, and how long they and the query may be to be remembered.
_DECIDING: Final = (b"content-type", b"content-encoding", b"accept", b"accept-encoding", b"request-timeout")
_MOST_REMEMBERED: Final = 512
# Where they are kept in the state of a request.
_HEADERS: Final = "headers"


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What a caller may choose beside the body of a call.

    Attributes:
        encoding: How tensors are written in an answer in JSON, one of :data:`ENCODINGS`.
        seconds: The time that the request may take.
        body: The media type of the request's body, one of :data:`WITH_TENSORS`.
        compression: How the body is compressed, one of :data:`gradwire_server.compression.CODINGS` or not at all, :data:`IDENTITY`.
        answer: The media type that the answer is to have; for documents that hold tensors one of :data:`WITH_TENSORS`, or :data:`EITHER`
            if both are as welcome as each other; :data:`EVENTS` where the call has those.
        answer_compression: How the answer is compressed if that is worth it, as above.
        dry_run: Whether only what the call would take is asked for.
    """

    encoding: Encoding
    seconds: float
    body: str = JSON
    compression: str = IDENTITY
    answer: str = JSON
    answer_compression: str = IDENTITY
    dry_run: bool = False


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """The request's headers by lower-case name; of a repeated one the values joined by commas, as HTTP has it."""
    state = scope.setdefault("state", {})
    headers: dict[bytes, bytes] | None = state.get(_HEADERS)
    if headers is None:
        headers = state[_HEADERS] = {}
        for name, value in scope["headers"]:
            headers[name] = headers[name] + b"," + value if name in headers else value
    return headers


def call_options(
    scope: Scope, most_seconds: float, *, has_body: bool = True, may_dry_run: bool = False, may_stream: bool = False
) -> CallOptions:
    """Checks the headers and the query of a call.

    Args:
        scope: The request.
        most_seconds: The time allowed by the settings, which Request-Timeout may only shorten.
        has_body: Whether the call has a body.
        may_dry_run: Whether there is a query parameter ``dry_run``.
        may_stream: Whether the answer may be one of events.

    Raises:
        UnsupportedMediaType: The body is in none of the formats that are read.
        NotAcceptable: The answer may be in none of the formats that are written.
        InvalidParameter: A query parameter is not known, repeated or wrong, or Request-Timeout is no number of seconds.
    """
    headers = headers_of(scope)
    given = tuple([(name, headers[name]) for name in _DECIDING if name in headers])
    if sum([len(value) for _, value in given]) + len(scope["query_string"]) > _MOST_REMEMBERED:
        read = _call_options.__wrapped__
    else:
        read = _call_options
    return read(given, scope["query_string"], most_seconds, has_body, may_dry_run, may_stream)


@lru_cache(256)
def _call_options(
    given: tuple[tuple[bytes, bytes], ...], query_string: bytes, most_seconds: float, has_body: bool, may_dry_run: bool, may_stream: bool
) -> CallOptions:
    """What a caller chooses, who mostly chooses the same again."""
    headers = dict(given)
    body, compression = (_body_media(headers, WITH_TENSORS), _compression(headers)) if has_body else (JSON, IDENTITY)
    answer = EITHER if headers.get(b"accept") == _EITHER else choose_media(headers, (*WITH_TENSORS, EVENTS) if may_stream else WITH_TENSORS)
    encoding, dry_run = "list", "false"
    if query_string:
        query = query_parameters({"query_string": query_string}, {"encoding": encoding} | ({"dry_run": dry_run} if may_dry_run else {}))
        encoding, dry_run = query["encoding"], query.get("dry_run", dry_run)
        if dry_run not in ("true", "false"):
            raise InvalidParameter(f"The query parameter 'dry_run' must be true or false; got {dry_run!r}.")
        if encoding not in ENCODINGS:
            raise InvalidParameter(f"The query parameter 'encoding' must be one of {', '.join(ENCODINGS)}; got {encoding!r}.")
    asked = headers.get(b"request-timeout")
    seconds = most_seconds if asked is None else min(most_seconds, _seconds(asked))
    coding = _choose_coding(headers.get(b"accept-encoding"))
    return CallOptions(cast(Encoding, encoding), seconds, body, compression, answer, coding, dry_run == "true")


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
    _body_media(headers, (JSON,))
    if _compression(headers) != IDENTITY:
        raise UnsupportedMediaType("The body of this call is short; send it uncompressed.", headers={"Accept-Encoding": IDENTITY})


def _body_media(headers: Mapping[bytes, bytes], taken: Sequence[str]) -> str:
    """Which of the media types in ``taken`` the body has."""
    given = headers.get(b"content-type", b"").decode("latin-1")
    if given in taken:
        return given
    kind, *parameters = (part.strip().lower() for part in given.split(";"))
    if kind != JSON and kind.startswith("application/") and kind.endswith("+json"):
        kind = JSON
    if kind not in taken:
        got = f"got {given!r}" if given else "there is none"
        raise UnsupportedMediaType(f"The Content-Type of the body must be {' or '.join(taken)}; {got}.")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(f"JSON is always UTF-8, but the Content-Type is {given!r}.")
    return kind


def _compression(headers: Mapping[bytes, bytes]) -> str:
    given = headers.get(b"content-encoding", b"identity").decode("latin-1")
    coding = given.strip().lower()
    if coding == "x-gzip":
        return GZIP
    if coding != IDENTITY and coding not in CODINGS:
        raise UnsupportedMediaType(
            f"A body with Content-Encoding {given!r} is not taken; compress it by {' or '.join(CODINGS)} or not at all.",
            headers={"Accept-Encoding": ", ".join((*CODINGS, IDENTITY))},
        )
    return coding


# No weight but 0, which means not at all, is smaller (RFC 9110, section 12.4.2).
_LEAST_QUALITY: Final = 0.001


def _choose_coding(accepted: bytes | None) -> str:
    """How the caller would rather have the answer compressed; of codings as welcome as each other, the quickest."""
    if accepted is None:
        return IDENTITY
    quality = _qualities(accepted)
    best = max(CODINGS, key=lambda coding: quality.get(coding, 0.0))
    # Whoever names a coding wants it, unless the answer as it is would be more welcome.
    return best if quality.get(best, 0.0) >= max(quality.get(IDENTITY, 0.0), _LEAST_QUALITY) else IDENTITY


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
    quality = _qualities(accept)

    def welcome(media: str) -> float:
        # Of the ranges that match, the most specific one decides (RFC 9110, section 12.5.1).
        return next((quality[range] for range in (media, media.partition("/")[0] + "/*", "*/*") if range in quality), 0.0)

    best = max(offered, key=welcome)
    if welcome(best) == 0.0:
        raise NotAcceptable(f"The answer is {' or '.join(offered)}, which the Accept header {accept.decode('latin-1')!r} rules out.")
    return best


def _qualities(header: bytes) -> dict[str, float]:
    """How welcome is what a header such as Accept lists, from 0 to 1."""
    qualities = {}
    for item in header.decode("latin-1").lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        weights = [parameter[2:] for parameter in parameters if parameter.startswith("q=")]
        qualities[name] = _weight(weights[0]) if weights else 1.0
    return qualities


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
