"""Leaves, ``detach``, ``data``, ``requires_grad``, copies."""

from __future__ import annotations

import copy
from typing import Any

from .base import case, fails, leaf, names


@case
def detach_shares_storage(t: Any) -> Any:
    x = leaf(t)
    d = x.detach()
    d[0] = 50.0
    return x, d.requires_grad, d.is_leaf, d.grad_fn, d._is_view()


@case
def detach_stops_gradients(t: Any) -> Any:
    x = leaf(t)
    (x * x.detach()).sum().backward()
    return x.grad


@case
def detach_in_place(t: Any) -> Any:
    x = leaf(t)
    y = x * 2
    z = y * 3
    y.detach_()
    z.sum().backward()
    return y.requires_grad, y.is_leaf, y.grad_fn, x.grad


@case
def detach_in_place_of_leaf(t: Any) -> Any:
    x = leaf(t)
    x.detach_()
    return x.requires_grad, x.is_leaf


@case
def detach_in_place_of_view(t: Any) -> Any:
    y = leaf(t) * 2
    return fails(lambda: y[:2].detach_()), fails(lambda: y.unbind(0)[0].detach_())


@case
def data_has_its_own_version(t: Any) -> Any:
    x = leaf(t)
    x.data.mul_(3)
    return x, x._version, x.data.requires_grad


@case
def assigning_data(t: Any) -> Any:
    x = leaf(t)
    x.data = t.tensor([7.0, 8.0, 9.0])
    (x * x).sum().backward()
    return x, x.requires_grad, x.grad


@case
def requires_grad_in_place(t: Any) -> Any:
    x = t.ones(3)
    y = x.requires_grad_()
    z = t.ones(3).requires_grad_(False)
    return y is x, x.requires_grad, z.requires_grad


@case
def requires_grad_of_intermediate(t: Any) -> Any:
    y = leaf(t) * 2

    def off() -> None:
        y.requires_grad = False

    def on() -> None:
        y.requires_grad = True

    return fails(off), fails(lambda: y.requires_grad_(False)), fails(on), y.requires_grad


@case
def requires_grad_of_integers(t: Any) -> Any:
    def assign() -> None:
        t.tensor([1]).requires_grad = True

    return (
        fails(lambda: t.tensor([1, 2], requires_grad=True)),
        fails(lambda: t.tensor([True], requires_grad=True)),
        fails(lambda: t.tensor([1, 2]).requires_grad_()),
        fails(assign),
        t.tensor([1j]).requires_grad_().requires_grad,
        t.tensor([1, 2]).requires_grad_(False).requires_grad,
    )


@case
def requires_grad_of_creation(t: Any) -> Any:
    return (
        t.zeros(2, requires_grad=True),
        t.ones(2, dtype=t.float64, requires_grad=True),
        t.full((2,), 3.0, requires_grad=True),
        t.arange(3.0, requires_grad=True),
        fails(lambda: t.zeros(2, dtype=t.int64, requires_grad=True)),
    )


@case
def is_leaf(t: Any) -> Any:
    x = leaf(t)
    y = x * 2
    return x.is_leaf, y.is_leaf, y.detach().is_leaf, t.ones(2).is_leaf, (t.ones(2) * 2).is_leaf, x[0].is_leaf, t.tensor([1]).is_leaf


@case
def turning_requires_grad_off(t: Any) -> Any:
    x = leaf(t)
    y = (x * x).sum()
    x.requires_grad_(False)
    z = x * 2
    y.backward()
    return z.requires_grad, x.grad


@case
def integer_results_do_not_require_grad(t: Any) -> Any:
    x = leaf(t)
    return x.argmax(), (x > 1), x.long(), x.to(t.int32), x.argmax().requires_grad, (x > 1).grad_fn


@case
def deepcopy_of_leaf(t: Any) -> Any:
    x = leaf(t)
    x.sum().backward()
    c = copy.deepcopy(x)
    with t.no_grad():
        c.add_(1)
    return x, c, c.requires_grad, c.is_leaf, c.grad, c.grad is x.grad


@case
def deepcopy_of_intermediate(t: Any) -> Any:
    return fails(lambda: copy.deepcopy(leaf(t) * 2))


@case
def deepcopy_keeps_identity(t: Any) -> Any:
    x = leaf(t)
    a, b = copy.deepcopy([x, x])
    return a is b, a is x


@case
def clone_records(t: Any) -> Any:
    x = leaf(t)
    c = x.clone()
    c.mul_(3)
    c.sum().backward()
    return names(c.grad_fn), x.grad, x


@case
def conversions_record(t: Any) -> Any:
    x = leaf(t)
    y = x.double()
    y.sum().backward()
    return names(y.grad_fn), x.grad, x.to(t.float32) is x, x.float() is x, x.contiguous() is x


@case
def tensor_of_a_tensor_is_detached(t: Any) -> Any:
    x = leaf(t)
    d = x.detach().clone().requires_grad_(True)
    (d * 2).sum().backward()
    return x.grad, d.grad


@case
def numpy_of_tensor_that_requires_grad(t: Any) -> Any:
    x = leaf(t)
    return fails(x.numpy), fails((x * 2).numpy), x.detach().numpy().tolist()


@case
def numpy_shares_memory(t: Any) -> Any:
    x = t.zeros(3)
    x.numpy()[1] = 5.0
    return x, t.from_numpy(x.numpy())


@case
def hashes_and_identity(t: Any) -> Any:
    x = leaf(t)
    return len({x, x, x * 1}), x in [x], {x: 1}[x]
