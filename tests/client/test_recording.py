"""What is sent, and when: nothing before a value is needed, nothing twice, and no name longer than somebody has it."""

from __future__ import annotations

import gc
import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import gradwire as torch
from gradwire import session as session_module
from gradwire.connection import Connection
from gradwire.local import LocalTransport
from gradwire.transport import Request, Response


class Watched:
    """A transport that remembers what went through it."""

    remote = False

    def __init__(self) -> None:
        self._inner = LocalTransport()
        self.batches: list[list[dict[str, Any]]] = []
        self.session: str | None = None

    def send(self, request: Request) -> Response:
        if request.path.endswith("/batch"):
            self.batches.append(list(request.body["instructions"]))
        response = self._inner.send(request)
        if request.path == "/v1/sessions":
            self.session = response.document["id"]
        return response

    def close(self) -> None:
        self._inner.close()

    def live(self) -> int:
        """How many tensors the session has."""
        document = self._inner.send(Request("GET", f"/v1/sessions/{self.session}")).document
        count: int = document["tensors"]
        return count


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture(autouse=True)
def connection(watched: Watched) -> Iterator[Connection]:
    made = Connection(watched)
    with made:
        yield made
    made.close()


def ops(batch: list[dict[str, Any]]) -> list[str]:
    return [i.get("op", i["do"]) for i in batch]


def test_nothing_is_sent_before_a_value_is_needed(watched: Watched) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    loss = (x * x).sum()
    loss.backward()
    assert (loss.shape, loss.dtype, loss.requires_grad, loss.is_leaf) == ((), torch.float32, True, False)
    assert loss.grad_fn.name() == "SumBackward0"
    assert loss.grad_fn.next_functions[0][0].name() == "MulBackward0"
    assert watched.batches == []
    assert x.grad.tolist() == [2.0, 4.0]
    assert [ops(b) for b in watched.batches] == [["create", "mul", "sum", "backward", "create", "read", "delete"]]


def test_a_training_step_is_one_request(watched: Watched) -> None:
    layer = torch.nn.Linear(4, 3)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    x, y = torch.randn(8, 4), torch.randn(8, 3)
    torch.ones(1).item()
    before = len(watched.batches)
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(layer(x).relu(), y)
    loss.backward()
    optimizer.step()
    assert len(watched.batches) == before
    assert loss.item() > 0
    assert len(watched.batches) == before + 1


def test_what_was_seen_is_not_asked_for_again(watched: Watched) -> None:
    x = torch.tensor([1.0, 2.0])
    assert x.tolist() == [1.0, 2.0]
    assert watched.batches == []
    y = x * 2
    assert (y.tolist(), y.sum().item(), str(y)) == ([2.0, 4.0], 6.0, "tensor([2., 4.])")
    count = len(watched.batches)
    assert (y[0].item(), y.tolist()) == (2.0, [2.0, 4.0])
    y.add_(1)
    assert y.tolist() == [3.0, 5.0]
    assert len(watched.batches) == count + 2


def test_long_batches_are_sent_on_the_way(watched: Watched) -> None:
    x = torch.zeros(2)
    for _ in range(2 * session_module.MOST_INSTRUCTIONS):
        x = x + 1
    assert len(watched.batches) == 2
    assert x.tolist() == [2.0 * session_module.MOST_INSTRUCTIONS] * 2


