"""What is said to a Gradwire server and in which order: requests, answers, waiting, asking again.

A conversation is a generator. It yields a :class:`~gradwire.transport.Request` and receives the ``Response``, or has the
``TransportError`` thrown into it; it yields a :class:`Sleep` to wait. Its return value is the result. The two drivers of
:mod:`gradwire.drivers` run it with or without an event loop, so nothing here is written twice.

An answer that says no becomes the exception that torch would raise (:mod:`gradwire.errors`).
"""

from __future__ import annotations

import json
import random
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import quote

from . import wire
from .errors import ServiceError, error_of
from .transport import AnswerTimeout, Request, Response, TransportError, UnreadableAnswer

Document: TypeAlias = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sleep:
    """Nothing to be sent for a while."""

    seconds: float


Conversation: TypeAlias = Generator[Request | Sleep, Response | None, T]

# The caller's own random numbers stay what their seed makes them.
_RANDOM: Final = random.Random()
_BUSY: Final = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is sent, and how long to wait in between: twice as long each time, plus or minus a random part.

    Attributes:
        attempts: The most times that a request is sent.
        first_seconds: The wait after the first one.
        most_seconds: The longest wait. A server that asks for more by ``Retry-After`` is not asked again.
    """

    attempts: int = 6
    first_seconds: float = 0.05
    most_seconds: float = 5.0

    def wait(self, attempt: int, response: Response | None) -> float | None:
        """Seconds to wait after the attempt of this number, counted from 1; None if there is to be no other."""
        if attempt >= self.attempts:
            return None
        asked = 0.0 if response is None else _seconds(response.headers.get("retry-after", ""))
        if asked > self.most_seconds:
            return None
        # Clients that failed together should not come back together.
        own = min(self.first_seconds * 2.0 ** (attempt - 1), self.most_seconds) * _RANDOM.uniform(0.5, 1.5)
        return max(asked, own)


DEFAULT_RETRIES: Final = Retries()


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """What became of a batch.

    Attributes:
        seq: Its number in the session.
        results: One result per instruction that was carried out.
        problem: Why an instruction failed, as the exception to be raised where its result is needed; None if none failed.
        failed_instruction: The position of that instruction. What came before it stands, what came after did not run.
        suspended: Where a backward pass waits for a function or a hook of the client's; None if none does.
    """

    seq: int
    results: list[Any]
    problem: ServiceError | None = None
    failed_instruction: int | None = None
    suspended: Document | None = None


def evaluate(document: Any, *, seconds: float | None = None, retries: Retries = DEFAULT_RETRIES) -> Conversation[Document]:
    """Evaluates one program.

    Args:
        document: The program, with ``backward`` and whatever else ``POST /v1/evaluate`` takes.
        seconds: The time that it may take.
        retries: How often to ask.

    Returns:
        The outputs, and the gradients and the graph where they were asked for.
    """
    request = Request("POST", "/v1/evaluate", body=document, tensors=True, seconds=seconds)
    return (yield from _succeed(request, retries))


def list_ops(*, retries: Retries = DEFAULT_RETRIES) -> Conversation[list[Document]]:
    """Describes every operation."""
    return (yield from _all_pages("/v1/ops", retries))


def get_op(name: str, *, retries: Retries = DEFAULT_RETRIES) -> Conversation[Document]:
    """Describes one operation."""
    return (yield from _succeed(Request("GET", f"/v1/ops/{_quoted(name)}"), retries))


def info(*, retries: Retries = DEFAULT_RETRIES) -> Conversation[Document]:
    """Versions and limits."""
    return (yield from _succeed(Request("GET", "/v1/info"), retries))


def open_session(
    *,
    ttl_seconds: float | None = None,
    default_dtype: str | None = None,
    seed: int | None = None,
    retries: Retries = DEFAULT_RETRIES,
) -> Conversation[Document]:
    """Opens a session.

    Args:
        ttl_seconds: How long it may lie idle.
        default_dtype: Its default dtype.
        seed: The state of its random generator.
        retries: How often to ask. A session that was opened without the client hearing of it is gone after its idle time.

    Returns:
        Its ``id``, ``expires_at`` and ``seq``.
    """
    asked = {"ttl_seconds": ttl_seconds, "default_dtype": default_dtype, "seed": seed}
    body = {name: value for name, value in asked.items() if value is not None}
    return (yield from _succeed(Request("POST", "/v1/sessions", body=body), retries))


def get_session(session: str, *, retries: Retries = DEFAULT_RETRIES) -> Conversation[Document]:
    """Describes a session."""
    return (yield from _succeed(Request("GET", _at(session)), retries))


def delete_session(session: str, *, retries: Retries = DEFAULT_RETRIES) -> Conversation[None]:
    """Deletes a session with all that it holds."""
    yield from _delete(Request("DELETE", _at(session)), retries)


def send_batch(
    session: str, seq: int, instructions: Sequence[Mapping[str, Any]], *, retries: Retries = DEFAULT_RETRIES
) -> Conversation[BatchAnswer]:
    """Has a list of instructions carried out, exactly once however often it has to be sent: its number gives a repeat away.

    Args:
        session: The session's id.
        seq: The number of the batch: one more than that of the batch before.
        instructions: What to do. Arrays in it must not change until the answer is there.
        retries: How often to send it.

    Returns:
        The results, also where an instruction failed.

    Raises:
        ServiceError: The batch was refused as a whole; its number is not used up.
        TransportError: There is no answer. Whether the batch was carried out is open; ``get_session`` tells by its ``seq``.
    """
    body = {"seq": seq, "instructions": instructions}
    response, _ = yield from _ask(Request("POST", _at(session, "batch"), body=body, tensors=True), retries, numbered=True)
    document = response.document
    if response.is_success:
        return BatchAnswer(document["seq"], document["results"], suspended=document.get("suspended"))
    problem = error_of(response)
    if not _used_up(response) or problem.results is None:
        raise problem
    return BatchAnswer(document["seq"], problem.results, problem, problem.instruction)


def read_tensor(session: str, name: str, *, retries: Retries = DEFAULT_RETRIES) -> Conversation[Document]:
    """Reads a tensor of a session."""
    return (yield from _succeed(Request("GET", _at(session, "tensors", name), tensors=True), retries))


def read_grad(session: str, name: str, *, retries: Retries = DEFAULT_RETRIES) -> Conversation[Document | None]:
    """Reads the gradient of a tensor of a session; None if it has none."""
    return (yield from _succeed(Request("GET", _at(session, "tensors", name, "grad"), tensors=True), retries)) or None


def graph(session: str, name: str, *, retries: Retries = DEFAULT_RETRIES) -> Conversation[Document]:
    """Describes the graph that a tensor of a session comes from."""
    return (yield from _succeed(Request("GET", _at(session, "tensors", name, "graph")), retries))


def put_function(
    name: str, document: Mapping[str, Any], *, condition: Mapping[str, str] | None = None, retries: Retries = DEFAULT_RETRIES
) -> Conversation[Document]:
    """Registers a function.

    Args:
        name: Its name.
        document: What ``PUT /v1/functions/{name}`` takes, with NumPy arrays wherever it has tensors.
        condition: The headers ``If-Match`` and ``If-None-Match``.
        retries: How often to ask.

    Returns:
        Its description.
    """
    # What a server keeps is JSON, however many numbers there are in it.
    body = wire.jsonable(document)
    response, unheard = yield from _ask(Request("PUT", _function(name), body=body, headers=condition or {}), retries)
    if unheard and response.status == 412:
        # The condition holds no more, perhaps because an earlier request, which was not heard of again, has made the change.
        found = yield from get_function(name, retries=retries)
        if wire.jsonable(found["function"]) == wire.jsonable(wire.loads(json.dumps(body).encode())):
            return found
    return _document(response)


def get_function(name: str, *, retries: Retries = DEFAULT_RETRIES) -> Conversation[Document]:
    """Describes a function, with what it was registered as and its versions."""
    return (yield from _succeed(Request("GET", _function(name)), retries))


def list_functions(*, retries: Retries = DEFAULT_RETRIES) -> Conversation[list[Document]]:
    """Describes every function."""
    return (yield from _all_pages("/v1/functions", retries))


def delete_function(name: str, *, condition: Mapping[str, str] | None = None, retries: Retries = DEFAULT_RETRIES) -> Conversation[None]:
    """Forgets a function, or an old version of one."""
    yield from _delete(Request("DELETE", _function(name), headers=condition or {}), retries)


def call_function(
    name: str,
    form: str,
    document: Mapping[str, Any],
    *,
    dry_run: bool = False,
    seconds: float | None = None,
    retries: Retries = DEFAULT_RETRIES,
) -> Conversation[Document]:
    """Calls a function.

    Args:
        name: Its name, or ``name@hash``.
        form: The kind of call: the last part of its path.
        document: The inputs and what is wanted, with NumPy arrays wherever it has tensors.
        dry_run: Whether to say what the call would give and take, in place of its answer.
        seconds: The time that it may take.
        retries: How often to ask.

    Returns:
        The answer.
    """
    params = {"dry_run": "true"} if dry_run else {}
    request = Request("POST", f"{_function(name)}/{form}", params=params, body=document, tensors=True, seconds=seconds)
    return (yield from _succeed(request, retries))


def _function(name: str) -> str:
    return f"/v1/functions/{_quoted(name)}"


def _at(session: str, *parts: str) -> str:
    return "/".join(["/v1/sessions", *map(_quoted, (session, *parts))])


def _quoted(part: str) -> str:
    return quote(part, safe="")


def _succeed(request: Request, retries: Retries) -> Conversation[Document]:
    """The document of the answer, or the exception for an answer that says no."""
    response, _ = yield from _ask(request, retries)
    return _document(response)


def _document(response: Response) -> Document:
    if not response.is_success:
        raise error_of(response)
    document: Document = response.document
    return document


def _all_pages(path: str, retries: Retries) -> Conversation[list[Document]]:
    """The items of all pages of a list."""
    items: list[Document] = []
    params: dict[str, str] = {}
    while True:
        page = yield from _succeed(Request("GET", path, params=params), retries)
        items += page["items"]
        if page["next"] is None:
            return items
        params = {"cursor": page["next"]}


def _delete(request: Request, retries: Retries) -> Conversation[None]:
    """Has something deleted."""
    response, unheard = yield from _ask(request, retries)
    # Where an earlier request was not heard of again, it was that one which deleted it.
    if not response.is_success and not (unheard and response.status == 404):
        raise error_of(response)


def _ask(request: Request, retries: Retries, *, numbered: bool = False) -> Conversation[tuple[Response, bool]]:
    """Sends a request that may be repeated until it is answered.

    Args:
        request: The request.
        retries: How often to send it.
        numbered: Whether the server recognises a repeat, and answers it without doing the work again.

    Returns:
        The last answer, whatever its status, and whether a request before that one was left without an answer.

    Raises:
        TransportError: The last request was not answered.
    """
    unheard = False
    attempt = 1
    while True:
        response = None
        try:
            response = yield request
            assert response is not None
            if not _passing(response, numbered):
                return response, unheard
            wait = retries.wait(attempt, response)
            if wait is None:
                return response, unheard
        except TransportError as error:
            unheard = True
            # What took too long would take as long again, unless it goes on meanwhile.
            hopeless = isinstance(error, UnreadableAnswer) or (isinstance(error, AnswerTimeout) and not numbered)
            wait = None if hopeless else retries.wait(attempt, None)
            if wait is None:
                raise
        yield Sleep(wait)
        attempt += 1


def _passing(response: Response, numbered: bool) -> bool:
    """Whether an answer says that a later request may be carried out, and that this one was not."""
    if response.status not in _BUSY or _used_up(response):
        return False
    code = response.document.get("code") if isinstance(response.document, Mapping) else None
    return numbered or code != "deadline_exceeded"


def _used_up(response: Response) -> bool:
    return isinstance(response.document, Mapping) and "seq" in response.document


def _seconds(retry_after: str) -> float:
    # A date in its place is so rare that the client's own waiting time will do.
    return float(retry_after) if retry_after.isdecimal() else 0.0
