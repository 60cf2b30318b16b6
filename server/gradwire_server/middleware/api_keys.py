"""Who may call."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import Unauthorized
from ..keys import PREFIX, find_key
from ..paths import is_public


class RequireKey:
    """Lets in only callers with a known key in ``Authorization: Bearer``; probes and documentation are open.

    Args:
        app: The application.
        hashes: The keys, as :func:`gradwire_server.keys.hash_key` returns them.
    """

    def __init__(self, app: ASGIApp, *, hashes: Sequence[str]) -> None:
        self._app = app
        self._hashes = tuple(hashes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] == "http" and not is_public(scope["path"]):
            owner = self._known(scope).removeprefix(PREFIX)
            # What one key makes, another does not see; the start of the hash names the key in logs without giving it away.
            scope.setdefault("state", {}).update(owner=owner, key_id=owner[:12])
        await self._app(scope, receive, send)

    def _known(self, scope: Scope) -> str:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if not given:
            raise Unauthorized("This server wants an API key, in a header Authorization: Bearer <key>; there is none.")
        scheme, _, key = given[0].decode("latin-1").partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer" or not key.strip():
            raise Unauthorized("The Authorization header must be of the form: Bearer <key>.")
        known = find_key(key.strip(), self._hashes)
        if known is None:
            raise Unauthorized("The API key is not known to this server.")
        return known
