"""Grad mode as a context manager, a decorator and a call."""

from __future__ import annotations

from typing import Any

from .base import case, fails, leaf, names


@case
def no_grad_context(t: Any) -> Any:
    x = leaf(t)
    with t.no_grad():
        y = x * 2
        inside = t.is_grad_enabled()
    return y.requires_grad, y.grad_fn, inside, t.is_grad_enabled()


@case
def no_grad_decorator(t: Any) -> Any:
    x = leaf(t)

    def double(v: Any) -> Any:
        return v * 2

    def triple(v: Any) -> Any:
        """A docstring."""
        return v * 3

    double, triple = t.no_grad()(double), t.no_grad(triple)
    return double(x).requires_grad, triple(x).requires_grad, triple.__name__, triple.__doc__, t.is_grad_enabled()


@case
def enable_grad_within_no_grad(t: Any) -> Any:
    x = leaf(t)
    with t.no_grad():
        with t.enable_grad():
            y = x * 2
        z = x * 3
    return y.requires_grad, z.requires_grad


@case
def enable_grad_decorator(t: Any) -> Any:
    def double(v: Any) -> Any:
        return v * 2

    decorated = t.enable_grad()(double)
    with t.no_grad():
        return decorated(leaf(t)).requires_grad, t.is_grad_enabled()


@case
def set_grad_enabled_as_call(t: Any) -> Any:
    t.set_grad_enabled(False)
    try:
        y = leaf(t) * 2
    finally:
        t.set_grad_enabled(True)
    return y.requires_grad, (leaf(t) * 2).requires_grad


@case
def set_grad_enabled_as_context(t: Any) -> Any:
    results = []
    for wanted in (False, True):
        with t.set_grad_enabled(wanted):
            results.append((leaf(t) * 2).requires_grad)
        results.append(t.is_grad_enabled())
    return results


@case
def set_grad_enabled_as_decorator(t: Any) -> Any:
    def double(v: Any) -> Any:
        return v * 2

    decorated = t.set_grad_enabled(False)(double)
    return t.is_grad_enabled(), decorated(leaf(t)).requires_grad, t.is_grad_enabled()


@case
def grad_mode_is_restored_after_an_error(t: Any) -> Any:
    def run() -> None:
        with t.no_grad():
            raise ValueError("stop")

    return fails(run), t.is_grad_enabled()


@case
def nested_grad_modes(t: Any) -> Any:
    seen = []
    with t.no_grad():
        seen.append(t.is_grad_enabled())
        with t.no_grad():
            seen.append(t.is_grad_enabled())
        seen.append(t.is_grad_enabled())
        with t.set_grad_enabled(True):
            seen.append(t.is_grad_enabled())
        seen.append(t.is_grad_enabled())
    return seen, t.is_grad_enabled()


@case
def one_no_grad_used_twice(t: Any) -> Any:
    mode, seen = t.no_grad(), []
    for _ in range(2):
        with mode:
            seen.append(t.is_grad_enabled())
        seen.append(t.is_grad_enabled())
    return seen


@case
def requires_grad_may_be_set_under_no_grad(t: Any) -> Any:
    with t.no_grad():
        x = t.tensor([1.0], requires_grad=True)
        y = t.ones(2).requires_grad_()
    return x.requires_grad, y.requires_grad, (x * y).requires_grad


@case
def sgd_step(t: Any) -> Any:
    w, x = leaf(t, 0.5, -0.5), t.tensor([[1.0, 2.0], [3.0, 4.0]])
    losses = []
    for _ in range(3):
        loss = ((x @ w - 1) ** 2).mean()
        loss.backward()
        with t.no_grad():
            w -= 0.1 * w.grad
            w.grad.zero_()
        losses.append(loss.item())
    return losses, w, w.is_leaf, w._version


@case
def view_made_under_no_grad_of_a_graph(t: Any) -> Any:
    x = leaf(t)
    y = x * 2
    with t.no_grad():
        v = y[:2]
    return v.requires_grad, v.grad_fn, v.is_leaf, v._is_view(), v._base is y


@case
def write_under_no_grad_keeps_history(t: Any) -> Any:
    x = leaf(t)
    y = x * 2
    with t.no_grad():
        y[0] = 100.0
    y.sum().backward()
    return y, names(y.grad_fn), x.grad


@case
def generator_functions_and_no_grad(t: Any) -> Any:
    def values() -> Any:
        yield t.is_grad_enabled()
        yield t.is_grad_enabled()

    seen = []
    for inside in t.no_grad()(values)():
        seen.append((inside, t.is_grad_enabled()))
    return seen
