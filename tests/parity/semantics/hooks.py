"""Hooks on tensors, nodes and accumulated gradients: what they get, their order, what they replace."""

from __future__ import annotations

from typing import Any

from .base import case, fails, leaf


@case
def hook_on_intermediate(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    y = x * 2
    y.register_hook(seen.append)
    (y * y).sum().backward()
    return seen, x.grad


@case
def hook_on_leaf(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    x.register_hook(seen.append)
    (x * x).sum().backward()
    return seen, x.grad


@case
def hook_on_leaf_is_called_once_for_several_paths(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    x.register_hook(seen.append)
    (x * x + x.exp() + x).sum().backward()
    return len(seen), seen


@case
def hook_replaces_gradient(t: Any) -> Any:
    x = leaf(t)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    return x.grad


@case
def hook_on_leaf_replaces_gradient(t: Any) -> Any:
    x = leaf(t)
    x.register_hook(lambda g: -g)
    x.sum().backward()
    return x.grad


@case
def hooks_run_in_order_and_chain(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    y = x * 1

    def first(g: Any) -> Any:
        seen.append(("first", g))
        return g + 1

    def second(g: Any) -> Any:
        seen.append(("second", g))
        return g * 2

    y.register_hook(first)
    y.register_hook(second)
    y.sum().backward()
    return seen, x.grad


@case
def hook_removed(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    handle = x.register_hook(seen.append)
    handle.remove()
    handle.remove()
    x.sum().backward()
    return seen


@case
def hook_with_context_manager(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    with x.register_hook(seen.append):
        x.sum().backward()
    x.sum().backward()
    return len(seen)


@case
def hook_on_plain_tensor(t: Any) -> Any:
    return fails(lambda: t.ones(3).register_hook(print))


@case
def hook_that_changes_the_shape(t: Any) -> Any:
    y = leaf(t) * 2

    def wrong(g: Any) -> Any:
        return g[:2]

    y.register_hook(wrong)
    return fails(lambda: y.sum().backward())


@case
def hook_that_changes_the_dtype(t: Any) -> Any:
    y = leaf(t) * 2

    def wrong(g: Any) -> Any:
        return g.double()

    y.register_hook(wrong)
    return fails(lambda: y.sum().backward())


@case
def hook_that_returns_no_tensor(t: Any) -> Any:
    y = leaf(t) * 2

    def wrong(g: Any) -> Any:
        return 3.0

    y.register_hook(wrong)
    return fails(lambda: y.sum().backward())


@case
def hook_under_autograd_grad(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    y = x * 2
    y.register_hook(seen.append)
    x.register_hook(lambda g: g * 3)
    return t.autograd.grad((y * y).sum(), x), seen


@case
def hook_changes_what_autograd_grad_captures(t: Any) -> Any:
    x = leaf(t)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    return t.autograd.grad((y * y).sum(), [y, x])


@case
def hook_before_inplace_stays_with_the_old_value(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    y = x * 2
    y.register_hook(lambda g: seen.append(("before", g)))
    y.mul_(5)
    y.register_hook(lambda g: seen.append(("after", g)))
    y.sum().backward()
    return seen, x.grad


@case
def hook_sees_grad_mode_of_the_walk(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    y = x * x
    y.register_hook(lambda g: seen.append((t.is_grad_enabled(), g.requires_grad)))
    z = (y * y).sum()
    t.autograd.grad(z, x, retain_graph=True)
    t.autograd.grad(z, x, create_graph=True)
    return seen


@case
def hook_on_retained_gradient(t: Any) -> Any:
    x = leaf(t)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    return y.grad, x.grad


@case
def hook_that_records_under_create_graph(t: Any) -> Any:
    x, w = leaf(t), leaf(t, 2.0, 3.0, 4.0)
    y = x * x
    y.register_hook(lambda g: g * w)
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    return g.detach(), t.autograd.grad(g.sum(), [x, w])


@case
def post_accumulate_hook(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []

    def step(tensor: Any) -> None:
        seen.append(tensor.grad.clone())
        tensor.grad = None

    x.register_post_accumulate_grad_hook(step)
    (x * x).sum().backward()
    x.sum().backward()
    return seen, x.grad


@case
def post_accumulate_hook_rules(t: Any) -> Any:
    x = leaf(t)
    return fails(lambda: (x * 2).register_post_accumulate_grad_hook(print)), fails(
        lambda: t.ones(2).register_post_accumulate_grad_hook(print)
    )


@case
def post_accumulate_hook_is_not_called_by_autograd_grad(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    x.register_post_accumulate_grad_hook(lambda p: seen.append(1))
    t.autograd.grad(x.sum(), x)
    return seen


@case
def post_accumulate_hook_removed(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    x.register_post_accumulate_grad_hook(lambda p: seen.append(1)).remove()
    x.sum().backward()
    return seen


@case
def order_of_all_hooks(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    y = x * 2
    x.register_hook(lambda g: seen.append("leaf"))
    x.register_post_accumulate_grad_hook(lambda p: seen.append("accumulated"))
    y.register_hook(lambda g: seen.append("tensor"))
    y.grad_fn.register_prehook(lambda gs: seen.append("prehook"))
    y.grad_fn.register_hook(lambda gi, go: seen.append("posthook"))
    y.sum().backward()
    return seen


@case
def node_hook(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    y = x * 2
    y.grad_fn.register_hook(lambda grad_inputs, grad_outputs: seen.append((grad_inputs, grad_outputs)))
    y.sum().backward()
    return seen


@case
def node_hook_replaces_gradients(t: Any) -> Any:
    x, w = leaf(t), leaf(t)
    y = x * w
    y.grad_fn.register_hook(lambda grad_inputs, grad_outputs: (grad_inputs[0] * 10, grad_inputs[1]))
    y.sum().backward()
    return x.grad, w.grad


@case
def node_prehook_replaces_gradients(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    y = x * 2

    def prehook(grad_outputs: Any) -> Any:
        seen.append(grad_outputs)
        return (grad_outputs[0] * 10,)

    y.grad_fn.register_prehook(prehook)
    y.sum().backward()
    return seen, x.grad


@case
def node_hooks_that_return_what_they_may_not(t: Any) -> Any:
    results = []
    for answer in (3.0, t.ones(3), (t.ones(3),), (t.ones(2), None), (t.ones(3, dtype=t.float64), None)):
        y = leaf(t) * 2

        def wrong(grad_inputs: Any, grad_outputs: Any, answer: Any = answer) -> Any:
            return answer

        y.grad_fn.register_hook(wrong)
        results.append(fails(y.sum().backward))
    return results


@case
def node_prehooks_that_return_what_they_may_not(t: Any) -> Any:
    results = []
    for answer in (3.0, t.ones(3), (), (t.ones(2),)):
        y = leaf(t) * 2

        def wrong(grad_outputs: Any, answer: Any = answer) -> Any:
            return answer

        y.grad_fn.register_prehook(wrong)
        results.append(fails(y.sum().backward))
    return results


@case
def node_hook_removed(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    y = x * 2
    y.grad_fn.register_hook(lambda gi, go: seen.append(1)).remove()
    y.grad_fn.register_prehook(lambda go: seen.append(2)).remove()
    y.sum().backward()
    return seen


@case
def node_hook_with_broadcast_inputs(t: Any) -> Any:
    x, w = leaf(t), t.tensor(2.0, requires_grad=True)
    seen: list[Any] = []
    y = x * w
    y.grad_fn.register_hook(lambda gi, go: seen.append(gi))
    y.sum().backward()
    return seen


@case
def node_metadata(t: Any) -> Any:
    y = leaf(t) * 2
    y.grad_fn.metadata["note"] = 1
    return y.grad_fn.metadata


@case
def one_hook_on_two_tensors(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    y, z = x * 2, x * 3
    for tensor in (y, z):
        tensor.register_hook(seen.append)
    (y + z).sum().backward()
    return len(seen)


@case
def hook_added_by_a_hook(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []

    def outer(g: Any) -> None:
        seen.append("outer")
        x.register_hook(lambda h: seen.append("inner"))

    x.register_hook(outer)
    x.sum().backward()
    first = list(seen)
    x.sum().backward()
    return first, seen


@case
def hook_on_view(t: Any) -> Any:
    x = leaf(t)
    seen: list[Any] = []
    base = x * 2
    view = base[:2]
    view.register_hook(seen.append)
    (view * view).sum().backward()
    return seen, x.grad
