"""Elementary functions in machine code against NumPy: 2 units in the last place, and special values as IEEE 754 has them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from gradwire_engine.dtypes import Array
from gradwire_engine.plan.ir import Step, Term, dense_term
from gradwire_engine.plan.native import kernel
from gradwire_engine.plan.native.blocks import native_blocks

pytest.importorskip("llvmlite", reason="machine code needs llvmlite")

N = 40_000
SPECIAL = [
    *(0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, 2.0, -2.0, 1e-8, -1e-8, 5e-324, -5e-324, 1e-310, 1e-45, -1e-45, 1e-40),
    *(709.78, 709.79, 710.0, -708.4, -740.0, -745.13, -745.14, -746.0, 88.7, 88.73, -87.4, -103.9, -104.0, 22.0, -22.0, 40.0, -40.0),
    *(3.4e38, -3.4e38, 1.7e308, -1.7e308, -0.9999999, 1.5, 2.5, -2.5, 3.141592653589793, 1.5707963267948966, 1e5, 1.5e6, -0.3, 0.3466),
]


def cast(values: Any, dtype: Any) -> Array:
    """The values in a dtype in which some of them may be infinite."""
    with np.errstate(all="ignore"):
        return np.asarray(values).ravel().astype(dtype)


def compiled(function: Any, *arrays: Array, out: Any = None, **options: Any) -> Array | None:
    """What machine code for one step gives; ``None`` if it leaves that to NumPy."""
    operands = [dense_term(a.shape, a.dtype) for a in arrays]
    result = dense_term(arrays[0].shape, np.dtype(out or arrays[0].dtype))
    step = Step("elementwise", function, tuple(operands), (result,), tuple(options.items()))
    return done([step], operands, list(arrays), result)


def done(steps: list[Step], operands: list[Term], arrays: list[Array], result: Term) -> Array | None:
    blocks = native_blocks(steps, operands, [result], [result], result.size)
    assert blocks is not None
    target = np.empty(result.shape, result.dtype)
    found = blocks.steps(arrays, [target], ())(0, result.size)
    return None if found is None else target


def units(found: Array, expected: Array) -> Array:
    """The distance in units in the last place; infinite where one is not a number and the other is, or the sign of zero differs."""
    with np.errstate(all="ignore"):
        distance = np.abs(found.astype(np.longdouble) - expected.astype(np.longdouble)) / np.spacing(np.abs(expected))
    same = ((found == expected) & (np.signbit(found) == np.signbit(expected))) | (np.isnan(found) & np.isnan(expected))
    result: Array = np.where(same, 0, np.where(np.isfinite(distance) & (distance > 0), distance, np.inf))
    return result


def exactly(function: Any, *arrays: Array) -> Array:
    """NumPy's results, rounded from a wider type."""
    wide = np.longdouble if arrays[0].dtype == np.float64 else np.float64
    with np.errstate(all="ignore"):
        result: Array = function(*[a.astype(wide) for a in arrays]).astype(arrays[0].dtype)
    return result


def spread(dtype: Any, most: float) -> Array:
    """Numbers of all sizes up to ``most``, many around 1."""
    random = np.random.default_rng(0)
    least = np.log(np.finfo(dtype).tiny)
    found = np.concatenate(
        [
            random.normal(size=N),
            random.uniform(-30, 30, N),
            np.linspace(-2, 2, N),
            np.exp(random.uniform(least, np.log(most), N)) * random.choice([-1, 1], N),
        ]
    )
    return cast(found, dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("function", "most"),
    [
        *((np.exp, 700), (np.exp2, 1000), (np.expm1, 700), (np.tanh, 1e6), (np.log, 1e30), (np.log2, 1e30), (np.log1p, 1e30)),
        *((np.sin, 1e6), (np.cos, 1e6), (np.tan, 1e6), (np.sqrt, 1e30)),
    ],
)
def test_elementary_functions(function: Any, most: float, dtype: Any) -> None:
    x = spread(dtype, most)
    found = compiled(function, x)
    assert found is not None
    assert units(found, exactly(function, x)).max() <= 2
    if function in (np.sin, np.cos, np.tan):
        return
    special = cast(SPECIAL, dtype)
    found = compiled(function, special)
    assert found is not None
    distance = units(found, exactly(function, special))
    assert distance.max() <= 2, special[distance > 2]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("function", [np.sin, np.cos, np.tan])
def test_turns(function: Any, dtype: Any) -> None:
    quarters = (np.arange(-40_000, 40_000) * (np.pi / 2)).astype(dtype)
    special = cast([s for s in SPECIAL if not abs(s) > 1.5e6], dtype)
    for x in (quarters, special):
        found = compiled(function, x)
        assert found is not None
        assert units(found, exactly(function, x)).max() <= 2


@pytest.mark.parametrize("large", [2e6, -1e22, np.inf])
def test_turns_that_are_too_many_are_left_to_numpy(large: float) -> None:
    x = np.linspace(-1, 1, 1_000)
    for place in (0, 500, 999):
        x[place] = large
        assert compiled(np.sin, x) is None
        assert compiled(np.cos, x.astype(np.float32)) is None
        x[place] = 0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_sum_of_exponentials(dtype: Any) -> None:
    x, y = (cast(a, dtype) for a in np.meshgrid(SPECIAL, SPECIAL))
    found = compiled(np.logaddexp, x, y)
    assert found is not None
    with np.errstate(all="ignore"):
        expected = np.logaddexp(x, y)
    # Where the sum is nearly 1 its logarithm is the difference of the two parts.
    np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)


