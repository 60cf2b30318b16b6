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
from ..compute import Allowance, Job
from ..errors import FunctionsNeedDirectory, InvalidParameter
from ..exchange import JSON_HEADER, read_body, send_answer, send_json
from ..negotiation import CallOptions, call_options, headers_of, query_parameters, require_acceptable
from ..routing import AsgiRoute, Endpoint
from ..services.functions.condition import Condition
from ..services.functions.service import Prepared
from .context import Context
from .function_routes import documented

_PAGE: Final = 100
_LARGEST_PAGE: Final = 1000
_TAG: Final = re.compile(r'(W/)?"([^"]*)"')


def _owner(scope: Scope) -> str | None:
    owner: str | None = scope.get("state", {}).get("owner")
    return owner


class _Endpoint:
    """What the endpoints have in common.

    Args:
        context: The application's parts.
    """

    def __init__(self, context: Context) -> None:
        self._settings = context.settings
        self._functions = context.services.functions
        self._compute = context.compute

    def _write(self, document: Any, options: CallOptions, check: Callable[[], None]) -> list[bytes]:
        return wire.dumps_in_pieces(document, options.encoding, most_bytes=self._settings.answer_bytes, check=check)


class PutFunction(_Endpoint):
    """Registers a function."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        settings = self._settings
        if settings.workers > 1 and settings.data_dir is None:
            raise FunctionsNeedDirectory(settings.workers)
        options = call_options(scope, settings.request_seconds)
        allowance = Allowance(options.seconds)
        condition, name, owner = _condition(scope), scope["path_params"]["name"], _owner(scope)
        body = await read_body(receive, min(options.seconds, settings.body_seconds))

        def prepare(limits: Limits, check: Callable[[], None]) -> Prepared:
            return self._functions.prepare(wire.loads(body, most_values=settings.json_values, check=check), check=check)

        prepared = await self._compute.run(prepare, size=len(body), allowance=allowance, receive=receive)
        put = partial(self._functions.put, name, prepared, owner=owner, condition=condition)
        described, is_new = await self._compute.run_to_end(put)
        headers = [JSON_HEADER, (b"etag", f'"{described["hash"]}"'.encode())]
        if is_new:
            headers.append((b"location", f"/v1/functions/{name}".encode()))
        await send_answer(send, 201 if is_new else 200, self._write(described, options, allowance.check), headers)


class ListFunctions(_Endpoint):
    """Lists the functions of the caller."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        require_acceptable(headers_of(scope))
        query = query_parameters(scope, {"limit": str(_PAGE), "cursor": ""})
        given = query["limit"]
        # Python refuses to read a number of thousands of digits, which anyone may send.
        limit = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 0
        if not 1 <= limit <= _LARGEST_PAGE:
            raise InvalidParameter(f"The query parameter 'limit' must be a whole number from 1 to {_LARGEST_PAGE}; got {given!r}.")
        page = partial(self._functions.list, owner=_owner(scope), limit=limit, cursor=query["cursor"])
        await send_json(send, wire.dumps(await self._compute.run_to_end(page)))


class GetFunction(_Endpoint):
    """Describes a function."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        require_acceptable(headers_of(scope))
        query_parameters(scope, {})
        found = await self._compute.run_to_end(partial(self._functions.get, scope["path_params"]["name"], owner=_owner(scope)))
        await send_answer(send, 200, wire.dumps(found), [JSON_HEADER, (b"etag", f'"{found["hash"]}"'.encode())])


class DeleteFunction(_Endpoint):
    """Forgets a function, or a version of one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        query_parameters(scope, {})
        delete = partial(self._functions.delete, scope["path_params"]["name"], owner=_owner(scope), condition=_condition(scope))
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
        settings = self._settings
        options = call_options(scope, settings.request_seconds, may_dry_run=True)
        allowance = Allowance(options.seconds)
        body = await read_body(receive, min(options.seconds, settings.body_seconds))
        job = self._job(scope["path_params"]["name"], _owner(scope), body, options)
        await send_json(send, await self._compute.run(job, size=len(body), allowance=allowance, receive=receive))

    def _job(self, name: str, owner: str | None, body: bytes | bytearray, options: CallOptions) -> Job[list[bytes]]:
        settings = self._settings
        # A dry run costs little, and is about the limits of a call.
        run = partial(self._functions.dry_run, limits=settings.limits()) if options.dry_run else None

        def job(limits: Limits, check: Callable[[], None]) -> list[bytes]:
            document = wire.loads(body, most_values=settings.json_values, check=check)
            called = run or partial(self._functions.call, limits=limits)
            answer = called(name, self._form, document, owner=owner, check=check)
            check()
            return self._write(answer, options, check)

        return job


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
        settings = self._settings
        options = call_options(scope, settings.request_seconds)
        allowance = Allowance(options.seconds)
        body = await read_body(receive, min(options.seconds, settings.body_seconds))
        name, owner = scope["path_params"]["name"], _owner(scope)

        def job(limits: Limits, check: Callable[[], None]) -> list[bytes]:
            document = wire.loads(body, most_values=settings.json_values, check=check)
            return self._write(self._examine(name, document, owner=owner, limits=limits, check=check), options, check)

        await send_json(send, await self._compute.run(job, size=len(body), allowance=allowance, receive=receive))


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
        "evaluate_function": CallFunction(context, "evaluate"),
        "value_and_grad": CallFunction(context, "value_and_grad"),
        "vjp": CallFunction(context, "vjp"),
        "gradcheck": CheckFunction(context, "gradcheck"),
        "nan_check": CheckFunction(context, "nan_check"),
    }
    return [AsgiRoute(endpoint=endpoints[name], operation_id=name, **facts) for name, facts in documented().items()]
