"""``/v1/functions``: registering functions, and calling them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from gradwire_engine.limits import Limits

from .. import wire
from ..compute import Allowance
from ..documents import Written
from ..errors import FunctionsNeedDirectory, InvalidParameter
from ..exchange import JSON_HEADER, read_body, send_answer, send_json
from ..negotiation import JSON, CallOptions, call_options, headers_of, query_parameters, require_acceptable, require_json_body
from ..routing import AsgiRoute, Endpoint
from ..services.functions.condition import Condition
from ..services.functions.service import Prepared
from .caller import owner_of, page_of
from .context import Context
from .function_endpoint import FunctionEndpoint
from .function_routes import CALLS, documented
from .minimize import MinimizeFunction

_TAG: Final = re.compile(r'(W/)?"([^"]*)"')


class _Endpoint(FunctionEndpoint):
    """What the endpoints have in common that answer a document with one."""

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        options: CallOptions,
        work: Callable[[Any, Limits, Callable[[], None]], dict[str, Any]],
        *,
        only_tensors: bool = False,
    ) -> None:
        """Reads the document in the body, and answers with what ``work`` makes of it; ``only_tensors`` is as for ``Documents.write``."""
        settings, documents = self._settings, self._documents
        allowance = Allowance(options.seconds)
        body = await read_body(scope, receive, min(options.seconds, settings.body_seconds))

        def job(limits: Limits, check: Callable[[], None]) -> Written:
            answer = work(documents.read(body, options, check), limits, check)
            check()
            return documents.write(answer, options, check, only_tensors=only_tensors)

        size = documents.size(body, options)
        answer = await self._compute.run(job, size=size, allowance=allowance, receive=receive)
        await send_answer(send, 200, answer.pieces, answer.headers)


class PutFunction(_Endpoint):
    """Registers a function."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        settings = self._settings
        if settings.workers > 1 and settings.data_dir is None:
            raise FunctionsNeedDirectory(settings.workers)
        # What is kept is JSON.
        require_json_body(headers_of(scope))
        options = call_options(scope, settings.request_seconds)
        allowance = Allowance(options.seconds)
        condition, name, owner = _condition(scope), scope["path_params"]["name"], owner_of(scope)
        body = await read_body(scope, receive, min(options.seconds, settings.body_seconds))

        def prepare(limits: Limits, check: Callable[[], None]) -> Prepared:
            return self._functions.prepare(wire.loads(body, most_values=settings.json_values, check=check), check=check)

        prepared = await self._compute.run(prepare, size=len(body), allowance=allowance, receive=receive)
        put = partial(self._functions.put, name, prepared, owner=owner, condition=condition)
        described, is_new = await self._compute.run_to_end(put)
        written = self._documents.write_json(described, options, allowance.check, JSON)
        headers = [*written.headers, (b"etag", f'"{described["hash"]}"'.encode())]
        if is_new:
            headers.append((b"location", f"/v1/functions/{name}".encode()))
        await send_answer(send, 201 if is_new else 200, written.pieces, headers)


class ListFunctions(_Endpoint):
    """Lists the functions of the caller."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        require_acceptable(headers_of(scope))
        limit, cursor = page_of(scope)
        page = partial(self._functions.list, owner=owner_of(scope), limit=limit, cursor=cursor)
        await send_json(send, wire.dumps(await self._compute.run_to_end(page)))


class GetFunction(_Endpoint):
    """Describes a function."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        require_acceptable(headers_of(scope))
        query_parameters(scope, {})
        found = await self._compute.run_to_end(partial(self._functions.get, scope["path_params"]["name"], owner=owner_of(scope)))
        await send_answer(send, 200, wire.dumps(found), [JSON_HEADER, (b"etag", f'"{found["hash"]}"'.encode())])


class DeleteFunction(_Endpoint):
    """Forgets a function, or a version of one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        query_parameters(scope, {})
        delete = partial(self._functions.delete, scope["path_params"]["name"], owner=owner_of(scope), condition=_condition(scope))
        await self._compute.run_to_end(delete)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class CallFunction(_Endpoint):
    """Calls a function.

    Args:
        context: The application's parts.
        form: The kind of call.
    """

    def __init__(self, context: Context, form: str) -> None:
        super().__init__(context)
        self._form = form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        settings, form = self._settings, self._form
        name, owner = scope["path_params"]["name"], owner_of(scope)
        options = call_options(scope, settings.request_seconds, may_dry_run=True)

        def work(document: Any, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
            if options.dry_run:
                # It costs little itself, and is about the limits of a call.
                return self._functions.dry_run(name, form, document, owner=owner, limits=settings.limits(), check=check)
            return self._functions.call(name, form, document, owner=owner, limits=limits, check=check)

        await self._answer(scope, receive, send, options, work, only_tensors=not options.dry_run)


class CheckFunction(_Endpoint):
    """Examines a function: its gradients, or where a NaN comes from.

    Args:
        context: The application's parts.
        form: ``"gradcheck"`` or ``"nan_check"``.
    """

    def __init__(self, context: Context, form: str) -> None:
        super().__init__(context)
        self._examine = getattr(self._functions, form)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        name, owner = scope["path_params"]["name"], owner_of(scope)

        def work(document: Any, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
            found: dict[str, Any] = self._examine(name, document, owner=owner, limits=limits, check=check)
            return found

        await self._answer(scope, receive, send, call_options(scope, self._settings.request_seconds), work)


def _condition(scope: Scope) -> Condition:
    headers = headers_of(scope)
    return Condition(_tags(headers, "If-Match", strong=True), _tags(headers, "If-None-Match", strong=False))


def _tags(headers: dict[bytes, bytes], name: str, *, strong: bool) -> frozenset[str] | None:
    """The entity tags of a header; a weak one is never that of what is to be changed."""
    given = headers.get(name.lower().encode())
    if given is None:
        return None
    text = given.decode("latin-1").strip()
    if text == "*":
        return frozenset({"*"})
    matches = [_TAG.fullmatch(part.strip()) for part in text.split(",")]
    if not all(matches):
        raise InvalidParameter(f'The header {name} must be * or a list of entity tags such as "5f0c...", in quotes; got {text[:100]!r}.')
    return frozenset(match[2] for match in matches if match and not (strong and match[1]))


def routes(context: Context) -> list[BaseRoute]:
    """The routes of this module."""
    endpoints: dict[str, Endpoint] = {
        "put_function": PutFunction(context),
        "list_functions": ListFunctions(context),
        "get_function": GetFunction(context),
        "delete_function": DeleteFunction(context),
        "minimize": MinimizeFunction(context),
        "gradcheck": CheckFunction(context, "gradcheck"),
        "nan_check": CheckFunction(context, "nan_check"),
    }
    for name in CALLS:
        endpoints.setdefault(name, CallFunction(context, name.removesuffix("_function")))
    return [AsgiRoute(endpoint=endpoints[name], operation_id=name, **facts) for name, facts in documented().items()]