def test_heavy_batches_are_sent_on_the_way(watched: Watched) -> None:
    for _ in range(3):
        torch.tensor(np.zeros(session_module.MOST_BYTES // 16))
    assert len(watched.batches) == 1


def test_dropped_tensors_are_deleted_with_the_next_batch(watched: Watched) -> None:
    x = torch.zeros(2)
    for _ in range(1000):
        x = x + 1
    assert x.tolist() == [1000.0, 1000.0]
    torch.zeros(1).item()
    assert watched.live() <= 2
    del x
    gc.collect()
    torch.zeros(1).item()
    torch.zeros(1).item()
    assert watched.live() <= 1


def test_a_graph_needs_no_names(watched: Watched) -> None:
    x = torch.ones(2, requires_grad=True)
    loss = ((x * 3).exp() * x).sum()
    loss.item()
    torch.zeros(1).item()
    assert watched.live() <= 3
    loss.backward()
    assert x.grad.tolist() == pytest.approx([4 * np.exp(3)] * 2)


def test_a_failure_takes_along_what_depends_on_it_and_nothing_else() -> None:
    matrix = torch.zeros(2, 2)
    x = torch.ones(2, 2)
    inverse = torch.linalg.inv(matrix)
    product = inverse @ x
    other = x * 2
    assert other.tolist() == [[2.0, 2.0], [2.0, 2.0]]
    for _ in range(2):
        with pytest.raises(torch.linalg.LinAlgError, match="singular") as caught:
            product.tolist()
        assert any("inverse = torch.linalg.inv(matrix)" in note for note in caught.value.__notes__)
    with pytest.raises(RuntimeError, match="singular"):
        inverse + 1
    assert (other + x).sum().item() == 12.0


def test_a_failed_write_spoils_what_it_wrote() -> None:
    x = torch.ones(3)
    x.index_add_(0, torch.tensor([7]), torch.ones(1))
    y = torch.ones(2)
    assert y.sum().item() == 2.0
    with pytest.raises((IndexError, RuntimeError)):
        x.tolist()
    assert x.tolist() == [1.0, 1.0, 1.0]


def test_errors_that_need_no_value_are_raised_at_once(watched: Watched) -> None:
    with pytest.raises(RuntimeError, match=r"mat1 and mat2 shapes cannot be multiplied \(2x3 and 2x3\)"):
        torch.ones(2, 3) @ torch.ones(2, 3)
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        (x * 2).backward()
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        x += 1
    assert watched.batches == []
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_the_default_dtype_goes_along() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        assert torch.tensor([1, 2]).sqrt().dtype is torch.float64
        assert torch.tensor([4]).sqrt().tolist() == [2.0]
        assert torch.ones(1).dtype is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    half = torch.tensor([1]) / 2
    assert half.dtype is torch.float32
    assert half.detach().numpy().dtype == np.float32


def test_tensors_of_two_connections_do_not_mix() -> None:
    x = torch.ones(2)
    with Connection(LocalTransport()) as other:
        y = torch.ones(2)
        with pytest.raises(RuntimeError, match="two connections"):
            x + y
        assert (y + 1).tolist() == [2.0, 2.0]
    assert (x + 1).tolist() == [2.0, 2.0]
    other.close()
    with pytest.raises(RuntimeError, match="closed"):
        y.sum().item()


def test_threads_share_a_session() -> None:
    def work(k: int) -> list[float]:
        x = torch.full((3,), float(k), requires_grad=True)
        for _ in range(20):
            loss = (x * x * 0.5).sum()
            (g,) = torch.autograd.grad(loss, x)
            with torch.no_grad():
                x -= 0.1 * g
        found: list[float] = x.tolist()
        return found

    alone = [work(k) for k in range(6)]
    here = torch.ones(1)._data.session

    def within(k: int) -> list[float]:
        assert here is not None
        with Connection(LocalTransport()) as own:
            found = work(k)
        own.close()
        return found

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(within, range(6))) == alone


def test_threads_record_on_one_connection(connection: Connection) -> None:
    failures: list[BaseException] = []

    def work(k: int) -> None:
        try:
            with connection:
                x = torch.full((2,), float(k))
                for _ in range(200):
                    x = x + 1
                assert x.tolist() == [k + 200.0] * 2
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def child(queue: Any, x: torch.Tensor) -> None:
    queue.put((x * 2).tolist())


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="There is no fork here.")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_goes_on_with_what_is_in_its_memory() -> None:
    x = torch.ones(2)
    x.sum().item()
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=child, args=(queue, x))
    process.start()
    process.join(20)
    assert process.exitcode == 0
    assert queue.get() == [2.0, 2.0]
    assert (x + 1).tolist() == [2.0, 2.0]


def test_elements_are_asked_for_again_after_any_write() -> None:
    x = torch.tensor([1.0, 2.0, 3.0])
    view, detached, data = x[1:], x.detach(), x.data
    assert [t.tolist() for t in (x, view, detached, data)] == [[1.0, 2.0, 3.0], [2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]
    data.add_(1)
    assert [t.tolist() for t in (x, view, detached, data)] == [[2.0, 3.0, 4.0], [3.0, 4.0], [2.0, 3.0, 4.0], [2.0, 3.0, 4.0]]
    view[0] = 9
    assert [t.tolist() for t in (x, view, detached, data)] == [[2.0, 9.0, 4.0], [9.0, 4.0], [2.0, 9.0, 4.0], [2.0, 9.0, 4.0]]
    x.data = torch.tensor([7.0, 8.0])
    assert (x.tolist(), x.shape) == ([7.0, 8.0], (2,))
    leaf = torch.ones(2, requires_grad=True)
    leaf.sum().backward()
    first = leaf.grad
    assert first.tolist() == [1.0, 1.0]
    (leaf * 2).sum().backward()
    assert first.tolist() == [3.0, 3.0]


def test_running_statistics_are_those_of_the_session() -> None:
    mean, var = torch.zeros(2), torch.ones(2)
    assert mean.tolist() == [0.0, 0.0]
    torch.nn.functional.batch_norm(torch.tensor([[1.0, 2.0], [3.0, 6.0]]), mean, var, training=True)
    assert mean.tolist() == pytest.approx([0.2, 0.4])
    assert var.tolist() == pytest.approx([1.1, 1.7])
