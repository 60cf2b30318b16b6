"""``backward``: retained and freed graphs, accumulation, ``grad``, roots that are not scalars."""

from __future__ import annotations

import warnings
from typing import Any

from .base import case, fails, leaf, names, square


@case
def backward_twice(t: Any) -> Any:
    x = leaf(t)
    z = (x * x).sum()
    z.backward()
    return fails(z.backward), x.grad


@case
def backward_twice_retained(t: Any) -> Any:
    x = leaf(t)
    z = (x * x).sum()
    z.backward(retain_graph=True)
    z.backward()
    return x.grad, fails(z.backward)


@case
def backward_twice_where_nothing_was_saved(t: Any) -> Any:
    x = leaf(t)
    z = (x + 1).sum()
    z.backward()
    z.backward()
    return x.grad


@case
def freed_part_of_a_shared_graph(t: Any) -> Any:
    x = leaf(t)
    shared = x * x
    first, second = shared.sum(), shared.exp().sum()
    first.backward()
    return fails(second.backward), x.grad


@case
def accumulation_over_paths(t: Any) -> Any:
    x = leaf(t)
    y = x * x
    (y + y.exp() + x).sum().backward()
    return x.grad


@case
def accumulation_over_calls(t: Any) -> Any:
    x = leaf(t)
    for factor in (1, 2, 3):
        (x * factor).sum().backward()
    return x.grad


@case
def zeroing_grads(t: Any) -> Any:
    x = leaf(t)
    x.sum().backward()
    x.grad.zero_()
    first = x.grad.clone()
    (x * 2).sum().backward()
    second = x.grad.clone()
    x.grad = None
    (x * 5).sum().backward()
    return first, second, x.grad


@case
def gradients_have_no_history(t: Any) -> Any:
    x = leaf(t)
    (x * x).sum().backward()
    return x.grad.requires_grad, x.grad.grad_fn, x.grad.is_leaf


@case
def gradients_do_not_share_memory(t: Any) -> Any:
    x, y = leaf(t), leaf(t)
    (x + y).sum().backward()
    x.grad.add_(1)
    return x.grad, y.grad


@case
def given_gradient_is_not_kept(t: Any) -> Any:
    x = leaf(t)
    g = t.ones(3)
    (x * 1).backward(g)
    x.grad.add_(1)
    return g, x.grad


@case
def backward_of_leaf(t: Any) -> Any:
    x = t.tensor(2.0, requires_grad=True)
    x.backward()
    return x.grad


@case
def backward_of_leaf_with_gradient(t: Any) -> Any:
    x = leaf(t)
    x.backward(t.tensor([1.0, 2.0, 3.0]))
    x.backward(t.tensor([1.0, 2.0, 3.0]))
    return x.grad


@case
def backward_without_graph(t: Any) -> Any:
    x = t.tensor([1.0])
    return fails(x.backward), fails(lambda: (x * 2).sum().backward()), fails(leaf(t).sum().detach().backward)


@case
def backward_of_vector_without_gradient(t: Any) -> Any:
    y = leaf(t) * 2
    return fails(y.backward), fails((leaf(t) * 1)[:0].backward)


@case
def backward_of_vector_with_gradient(t: Any) -> Any:
    x = square(t)
    (x * x).backward(t.ones(2, 3))
    return x.grad


@case
def backward_of_one_element_vector(t: Any) -> Any:
    x = leaf(t, 3.0)
    (x * x).backward()
    return x.grad


@case
def backward_with_gradient_of_wrong_shape(t: Any) -> Any:
    y = leaf(t) * 2
    return (
        fails(lambda: y.backward(t.ones(2))),
        fails(lambda: y.backward(t.ones(1, 3))),
        fails(lambda: y.sum().backward(t.ones(1))),
    )


@case
def backward_with_gradient_of_wrong_kind(t: Any) -> Any:
    y = leaf(t) * 2
    return fails(lambda: y.backward([1.0, 1.0, 1.0])), fails(lambda: y.backward(2.0)).kind


