"""Mixed dtypes in graphs: which dtype results have, and that casts are not nodes."""

from __future__ import annotations

from typing import Any

from .base import case, fails, leaf, names


def many(t: Any) -> list[Any]:
    """A vector and a zero-dimensional tensor of each of some dtypes."""
    dtypes = [t.bool, t.uint8, t.int32, t.int64, t.float32, t.float64, t.complex64]
    return [t.ones(shape, dtype=d) for d in dtypes for shape in ((2,), ())]


@case
def mixed_precision_product(t: Any) -> Any:
    x, y = leaf(t), t.tensor([1.0, 2.0, 3.0], dtype=t.float64, requires_grad=True)
    z = x * y
    z.sum().backward()
    return z, names(z.grad_fn), x.grad, y.grad


@case
def integer_factor(t: Any) -> Any:
    x = leaf(t)
    z = x * t.tensor([1, 2, 3])
    z.sum().backward()
    return z, names(z.grad_fn), x.grad


@case
def bool_factor(t: Any) -> Any:
    x = leaf(t)
    z = x * t.tensor([True, False, True])
    z.sum().backward()
    return z, x.grad


@case
def complex_factor(t: Any) -> Any:
    x = leaf(t)
    z = x * t.tensor([1j, 2j, 3j])
    z.backward(t.ones(3, dtype=t.complex64))
    return z, names(z.grad_fn), x.grad


@case
def sums_of_all_dtypes(t: Any) -> Any:
    tensors = many(t)
    return [(a + b).dtype for a in tensors for b in tensors]


@case
def quotients_of_all_dtypes(t: Any) -> Any:
    tensors = many(t)
    return [(a / b).dtype for a in tensors for b in tensors]


@case
def python_numbers_are_weak(t: Any) -> Any:
    return [(x * number).dtype for x in many(t) for number in (True, 2, 2.5, 1j)]


@case
def python_numbers_are_not_rounded(t: Any) -> Any:
    x = t.tensor([1.0], dtype=t.float64)
    return (x * 0.1).item() == 0.1, (x + 1e-12 - 1).item()


@case
def zero_dim_tensors_are_weak(t: Any) -> Any:
    x, s = leaf(t), t.tensor(2.0, dtype=t.float64, requires_grad=True)
    z = x * s
    z.sum().backward()
    return z, x.grad, s.grad


@case
def zero_dim_tensor_of_a_higher_category(t: Any) -> Any:
    return (t.tensor([1, 2]) * t.tensor(1.5)).dtype, (t.tensor([True]) * t.tensor(2)).dtype, (t.tensor([1.0]) * t.tensor(1j)).dtype


@case
def integer_functions_become_floating(t: Any) -> Any:
    x = t.tensor([1, 2, 3])
    return x.exp(), x.sqrt(), x.sin(), x / 2, x.sigmoid(), x.reciprocal()


@case
def floor_divisions_and_remainders(t: Any) -> Any:
    x, y = t.tensor([7, -7]), t.tensor([2.5, -2.5])
    return x // 2, x % 3, y // 2, y % 2, x // t.tensor([2, -2]), 7 // t.tensor([2, 3]), 7 % t.tensor([2, 3])


@case
def powers(t: Any) -> Any:
    x = t.tensor([1, 2, 3])
    return x**2, x**2.0, 2**x, 2.0**x, x ** t.tensor([2, 1, 0]), fails(lambda: x**-1)


@case
def sums_of_integers_are_int64(t: Any) -> Any:
    return [x.sum().dtype for x in many(t)], t.tensor([1, 2], dtype=t.uint8).prod(), t.tensor([True, True]).sum()


@case
def mean_of_integers(t: Any) -> Any:
    return fails(lambda: t.tensor([1, 2, 3]).mean())


@case
def comparison_dtypes(t: Any) -> Any:
    x = t.tensor([1, 2, 3])
    return x == 2, x < 2.5, x >= t.tensor([1.0, 3.0, 2.0]), (x != x).dtype


@case
def bitwise_operators(t: Any) -> Any:
    x, m = t.tensor([1, 2, 3]), t.tensor([True, False, True])
    return x & 1, x | 4, x ^ 1, ~x, m & ~m, m | m, m ^ True, ~m, fails(lambda: ~t.tensor([1.0]))


@case
def subtraction_and_negation_of_booleans(t: Any) -> Any:
    m = t.tensor([True, False])
    return fails(lambda: m - m), fails(lambda: -m), fails(lambda: 1 - m), m + m, m * m


@case
def default_dtype(t: Any) -> Any:
    before = t.get_default_dtype()
    t.set_default_dtype(t.float64)
    try:
        made = t.tensor([1.5]), t.tensor([1, 2]) / 2, t.ones(2), t.tensor(1j), t.tensor([1.0]) * 1.5
        refused = fails(lambda: t.set_default_dtype(t.int64))
    finally:
        t.set_default_dtype(before)
    return made, refused, t.tensor([1.5]).dtype


@case
def inference_of_dtypes(t: Any) -> Any:
    return [t.tensor(v).dtype for v in (1, 1.0, True, 1j, [], [1, 2.0], [True, 2], [[1], [2]], [1, 1j])]


@case
def ragged_and_wrong_data(t: Any) -> Any:
    return (
        fails(lambda: t.tensor([[1, 2], [3]])),
        # torch says which of its own conversions failed, and not what is wrong with the data.
        fails(lambda: t.tensor([1, [2]])).kind,
        fails(lambda: t.tensor([[1], 2])).kind,
        fails(lambda: t.tensor([None])),
        fails(lambda: t.tensor("text")),
        fails(lambda: t.tensor([[[1, 2]], [[3]]])),
        fails(lambda: t.tensor({1: 2})),
    )


@case
def promotion_across_cat_stack_where(t: Any) -> Any:
    x, y = leaf(t), t.tensor([1, 2, 3])
    z = t.cat([x, y])
    w = t.where(y > 1, x, y)
    z.sum().backward()
    return z, names(z.grad_fn), x.grad, t.stack([x, y]).dtype, w, names(w.grad_fn)


@case
def half_precision_gradients(t: Any) -> Any:
    x = t.tensor([1.0, 2.0], dtype=t.float16, requires_grad=True)
    z = x * t.tensor([3.0, 4.0])
    z.sum().backward()
    return z, x.grad


@case
def mixed_dtypes_refused_by_matmul(t: Any) -> Any:
    a, b = t.ones(2, 2), t.ones(2, 2, dtype=t.float64)
    return fails(lambda: a @ b), fails(lambda: t.tensor([1.0]).dot(t.tensor([1])))


@case
def promotion_functions(t: Any) -> Any:
    return t.promote_types(t.int32, t.float16), t.promote_types(t.uint8, t.int8), t.promote_types(t.float64, t.complex64)
