"""Whatever is raised further in becomes an answer here."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import PROBLEM_TYPE, REFUSED, Problem, ServerDraining, refusal_of
from ..exchange import raw_headers, send_answer
from ..logs import Logger
from .observe import is_answered, request_id_of


def noted(error: Exception, scope: Scope, log: Logger) -> Problem:
    """The problem that an error is, once it is in the log and among the numbers about the request."""
    problem = Problem.of(error)
    state = scope.setdefault("state", {})
    state["problem_code"] = problem.code
    state["refusal"] = refusal_of(error)
    if problem.unexpected:
        log.error("failure", request_id=request_id_of(scope), method=scope["method"], path=scope["path"], exc_info=error)
    return problem


class AnswerErrors:
    """Answers every exception with ``application/problem+json``, and logs those that are failures of the server.

    Args:
        app: The application.
        log: Where tracebacks go.
    """

    def __init__(self, app: ASGIApp, *, log: Logger) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            # What the HTTP server could not make a request of comes here all the same, to be answered, logged and counted as others are.
            if refused := scope.get("state", {}).get(REFUSED):
                raise refused
            await self._app(scope, receive, send)
        except (Exception, asyncio.CancelledError) as raised:
            # The HTTP server cancels what is still running when the time for stopping is over.
            # No other name is given to it: it knows this frame, and would keep it, and with it the request, until garbage is collected.
            problem = noted(ServerDraining() if isinstance(raised, asyncio.CancelledError) else raised, scope, self._log)
            if is_answered(scope):
                # Too late for another answer: the HTTP server breaks the connection off, by which the caller knows that it is cut short.
                raise
            headers = [(b"content-type", PROBLEM_TYPE.encode()), *raw_headers(problem.headers)]
            await send_answer(send, problem.status, problem.body(request_id_of(scope)), headers)
