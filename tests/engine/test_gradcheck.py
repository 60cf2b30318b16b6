"""gradcheck finds wrong gradients of either order, and no others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.gradcheck import GradcheckError, gradcheck, gradgradcheck
from gradwire_engine.op import REGISTRY, Rule, op


def leaf(*shape: int, dtype: Any = np.float64) -> Any:
    random = np.random.default_rng(0)
    values = np.asarray(random.uniform(0.5, 1.5, shape))
    if dtype == np.complex128:
        values = values + 1j * random.uniform(0.5, 1.5, shape)
    return gradwire.tensor(values, requires_grad=True)


def cubed_with(rule: Rule) -> Any:
    """A cube with the gradient ``rule``, which is not left in the op table."""

    @op("_cube", vjp=dict(input=rule), meta=lambda input: input, method=False)
    def cube(input: Tensor) -> Any:  # type: ignore[name-defined]  # noqa: F821 - the annotation's text is its meaning
        return input * input * input

    del REGISTRY["_cube"]
    return cube


RIGHT = cubed_with(lambda g, input: 3.0 * g * input * input)
WRONG = cubed_with(lambda g, input: 2.0 * g * input * input)
# Right at first order, but the factor that came from the input is cut off from it.
CUT = cubed_with(lambda g, input: 3.0 * g * (input * input).detach() if isinstance(input, gradwire.Value) else 3.0 * g * input * input)


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_right_gradients_pass(dtype: Any) -> None:
    assert gradcheck(lambda x, y: RIGHT(x) * y, (leaf(2, 3, dtype=dtype), leaf(3, dtype=dtype)))
    assert gradgradcheck(lambda x, y: RIGHT(x) * y, (leaf(2, 3, dtype=dtype), leaf(3, dtype=dtype)))


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_wrong_gradients_fail(dtype: Any) -> None:
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0,\nnumerical:tensor"):
        gradcheck(WRONG, leaf(2, dtype=dtype))
    assert not gradcheck(WRONG, leaf(2, dtype=dtype), raise_exception=False)


def test_wrong_second_gradients_fail() -> None:
    assert gradcheck(CUT, leaf(2))
    with pytest.raises(GradcheckError):
        gradgradcheck(CUT, leaf(2))


def test_several_outputs() -> None:
    assert gradcheck(lambda x: (x * 2, x * x), leaf(2))
    with pytest.raises(GradcheckError, match="for output 1 with respect to input 0"):
        gradcheck(lambda x: (x * 2, WRONG(x)), leaf(2))


def test_an_output_without_history_must_not_depend_on_the_inputs() -> None:
    assert gradcheck(lambda x: (x * 2, gradwire.tensor(1.0)), leaf(2))
    with pytest.raises(GradcheckError, match="expected to be zero"):
        gradcheck(lambda x: x.detach() * 2, leaf(2))


def test_given_cotangents() -> None:
    assert gradgradcheck(RIGHT, leaf(2), gradwire.tensor([1.0, 2.0], dtype=gradwire.float64))


def test_unsuitable_inputs() -> None:
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(lambda x: x * 2, gradwire.tensor([1.0]))
    with pytest.raises(RuntimeError, match="dimension with stride 0"):
        gradcheck(lambda x: x * 2, gradwire.tensor([[1.0]], dtype=gradwire.float64).expand(1, 3).requires_grad_())
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double precision"):
        gradcheck(lambda x: x * 2, gradwire.tensor([1.0], requires_grad=True), eps=1e-2)