@case
def backward_with_gradient_of_another_dtype(t: Any) -> Any:
    x = leaf(t)
    (x * 2).backward(t.tensor([1.0, 2.0, 3.0], dtype=t.float64))
    return x.grad, fails(lambda: (x * 2).backward(t.tensor([1j, 2j, 3j])))


@case
def backward_of_complex_scalar(t: Any) -> Any:
    z = t.tensor([1 + 2j], requires_grad=True)
    y = (z * z).sum()
    return fails(y.backward), (y.backward(t.tensor(1 + 0j)), z.grad)


@case
def complex_gradient_convention(t: Any) -> Any:
    z = t.tensor([1 + 2j, 3 - 1j], requires_grad=True)
    (z * z * (2 - 1j)).abs().sum().backward()
    return z.grad


@case
def real_input_of_complex_function(t: Any) -> Any:
    x = leaf(t, 1.0, 2.0)
    (x * t.tensor([1j, 2 + 1j])).abs().sum().backward()
    return x.grad


@case
def backward_of_several(t: Any) -> Any:
    x = leaf(t)
    t.autograd.backward([x.sum(), x * 2], [None, t.tensor([1.0, 10.0, 100.0])])
    return x.grad


@case
def backward_of_several_needs_as_many_gradients(t: Any) -> Any:
    x = leaf(t)
    return fails(lambda: t.autograd.backward([x.sum(), x.sum()], [None]))


@case
def backward_into_inputs_only(t: Any) -> Any:
    x, w = leaf(t), leaf(t)
    y = x * w
    (y * y).sum().backward(inputs=[x])
    return x.grad, w.grad


@case
def backward_into_an_intermediate(t: Any) -> Any:
    x = leaf(t)
    y = x * 2
    z = (y * y).sum()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = fails(lambda: z.backward(inputs=[y]))
        return result, x.grad, y.grad


@case
def backward_inputs_must_not_be_empty(t: Any) -> Any:
    return fails(lambda: leaf(t).sum().backward(inputs=[]))


@case
def assigning_grad(t: Any) -> Any:
    x = leaf(t)
    x.grad = t.tensor([1.0, 1.0, 1.0])
    x.sum().backward()
    return x.grad


@case
def assigning_wrong_grads(t: Any) -> Any:
    x = leaf(t)

    def assign(value: Any) -> Any:
        def run() -> None:
            x.grad = value

        return fails(run)

    # torch goes on to explain an attribute that Gradwire does not have.
    return assign(t.ones(2)), assign(t.ones(3, dtype=t.float64)).kind, assign(3.0), assign(x), x.grad


@case
def grad_of_intermediate(t: Any) -> Any:
    x = leaf(t)
    y = x * 2
    y.sum().backward()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return y.grad


@case
def retained_grad_of_intermediate(t: Any) -> Any:
    x = leaf(t)
    y = x * 2
    y.retain_grad()
    z = (y * y).sum()
    z.backward(retain_graph=True)
    first = y.grad.clone()
    z.backward()
    return y.retains_grad, x.retains_grad, first, y.grad, x.grad


@case
def retain_grad_rules(t: Any) -> Any:
    x = leaf(t)
    x.retain_grad()
    return x.retains_grad, fails(t.ones(3).retain_grad)


@case
def retained_grad_survives_inplace(t: Any) -> Any:
    x = leaf(t)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    return y.grad, x.grad


@case
def long_chain(t: Any) -> Any:
    x = leaf(t)
    y = x
    for _ in range(5000):
        y = y * 1.0001
    y.sum().backward()
    return x.grad


@case
def diamond_of_many_uses(t: Any) -> Any:
    x = leaf(t, 0.5)
    y = x
    for _ in range(20):
        y = y + y * 0.5
    y.sum().backward()
    return x.grad


@case
def graph_shape(t: Any) -> Any:
    x, w = leaf(t), leaf(t)
    return names(((x * w).exp() + x).sum().grad_fn), x.grad_fn, (x * t.ones(3)).grad_fn.next_functions[1]