UNARY = [
    *(np.negative, np.positive, np.square, np.reciprocal, np.absolute, np.fabs, np.sign, np.floor, np.ceil, np.trunc, np.rint),
    *(np.isnan, np.isinf, np.isfinite, np.logical_not),
]
BINARY = [
    *(np.add, np.subtract, np.multiply, np.true_divide, np.copysign, np.maximum, np.minimum, np.fmax, np.fmin),
    *(np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal, np.logical_and, np.logical_or, np.logical_xor),
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("function", [*UNARY, *BINARY])
def test_arithmetic_is_exact(function: Any, dtype: Any) -> None:
    x, y = (cast(a, dtype) for a in np.meshgrid(SPECIAL, SPECIAL))
    arrays = (x,) if function in UNARY else (x, y)
    with np.errstate(all="ignore"):
        expected = function(*arrays)
    found = compiled(function, *arrays, out=expected.dtype)
    np.testing.assert_array_equal(found, expected)
    if expected.dtype == dtype and function not in (np.maximum, np.minimum, np.fmax, np.fmin):
        # Which of two zeros is the larger IEEE 754 leaves open.
        signs = ~np.isnan(expected)
        assert found is not None
        np.testing.assert_array_equal(np.signbit(found)[signs], np.signbit(expected)[signs])


@pytest.mark.parametrize("function", [np.logical_and, np.logical_or, np.logical_xor, np.bitwise_and, np.bitwise_or, np.bitwise_xor])
def test_booleans(function: Any) -> None:
    x, y = np.arange(64) % 3 == 0, np.arange(64) % 2 == 0
    np.testing.assert_array_equal(compiled(function, x, y), function(x, y))
    np.testing.assert_array_equal(compiled(np.invert, x), ~x)
    np.testing.assert_array_equal(compiled(np.subtract, x, y, out=np.float64, dtype=np.dtype(np.float64)), x - y.astype(float))


def test_choices_copies_and_numbers() -> None:
    x = np.linspace(-2, 2, 100)
    for dtype in (np.float32, np.float64, np.bool_):
        operand, result = dense_term(x.shape, x.dtype), dense_term(x.shape, np.dtype(dtype))
        copied = done([Step("copy", None, (operand,), (result,))], [operand], [x], result)
        np.testing.assert_array_equal(copied, x.astype(dtype))
    operand, mask, chosen, result = (dense_term(x.shape, np.dtype(d)) for d in ("f8", "?", "f8", "f8"))
    number = dense_term((), np.dtype("f8"))
    steps = [
        Step("elementwise", np.greater, (operand, 0), (mask,)),
        Step("elementwise", np.where, (mask, operand, 0.1), (chosen,)),
        Step("elementwise", np.multiply, (chosen, number), (result,)),
    ]
    found = done(steps, [operand, number], [x, np.array(3.0)], result)
    np.testing.assert_array_equal(found, np.where(x > 0, x, 0.1) * 3)


@pytest.mark.parametrize("exponent", [0, 1, 1.5, 2, 2.5, 3.0, 4])
def test_small_powers(exponent: float) -> None:
    x = cast(SPECIAL, np.float64)
    operand, result = (dense_term(x.shape, x.dtype) for _ in range(2))
    found = done([Step("elementwise", np.power, (operand, exponent), (result,))], [operand], [x], result)
    assert found is not None
    assert units(found, exactly(lambda x: x**exponent, x)).max() <= 2


@pytest.mark.parametrize("count", [8, 9, 15, 16, 17, 100, 4097])
def test_any_number_of_elements(count: int) -> None:
    x = np.random.default_rng(1).normal(size=count)
    np.testing.assert_array_equal(compiled(np.square, x), x * x)
    assert compiled(np.square, x[:7]) is None


@pytest.mark.parametrize(
    "step",
    [
        (np.add, np.int64, np.int64),
        (np.add, np.complex128, np.complex128),
        (np.add, np.float16, np.float16),
        (np.power, np.float64, np.float64),
        (np.add, np.bool_, np.bool_),
        (np.true_divide, np.int64, np.float64),
    ],
)
def test_what_is_not_for_machine_code(step: tuple[Any, Any, Any]) -> None:
    function, dtype, out = step
    a, b, c = (dense_term((100,), np.dtype(d)) for d in (dtype, dtype, out))
    assert kernel.kernel_text([Step("elementwise", function, (a, b), (c,))], [a, b], [c]) is None


@pytest.mark.parametrize(("function", "most"), [(np.negative, 3_900), (np.tanh, 100)])
def test_runs_of_very_many_steps_are_not_for_machine_code(function: Any, most: int) -> None:
    terms = [dense_term((100,), np.dtype("f8")) for _ in range(2 * most)]
    steps = [Step("elementwise", function, (a,), (b,)) for a, b in pairwise(terms)]
    assert kernel.kernel_text(steps[:most], terms[:1], terms[most : most + 1]) is not None
    assert kernel.kernel_text(steps, terms[:1], terms[-1:]) is None
