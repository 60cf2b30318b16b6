"""Connections that break in the middle of a batch: sent again, it is carried out once and no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from gradwire.api import Client, Session
from gradwire.conversations import BatchAnswer, Retries, evaluate
from gradwire.drivers import run
from gradwire.errors import Conflict, ServiceRuntimeError
from gradwire.http import HttpTransport
from gradwire.transport import ConnectionLost
from tests.client.proxy import Cut, Proxy, proxy_to
from tests.client.support import SQUARE, plain_lists

Instructions = list[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """A batch and what it needs before it.

    Attributes:
        batch: The instructions whose connection is cut.
        before: What comes before them.
        reads: What shows whether they were carried out once: the names of tensors, or ``name.grad``.
    """

    batch: Instructions
    before: Instructions = field(default_factory=list)
    reads: tuple[str, ...] = ()


def create(name: str, *data: float, requires_grad: bool = True) -> dict[str, Any]:
    return {"do": "create", "name": name, "tensor": {"data": np.array(data), "requires_grad": requires_grad}}


def op(name: str, called: str, *args: Any, **fields: Any) -> dict[str, Any]:
    return {"do": "op", "name": name, "op": called, "args": list(args), **fields}


X, Y, Z = create("x", 2.0, 3.0), op("y", "mul", "x", "x"), op("z", "sum", "y")
BACKWARD = {"do": "backward", "of": "z", "retain_graph": True}
FUNCTION = {"do": "function", "name": ["f"], "function": "MyExp", "inputs": ["x"], "outputs": ["t"], "saved": ["t"]}
FORWARD = [X, op("t", "exp", "x", no_grad=True), FUNCTION, op("z", "sum", "f")]

CASES = {
    "create": Case([X], reads=("x",)),
    "op": Case([Y, Z], [X], ("y", "z")),
    "in place": Case([op("x", "add_", "x", 1.0, no_grad=True)], [X], ("x",)),
    "random": Case([op("r", "rand", [3]), op("s", "rand", [3])], [{"do": "seed", "value": 1}], ("r", "s")),
    "backward": Case([BACKWARD], [X, Y, Z], ("x.grad",)),
    "forward and backward": Case([Y, Z, BACKWARD, BACKWARD], [X], ("x.grad",)),
    "grad": Case([{"do": "grad", "name": ["g"], "outputs": ["z"], "inputs": ["x"], "create_graph": True}], [X, Y, Z], ("g",)),
    "set": Case([{"do": "set", "name": "x", "grad": None}, BACKWARD], [X, Y, Z, BACKWARD], ("x.grad",)),
    "read": Case([{"do": "read", "name": "y", "what": ["value"]}], [X, Y]),
    "delete": Case([{"do": "delete", "names": ["y"]}, create("y", 1.0)], [X, Y], ("y",)),
    "seed": Case([{"do": "seed", "value": 5}, op("r", "rand", [2])], reads=("r",)),
    "default dtype": Case([{"do": "default_dtype", "value": "float32"}, op("r", "ones", [2])], reads=("r",)),
    "function": Case([FUNCTION], FORWARD[:2], ("f",)),
    "hook": Case([{"do": "hook", "name": "h", "of": "y", "kind": "tensor"}], [X, Y]),
    "unhook": Case(
        [{"do": "unhook", "names": ["h"]}, Z, BACKWARD], [X, Y, {"do": "hook", "name": "h", "of": "y", "kind": "tensor"}], ("x.grad",)
    ),
    "suspended": Case([{"do": "backward", "of": "z"}], FORWARD),
    "failed": Case([op("x", "add_", "x", 1.0, no_grad=True), op("w", "mm", "x", "x"), op("v", "exp", "x")], [X], ("x",)),
}


@pytest.fixture(scope="module")
def proxy(server_url: str) -> Iterator[Proxy]:
    with proxy_to(server_url) as made:
        yield made


@pytest.fixture(scope="module")
def client(proxy: Proxy) -> Iterator[Client]:
    with Client(proxy.url, timeout=10.0) as made:
        yield made


def comparable(answer: BatchAnswer) -> Any:
    """An answer without what differs from session to session."""
    suspended = answer.suspended and {key: value for key, value in answer.suspended.items() if key != "expires_at"}
    problem = answer.problem and (type(answer.problem), str(answer.problem), answer.problem.pointer)
    return answer.seq, plain_lists(answer.results), problem, answer.failed_instruction, suspended


def carry_out(client: Client, case: Case, proxy: Proxy, cut: Cut | None) -> Any:
    """What a session answers and holds after the case's batch, whose first sending is cut short."""
    with client.session(default_dtype="float64", seed=0) as session:
        if case.before:
            session.batch(case.before)
        if cut is not None:
            proxy.cut_next(cut)
        before = proxy.requests
        answer = session.send(case.batch)
        assert proxy.requests - before == (1 if cut is None else 2)
        return comparable(answer), [read(session, name) for name in case.reads]


