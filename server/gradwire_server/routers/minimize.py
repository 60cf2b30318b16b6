"""``POST /v1/functions/{name}/minimize``: a search that is answered at its end, or as it goes on."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from gradwire_engine.limits import Limits
from gradwire_engine.minimize import Iteration

from ..compression import IDENTITY
from ..compute import Allowance, Job
from ..documents import Written
from ..events import Progress, send_progress
from ..exchange import read_body, send_answer
from ..negotiation import EVENTS, JSON, call_options
from .caller import owner_of
from .context import Context
from .function_endpoint import FunctionEndpoint

# What the search leaves of the time for writing its result, on a machine that may have much else to do.
_RESERVE: Final = 0.1
_RESERVE_SECONDS: Final = 0.5


class MinimizeFunction(FunctionEndpoint):
    """Minimises a function.

    Args:
        context: The application's parts.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        # Searches take long: one thread is left to all others.
        self._turns = asyncio.Semaphore(max(1, context.settings.compute_threads - 1))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        settings, documents = self._settings, self._documents
        options = call_options(scope, settings.request_seconds, may_dry_run=True, may_stream=True)
        name, owner = scope["path_params"]["name"], owner_of(scope)
        allowance = Allowance(options.seconds)
        body = await read_body(scope, receive, min(options.seconds, settings.body_seconds))
        progress: Progress[dict[str, Any]] = Progress()

        def report(iteration: Iteration) -> None:
            progress.report(asdict(iteration))

        def job(limits: Limits, check: Callable[[], None]) -> Written:
            document = documents.read(body, options, check)
            if options.dry_run:
                # It costs little itself, and is about the limits of a call.
                said = self._functions.dry_run(name, "minimize", document, owner=owner, limits=settings.limits(), check=check)
                return documents.write(said, options, check)
            left = allowance.remaining()
            seconds = max(left - max(_RESERVE * left, _RESERVE_SECONDS), left / 2)
            answer = self._functions.minimize(name, document, owner=owner, limits=limits, check=check, seconds=seconds, report=report)
            check()
            if options.answer == EVENTS:
                return documents.write_json(answer, replace(options, answer_compression=IDENTITY), check, JSON)
            return documents.write(answer, options, check)

        if options.dry_run:
            # Which waits for no search.
            work = self._compute.run(job, size=sys.maxsize, allowance=allowance, receive=receive)
        else:
            # Even a small function is evaluated many times, so that this never is a job for where it stands.
            work = self._in_turn(job, allowance, receive)
        if options.answer == EVENTS and not options.dry_run:
            await send_progress(scope, send, "iteration", progress, work)
        else:
            written = await work
            await send_answer(send, 200, written.pieces, written.headers)

    async def _in_turn(self, job: Job[Written], allowance: Allowance, receive: Receive) -> Written:
        try:
            await asyncio.wait_for(self._turns.acquire(), allowance.remaining())
        except TimeoutError:
            raise allowance.exceeded() from None
        try:
            return await self._compute.run(job, size=sys.maxsize, allowance=allowance, receive=receive)
        finally:
            self._turns.release()
