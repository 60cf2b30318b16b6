"""Version counters, and tensors that were overwritten after they were saved."""

from __future__ import annotations

from typing import Any

from .base import case, fails, leaf, square


@case
def versions_are_shared_by_views_and_detached(t: Any) -> Any:
    base = t.zeros(4)
    view, detached, data = base[:2], base.detach(), base.data
    view.add_(1)
    first = [x._version for x in (base, view, detached, data)]
    data.add_(1)
    return first, [x._version for x in (base, view, detached, data)], base


@case
def versions_count_every_write(t: Any) -> Any:
    x = t.zeros(3)
    x += 1
    x[0] = 5
    x.zero_()
    return x._version


@case
def overwritten_input_of_mul(t: Any) -> Any:
    x, w = leaf(t), leaf(t)
    y = w * 1
    z = x * y
    y.add_(1)
    return fails(lambda: z.sum().backward())


@case
def overwritten_leaf(t: Any) -> Any:
    x, w = leaf(t), leaf(t)
    z = x * w
    with t.no_grad():
        w.add_(1)
        w.add_(1)
    return fails(lambda: z.sum().backward())


@case
def overwritten_output_of_exp(t: Any) -> Any:
    y = leaf(t).exp()
    z = y.sum()
    y.mul_(2)
    return fails(z.backward)


@case
def overwriting_what_is_not_saved(t: Any) -> Any:
    x = leaf(t)
    y = x * 1
    z = (y + 1).sum() + y.sum()
    y.mul_(5)
    z.backward()
    return x.grad


@case
def overwriting_a_view_of_what_is_saved(t: Any) -> Any:
    y = square(t) * 1
    z = y * y
    y[0, 0] = 9.0
    return fails(lambda: z.sum().backward())


@case
def overwriting_the_base_of_what_is_saved(t: Any) -> Any:
    y = square(t) * 1
    z = y[0] * y[1]
    y.zero_()
    return fails(lambda: z.sum().backward())


@case
def overwriting_after_backward_is_fine(t: Any) -> Any:
    x = leaf(t)
    y = x * 1
    z = (y * y).sum()
    z.backward()
    y.add_(1)
    return x.grad


@case
def data_escapes_the_check(t: Any) -> Any:
    x = leaf(t)
    z = (x * x).sum()
    x.data.mul_(10)
    z.backward()
    return x.grad


@case
def detach_does_not_escape_the_check(t: Any) -> Any:
    x = leaf(t)
    z = (x * x).sum()
    x.detach().mul_(10)
    return fails(z.backward)


@case
def overwritten_after_copyslices(t: Any) -> Any:
    x = leaf(t)
    y = x * 1
    y[:2].mul_(3)
    z = y.sin()
    y.add_(1)
    return fails(lambda: z.sum().backward())


@case
def overwritten_view_after_rebase(t: Any) -> Any:
    y = leaf(t) * 1
    v = y[:2]
    v.mul_(3)
    z = v.sin()
    v.add_(1)
    return fails(lambda: z.sum().backward())


@case
def integers_that_were_saved(t: Any) -> Any:
    x, index = leaf(t), t.tensor([0, 2])
    z = x[index].sum()
    index.add_(0)
    return fails(z.backward)


@case
def indices_that_were_returned(t: Any) -> Any:
    values, indices = (leaf(t) * 1).max(0)
    indices.add_(0)
    return fails(values.backward)


@case
def matmul_operand_overwritten(t: Any) -> Any:
    a, b = square(t), square(t)
    z = a @ b.t()
    with t.no_grad():
        b.add_(1)
    return fails(lambda: z.sum().backward())


@case
def grad_is_accumulated_in_place(t: Any) -> Any:
    x = leaf(t)
    x.sum().backward()
    kept = x.grad
    x.sum().backward()
    return kept, kept is x.grad


@case
def grad_is_replaced_under_create_graph(t: Any) -> Any:
    x = leaf(t)
    x.sum().backward()
    kept = x.grad
    (x * x).sum().backward(create_graph=True)
    return kept, kept is x.grad, x.grad
