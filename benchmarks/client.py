"""What the client costs: recording an operation, and training steps over HTTP, in batches and with one request per operation."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

import gradwire
from gradwire.connection import Connection, connect
from gradwire.transport import Request, Response
from scripts.running import running_server

from .timing import by_turns, table

_CHAIN = 100
_STEPS = 20


class Nowhere:
    """A transport that answers at once that all is done, so that only the recording costs."""

    remote = False

    def send(self, request: Request) -> Response:
        """The answer."""
        if not request.path.endswith("/batch"):
            return Response(201, {"id": "0", "seq": 0})
        return Response(200, {"seq": request.body["seq"], "results": [None] * len(request.body["instructions"])})

    def close(self) -> None:
        """Nothing."""


def measure() -> str:
    """Runs the comparison and gives the tables as text."""
    return "\n\n".join([_recording(), _training()])


def _chain(x: Any) -> Any:
    for _ in range(_CHAIN // 2):
        x = (x * 0.5).sin()
    return x


def _recording() -> str:
    contenders: dict[str, Callable[[], object]] = {}
    with Connection(Nowhere()):
        here = gradwire.ones(4)
        leaf = gradwire.ones(4, requires_grad=True)
        contenders["gradwire client, no gradient"] = lambda: _chain(here)
        contenders["gradwire client, with a graph"] = lambda: _chain(leaf)
        if importlib.util.find_spec("torch"):
            import torch

            theirs, their_leaf = torch.ones(4), torch.ones(4, requires_grad=True)
            contenders["torch eager, no gradient"] = lambda: _chain(theirs)
            contenders["torch eager, with a graph"] = lambda: _chain(their_leaf)
        found = by_turns(contenders, rounds=30, repeats=3)
    results = {name: seconds / _CHAIN * 1e6 for name, seconds in found.items()}
    return table("Recording one small operation", "us", results, "gradwire client, no gradient")


def _parameters(torch: Any) -> tuple[Any, Any, list[Any]]:
    """Data, targets, and the parameters of a net of three layers."""
    rng = np.random.default_rng(0)

    def make(*shape: int) -> Any:
        return torch.tensor(rng.normal(0, 0.3, shape).astype(np.float32).tolist())

    parameters = [make(4, 16), make(16), make(16, 16), make(16), make(16, 1), make(1)]
    for p in parameters:
        p.requires_grad_(True)
    return make(32, 4), make(32, 1), parameters


def _step(torch: Any, x: Any, y: Any, parameters: list[Any]) -> Any:
    """One step of gradient descent, about 30 operations."""
    w1, b1, w2, b2, w3, b3 = parameters
    h = torch.tanh(x @ w1 + b1)
    h = torch.tanh(h @ w2 + b2)
    difference = h @ w3 + b3 - y
    loss = (difference * difference).mean()
    loss.backward()
    with torch.no_grad():
        for p in parameters:
            p -= 0.1 * p.grad
            p.grad = None
    return loss


def _train(torch: Any, state: tuple[Any, Any, list[Any]], *, read_each: bool) -> float:
    loss = None
    for _ in range(_STEPS):
        loss = _step(torch, *state)
        if read_each:
            loss.item()
    assert loss is not None
    return float(loss.item())


def _training() -> str:
    with running_server() as url, connect(url) as connection:
        state = _parameters(gradwire)

        def singly() -> float:
            session = connection.session
            usual, session.most_instructions = session.most_instructions, 1
            try:
                return _train(gradwire, state, read_each=True)
            finally:
                session.most_instructions = usual

        contenders: dict[str, Callable[[], object]] = {
            "one request per operation": singly,
            "batched, loss read at every step": lambda: _train(gradwire, state, read_each=True),
            "batched, loss read at the end": lambda: _train(gradwire, state, read_each=False),
        }
        if importlib.util.find_spec("torch"):
            import torch

            theirs = _parameters(torch)
            contenders["torch eager in this process"] = lambda: _train(torch, theirs, read_each=True)
        found = by_turns(contenders, rounds=7, repeats=1)
        connection.close()
    results = {name: _STEPS / seconds for name, seconds in found.items()}
    return table("Training steps over HTTP", "steps/s", results, "one request per operation")
