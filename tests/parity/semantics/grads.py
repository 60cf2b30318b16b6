"""``autograd.grad``."""

from __future__ import annotations

from typing import Any

from .base import case, fails, leaf, square


@case
def grad_leaves_grad_alone(t: Any) -> Any:
    x = leaf(t)
    (g,) = t.autograd.grad((x * x).sum(), x)
    return g, x.grad, g.requires_grad


@case
def grad_by_several(t: Any) -> Any:
    x, w = leaf(t), leaf(t, 4.0, 5.0, 6.0)
    return t.autograd.grad((x * w).sum(), [x, w])


@case
def grad_of_several(t: Any) -> Any:
    x = leaf(t)
    return t.autograd.grad([x.sum(), (x * x).sum()], [x])


@case
def grad_outputs(t: Any) -> Any:
    x = leaf(t)
    y = x * x
    first = t.autograd.grad(y, x, t.tensor([1.0, 10.0, 100.0]), retain_graph=True)
    return first, t.autograd.grad([y, y.sum()], x, [t.ones(3), None])


@case
def grad_outputs_of_wrong_shape(t: Any) -> Any:
    x = leaf(t)
    y = x * x
    return fails(lambda: t.autograd.grad(y, x)), fails(lambda: t.autograd.grad(y, x, t.ones(2)))


@case
def grad_outputs_of_wrong_number(t: Any) -> Any:
    x = leaf(t)
    return fails(lambda: t.autograd.grad([x.sum(), x.sum()], x, [t.ones(())]))


@case
def grad_by_unused(t: Any) -> Any:
    x, w = leaf(t), leaf(t)
    z = (x * x).sum()
    return (
        fails(lambda: t.autograd.grad(z, [x, w], retain_graph=True)),
        t.autograd.grad(z, [x, w], retain_graph=True, allow_unused=True),
        t.autograd.grad(z, [x, w], retain_graph=True, materialize_grads=True),
        fails(lambda: t.autograd.grad(z, [x, w], allow_unused=False, materialize_grads=True)),
    )


@case
def grad_by_what_does_not_require_grad(t: Any) -> Any:
    x = leaf(t)
    return fails(lambda: t.autograd.grad(x.sum(), t.ones(3))), fails(lambda: t.autograd.grad(x.sum(), [x, t.ones(3)], allow_unused=True))


@case
def grad_of_what_has_no_graph(t: Any) -> Any:
    x = leaf(t)
    return fails(lambda: t.autograd.grad(t.ones(()), x)), fails(lambda: t.autograd.grad([x.sum(), t.ones(())], x))


@case
def grad_by_intermediate(t: Any) -> Any:
    x = leaf(t)
    y = x * 2
    z = (y * y).sum()
    return t.autograd.grad(z, [x, y])


@case
def grad_by_intermediate_of_an_intermediate(t: Any) -> Any:
    x = leaf(t)
    y = x.exp()
    z = y.sin()
    w = (z * y).sum()
    return t.autograd.grad(w, [y, z, w])


@case
def grad_by_itself(t: Any) -> Any:
    x = leaf(t)
    y = (x * x).sum()
    return t.autograd.grad(y, y, retain_graph=True), t.autograd.grad(x, x, t.ones(3))


@case
def grad_by_the_same_twice(t: Any) -> Any:
    x = leaf(t)
    return t.autograd.grad((x * x).sum(), [x, x])


@case
def grad_frees_the_graph(t: Any) -> Any:
    x = leaf(t)
    z = (x * x).sum()
    t.autograd.grad(z, x)
    return fails(lambda: t.autograd.grad(z, x))


@case
def grad_by_intermediate_frees_only_what_it_walked(t: Any) -> Any:
    x = leaf(t)
    y = x * x
    z = (y * y).sum()
    t.autograd.grad(z, y)
    y.sum().backward()
    return x.grad


@case
def grad_by_one_of_several_outputs(t: Any) -> Any:
    x = square(t)
    a, b = (x * x).unbind(0)
    z = (a * 3).sum()
    return t.autograd.grad(z, [a, b, x], allow_unused=True)


@case
def grad_by_view_and_base(t: Any) -> Any:
    x = leaf(t)
    base = x * 2
    view = base[:2]
    return t.autograd.grad((view * view).sum() + base.sum(), [view, base, x])


@case
def grad_materialized_has_the_inputs_dtype(t: Any) -> Any:
    x, w = leaf(t), t.tensor([[1.0]], dtype=t.float64, requires_grad=True)
    return t.autograd.grad(x.sum(), [x, w], materialize_grads=True)


@case
def grad_under_no_grad(t: Any) -> Any:
    x = leaf(t)
    z = (x * x).sum()
    with t.no_grad():
        return t.autograd.grad(z, x)


@case
def grad_is_grads_batched(t: Any) -> Any:
    x = leaf(t)
    y = x * x
    return t.autograd.grad(y, x, t.eye(3), is_grads_batched=True)


@case
def grad_of_tensor_that_reaches_input_twice(t: Any) -> Any:
    x = leaf(t)
    y = x * 1
    z = (y * x).sum()
    return t.autograd.grad(z, [x, y])
