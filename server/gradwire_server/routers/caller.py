"""What listings and everything that belongs to somebody take from a request: who asks, and for which page."""

from __future__ import annotations

from typing import Final

from starlette.types import Scope

from ..errors import InvalidParameter
from ..negotiation import query_parameters

_PAGE: Final = 100
_LARGEST_PAGE: Final = 1000


def owner_of(scope: Scope) -> str | None:
    """Whoever asks, by the key; ``None`` where callers are not told apart."""
    owner: str | None = scope.get("state", {}).get("owner")
    return owner


def page_of(scope: Scope) -> tuple[int, str]:
    """The query parameters ``limit`` and ``cursor``.

    Raises:
        InvalidParameter: The limit is no number, or too large, or there are other parameters.
    """
    query = query_parameters(scope, {"limit": str(_PAGE), "cursor": ""})
    given = query["limit"]
    # Python refuses to read a number of thousands of digits, which anyone may send.
    limit = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 0
    if not 1 <= limit <= _LARGEST_PAGE:
        raise InvalidParameter(f"The query parameter 'limit' must be a whole number from 1 to {_LARGEST_PAGE}; got {given!r}.")
    return limit, query["cursor"]
