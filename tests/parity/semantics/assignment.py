"""``x[...] = v``, and views that alias each other."""

from __future__ import annotations

from typing import Any

from .base import case, fails, leaf, names, square


def matrix(t: Any) -> Any:
    """A plain 3 x 4 matrix."""
    return t.arange(12.0).reshape(3, 4).clone()


@case
def assign_numbers(t: Any) -> Any:
    x = matrix(t)
    x[0] = 1
    x[1, 2] = 2.5
    x[-1, -1] = t.tensor(9.0)
    x[:, 0] = -1
    return x, x._version


@case
def assign_rows_and_blocks(t: Any) -> Any:
    x = matrix(t)
    x[0] = t.tensor([1.0, 2.0, 3.0, 4.0])
    x[1:, 1:3] = t.zeros(2, 2)
    x[::2, ::3] = 7
    return x


@case
def assign_broadcasts(t: Any) -> Any:
    x = matrix(t)
    x[:2] = t.tensor([1.0, 2.0, 3.0, 4.0])
    x[:, :2] = t.tensor([[5.0], [6.0], [7.0]])
    x[...] = x[..., :1]
    return x


@case
def assign_masks(t: Any) -> Any:
    x = matrix(t)
    x[x > 5] = 0
    x[t.tensor([True, False, True])] = -1
    x[x == 2] = t.tensor([20.0])
    return x


@case
def assign_integer_tensors(t: Any) -> Any:
    x = matrix(t)
    x[t.tensor([0, 2])] = 1
    x[t.tensor([0, 1]), t.tensor([1, 2])] = t.tensor([50.0, 60.0])
    x[[1, 2], 0] = 9
    x[:, t.tensor([3])] = t.tensor([[1.0], [2.0], [3.0]])
    return x


@case
def assign_with_none_and_ellipsis(t: Any) -> Any:
    x = matrix(t)
    x[None, 0] = 3
    x[..., -1] = 4
    x[None] = x * 2
    return x


@case
def assign_casts_to_the_dtype(t: Any) -> Any:
    x, whole = matrix(t), t.tensor([1, 2, 3])
    x[0] = t.tensor([1, 2, 3, 4])
    whole[0] = 2.9
    whole[1] = t.tensor(5.7)
    return x, whole


@case
def assign_wrong_shapes(t: Any) -> Any:
    x = matrix(t)

    def assign(index: Any, value: Any) -> Any:
        return fails(lambda: x.__setitem__(index, value))

    return (
        assign(0, t.zeros(3)),
        assign((slice(None), 0), t.zeros(2)),
        assign(7, 1.0),
        assign((0, 9), 1.0),
        assign((0, 0, 0), 1.0),
    )


@case
def assign_to_leaf(t: Any) -> Any:
    x = leaf(t)

    def assign() -> None:
        x[0] = 1.0

    return fails(assign)


@case
def assign_records(t: Any) -> Any:
    x, v = square(t), leaf(t, 7.0, 8.0, 9.0)
    y = x * 1
    y[0] = v
    (y * y).sum().backward()
    return y, names(y.grad_fn), x.grad, v.grad


@case
def assign_number_records(t: Any) -> Any:
    x = leaf(t)
    y = x * 1
    y[1] = 5.0
    (y * y).sum().backward()
    return names(y.grad_fn), x.grad


@case
def assign_by_mask_records(t: Any) -> Any:
    x = leaf(t)
    y = x * 1
    y[y > 1.5] = 0.0
    y.sum().backward()
    return y, names(y.grad_fn), x.grad


@case
def assign_by_integers_records(t: Any) -> Any:
    x, v = leaf(t), leaf(t, 4.0, 5.0)
    y = x * 1
    y[t.tensor([0, 2])] = v
    (y * t.tensor([1.0, 10.0, 100.0])).sum().backward()
    return y, names(y.grad_fn), x.grad, v.grad


