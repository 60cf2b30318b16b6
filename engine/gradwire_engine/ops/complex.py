"""Complex numbers: their parts, conjugates and polar forms.

A complex gradient is torch's: the real part is the derivative in the real part, the imaginary part that in the imaginary
part. Conjugates are computed at once, not kept as a mark on the tensor.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType, dtype_of, scalar_dtype, to_complex
from ..errors import TensorNotImplementedError, TensorRuntimeError
from ..meta import check_extent
from ..op import op, ops
from ..params import Tensor
from .rounding import signs
from .supported import not_complex, only


def _is_complex(input: Any) -> bool:
    return dtype_of(input.dtype).is_complex


@op("_conj", method=False, inplace=False, holomorphic=False, grad_fn="ConjBackward0", vjp=dict(input=lambda g: ops._conj(g)))
def complex_conj(input: Tensor) -> Array:
    """The complex conjugate of complex numbers."""
    return np.conjugate(input)


@op("conj", composite=True)
def conj(input: Tensor) -> Any:
    """The complex conjugate; a real tensor is its own."""
    return ops._conj(input) if _is_complex(input) else input


@op("conj_physical", composite=True, inplace=True, inplace_grad_fn="ConjPhysicalBackward1")
def conj_physical(input: Tensor) -> Any:
    """The complex conjugate; a real tensor is its own."""
    return ops._conj_physical(input) if _is_complex(input) else input


@op(
    "_conj_physical",
    method=False,
    inplace=False,
    holomorphic=False,
    grad_fn="ConjPhysicalBackward0",
    vjp=dict(input=lambda g: ops._conj_physical(g)),
)
def complex_conj_physical(input: Tensor) -> Array:
    """The complex conjugate of complex numbers."""
    return np.conjugate(input)


@op(composite=True)
def resolve_conj(input: Tensor) -> Any:
    """The tensor itself, since conjugates are always computed."""
    return input


@op("real", composite=True, method=False)
def real(input: Tensor) -> Any:
    """The real parts, a view; a real tensor is its own."""
    return ops.select(ops.view_as_real(input), -1, 0) if _is_complex(input) else input


@op("imag", composite=True, method=False)
def imag(input: Tensor) -> Any:
    """The imaginary parts, a view."""
    if not _is_complex(input):
        raise TensorRuntimeError("imag is not implemented for tensors with non-complex dtypes.", code="dtype_not_implemented")
    return ops.select(ops.view_as_real(input), -1, 1)


@op(view=True, method=False, holomorphic=False, vjp=dict(input=lambda g: ops.view_as_complex(ops.contiguous(g))), batch="leading")
def view_as_real(input: Tensor) -> Array:
    """A complex tensor as a real one with a last dimension of two, the real and the imaginary part."""
    if input.dtype.kind != "c":
        raise TensorRuntimeError("view_as_real is only supported for complex tensors", code="dtype_not_implemented")
    half = input.dtype.itemsize // 2
    check_extent((*input.shape, 2), half)
    parts = np.asarray(input).real
    return np.lib.stride_tricks.as_strided(parts, (*parts.shape, 2), (*parts.strides, half))


@op(view=True, method=False, holomorphic=False, vjp=dict(input=lambda g: ops.view_as_real(ops.contiguous(g))), batch="leading")
def view_as_complex(input: Tensor) -> Array:
    """A real tensor with a last dimension of two as a complex one."""
    _check_pairs(input)
    dtype = to_complex(input.dtype)
    if input.size == 0:
        return np.lib.stride_tricks.as_strided(np.empty(0, dtype), input.shape[:-1], input.strides[:-1])
    return input.view(dtype)[..., 0]


def _check_pairs(input: Array) -> None:
    if input.dtype.kind != "f":
        name = dtype_of(input.dtype).torch_name
        raise TensorRuntimeError(
            f"view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: {name}",
            code="dtype_not_implemented",
        )
    if input.dtype.itemsize == 2:
        raise TensorNotImplementedError(
            "There is no complex dtype of half precision, so view_as_complex takes float32 and float64 tensors.",
            code="dtype_not_implemented",
        )
    if input.ndim == 0:
        raise TensorRuntimeError("Input tensor must have one or more dimensions", code="shape_mismatch")
    if input.shape[-1] != 2:
        raise TensorRuntimeError("Tensor must have a last dimension of size 2", code="shape_mismatch")
    if input.size == 0:
        return
    itemsize = input.dtype.itemsize
    if input.strides[-1] != itemsize:
        raise TensorRuntimeError("Tensor must have a last dimension with stride 1", code="not_viewable")
    if any(step % (2 * itemsize) for step in input.strides[:-1]):
        raise TensorRuntimeError("Tensor must have a stride divisible by 2 for all but last dimension", code="not_viewable")


def _check_inplace_abs(dtype: NumpyDType, recorded: bool) -> None:
    not_complex("In-place abs is not supported for complex tensors.", TensorRuntimeError)(dtype)


@op(
    "abs",
    result="real",
    inplace=True,
    holomorphic=False,
    check=only("iufc", "abs_cpu"),
    inplace_check=_check_inplace_abs,
    aliases=("absolute",),
    vjp=dict(input=lambda g, input: g * ops.sgn(input)),
)
def absolute_value(input: Tensor) -> Array:
    """The absolute value."""
    return np.abs(input)


def _sgn_gradient(g: Any, input: Any, out: Any, input_meta: Any) -> Any:
    if input_meta.dtype.kind != "c":
        return ops.zeros_like(g)
    size = ops.abs(input)
    return ops.where(size == 0, 0, g / size - ops.real(g / out) * out / size)


@op(holomorphic=False, vjp=dict(input=_sgn_gradient))
def sgn(input: Tensor) -> Array:
    """Each element divided by its absolute value, zero at zero."""
    return np.sign(input) if input.dtype.kind == "c" else signs(input)


def _angle_gradient(g: Any, input: Any, input_meta: Any) -> Any:
    if input_meta.dtype.kind != "c":
        return ops.zeros_like(g)
    size = ops.abs(input)
    return ops.where(input == 0, 0, g * input / (size * size) * 1j)


@op(promotion="float", result="real", holomorphic=False, vjp=dict(input=_angle_gradient))
def angle(input: Tensor) -> Array:
    """The argument of each element, in radians; for a real one 0, or pi if it is negative."""
    if input.dtype.kind == "c":
        parts: tuple[Array, Array] = input.imag, input.real
        return np.arctan2(*parts)
    # Adding zero makes 0.0 of -0.0, whose angle NumPy takes to be pi.
    return np.arctan2(np.zeros((), input.dtype), np.add(input, 0.0))


def _check_parts(first: Any, second: Any) -> None:
    a, b = (v.dtype if hasattr(v, "dtype") else scalar_dtype(v) for v in (first, second))
    names = dtype_of(a).torch_name, dtype_of(b).torch_name
    if a.kind != "f" or b.kind != "f":
        raise TensorRuntimeError(
            f"Expected both inputs to be Half, Float or Double tensors but got {names[0]} and {names[1]}", code="dtype_not_implemented"
        )
    if a != b:
        raise TensorRuntimeError(
            f"Expected object of scalar type {names[0]} but got scalar type {names[1]} for second argument", code="dtype_mismatch"
        )


def _joined(first: Any, second: Any) -> Array:
    # The sum has the memory order of an elementwise result.
    total = np.add(first, second)
    result = np.empty_like(total, to_complex(total.dtype))
    result.real, result.imag = first, second
    return result


# The rules name what torch saves, although they do not need it.
@op(
    "complex",
    method=False,
    result="complex",
    holomorphic=False,
    check=lambda real, imag: _check_parts(real, imag),
    vjp=dict(real=lambda g, real: ops.real(g), imag=lambda g, imag: ops.imag(g)),
)
def complex_from_parts(real: Tensor, imag: Tensor) -> Array:
    """The complex numbers with the given real and imaginary parts."""
    return _joined(real, imag)


def _polar_size_gradient(g: Any, out: Any) -> Any:
    return ops.real(ops._conj(g) * ops.sgn(out))


def _polar_angle_gradient(g: Any, out: Any) -> Any:
    return ops.real(ops._conj(g) * (out * 1j))


@op(
    method=False,
    result="complex",
    holomorphic=False,
    check=lambda abs, angle: _check_parts(abs, angle),
    vjp=dict(abs=_polar_size_gradient, angle=_polar_angle_gradient),
)
def polar(abs: Tensor, angle: Tensor) -> Array:
    """The complex numbers with the given absolute values and angles."""
    return _joined(abs * np.cos(angle), abs * np.sin(angle))
