"""``/v1/sessions`` and what lies below it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Final

from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from gradwire_engine.describe import to_dot, to_mermaid
from gradwire_engine.draw import to_svg
from gradwire_engine.errors import ProgramError
from gradwire_engine.safetensors import Piece

from .. import wire
from ..compute import Allowance
from ..documents import Headers, Written
from ..errors import PROBLEM_TYPE, BodyTooLarge, InvalidParameter, NotFound, SessionsNeedOneProcess, readable
from ..exchange import JSON_HEADER, raw_headers, read_body, send_answer, send_json
from ..logs import get_logger
from ..middleware.observe import request_id_of
from ..negotiation import (
    JSON,
    CallOptions,
    call_options,
    choose_media,
    headers_of,
    query_parameters,
    require_acceptable,
    require_json_body,
)
from ..routing import AsgiRoute, Endpoint
from ..services.sessions.answer import Answer
from ..services.sessions.service import BatchWork
from ..services.sessions.turns import Turn
from .caller import owner_of, page_of
from .context import Context
from .session_routes import documented

_FORMATS: Final = {
    "json": JSON,
    "dot": "text/vnd.graphviz",
    "mermaid": "text/vnd.mermaid",
    "svg": "image/svg+xml",
}
# A session is described by three short fields.
_LARGEST_DESCRIPTION: Final = 64 * 1024

Check = Callable[[], None]
# Status, the code of a problem, headers, and the body in pieces.
Finished = tuple[int, str | None, Headers, list[Piece]]


class _Endpoint:
    """What the endpoints have in common.

    Args:
        context: The application's parts.
    """

    def __init__(self, context: Context) -> None:
        self._settings = context.settings
        self._sessions = context.services.sessions
        self._work = context.session_work
        self._documents = context.documents

    def _options(self, scope: Scope, *, has_body: bool = False) -> tuple[CallOptions, Allowance]:
        options = call_options(scope, self._settings.request_seconds, has_body=has_body)
        return options, Allowance(options.seconds)


class CreateSession(_Endpoint):
    """Makes a session."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if self._settings.workers > 1:
            raise SessionsNeedOneProcess(self._settings.workers)
        headers = headers_of(scope)
        require_acceptable(headers)
        query_parameters(scope, {})
        body = await read_body(scope, receive, self._settings.body_seconds)
        if body:
            require_json_body(headers)
        if len(body) > _LARGEST_DESCRIPTION:
            raise BodyTooLarge(_LARGEST_DESCRIPTION)
        document = wire.loads(body, most_values=self._settings.json_values) if body else {}
        created = self._sessions.create(document, owner=owner_of(scope))
        await send_answer(send, 201, wire.dumps(created), [JSON_HEADER, (b"location", f"/v1/sessions/{created['id']}".encode())])


class ListSessions(_Endpoint):
    """Lists the sessions of the caller's key."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        require_acceptable(headers_of(scope))
        limit, cursor = page_of(scope)
        page = await self._work.beside(partial(self._sessions.list, owner=owner_of(scope), limit=limit, cursor=cursor))
        await send_json(send, wire.dumps(page))


class GetSession(_Endpoint):
    """Describes a session."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        require_acceptable(headers_of(scope))
        query_parameters(scope, {})
        await send_json(send, wire.dumps(self._sessions.get(scope["path_params"]["id"], owner=owner_of(scope))))


class DeleteSession(_Endpoint):
    """Ends a session."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        query_parameters(scope, {})
        await self._work.beside(partial(self._sessions.delete, scope["path_params"]["id"], owner=owner_of(scope)))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class Batch(_Endpoint):
    """Carries out a batch, to its end whether or not the caller stays."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._log = get_logger("gradwire.sessions")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        options, allowance = self._options(scope, has_body=True)
        id, owner = scope["path_params"]["id"], owner_of(scope)
        body = await read_body(scope, receive, min(options.seconds, self._settings.body_seconds))
        request_id = request_id_of(scope)

        def begin(turn: Turn) -> BatchWork[Finished]:
            document = self._documents.read(body, options, allowance.check)
            finish = partial(self._finish, options=options, request_id=request_id, check=allowance.check)
            return self._sessions.begin(id, document, owner=owner, check=allowance.check, finish=finish, turn=turn)

        size = self._documents.size(body, options)
        status, code, headers, pieces = await self._work.batch(id, owner, begin, size=size, allowance=allowance)
        scope.setdefault("state", {})["problem_code"] = code
        # They are kept.
        await send_answer(send, status, tuple(pieces), headers)

    def _finish(self, answer: Answer, options: CallOptions, request_id: str, check: Callable[[], None]) -> Finished:
        pieces = count()

        def between() -> None:
            # A short answer is one piece, and is also written when the time is over: it says that it is.
            if next(pieces):
                check()

        if isinstance(answer.error, Exception):
            self._log.error("failure", request_id=request_id, exc_info=answer.error)
        if answer.status < 400:
            # It is kept, and the session goes on to change its tensors.
            written = self._documents.write(answer.document, options, between, keep=True)
            return answer.status, None, written.headers, written.pieces
        document = {**readable(answer.document), "request_id": request_id}
        written = self._documents.write_json(document, options, between, PROBLEM_TYPE)
        return answer.status, document["code"], [*written.headers, *raw_headers(answer.headers)], written.pieces


