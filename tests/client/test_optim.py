"""Optimizers take torch's steps.

The numbers were computed by torch 2.13: five steps on ``(w.sin() * w).sum()`` from ``START`` in double precision, to twelve digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from gradwire import nn, optim
from tests.client.recorders import RECORDERS

Make = Callable[[Any], optim.Optimizer]
START = [[1.0, -2.0], [0.5, 3.0]]


@pytest.fixture(params=RECORDERS)
def torch(request: pytest.FixtureRequest) -> Iterator[Any]:
    with RECORDERS[request.param]() as found:
        yield found


ENDS: dict[str, tuple[Make, list[float]]] = {
    "sgd": (lambda p: optim.SGD(p, lr=0.1), [0.409554253361, -1.935283920221, 0.172689938674, 4.583224506695]),
    "sgd with decay": (
        lambda p: optim.SGD(p, lr=0.1, weight_decay=0.5),
        [0.290641251607, -1.245579760879, 0.124556768519, 3.836173885395],
    ),
    "momentum": (
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
        [-0.390855571343, -1.822224196844, -0.268896177335, 6.035889971127],
    ),
    "dampening": (
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.3),
        [-0.200511153986, -1.875417893594, -0.185052084933, 5.810035435955],
    ),
    "nesterov": (
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        [-0.354280034958, -1.665946894897, -0.201848805735, 5.255509407253],
    ),
    "maximize": (
        lambda p: optim.SGD(p, lr=0.01, maximize=True),
        [1.069331012912, -2.003651243788, 0.547298327158, 2.865463199213],
    ),
    "adam": (lambda p: optim.Adam(p, lr=0.1), [0.503049726619, -1.535484896866, 0.025150642119, 3.501843017273]),
    "adam with decay": (
        lambda p: optim.Adam(p, lr=0.1, weight_decay=0.5),
        [0.504114229644, -1.497996621908, 0.025696312403, 3.502130417773],
    ),
    "adam with options": (
        lambda p: optim.Adam(p, lr=0.1, betas=(0.5, 0.7), eps=0.1),
        [0.541314816992, -1.651917297993, 0.09310124434, 3.489688215951],
    ),
    "amsgrad": (
        lambda p: optim.Adam(p, lr=0.1, amsgrad=True),
        [0.503049726619, -1.535484896866, 0.025150642119, 3.501843017273],
    ),
    "adam that maximizes": (
        lambda p: optim.Adam(p, lr=0.01, maximize=True),
        [1.050005876116, -2.040827888664, 0.550063115227, 2.95003953634],
    ),
    "adamw": (lambda p: optim.AdamW(p, lr=0.1), [0.499113956866, -1.526734565042, 0.023857535616, 3.48585254072]),
    "adamw with options": (
        lambda p: optim.AdamW(p, lr=0.1, weight_decay=0.5, amsgrad=True),
        [0.327881182578, -1.134059715828, -0.029563978275, 2.771411298455],
    ),
}


def train(torch: Any, make: Make, steps: int) -> tuple[Any, optim.Optimizer]:
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimizer = make([w])
    for _ in range(steps):
        optimizer.zero_grad()
        (w.sin() * w).sum().backward()
        optimizer.step()
    return w, optimizer


@pytest.mark.parametrize(("make", "end"), ENDS.values(), ids=ENDS)
def test_five_steps(torch: Any, make: Make, end: list[float]) -> None:
    w, _ = train(torch, make, 5)
    np.testing.assert_allclose(np.reshape(w.tolist(), -1), end, rtol=1e-10)
    assert (w.is_leaf, w.grad_fn) == (True, None)


def test_a_network_learns_xor(torch: Any) -> None:
    """The losses were printed by torch 2.13 for the same lines, to six digits."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2))
    x, y = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), torch.tensor([0, 1, 1, 0])
    optimizer, loss_of = optim.Adam(net.parameters(), lr=0.05), nn.CrossEntropyLoss()
    losses = []
    for _ in range(6):
        optimizer.zero_grad()
        loss = loss_of(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == pytest.approx([0.711137, 0.70137, 0.69597, 0.692337, 0.689291, 0.686159], abs=2e-6)


def test_options_as_tensors(torch: Any) -> None:
    lr = torch.tensor(0.1, dtype=torch.float64)
    for make, end in (
        (lambda p: optim.SGD(p, lr=lr), ENDS["sgd"][1]),
        (lambda p: optim.Adam(p, lr=lr.reshape(1)), ENDS["adam"][1]),
        (lambda p: optim.Adam(p, lr=0.1, betas=(torch.tensor(0.9).double(), torch.tensor(0.999, dtype=torch.float64))), ENDS["adam"][1]),
    ):
        w, _ = train(torch, make, 5)
        np.testing.assert_allclose(np.reshape(w.tolist(), -1), end, rtol=1e-6)


def test_complex_parameters(torch: Any) -> None:
    """Each part of a complex number is a number of its own."""
    w = torch.tensor([1 + 2j, -1j], requires_grad=True)
    parts = torch.tensor([[1.0, 2.0], [0.0, -1.0]], requires_grad=True)
    optimizer = optim.Adam([w, parts], lr=0.1, amsgrad=True)
    for _ in range(3):
        optimizer.zero_grad()
        ((w.abs() ** 2).sum() + (parts**2).sum()).backward()
        optimizer.step()
    np.testing.assert_allclose(torch.view_as_real(w.detach()).tolist(), parts.tolist(), rtol=1e-6)


def test_differentiable_steps(torch: Any) -> None:
    for make in (optim.SGD, optim.Adam):
        start = torch.tensor([2.0], requires_grad=True)
        w = start.clone()
        w.retain_grad()
        w.grad = torch.ones(1)
        make([w], lr=0.5, differentiable=True).step()
        (w * 3).sum().backward()
        assert start.grad.tolist() == [3.0]


def test_closure(torch: Any) -> None:
    w = torch.tensor(3.0, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.25)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (w - 1) ** 2
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 4.0
    assert w.item() == 2.0
    with torch.no_grad():
        assert optimizer.step(closure).requires_grad


def test_parameters_without_a_gradient_are_left_alone(torch: Any) -> None:
    a, b = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    optimizer = optim.Adam([a, b])
    a.sum().backward()
    optimizer.step()
    assert (a.item() < 1, b.item(), list(optimizer.state)) == (True, 1.0, [a])


def test_zero_grad(torch: Any) -> None:
    w = torch.ones(1, requires_grad=True)
    optimizer = optim.SGD([w])
    (g,) = torch.autograd.grad((w * w).sum(), w, create_graph=True)
    w.grad = g
    optimizer.zero_grad(set_to_none=False)
    assert (w.grad.item(), w.grad.requires_grad) == (0.0, False)
    optimizer.zero_grad()
    assert w.grad is None


def test_hooks(torch: Any) -> None:
    log: list[Any] = []
    w = torch.ones(1, requires_grad=True)
    optimizer = optim.SGD([w])
    handles = [
        optimizer.register_step_pre_hook(lambda o, args, kwargs: log.append(("pre", o is args[0], len(args)))),
        optimizer.register_step_post_hook(lambda o, args, kwargs: log.append("post")),
        optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: log.append("closure")), {})),
    ]
    optimizer.step()
    assert log == [("pre", True, 1), "closure", "post"]
    for handle in handles:
        handle.remove()
    optimizer.step()
    assert len(log) == 3
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match=r"must return None or a tuple of \(new_args, new_kwargs\), but got 3.$"):
        optimizer.step()


