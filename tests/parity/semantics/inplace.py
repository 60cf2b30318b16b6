"""In-place operations: what they refuse, and where the history goes."""

from __future__ import annotations

from typing import Any

from .base import case, fails, leaf, names, square


@case
def inplace_on_leaf(t: Any) -> Any:
    x = leaf(t)
    return fails(lambda: x.add_(1)), x._version, x


@case
def inplace_on_leaf_under_no_grad(t: Any) -> Any:
    x = leaf(t)
    with t.no_grad():
        x.mul_(2)
        x -= 1
    return x, x._version, x.requires_grad, x.grad_fn


@case
def inplace_on_view_of_leaf(t: Any) -> Any:
    x = leaf(t)
    return fails(lambda: x[0].mul_(2)), fails(lambda: x.view(3, 1).add_(1)), fails(lambda: x[:2].zero_())


@case
def inplace_on_plain_tensor_with_gradient_coming_in(t: Any) -> Any:
    x, y = leaf(t), t.zeros(3)
    y.add_(x)
    y.sum().backward()
    return y, y.requires_grad, y.is_leaf, names(y.grad_fn), x.grad


@case
def inplace_on_view_of_plain_tensor_makes_base_require_grad(t: Any) -> Any:
    x, base = leaf(t, 1.0, 2.0), t.zeros(4)
    view = base[1:3]
    view.mul_(x)
    (base * t.tensor([1.0, 10.0, 100.0, 1000.0])).sum().backward()
    return base.requires_grad, names(base.grad_fn), x.grad


@case
def inplace_on_intermediate(t: Any) -> Any:
    x = leaf(t)
    y = x * 2
    y.mul_(3)
    y.sum().backward()
    return y, names(y.grad_fn), x.grad, y._version


@case
def inplace_returns_the_same_tensor(t: Any) -> Any:
    y = leaf(t) * 2
    z = y.add_(1)
    return z is y


@case
def augmented_assignments(t: Any) -> Any:
    x = leaf(t)
    y = x * 1
    before = y
    y += 1
    y -= 2
    y *= 3
    y /= 4
    y **= 2
    y.sum().backward()
    return y, y is before, names(y.grad_fn), x.grad


@case
def augmented_assignment_with_itself(t: Any) -> Any:
    x = leaf(t)
    y = x * 1
    y *= y
    y += y
    y.sum().backward()
    return y, x.grad


@case
def write_through_view_shows_in_base(t: Any) -> Any:
    x = leaf(t, 1.0, 2.0, 3.0, 4.0)
    base = x * 2
    view = base[1:3]
    view.mul_(10)
    base.sum().backward()
    return base, names(base.grad_fn), names(view.grad_fn), x.grad


@case
def write_to_base_shows_in_view(t: Any) -> Any:
    x = leaf(t, 1.0, 2.0, 3.0, 4.0)
    base = x * 2
    view = base[1:3]
    base.mul_(10)
    result = view.grad_fn.name(), view
    view.sum().backward()
    return result, x.grad


@case
def write_through_one_of_two_views(t: Any) -> Any:
    x = square(t)
    base = x * 1
    row, column = base[0], base[:, 1]
    row.mul_(5)
    result = names(row.grad_fn), names(column.grad_fn), names(base.grad_fn), row, column
    (column.sum() + row.sum()).backward()
    return result, x.grad


@case
def write_through_view_of_view(t: Any) -> Any:
    x = square(t)
    base = x * 1
    inner = base.t()[1:]
    inner.mul_(3)
    base.sum().backward()
    return base, names(base.grad_fn), inner._base is base, x.grad


@case
def two_writes_through_views(t: Any) -> Any:
    x, w = leaf(t, 1.0, 2.0, 3.0), leaf(t, 5.0, 6.0)
    base = x * 1
    base[:2].mul_(w)
    base[1:].add_(w)
    (base * base).sum().backward()
    return base, names(base.grad_fn), x.grad, w.grad


@case
def copy_replaces_history_of_region(t: Any) -> Any:
    x, w = leaf(t), leaf(t, 7.0, 8.0)
    base = x * 1
    base[1:].copy_(w)
    (base * base).sum().backward()
    return base, x.grad, w.grad, names(base.grad_fn)


@case
def zero_cuts_off_region(t: Any) -> Any:
    x = leaf(t)
    base = x * 1
    base[0].zero_()
    base.sum().backward()
    return base, x.grad


@case
def fill_and_zero(t: Any) -> Any:
    x = leaf(t)
    y, z = x * 1, x * 1
    y.fill_(2)
    z.zero_()
    (y + z).sum().backward()
    return y, z, names(y.grad_fn), names(z.grad_fn), x.grad


@case
def inplace_on_unbind_view(t: Any) -> Any:
    rows = (square(t) * 1).unbind(0)
    return fails(lambda: rows[1].mul_(2))