def read(session: Session, name: str) -> Any:
    tensor, _, grad = name.partition(".")
    return plain_lists(session.grad(tensor) if grad else session.read(tensor))


@pytest.mark.parametrize("cut", Cut, ids=lambda cut: cut.name.lower())
@pytest.mark.parametrize("name", CASES)
def test_a_batch_that_is_sent_again_is_carried_out_once(client: Client, proxy: Proxy, name: str, cut: Cut) -> None:
    whole = carry_out(client, CASES[name], proxy, None)
    assert carry_out(client, CASES[name], proxy, cut) == whole


@pytest.mark.parametrize("cut", Cut, ids=lambda cut: cut.name.lower())
def test_a_backward_pass_is_resumed_once(client: Client, proxy: Proxy, cut: Cut) -> None:
    with client.session(default_dtype="float64") as session:
        suspended = session.send([*FORWARD, {"do": "backward", "of": "z"}]).suspended
        assert suspended is not None
        proxy.cut_next(cut)
        (gradient,) = suspended["grads"]
        answer = session.send([op("g", "mul", gradient, "t"), {"do": "resume", "suspension": suspended["id"], "grads": ["g"]}])
        assert (answer.suspended, answer.problem) == (None, None)
        grad = session.grad("x")
        assert grad is not None
        np.testing.assert_allclose(grad["data"], np.exp([2.0, 3.0]))


@pytest.mark.parametrize("cut", Cut, ids=lambda cut: cut.name.lower())
def test_calls_without_a_session_are_simply_asked_again(client: Client, proxy: Proxy, cut: Cut) -> None:
    proxy.cut_next(cut)
    assert plain_lists(client.evaluate(SQUARE)["grads"]["x"]["data"]) == [4.0, 6.0]
    proxy.cut_next(cut)
    assert client.info()["api"] == "v1"
    proxy.cut_next(cut)
    with client.session() as session:
        session.batch([X])
        proxy.cut_next(cut)
        assert plain_lists(session.read("x")["data"]) == [2.0, 3.0]
        proxy.cut_next(cut)


def test_without_retries_the_cut_is_an_error(proxy: Proxy) -> None:
    transport = HttpTransport(proxy.url)
    proxy.cut_next(Cut.UNANSWERED)
    with pytest.raises(ConnectionLost, match="broke before the answer was complete"):
        run(evaluate(SQUARE, retries=Retries(attempts=1)), transport)
    transport.close()


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.ANSWER], ids=lambda cut: cut.name.lower())
def test_after_a_batch_of_unknown_fate_the_session_goes_on(proxy: Proxy, cut: Cut) -> None:
    with Client(proxy.url, retries=0) as client, client.session(default_dtype="float64") as session:
        session.batch([X])
        proxy.cut_next(cut)
        with pytest.raises(ConnectionLost):
            session.batch([op("x", "add_", "x", 1.0, no_grad=True)])
        session.batch([op("x", "add_", "x", 10.0, no_grad=True)])
        assert plain_lists(session.read("x")["data"]) == ([12.0, 13.0] if cut is Cut.BEFORE else [13.0, 14.0])


def test_a_number_that_another_client_used_is_a_conflict(proxy: Proxy) -> None:
    with Client(proxy.url) as client, client.session() as session:
        session.batch([X])
        session._calls.seq = 0
        with pytest.raises(Conflict) as caught:
            session.batch([Y])
        assert caught.value.code == "seq_reused"


def test_a_failed_instruction_tells_what_came_before(client: Client) -> None:
    with client.session(default_dtype="float64") as session:
        with pytest.raises(ServiceRuntimeError) as caught:
            session.batch([X, {"do": "read", "name": "x", "what": ["value"]}, op("w", "mm", "x", "x"), op("v", "exp", "x")])
        assert caught.value.instruction == 2
        assert caught.value.results is not None
        assert plain_lists(caught.value.results[1]["value"]["data"]) == [2.0, 3.0]
        assert session.batch([op("v", "exp", "x")])