@case
def assign_into_plain_tensor_records(t: Any) -> Any:
    x, out = leaf(t), t.zeros(3)
    for i in range(3):
        out[i] = x[i] * (i + 1)
    out.sum().backward()
    return out, names(out.grad_fn)[0], x.grad


@case
def augmented_assignment_of_items(t: Any) -> Any:
    x = leaf(t)
    y = x * 1
    y[0] += 10
    y[1:] *= 2
    y.sum().backward()
    return y, x.grad


@case
def assign_of_overlapping_region(t: Any) -> Any:
    x = t.arange(5.0)
    x[1:] = x[:-1].clone()
    return x


@case
def assign_boolean_scalars(t: Any) -> Any:
    x = t.tensor([1.0, 2.0])
    x[True] = 5.0
    y = t.tensor([1.0, 2.0])
    y[False] = 5.0
    return x, y


@case
def views_alias(t: Any) -> Any:
    x = t.arange(6.0)
    a, b = x.view(2, 3), x[2:5]
    a[0, 2] = 50.0
    b[1] = 60.0
    x[4] = 70.0
    return x, a, b, [v._version for v in (x, a, b)]


@case
def copies_do_not_alias(t: Any) -> Any:
    x = t.arange(6.0)
    copies = [x.clone(), x[t.tensor([0, 1])], x[x > 2], x + 0, x.view(2, 3).t().reshape(6)]
    x.zero_()
    return copies


@case
def reshape_aliases_where_it_can(t: Any) -> Any:
    x = t.zeros(2, 3)
    x.reshape(6)[0] = 1.0
    x.t().reshape(6)[1] = 2.0
    x.flatten()[2] = 3.0
    return x


@case
def chain_of_views(t: Any) -> Any:
    x = t.arange(24.0).reshape(2, 3, 4)
    v = x.transpose(0, 2)[1:, 0].permute(1, 0)[:, ::2]
    v.mul_(-1)
    return x, v, v.stride(), v._base is x._base, v.storage_offset()


@case
def gradients_of_every_kind_of_view(t: Any) -> Any:
    x = t.arange(24.0).reshape(2, 3, 4).requires_grad_()
    results = []
    view: Any
    for view in (
        lambda v: v.view(4, 6),
        lambda v: v.transpose(0, 1),
        lambda v: v.permute(2, 0, 1),
        lambda v: v[:, 1],
        lambda v: v[..., 1:3],
        lambda v: v[::1, ::2],
        lambda v: v.unsqueeze(1).squeeze(1),
        lambda v: v.select(0, 1),
        lambda v: v.narrow(2, 1, 2),
        lambda v: v.diagonal(0, 1, 2),
        lambda v: v.expand(2, 2, 3, 4),
        lambda v: v.flatten(1),
        lambda v: v.movedim(0, 2),
        lambda v: v[0].t(),
        lambda v: v[0].T,
        lambda v: v.mT,
        lambda v: v.unbind(1)[2],
        lambda v: v.split(2, 2)[1],
        lambda v: v.chunk(3, 1)[0],
    ):
        y = view(x)
        (g,) = t.autograd.grad((y * y).sum(), x)
        results.append((y.shape, y.stride(), names(y.grad_fn), y._is_view(), g))
    return results


@case
def writes_through_every_kind_of_view(t: Any) -> Any:
    results = []
    view: Any
    for view in (
        lambda v: v.view(4, 6),
        lambda v: v.transpose(0, 1),
        lambda v: v.permute(2, 0, 1),
        lambda v: v[:, 1],
        lambda v: v[..., ::2],
        lambda v: v.unsqueeze(1),
        lambda v: v.select(0, 1),
        lambda v: v.narrow(2, 1, 2),
        lambda v: v.diagonal(0, 1, 2),
        lambda v: v[0].t(),
    ):
        x = t.arange(24.0).reshape(2, 3, 4).requires_grad_()
        base = x * 1
        v = view(base)
        v.mul_(3)
        w = view(base)
        (base.sum() + (w * w).sum() + v.sum()).backward()
        results.append((base, names(base.grad_fn), v.grad_fn.name(), x.grad))
    return results