def test_an_optimizer_of_ones_own(torch: Any) -> None:
    class Sign(optim.Optimizer):
        def __init__(self, params: Any, lr: float) -> None:
            super().__init__(params, {"lr": lr})

        def step(self, closure: Any = None) -> None:
            with torch.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        p.add_(p.grad.sign(), alpha=-group["lr"])

    w = torch.tensor([1.0, -1.0], requires_grad=True)
    (w * w).sum().backward()
    log: list[str] = []
    sign = Sign([w], lr=0.5)
    sign.register_step_post_hook(lambda *args: log.append("post"))
    sign.step()
    assert (w.tolist(), log) == ([0.5, -0.5], ["post"])
    with pytest.raises(NotImplementedError):
        optim.Optimizer([w], {}).step()


def test_clipping(torch: Any) -> None:
    a, b = torch.zeros(2, requires_grad=True), torch.zeros(1, requires_grad=True)
    a.grad, b.grad = torch.tensor([3.0, 0.0]), torch.tensor([4.0])
    total = nn.utils.clip_grad_norm_([a, b, torch.zeros(1)], 1.0)
    assert total.item() == 5.0
    assert [*a.grad.tolist(), *b.grad.tolist()] == pytest.approx([0.6, 0.0, 0.8], rel=1e-5)
    nn.utils.clip_grad_value_(a, 0.5)
    assert a.grad.tolist() == [0.5, 0.0]
    assert nn.utils.clip_grad_norm_([a], 9.0, norm_type=float("inf")).item() == 0.5
    assert a.grad.tolist() == [0.5, 0.0]
    a.grad.fill_(float("inf"))
    with pytest.raises(RuntimeError, match=r"^The total norm of order 2.0 for gradients from `parameters` is non-finite"):
        nn.utils.clip_grad_norm_([a], 1.0, error_if_nonfinite=True)
    with pytest.warns(UserWarning, match="is an empty generator"):
        assert nn.utils.clip_grad_norm_((p for p in nn.ReLU().parameters()), 1.0).item() == 0.0


def test_vectors(torch: Any) -> None:
    layer = nn.Linear(2, 1)
    nn.utils.vector_to_parameters(torch.tensor([1.0, 2.0, 3.0]), layer.parameters())
    assert (layer.weight.tolist(), layer.bias.tolist()) == ([[1.0, 2.0]], [3.0])
    assert nn.utils.parameters_to_vector(layer.parameters()).tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(TypeError, match=r"^expected torch.Tensor, but got: list$"):
        nn.utils.vector_to_parameters([1.0], layer.parameters())  # type: ignore[arg-type]
