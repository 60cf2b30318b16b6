"""What the tests of sessions share: a caller of the service, and the instructions that most of them begin with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradwire_engine.codec import to_lists
from gradwire_server.services.sessions.answer import Answer
from gradwire_server.services.sessions.limits import SessionLimits
from gradwire_server.services.sessions.service import EngineSessions

Document = dict[str, Any]


def plain(value: Any) -> Any:
    """A document with lists in place of arrays."""
    if isinstance(value, np.ndarray):
        return to_lists(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def finish(answer: Answer) -> tuple[int, Document]:
    """An answer as a caller keeps it."""
    return answer.status, plain(answer.document)


class Caller:
    """A session of the service and its client.

    Args:
        service: The service; by default one of its own.
        document: What the session is made with.
        owner: Who makes and uses it.
        **limits: The limits of a service of its own.
    """

    def __init__(
        self, service: EngineSessions | None = None, document: Document | None = None, *, owner: str | None = None, **limits: Any
    ) -> None:
        self.service = service or EngineSessions(SessionLimits(**limits))
        self.owner = owner
        self.id: str = self.service.create(document or {}, owner=owner)["id"]

    def send(self, document: Any, check: Callable[[], None] = lambda: None) -> tuple[int, Document]:
        """The answer to a batch as it stands."""
        return self.service.batch(self.id, document, owner=self.owner, check=check, finish=finish)

    def do(self, *instructions: Any) -> list[Any]:
        """The results of instructions, all of which must succeed."""
        status, document = self.send({"instructions": list(instructions)})
        assert status == 200, document
        assert "suspended" not in document
        results: list[Any] = document["results"]
        return results

    def suspend(self, *instructions: Any) -> Document:
        """What the last of these instructions waits for."""
        status, document = self.send({"instructions": list(instructions)})
        assert status == 200, document
        suspended: Document = document["suspended"]
        assert suspended["instruction"] == len(document["results"])
        return suspended

    def fail(self, *instructions: Any) -> Document:
        """The problem of the last of these instructions, the others being carried out."""
        status, document = self.send({"instructions": list(instructions)})
        assert status == document["status"] >= 400
        assert document["instruction"] == len(instructions) - 1 == len(document["results"])
        assert document["pointer"].startswith(f"/instructions/{len(instructions) - 1}")
        return document

    def read(self, name: str) -> Any:
        """The values of a tensor."""
        return self.do({"do": "read", "name": name})[0]["value"]["data"]

    def grad(self, name: str) -> Any:
        """The gradient of a tensor, ``None`` where there is none."""
        grad = self.do({"do": "read", "name": name, "what": ["grad"]})[0]["grad"]
        return grad and grad["data"]

    def used(self) -> int:
        """The memory that is counted."""
        used: int = self.service.get(self.id, owner=self.owner)["bytes"]
        return used


def create(name: str, data: Any, *, requires_grad: bool = False, dtype: str | None = None) -> Document:
    """An instruction that makes a tensor."""
    tensor = {"data": data, "requires_grad": requires_grad} | ({"dtype": dtype} if dtype else {})
    return {"do": "create", "name": name, "tensor": tensor}


def op(name: Any, op: str, *args: Any, **more: Any) -> Document:
    """An instruction that calls an operation."""
    return {"do": "op", "op": op, "args": list(args), **({} if name is None else {"name": name}), **more}


def backward(of: Any, **more: Any) -> Document:
    """An instruction that walks back."""
    return {"do": "backward", "of": of, **more}


# z = sum(x * x), so that the gradient of x is 2x.
SQUARE = (create("x", [2.0, 3.0], requires_grad=True), op("y", "mul", "x", "x"), op("z", "sum", "y"))
