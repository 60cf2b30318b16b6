"""What the tests of the exchange share: programs, and a transport that answers from a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from gradwire.transport import Request, Response, TransportError

SQUARE: dict[str, Any] = {
    "inputs": {"x": {"data": np.array([2.0, 3.0]), "requires_grad": True}},
    "nodes": [{"name": "y", "op": "mul", "args": ["x", "x"]}, {"name": "z", "op": "sum", "args": ["y"]}],
    "outputs": ["y", "z"],
    "backward": "z",
}


def plain_lists(value: Any) -> Any:
    """A document with lists in place of arrays, for comparing."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: plain_lists(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain_lists(item) for item in value]
    return value


def refusal(status: int, code: str, detail: str = "No.", *, headers: dict[str, str] | None = None, **members: Any) -> Response:
    """An answer that says no, as a server gives it."""
    problem = {"type": "about:blank", "title": "?", "status": status, "detail": detail, "code": code, "pointer": None, "exception": None}
    return Response(status, {**problem, **members}, headers or {})


class Script:
    """A transport that gives the listed answers in turn, and remembers what it was asked."""

    remote = False

    def __init__(self, answers: Iterable[Response | TransportError]) -> None:
        self._answers = list(answers)
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, TransportError):
            raise answer
        return answer

    def close(self) -> None:
        assert not self._answers
