"""Choosing between elements: where, the larger and the smaller, limits, masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import as_array
from ..dtypes import Array, NumpyDType, dtype_of, scalar_array
from ..errors import TensorRuntimeError
from ..op import op, ops
from ..params import Scalar, Tensor
from .supported import converted, cpp_name, duplicate, not_complex, only, require_tensor

BOOL = np.dtype(bool)


def _check_condition(condition: Any) -> None:
    require_tensor("where", "condition", 1, condition)
    if condition.dtype.kind != "b" and condition.dtype != np.uint8:
        name = dtype_of(condition.dtype).torch_name
        raise TensorRuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {name}", code="dtype_mismatch"
        )


def _check_where(condition: Any, input: Any, other: Any, dtype: NumpyDType) -> None:
    _check_condition(condition)
    for value in (input, other):
        if not hasattr(value, "dtype"):
            converted(value, dtype)


@op("where", overload="Scalar", composite=True, method=True, inplace=False)
def where_scalar(condition: Tensor, input: Scalar, other: Scalar) -> Any:
    """``input`` where ``condition`` holds, otherwise ``other``."""
    return ops.where(condition, scalar_array(input), scalar_array(other))


@op("where", overload="default", composite=True, method=True, inplace=False, data_dependent=True)
def where_positions(condition: Tensor) -> Any:
    """The positions of the elements that are not zero, one tensor per dimension."""
    return ops.nonzero(condition, as_tuple=True)


@op(
    "where",
    overload="self",
    promoted=("input", "other"),
    inplace=False,
    check=_check_where,
    vjp=dict(input=lambda g, condition: ops.where(condition, g, 0), other=lambda g, condition: ops.where(condition, 0, g)),
)
def where_tensor(condition: Tensor, input: Tensor, other: Tensor) -> Array:
    """The elements of ``input`` where ``condition`` holds, otherwise those of ``other``."""
    dtype = getattr(input, "dtype", None) or other.dtype
    return np.where(as_array(condition, BOOL), as_array(input, dtype), as_array(other, dtype))


def _winner(g: Any, mine: Any, its: Any) -> Any:
    """The gradient of the larger of two: all of it where it is larger, half of it where both are equal."""
    return ops.masked_fill(ops.where(mine == its, g / 2, g), mine < its, 0)


@op(
    inplace=False,
    check=not_complex("maximum not implemented for complex tensors.", TensorRuntimeError),
    vjp=dict(input=lambda g, input, other: _winner(g, input, other), other=lambda g, input, other: _winner(g, other, input)),
)
def maximum(input: Tensor, other: Tensor) -> Array:
    """The larger of two elements, NaN if one of them is; where they are equal each gets half of the gradient."""
    return np.maximum(input, other)


@op(
    inplace=False,
    check=not_complex("minimum not implemented for complex tensors.", TensorRuntimeError),
    vjp=dict(input=lambda g, input, other: _winner(g, -input, -other), other=lambda g, input, other: _winner(g, -other, -input)),
)
def minimum(input: Tensor, other: Tensor) -> Array:
    """The smaller of two elements, NaN if one of them is; where they are equal each gets half of the gradient."""
    return np.minimum(input, other)


def _first_is_taken(input: Any, other: Any, greater: bool) -> Any:
    return ((input >= other) if greater else (input <= other)) | ops.isnan(other)


@op(
    inplace=False,
    check=not_complex("fmax not implemented for complex tensors.", TensorRuntimeError),
    vjp=dict(
        input=lambda g, input, other: ops.where(_first_is_taken(input, other, True), g, 0),
        other=lambda g, input, other: ops.where(_first_is_taken(input, other, True), 0, g),
    ),
)
def fmax(input: Tensor, other: Tensor) -> Array:
    """The larger of two elements, or the one that is a number."""
    return np.fmax(input, other)


@op(
    inplace=False,
    check=not_complex("fmin not implemented for complex tensors.", TensorRuntimeError),
    vjp=dict(
        input=lambda g, input, other: ops.where(_first_is_taken(input, other, False), g, 0),
        other=lambda g, input, other: ops.where(_first_is_taken(input, other, False), 0, g),
    ),
)
def fmin(input: Tensor, other: Tensor) -> Array:
    """The smaller of two elements, or the one that is a number."""
    return np.fmin(input, other)


_NO_COMPLEX_CLAMP = not_complex("clamp is not supported for complex types")


def _check_limit(input: Any, limit: Any, dtype: NumpyDType) -> None:
    if isinstance(limit, complex) and input.dtype.kind != "c":
        converted(limit, np.dtype(np.float64))
    if isinstance(limit, (bool, int, float)) and dtype.kind != "c":
        converted(limit, dtype)


def _check_limits(input: Any, min: Any, max: Any, dtype: NumpyDType) -> None:
    if min is None and max is None:
        raise TensorRuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None", code="argument_missing")
    _check_limit(input, min, dtype)
    _check_limit(input, max, dtype)
    _NO_COMPLEX_CLAMP(dtype)


def _limited(input: Array, low: Any, high: Any) -> Array:
    result = input if low is None else np.maximum(input, low)
    return result if high is None else np.minimum(result, high)


def _within(input: Any, low: Any, high: Any) -> Any:
    if low is None:
        return input <= high
    return input >= low if high is None else (input >= low) & (input <= high)


@op(
    "clamp",
    overload="Scalar",
    promoted=("input", "min", "max"),
    grad_fn="ClampBackward1",
    aliases=("clip",),
    check=_check_limits,
    vjp=dict(input=lambda g, input, min, max: ops.where(_within(input, min, max), g, 0)),
)
def clamp_scalar(input: Tensor, min: Scalar | None = None, max: Scalar | None = None) -> Array:
    """Each element, raised to ``min`` and then lowered to ``max``; the gradient passes within the limits, both included."""
    return _limited(input, min, max)


def _low_gradient(g: Any, input: Any, min: Any, max: Any) -> Any:
    below = input < min
    return ops.where(below if max is None else below & (min < max), g, 0)


def _high_gradient(g: Any, input: Any, min: Any, max: Any) -> Any:
    above = input > max
    return ops.where(above if min is None else above | (max < min), g, 0)


@op(
    "clamp",
    overload="Tensor",
    aliases=("clip",),
    check=_check_limits,
    vjp=dict(input=lambda g, input, min, max: ops.where(_within(input, min, max), g, 0), min=_low_gradient, max=_high_gradient),
)
def clamp_tensor(input: Tensor, min: Tensor | None = None, max: Tensor | None = None) -> Array:
    """Each element, raised to ``min`` and then lowered to ``max``; the gradient passes within the limits, both included."""
    return _limited(input, min, max)


@op(
    "clamp_min",
    overload="Scalar",
    promoted=("input", "min"),
    check=lambda input, min, dtype: _check_limits(input, min, None, dtype),
    vjp=dict(input=lambda g, input, min: ops.where(input >= min, g, 0)),
)
def clamp_min_scalar(input: Tensor, min: Scalar) -> Array:
    """Each element, raised to ``min``."""
    return np.maximum(input, min)


@op(
    "clamp_min",
    overload="Tensor",
    grad_fn="ClampMinBackward1",
    check=only("biuf", "maximum_cpu"),
    vjp=dict(input=lambda g, input, min: ops.where(input >= min, g, 0), min=lambda g, input, min: ops.where(input < min, g, 0)),
)
def clamp_min_tensor(input: Tensor, min: Tensor) -> Array:
    """Each element, raised to ``min``."""
    return np.maximum(input, min)


@op(
    "clamp_max",
    overload="Scalar",
    promoted=("input", "max"),
    check=lambda input, max, dtype: _check_limits(input, None, max, dtype),
    vjp=dict(input=lambda g, input, max: ops.where(input <= max, g, 0)),
)
def clamp_max_scalar(input: Tensor, max: Scalar) -> Array:
    """Each element, lowered to ``max``."""
    return np.minimum(input, max)


@op(
    "clamp_max",
    overload="Tensor",
    grad_fn="ClampMaxBackward1",
    check=only("biuf", "minimum_cpu"),
    vjp=dict(input=lambda g, input, max: ops.where(input <= max, g, 0), max=lambda g, input, max: ops.where(input > max, g, 0)),
)
def clamp_max_tensor(input: Tensor, max: Tensor) -> Array:
    """Each element, lowered to ``max``."""
    return np.minimum(input, max)


def _check_mask(input: Any, mask: Any) -> None:
    require_tensor("masked_fill", "input", 1, input)
    require_tensor("masked_fill", "mask", 2, mask)
    if mask.dtype.kind != "b":
        raise TensorRuntimeError(
            f"masked_fill_ only supports boolean masks, but got mask with dtype {cpp_name(mask.dtype)}", code="dtype_mismatch"
        )


def _check_fill(input: Any, mask: Any, value: Scalar, dtype: NumpyDType) -> None:
    _check_mask(input, mask)
    converted(value, dtype)


@op(
    "masked_fill",
    overload="Scalar",
    promoted=("input",),
    check=_check_fill,
    vjp=dict(input=lambda g, mask: ops.masked_fill(g, mask, 0)),
)
def masked_fill_scalar(input: Tensor, mask: Tensor, value: Scalar) -> Array:
    """``value`` where ``mask`` holds, otherwise the elements of ``input``."""
    return np.where(mask, converted(value, input.dtype), input)


def _check_fill_tensor(input: Any, mask: Any, value: Any, dtype: NumpyDType) -> None:
    _check_mask(input, mask)
    if value.shape:
        raise TensorRuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {len(value.shape)} dimension(s).",
            code="shape_mismatch",
        )
    if value.dtype.kind == "c" and dtype.kind != "c":
        raise TensorRuntimeError(f"value cannot be converted to type {cpp_name(dtype)} without overflow", code="value_out_of_range")


@op(
    "masked_fill",
    overload="Tensor",
    promoted=("input",),
    grad_fn="MaskedFillBackward1",
    check=_check_fill_tensor,
    batch="filled",
    vjp=dict(input=lambda g, mask: ops.masked_fill(g, mask, 0), value=lambda g, mask: ops.where(mask, g, 0)),
)
def masked_fill_tensor(input: Tensor, mask: Tensor, value: Tensor) -> Array:
    """``value``, a tensor of one element, where ``mask`` holds, otherwise the elements of ``input``."""
    return np.where(mask, as_array(value).astype(input.dtype), input)


@op(inplace=True, vjp=dict(input=lambda g, input: g * ops.isfinite(input)))
def nan_to_num(input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> Array:
    """Each element, with NaN replaced (by 0) and infinities (by the dtype's largest and smallest number)."""
    if input.dtype.kind not in "fc":
        return duplicate(input)
    # NumPy's own copy of repeated elements would have another order in memory.
    return np.asarray(
        np.nan_to_num(np.asarray(duplicate(input)), copy=False, nan=0.0 if nan is None else nan, posinf=posinf, neginf=neginf)
    )
