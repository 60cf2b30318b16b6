"""Gradients that are kept of tensors which in-place operations move to another node, and what ``data`` may be set to."""

from __future__ import annotations

import functools
from typing import Any

from .base import case, fails, leaf, square


@case
def retained_base_is_assigned_through_an_index(t: Any) -> Any:
    x = leaf(t)
    y = x.clone()
    y.retain_grad()
    y[0] = 5.0
    y.sum().backward()
    return y.grad, y.retains_grad, x.grad


@case
def retained_base_is_written_through_a_view(t: Any) -> Any:
    x = leaf(t)
    y = x.clone()
    y.retain_grad()
    y[0:1].mul_(3)
    (y * 2).sum().backward()
    return y.grad, y.retains_grad, x.grad


@case
def retained_base_is_written_in_turns(t: Any) -> Any:
    x = leaf(t)
    y = x.clone()
    y.retain_grad()
    y[0] = 5.0
    y.mul_(2)
    y[1:].mul_(4)
    (y * y).sum().backward()
    return y.grad, y.retains_grad, x.grad


@case
def retained_view_of_a_base_that_is_written(t: Any) -> Any:
    x = square(t)
    y = x.clone()
    view = y[0:1]
    view.retain_grad()
    y.mul_(3)
    before = view.retains_grad
    view.sum().backward()
    return view.grad, before, view.retains_grad, x.grad


@case
def retained_view_is_written(t: Any) -> Any:
    x = leaf(t)
    y = x.clone()
    view = y[0:1]
    view.retain_grad()
    view.mul_(3)
    (view * 2).sum().backward()
    return view.grad, view.retains_grad, x.grad


@case
def retained_view_and_base_of_which_the_base_is_used(t: Any) -> Any:
    x = leaf(t)
    y = x.clone()
    view = y[0:1]
    view.retain_grad()
    y.retain_grad()
    view.mul_(3)
    (y * 2).sum().backward()
    return view.grad, y.grad, view.retains_grad, y.retains_grad, x.grad


@case
def retained_view_beside_the_one_that_is_written(t: Any) -> Any:
    x = leaf(t)
    y = x.clone()
    first, second = y[0:1], y[1:2]
    second.retain_grad()
    first.mul_(3)
    (second * 2).sum().backward()
    return second.grad, x.grad


@case
def retained_base_that_a_view_made_require_grad(t: Any) -> Any:
    x, base = leaf(t), t.zeros(3)
    base[0:1].add_(x[0:1])
    base.retain_grad()
    base[1] = 7.0
    base.sum().backward()
    return base.grad, x.grad


@case
def data_is_set_to_something_else(t: Any) -> Any:
    x = leaf(t)

    def setting(value: Any) -> Any:
        return lambda: setattr(x, "data", value)

    return fails(setting(3)), fails(setting(None)), fails(setting([1.0, 2.0])), x


@case
def data_is_set_to_whole_numbers(t: Any) -> Any:
    x, plain = leaf(t), t.tensor([1.0, 2.0])
    y = x * 2
    plain.data = t.tensor([1, 2])

    def set_data(tensor: Any) -> None:
        tensor.data = t.tensor([1, 2])

    refused = [fails(functools.partial(set_data, v)) for v in (x, y)]
    return refused, x, y, plain, plain.dtype


@case
def data_is_set_to_another_shape_and_precision(t: Any) -> Any:
    x = leaf(t)
    x.data = t.tensor([1.0, 2.0], dtype=t.float64)
    (x * x).sum().backward()
    return x, x.dtype, x.requires_grad, x.grad