class _Look(_Endpoint):
    """Looks at one tensor of a session."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        options, allowance = self._read(scope)
        id, name, owner = scope["path_params"]["id"], scope["path_params"]["name"], owner_of(scope)

        def work(turn: Turn) -> Written:
            allowance.check()
            return self._show(id, name, owner, turn, options, allowance.check)

        try:
            written = await self._work.look(id, owner, work, allowance)
        except ProgramError as error:
            # In a batch an unknown name is a mistake, in a path it is a place where nothing is.
            raise NotFound(error.detail, code=error.code) from None
        await send_answer(send, 200, written.pieces, written.headers)

    def _read(self, scope: Scope) -> tuple[CallOptions, Allowance]:
        return self._options(scope)

    def _show(self, id: str, name: str, owner: str | None, turn: Turn, options: CallOptions, check: Check) -> Written:
        raise NotImplementedError


class GetTensor(_Look):
    """Gives the value of one tensor."""

    def _show(self, id: str, name: str, owner: str | None, turn: Turn, options: CallOptions, check: Check) -> Written:
        return self._documents.write(self._sessions.tensor(id, name, owner=owner, turn=turn), options, check, keep=True)


class GetGrad(_Look):
    """Gives the gradient of one tensor."""

    def _show(self, id: str, name: str, owner: str | None, turn: Turn, options: CallOptions, check: Check) -> Written:
        return self._documents.write(self._sessions.grad(id, name, owner=owner, turn=turn), options, check, keep=True)


class GetGraph(_Look):
    """Gives the backward graph behind one tensor, as data or as a picture."""

    def _read(self, scope: Scope) -> tuple[CallOptions, Allowance]:
        asked = query_parameters(scope, {"format": ""})["format"]
        if asked and asked not in _FORMATS:
            raise InvalidParameter(f"The query parameter 'format' must be one of {', '.join(_FORMATS)}; got {asked!r}.")
        media = _FORMATS[asked] if asked else choose_media(headers_of(scope), tuple(_FORMATS.values()))
        options = CallOptions("list", self._settings.request_seconds, answer=media)
        return options, Allowance(options.seconds)

    def _show(self, id: str, name: str, owner: str | None, turn: Turn, options: CallOptions, check: Check) -> Written:
        graph = self._sessions.graph(id, name, owner=owner, turn=turn)
        media = options.answer
        if media == JSON:
            return self._documents.write(graph, options, check)
        turn.release()
        write = {_FORMATS["dot"]: to_dot, _FORMATS["mermaid"]: to_mermaid, _FORMATS["svg"]: to_svg}[media]
        headers = [(b"content-type", media.encode())]
        if media == _FORMATS["svg"]:
            # A picture that is opened on its own is a document: this one loads nothing and runs nothing.
            headers.append((b"content-security-policy", b"default-src 'none'"))
        return Written([write(graph).encode()], headers)


def routes(context: Context) -> list[BaseRoute]:
    """The routes of this module."""
    endpoints: dict[str, Endpoint] = {
        "create_session": CreateSession(context),
        "list_sessions": ListSessions(context),
        "get_session": GetSession(context),
        "delete_session": DeleteSession(context),
        "batch": Batch(context),
        "get_tensor": GetTensor(context),
        "get_grad": GetGrad(context),
        "get_graph": GetGraph(context),
    }
    return [AsgiRoute(endpoint=endpoints[name], operation_id=name, **facts) for name, facts in documented().items()]