@case
def inplace_on_split_and_chunk_views(t: Any) -> Any:
    x = leaf(t, 1.0, 2.0, 3.0, 4.0)
    return fails(lambda: (x * 1).split(2)[0].mul_(2)), fails(lambda: (x * 1).chunk(2)[1].add_(1))


@case
def inplace_on_unbind_view_of_plain_tensor(t: Any) -> Any:
    base = t.zeros(2, 3)
    first = base.unbind(0)[0]
    first.add_(1)
    return base, fails(lambda: first.add_(leaf(t)))


@case
def inplace_on_base_of_unbind_views(t: Any) -> Any:
    x = square(t)
    base = x * 1
    rows = base.unbind(0)
    base.mul_(2)
    return fails(lambda: rows[0].grad_fn), base


@case
def iteration_gives_unbind_views(t: Any) -> Any:
    base = square(t) * 1
    rows = list(base)
    return fails(lambda: rows[0].zero_()), names(rows[0].grad_fn)


@case
def inplace_on_view_made_under_no_grad(t: Any) -> Any:
    base = leaf(t) * 1
    with t.no_grad():
        view = base[:2]
    return view.requires_grad, fails(lambda: view.mul_(2))


@case
def inplace_under_no_grad_on_view_made_under_no_grad(t: Any) -> Any:
    base = leaf(t) * 1
    with t.no_grad():
        view = base[:2]
        view.mul_(2)
    return base, base._version, names(base.grad_fn)


@case
def inplace_on_view_of_leaf_made_under_no_grad(t: Any) -> Any:
    x = leaf(t)
    with t.no_grad():
        view = x[:2]
    return fails(lambda: view.mul_(2))


@case
def inplace_on_expanded(t: Any) -> Any:
    x = t.ones(3, 1)
    wide = x.expand(3, 4)
    return fails(lambda: wide.add_(1)), fails(lambda: wide.mul_(leaf(t)[0]))


@case
def inplace_shape_must_not_grow(t: Any) -> Any:
    y = leaf(t) * 1
    return fails(lambda: y.add_(t.ones(2, 3))), y


@case
def inplace_may_broadcast_the_other(t: Any) -> Any:
    x, w = square(t), leaf(t)
    y = x * 1
    y.mul_(w)
    y.sum().backward()
    return y, x.grad, w.grad


@case
def inplace_keeps_the_dtype(t: Any) -> Any:
    x = leaf(t)
    y = x * 1
    y.add_(t.tensor([1.0, 2.0, 3.0], dtype=t.float64))
    whole = t.tensor([1, 2, 3])
    whole.mul_(2)
    return y, whole


@case
def inplace_refuses_a_higher_category(t: Any) -> Any:
    whole, mask, real = t.tensor([1, 2]), t.tensor([True, False]), t.tensor([1.0, 2.0])
    return (
        fails(lambda: whole.add_(1.5)),
        fails(lambda: whole.div_(2)),
        fails(lambda: mask.add_(1)),
        fails(lambda: real.mul_(1j)),
        fails(lambda: whole.add_(t.tensor([1.0, 2.0]))),
    )


@case
def inplace_unary_forms(t: Any) -> Any:
    x = leaf(t, 0.5, 1.0, 2.0)
    results = []
    for name in ("exp_", "sin_", "cos_", "tanh_", "neg_", "abs_", "sqrt_", "log_", "sigmoid_", "relu_", "reciprocal_", "square_"):
        y = x * 1
        getattr(y, name)()
        (g,) = t.autograd.grad(y.sum(), x)
        results.append((name, y, names(y.grad_fn), g))
    return results


@case
def clamp_and_pow_in_place(t: Any) -> Any:
    x = leaf(t)
    y, z = x * 1, x * 1
    y.clamp_(1.5, 2.5)
    z.pow_(3)
    (y + z).sum().backward()
    return y, z, x.grad


@case
def masked_fill_in_place(t: Any) -> Any:
    x = leaf(t)
    y = x * 1
    y.masked_fill_(t.tensor([True, False, True]), 9.0)
    y.sum().backward()
    return y, names(y.grad_fn), x.grad


@case
def inplace_on_view_then_use_of_old_view(t: Any) -> Any:
    x = leaf(t, 1.0, 2.0, 3.0, 4.0)
    base = x * 1
    first = base[:2]
    second = first[1:]
    base[1].mul_(7)
    (first.sum() + second.sum()).backward()
    return first, second, x.grad


@case
def inplace_on_detached_alias_keeps_history(t: Any) -> Any:
    x = leaf(t)
    y = x * 2
    y.detach().mul_(10)
    y.sum().backward()
    return y, y._version, x.grad


@case
def inplace_after_saving_output(t: Any) -> Any:
    x = leaf(t)
    y = (x * 1).exp_()
    y.sum().backward()
    return y, x.grad


@case
def second_order_through_inplace(t: Any) -> Any:
    x = leaf(t)
    y = x * 1
    y[1:].mul_(x[:2])
    y.sin_()
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = t.autograd.grad((g * g).sum(), x)
    return g, h
