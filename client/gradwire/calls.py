"""The calls of a server and of a session, as conversations: what the waiting and the awaiting client have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import conversations
from .conversations import DEFAULT_RETRIES, BatchAnswer, Conversation, Document, Retries
from .errors import Conflict, NotFound, ServiceError
from .function_calls import FunctionCalls
from .transport import TransportError


class ClientCalls:
    """The calls that need no session."""

    def __init__(self, retries: int | None) -> None:
        self._retries = DEFAULT_RETRIES if retries is None else replace(DEFAULT_RETRIES, attempts=1 + retries)

    def evaluate(self, program: Mapping[str, Any], *, seconds: float | None = None) -> Conversation[Document]:
        """Evaluates one program: what ``POST /v1/evaluate`` takes, with NumPy arrays wherever it has tensors.

        Args:
            program: The program, with ``backward`` where gradients are wanted.
            seconds: The time that it may take.

        Returns:
            ``{"outputs": {name: tensor}, "grads": ..., "graph": ...}``; the ``data`` of every tensor is an array.

        Raises:
            ServiceError: The program is wrong or too large, as the exception that torch would raise.
            TransportError: The server did not answer.
        """
        return conversations.evaluate(program, seconds=seconds, retries=self._retries)

    def ops(self) -> Conversation[list[Document]]:
        """Describes every operation."""
        return conversations.list_ops(retries=self._retries)

    def op(self, name: str) -> Conversation[Document]:
        """Describes one operation by torch's name for it.

        Raises:
            NotFound: There is none of that name.
        """
        return conversations.get_op(name, retries=self._retries)

    def info(self) -> Conversation[Document]:
        """Versions and limits of whoever answers."""
        return conversations.info(retries=self._retries)

    def put_function(
        self,
        name: str,
        *,
        inputs: Mapping[str, Any],
        outputs: Sequence[str],
        program: str | None = None,
        nodes: Sequence[Mapping[str, Any]] | None = None,
        functions: Mapping[str, Any] | None = None,
        description: str | None = None,
        default_dtype: str | None = None,
        if_match: str | None = None,
        only_new: bool = False,
    ) -> Conversation[FunctionCalls]:
        """Registers a function; the same again changes nothing.

        Args:
            name: Its name.
            inputs: How its inputs are declared: ``{"x": {"dtype": "float64", "shape": ["n", 3]}}``.
            outputs: The names of its outputs.
            program: What it computes, as text.
            nodes: Or as nodes.
            functions: The custom functions that it calls.
            description: What it is for.
            default_dtype: The dtype of numbers that have none.
            if_match: The hash that the current version must have.
            only_new: Whether there must be no such function yet.

        Raises:
            ServiceError: The function is wrong; ``pointer`` leads to the place, ``line`` and ``column`` too where it is a text.
            Conflict: It is not as ``if_match`` or ``only_new`` has it.
        """
        given = {
            "program": program,
            "nodes": nodes,
            "functions": functions,
            "description": description,
            "default_dtype": default_dtype,
        }
        document = {"inputs": inputs, "outputs": outputs, **{field: value for field, value in given.items() if value is not None}}
        condition = _if_match(if_match)
        if only_new:
            condition["If-None-Match"] = "*"
        described = yield from conversations.put_function(name, document, condition=condition, retries=self._retries)
        return FunctionCalls(name, described, self._retries)

    def get_function(self, name: str) -> Conversation[FunctionCalls]:
        """The function of this name, or ``name@hash`` for one of its versions.

        Raises:
            NotFound: There is none.
        """
        return FunctionCalls(name, (yield from conversations.get_function(name, retries=self._retries)), self._retries)

    def list_functions(self) -> Conversation[list[Document]]:
        """Describes every function."""
        return conversations.list_functions(retries=self._retries)

    def delete_function(self, name: str, *, if_match: str | None = None) -> Conversation[None]:
        """Forgets a function with all its versions, or the old version ``name@hash``.

        Args:
            name: Its name.
            if_match: The hash that its current version must have.

        Raises:
            NotFound: There is none of that name.
            Conflict: It is the current version, or not as ``if_match`` has it.
        """
        return conversations.delete_function(name, condition=_if_match(if_match), retries=self._retries)

    def session(
        self, *, ttl_seconds: float | None = None, default_dtype: str | None = None, seed: int | None = None
    ) -> Conversation[SessionCalls]:
        """Opens a session.

        Args:
            ttl_seconds: How long it may lie idle.
            default_dtype: Its default dtype.
            seed: The state of its random generator.
        """
        opened = yield from conversations.open_session(
            ttl_seconds=ttl_seconds, default_dtype=default_dtype, seed=seed, retries=self._retries
        )
        return SessionCalls(opened, self._retries)


def _if_match(hash: str | None) -> dict[str, str]:
    return {} if hash is None else {"If-Match": f'"{hash}"'}


class SessionCalls:
    """The calls of one session.

    Attributes:
        id: The session's id.
        seq: The number of the last batch; None where it is open whether that one was carried out.
    """

    def __init__(self, opened: Document, retries: Retries) -> None:
        self.id: str = opened["id"]
        self.seq: int | None = opened["seq"]
        self._retries = retries

    def send(self, instructions: Sequence[Mapping[str, Any]]) -> Conversation[BatchAnswer]:
        """Has a list of instructions carried out, exactly once, and says what became of each.

        Raises:
            ServiceError: The batch was refused as a whole.
            TransportError: The server did not answer.
        """
        open_before = self.seq is None
        try:
            return (yield from self._send(instructions))
        except Conflict:
            # The batch whose fate was open was still being carried out when the session was asked for its number. Now it has ended.
            if not open_before:
                raise
            return (yield from self._send(instructions))

    def _send(self, instructions: Sequence[Mapping[str, Any]]) -> Conversation[BatchAnswer]:
        if self.seq is None:
            self.seq = (yield from conversations.get_session(self.id, retries=self._retries))["seq"]
        number, self.seq = self.seq + 1, None
        answer = yield from conversations.send_batch(self.id, number, instructions, retries=self._retries)
        self.seq = answer.seq
        return answer

    def batch(self, instructions: Sequence[Mapping[str, Any]]) -> Conversation[list[Any]]:
        """Has a list of instructions carried out, exactly once.

        Returns:
            One result per instruction; fewer if a backward pass waits for a function of the client's, which ``send`` tells.

        Raises:
            ServiceError: An instruction failed: its position is the exception's ``instruction``, and ``results`` are those before it.
                Or the batch was refused as a whole.
            TransportError: The server did not answer.
        """
        answer = yield from self.send(instructions)
        if answer.problem is not None:
            raise answer.problem
        return answer.results

    def read(self, name: str) -> Conversation[Document]:
        """Reads a tensor."""
        return conversations.read_tensor(self.id, name, retries=self._retries)

    def grad(self, name: str) -> Conversation[Document | None]:
        """Reads the gradient of a tensor; None if it has none."""
        return conversations.read_grad(self.id, name, retries=self._retries)

    def graph(self, name: str) -> Conversation[Document]:
        """Describes the graph that a tensor comes from."""
        return conversations.graph(self.id, name, retries=self._retries)

    def delete(self) -> Conversation[None]:
        """Deletes the session with all that it holds."""
        return conversations.delete_session(self.id, retries=self._retries)

    def leave(self, error: BaseException | None) -> Conversation[None]:
        """Deletes the session, if it is still there, without getting in the way of what went wrong before."""
        try:
            yield from self.delete()
        except NotFound:
            pass
        except (ServiceError, TransportError):
            if error is None:
                raise
