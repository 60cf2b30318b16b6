"""Optimizers against torch's: the same parameters and the same state after the same steps."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.client.recorders import eager

torch = pytest.importorskip("torch")

Make = Callable[[Any, Any], Any]


@pytest.fixture
def ours() -> Iterator[Any]:
    with eager() as found:
        yield found


OPTIMIZERS: dict[str, Make] = {
    **{
        f"SGD {options}": lambda t, p, options=options: t.optim.SGD(p, **options)  # type: ignore[misc]
        for options in (
            {},
            {"lr": 0.05, "weight_decay": 0.1},
            {"lr": 0.05, "momentum": 0.8},
            {"lr": 0.05, "momentum": 0.8, "dampening": 0.2, "weight_decay": 0.1},
            {"lr": 0.05, "momentum": 0.8, "nesterov": True},
            {"lr": 0.05, "momentum": 0.8, "maximize": True},
            {"lr": 0.05, "momentum": 0.8, "foreach": True},
            {"lr": 0.05, "momentum": 0.8, "fused": True},
        )
    },
    **{
        f"{name} {options}": lambda t, p, name=name, options=options: getattr(t.optim, name)(p, **options)  # type: ignore[misc]
        for name in ("Adam", "AdamW")
        for options in (
            {},
            {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3},
            {"lr": 0.1, "weight_decay": 0.3},
            {"lr": 0.1, "amsgrad": True},
            {"lr": 0.1, "maximize": True},
            {"lr": 0.1, "foreach": True},
        )
    },
    "SGD of a tensor": lambda t, p: t.optim.SGD(p, lr=t.tensor(0.05), momentum=0.5),
    "Adam of a tensor": lambda t, p: t.optim.Adam(p, lr=t.tensor(0.05)),
    "Adam with decoupled decay": lambda t, p: t.optim.Adam(p, lr=0.1, weight_decay=0.1, decoupled_weight_decay=True),
}


def network(t: Any, dtype: str) -> Any:
    t.manual_seed(3)
    return t.nn.Sequential(t.nn.Linear(4, 8), t.nn.Tanh(), t.nn.LayerNorm(8), t.nn.Linear(8, 3)).to(getattr(t, dtype))


def data(t: Any, dtype: str) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return t.tensor(rng.normal(size=(16, 4)).tolist(), dtype=getattr(t, dtype)), t.tensor(rng.integers(0, 3, 16).tolist())


def train(t: Any, make: Make, dtype: str, steps: int = 8) -> tuple[Any, Any, list[float]]:
    net, (x, y) = network(t, dtype), data(t, dtype)
    optimizer = make(t, net.parameters())
    losses = []
    for step in range(steps):
        optimizer.zero_grad(set_to_none=step % 2 == 0)
        loss = t.nn.CrossEntropyLoss()(net(x), y)
        loss.backward()
        t.nn.utils.clip_grad_norm_(net.parameters(), 0.7)
        optimizer.step()
        losses.append(loss.item())
    return net, optimizer, losses


def plain(value: Any) -> Any:
    """A state with lists in place of tensors, and their dtypes."""
    if hasattr(value, "detach"):
        return (repr(value.dtype), value.detach().tolist())
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def assert_same(own: Any, theirs: Any, rtol: float) -> None:
    assert type(own) is type(theirs)
    if isinstance(theirs, dict):
        assert list(own) == list(theirs)
        for key in theirs:
            assert_same(own[key], theirs[key], rtol)
    elif isinstance(theirs, list | tuple) and theirs and isinstance(theirs[0], float | list):
        np.testing.assert_allclose(own, theirs, rtol=rtol, atol=rtol / 10)
    elif isinstance(theirs, list | tuple):
        assert len(own) == len(theirs)
        for a, b in zip(own, theirs, strict=True):
            assert_same(a, b, rtol)
    elif isinstance(theirs, float):
        assert own == pytest.approx(theirs, rel=rtol)
    else:
        assert own == theirs


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_training(ours: Any, name: str, dtype: str) -> None:
    """Parameters that an average of squares near zero divides may differ by more than rounding, but not in double precision."""
    rtol = 1e-9 if dtype == "float64" else 2e-3
    if "tensor" in name and dtype == "float64":
        rtol = 1e-6
    net, optimizer, losses = train(ours, OPTIMIZERS[name], dtype)
    their_net, their_optimizer, their_losses = train(torch, OPTIMIZERS[name], dtype)
    assert losses == pytest.approx(their_losses, rel=min(rtol, 2e-5))
    assert_same(plain(dict(net.state_dict())), plain(dict(their_net.state_dict())), rtol)
    assert_same(plain(optimizer.state_dict()), plain(their_optimizer.state_dict()), rtol)
    assert repr(optimizer) == repr(their_optimizer)


@pytest.mark.parametrize("name", ["SGD {'lr': 0.05, 'momentum': 0.8}", "Adam {'lr': 0.1, 'amsgrad': True}", "AdamW {}"])
def test_going_on_from_a_saved_state(ours: Any, name: str) -> None:
    found = []
    for t in (ours, torch):
        _, optimizer, _ = train(t, OPTIMIZERS[name], "float64", 3)
        net, (x, y) = network(t, "float64"), data(t, "float64")
        other = OPTIMIZERS[name](t, net.parameters())
        other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        t.nn.CrossEntropyLoss()(net(x), y).backward()
        other.step()
        found.append((plain(dict(net.state_dict())), plain(other.state_dict())))
    assert_same(found[0][0], found[1][0], 1e-9)
    assert_same(found[0][1], found[1][1], 1e-9)


def test_complex_parameters(ours: Any) -> None:
    found = []
    for t in (ours, torch):
        w = t.tensor([1 + 2j, -3j], dtype=t.complex128, requires_grad=True)
        optimizer = t.optim.Adam([w], lr=0.1, amsgrad=True, foreach=False)
        for _ in range(4):
            optimizer.zero_grad()
            (w.abs() ** 2).sum().backward()
            optimizer.step()
        found.append(w.tolist())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_gradients_through_steps(ours: Any, name: str) -> None:
    found = []
    for t in (ours, torch):
        start = t.tensor([2.0, -1.0], dtype=t.float64, requires_grad=True)
        w = start.clone()
        w.retain_grad()
        optimizer = getattr(t.optim, name)([w], lr=0.1, differentiable=True)
        w.grad = t.autograd.grad((start**3).sum(), start, create_graph=True)[0]
        optimizer.step()
        w.grad = None
        (w * w).sum().backward()
        found.append((w.detach().tolist(), start.grad.tolist()))
    # torch counts in single precision here.
    np.testing.assert_allclose(found[0], found[1], rtol=2e-6)


@pytest.mark.parametrize("norm", [1.0, 2.0, 3.5, float("inf")])
def test_clipping(ours: Any, norm: float) -> None:
    found = []
    for t in (ours, torch):
        net, (x, y) = network(t, "float32"), data(t, "float32")
        t.nn.CrossEntropyLoss()(net(x), y).backward()
        total = t.nn.utils.clip_grad_norm_(net.parameters(), 0.1, norm)
        clipped = plain([p.grad for p in net.parameters()])
        t.nn.utils.clip_grad_value_(net.parameters(), 0.01)
        cut = plain([p.grad for p in net.parameters()])
        found.append(
            {"norm": total.item(), "clipped": clipped, "cut": cut, "all": plain(t.nn.utils.parameters_to_vector(net.parameters()))}
        )
    assert_same(found[0], found[1], 1e-5)
