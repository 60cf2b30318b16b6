"""What goes wrong between the client and a session, and how it goes on."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gradwire as torch
import gradwire_engine
from gradwire.connection import Connection, connect
from gradwire.errors import ServiceLimitError
from gradwire.http import HttpTransport
from gradwire.local import LocalTransport
from gradwire.transport import ConnectFailed, Request, Response
from scripts.running import running_server


class Unreliable:
    """A local transport that can be told to fail."""

    remote = False

    def __init__(self) -> None:
        self.inner = LocalTransport()
        self.failure: BaseException | None = None
        self.after = False
        self.instructions: list[dict[str, Any]] = []

    def send(self, request: Request) -> Response:
        if request.path.endswith("/batch"):
            self.instructions += request.body["instructions"]
        if self.failure is not None and not self.after and request.path.endswith("/batch"):
            raise self.failure
        response = self.inner.send(request)
        if self.failure is not None and request.path.endswith("/batch"):
            raise self.failure
        return response

    def close(self) -> None:
        self.inner.close()


@pytest.fixture
def transport() -> Unreliable:
    return Unreliable()


@pytest.fixture(autouse=True)
def connection(transport: Unreliable, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setattr("gradwire.drivers.time.sleep", lambda seconds: None)
    made = Connection(transport)
    with made:
        yield made
    made.close()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("failure", [ConnectFailed("No."), KeyboardInterrupt()])
def test_what_was_not_answered_is_sent_again(transport: Unreliable, failure: BaseException, after: bool) -> None:
    x = torch.ones(2)
    assert x.sum().item() == 2.0
    transport.failure, transport.after = failure, after
    x += 1
    with pytest.raises(type(failure)):
        x.tolist()
    transport.failure = None
    assert x.tolist() == [2.0, 2.0]
    x += 1
    assert x.tolist() == [3.0, 3.0]


def test_a_tensor_of_another_connection_is_refused_everywhere() -> None:
    x = torch.ones(2, requires_grad=True)
    with Connection(LocalTransport()) as other:
        foreign = torch.ones(2, requires_grad=True)
    for action in (
        lambda: (x * 2).backward(foreign),
        lambda: (x * 2).sum().backward(inputs=[foreign]),
        lambda: torch.autograd.grad(x * 2, x, foreign),
        lambda: setattr(x, "grad", foreign),
    ):
        with pytest.raises(RuntimeError, match="two connections"):
            action()
    other.close()
    assert x.sum().item() == 2.0


def test_refused_calls_leave_nothing_behind(connection: Connection, transport: Unreliable) -> None:
    bad = torch.index_select(torch.ones(3), 0, torch.tensor([5]))
    z = bad + 1
    with pytest.raises((IndexError, RuntimeError)):
        z.tolist()
    for _ in range(3):
        with pytest.raises((IndexError, RuntimeError)):
            bad + 1
    kept = [torch.full((2,), float(i)) for i in range(20)]
    torch.stack(kept).tolist()
    del kept, z, bad
    gc.collect()
    torch.ones(1).sum().item()
    torch.ones(1).sum().item()
    document = transport.inner.send(Request("GET", f"/v1/sessions/{connection.session.id}")).document
    assert document["tensors"] <= 3


def test_raised_errors_hold_on_to_nothing() -> None:
    class Witness:
        pass

    def failing() -> Any:
        import weakref

        witness = Witness()
        bad = torch.index_select(torch.ones(3), 0, torch.tensor([5]))
        with pytest.raises((IndexError, RuntimeError)):
            bad.tolist()
        return weakref.ref(witness), bad

    witness, bad = failing()
    gc.collect()
    assert witness() is None
    with pytest.raises((IndexError, RuntimeError)):
        bad.tolist()


def test_heavy_tensors_make_room_before_more_is_made() -> None:
    with running_server("--session-bytes", "100000000") as url, Connection(HttpTransport(url)) as there:
        x = torch.zeros(2**20)
        for _ in range(100):
            x = x + 1
        assert x[0].item() == 100.0
        there.close()
        with pytest.raises(RuntimeError, match="This connection is closed"):
            torch.ones(1)


def test_a_tensor_that_is_too_large_to_send_costs_nothing_else() -> None:
    with running_server("--max-body-bytes", "200000") as url, Connection(HttpTransport(url)) as there:
        kept = torch.arange(3.0)
        large = torch.tensor(np.ones(100_000, np.float32))
        with pytest.raises(torch.GradwireError, match="at most 200000 bytes"):
            large.sum().item()
        assert (kept + 2).tolist() == [2.0, 3.0, 4.0]
        there.close()


def test_a_session_that_is_gone_is_told_and_followed_by_another(transport: Unreliable, connection: Connection) -> None:
    x = torch.ones(2)
    x.sum().item()
    transport.inner.send(Request("DELETE", f"/v1/sessions/{connection.session.id}"))
    with pytest.raises(RuntimeError, match="The session that this tensor lived in is lost"):
        (x + 1).tolist()
    assert (torch.ones(2) + 1).tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="lost"):
        x.sum().item()


def test_a_program_ends_its_session() -> None:
    with running_server() as url:
        program = f"import gradwire as t\nc = t.connect({url!r})\nprint(t.ones(1).item())\nprint(c.session.id)"
        done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60, check=True)
        assert done.stderr == ""
        number, session = done.stdout.split()
        assert number == "1.0"
        probe = HttpTransport(url)
        assert probe.send(Request("GET", f"/v1/sessions/{session}")).status == 404
        probe.close()


def test_connect_makes_the_connection_that_new_tensors_take() -> None:
    assert connect is torch.connect


def test_a_failed_write_through_a_view_does_not_go_unnoticed() -> None:
    x = torch.zeros(2, 3)
    x[0][torch.tensor([7])] = 1.0
    with pytest.raises((IndexError, RuntimeError)):
        x.tolist()
    assert x.tolist() == [[0.0] * 3] * 2


def test_index_arrays_are_taken_as_they_are() -> None:
    index = np.array([0, 1])
    picked = torch.arange(4)[index]
    index[:] = 3
    assert picked.tolist() == [0, 1]


def test_an_error_is_raised_once() -> None:
    a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="not have been used"):
        torch.autograd.grad((a * a).sum(), [b], create_graph=True)
    assert (a + 1).tolist() == [2.0, 2.0]


def test_signed_zeros_are_different_arguments() -> None:
    x = torch.tensor([-1.0])
    leaky = torch.nn.functional.leaky_relu
    assert [(1 / leaky(x, slope)).item() for slope in (0.0, -0.0)] == [-np.inf, np.inf]


def test_threads_with_functions_take_turns(connection: Connection) -> None:
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    failures: list[BaseException] = []

    def work() -> None:
        try:
            with connection:
                for _ in range(10):
                    x = torch.ones(2, requires_grad=True)
                    Twice.apply(x).sum().backward()
                    assert x.grad.tolist() == [2.0, 2.0]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_retained_gradient_that_is_asked_for_is_added_once() -> None:
    for namespace in (torch, gradwire_engine):
        x = namespace.tensor([1.0, 2.0], requires_grad=True)
        y = x * 1
        y.retain_grad()
        (y * y).sum().backward(inputs=[y])
        assert y.grad.tolist() == [2.0, 4.0]


def test_hooks_go_with_their_graph(connection: Connection, transport: Unreliable) -> None:
    x = torch.ones(2, requires_grad=True)
    seen: list[float] = []
    for _ in range(20):
        y = x * 3
        y.register_hook(lambda g: seen.append(g.sum().item()))
        (y * 1).sum().backward()
        del y
    assert seen == [2.0] * 20
    gc.collect()
    torch.ones(1).sum().item()
    hooked = [i["name"] for i in transport.instructions if i["do"] == "hook"]
    unhooked = [name for i in transport.instructions if i["do"] == "unhook" for name in i["names"]]
    assert len(hooked) == 20
    assert set(unhooked) == set(hooked)  # what stands behind a suspension is sent once more
    document = transport.inner.send(Request("GET", f"/v1/sessions/{connection.session.id}")).document
    assert document["tensors"] <= 4


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.filterwarnings("ignore:Using backward")
def test_a_backward_that_fails_leaves_no_gradient_behind(create_graph: bool) -> None:
    from gradwire_server.services import engine_services
    from gradwire_server.services.sessions.limits import SessionLimits

    connection = Connection(LocalTransport(engine_services(SessionLimits(session_bytes=90_000, session_ttl_seconds=1e11))))
    with connection:
        x, w = torch.ones(5000, requires_grad=True), torch.ones(1, requires_grad=True)
        w.grad = torch.full((1,), 5.0)
        y = (x * w).exp()
        y.sum().backward(create_graph=create_graph)
        with pytest.raises(ServiceLimitError):
            connection.synchronize()
        assert x.grad is None
        del y
        assert w.grad is not None
        assert w.grad.item() == 5.0
        (x[:3] * 2).sum().backward()
        assert x.grad is not None
        assert x.grad.sum().item() == 6.0
    connection.close()


def test_a_connection_that_nobody_has_any_more_ends_its_session() -> None:
    with running_server() as url:
        dropped = Connection(HttpTransport(url))
        with dropped:
            x = torch.ones(2)
            assert x.sum().item() == 2.0
        session = dropped.session.id
        probe = HttpTransport(url)
        threads = threading.active_count()
        del dropped
        gc.collect()
        assert probe.send(Request("GET", f"/v1/sessions/{session}")).status == 200  # x lives in it
        del x
        gc.collect()
        deadline = time.monotonic() + 10
        while probe.send(Request("GET", f"/v1/sessions/{session}")).status != 404 or threading.active_count() >= threads:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        probe.close()


def test_what_heavy_operations_before_it_left_no_time_for_is_tried_again(transport: Unreliable, connection: Connection) -> None:
    x = torch.ones(3)
    x.sum().item()
    send, refused = transport.inner.send, []

    def impatient(request: Request) -> Response:
        given = request.body["instructions"] if request.path.endswith("/batch") else []
        if len(given) < 3:
            return send(request)
        # As a server does whose time is over after two of them.
        refused.append(len(given))
        response = send(replace(request, body={**request.body, "instructions": given[:2]}))
        problem = {"type": "about:blank", "title": "Timeout", "status": 504, "code": "deadline_exceeded", "detail": "Too long."}
        return Response(504, {**problem, **response.document, "instruction": 2}, {})

    transport.inner.send = impatient  # type: ignore[method-assign]
    y = x
    for _ in range(6):
        y = y * 2
    assert y.tolist() == [64.0] * 3
    assert refused
