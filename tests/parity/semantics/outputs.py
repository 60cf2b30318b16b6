"""Operations of several outputs, of which only some are used."""

from __future__ import annotations

from typing import Any

from .base import case, fails, leaf, names, square


@case
def one_of_max_and_indices(t: Any) -> Any:
    x = square(t)
    values, indices = x.max(dim=1)
    values.sum().backward()
    return values, indices, indices.requires_grad, values.grad_fn.name(), x.grad


@case
def named_outputs(t: Any) -> Any:
    r = square(t).max(1)
    return r.values, r.indices, r[0], len(r), tuple(r)


@case
def one_row_of_unbind(t: Any) -> Any:
    x = square(t)
    rows = x.unbind(0)
    (rows[1] * 2).sum().backward()
    return x.grad, [r.output_nr for r in rows], names(rows[0].grad_fn)


@case
def rows_of_unbind_share_a_node(t: Any) -> Any:
    rows = square(t).unbind(0)
    z = rows[0] * rows[1]
    return names(z.grad_fn), z.grad_fn.next_functions[0][1], z.grad_fn.next_functions[1][1], rows[0].grad_fn.next_functions[0][1]


@case
def some_parts_of_split(t: Any) -> Any:
    x = leaf(t, 1.0, 2.0, 3.0, 4.0, 5.0)
    a, b, c = x.split([1, 2, 2])
    (a.sum() + (c * c).sum()).backward()
    return x.grad, b.shape


@case
def partial_gradients_of_sort(t: Any) -> Any:
    x = leaf(t, 3.0, 1.0, 2.0)
    values, indices = x.sort()
    (values[:2] * t.tensor([1.0, 10.0])).sum().backward()
    return values, indices, x.grad


@case
def partial_gradients_of_topk(t: Any) -> Any:
    x = leaf(t, 3.0, 1.0, 2.0, 5.0)
    values, indices = x.topk(2)
    values.sum().backward()
    return values, indices, x.grad


@case
def partial_gradients_of_var_mean(t: Any) -> Any:
    results = []
    for pick in (0, 1):
        x = leaf(t, 1.0, 2.0, 4.0)
        t.var_mean(x)[pick].backward()
        results.append(x.grad)
    return results


@case
def partial_gradients_of_slogdet(t: Any) -> Any:
    x = t.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
    sign, logabsdet = t.linalg.slogdet(x)
    logabsdet.backward()
    return sign, logabsdet, x.grad


@case
def partial_gradients_of_qr(t: Any) -> Any:
    results = []
    for pick in (0, 1):
        x = t.tensor([[2.0, 1.0], [1.0, 3.0]], dtype=t.float64, requires_grad=True)
        (t.linalg.qr(x)[pick] ** 3).sum().backward()
        results.append(x.grad)
    return results


@case
def grad_by_unused_output(t: Any) -> Any:
    x = square(t)
    a, b = x.unbind(0)
    return fails(lambda: t.autograd.grad(a.sum(), [b])), t.autograd.grad(a.sum(), [a, b], allow_unused=True)


@case
def hooks_on_one_of_several_outputs(t: Any) -> Any:
    x = square(t)
    seen: list[Any] = []
    a, b = x.unbind(0)
    a.register_hook(seen.append)
    b.register_hook(lambda g: g * 100)
    (a * 2 + b).sum().backward()
    return seen, x.grad


@case
def node_hook_on_several_outputs(t: Any) -> Any:
    x = square(t)
    seen: list[Any] = []
    a, _ = x.unbind(0)
    a.grad_fn.register_hook(lambda gi, go: seen.append((gi, [g is None for g in go])))
    a.sum().backward()
    return seen


@case
def retained_gradient_of_one_output(t: Any) -> Any:
    a, b = square(t).unbind(0)
    b.retain_grad()
    (a + b * b).sum().backward()
    return b.grad, a.retains_grad, b.retains_grad


@case
def cat_of_inputs_that_need_no_gradient(t: Any) -> Any:
    x, y = leaf(t), t.ones(2)
    z = t.cat([y, x, y])
    z.sum().backward()
    return names(z.grad_fn), x.grad


@case
def stack_of_the_same_tensor(t: Any) -> Any:
    x = leaf(t)
    z = t.stack([x, x * 2, x])
    (z * z).sum().backward()
    return names(z.grad_fn), x.grad


@case
def where_with_constants(t: Any) -> Any:
    x = leaf(t, -1.0, 0.0, 2.0)
    z = t.where(x > 0, x * 2, 0.0)
    z.sum().backward()
    return z, names(z.grad_fn), x.grad


@case
def meshgrid(t: Any) -> Any:
    x, y = leaf(t), leaf(t, 4.0, 5.0)
    a, b = t.meshgrid(x, y, indexing="ij")
    (a * b).sum().backward()
    return a, b, x.grad, y.grad


@case
def second_order_of_one_output(t: Any) -> Any:
    x = square(t)
    a, b = (x * x).unbind(0)
    (g,) = t.autograd.grad((a * a).sum(), x, create_graph=True)
    return g.detach(), t.autograd.grad(g.sum(), x), b.requires_grad
