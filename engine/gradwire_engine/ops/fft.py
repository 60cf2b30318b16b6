"""Discrete Fourier transforms."""

from __future__ import annotations

import math
from typing import Any, Final, Literal

import numpy as np

from ..dtypes import Array, NumpyDType, default_dtype, dtype_of, to_complex
from ..errors import TensorIndexError, TensorRuntimeError
from ..meta import Meta, dense, wrap_dim
from ..op import op, ops
from ..params import Size, Tensor

_FORWARD = {None: 0, "backward": 0, "ortho": 1, "forward": 2}
_SCALES: Final[tuple[Literal["backward", "ortho", "forward"], ...]] = ("backward", "ortho", "forward")


def _transformed(input: Array, dim: Size, normalization: int, forward: bool) -> Array:
    # NumPy's names say which direction is scaled; ours say by what this one is: not at all, by 1/sqrt(n), by 1/n.
    transform, scale = (np.fft.fftn, _SCALES[normalization]) if forward else (np.fft.ifftn, _SCALES[2 - normalization])
    return transform(input, axes=dim, norm=scale)


def _work(input: Meta, dim: Size) -> int:
    """The work of a transform of the worst sizes, which are prime."""
    return 200 * input.numel * max(math.prod(input.shape[d] for d in dim).bit_length(), 1)


@op(
    "_fft_c2c",
    grad_fn="FftC2CBackward0",
    method=False,
    holomorphic=False,
    meta=lambda input: dense(input.shape, input.dtype),
    work=_work,
    vjp=dict(input=lambda g, dim, normalization, forward: ops._fft_c2c(g, dim, normalization, not forward)),
)
def complex_transform(input: Tensor, dim: Size, normalization: int, forward: bool) -> Array:
    """The discrete Fourier transform of complex numbers; ``normalization`` 0, 1, 2 scales by 1, 1/sqrt(n), 1/n."""
    return _transformed(input, dim, normalization, forward)


@op(
    "_fft_r2c",
    grad_fn="FftR2CBackward0",
    method=False,
    holomorphic=False,
    meta=lambda input: dense(input.shape, to_complex(input.dtype)),
    work=_work,
    # The rule names what torch saves.
    vjp=dict(input=lambda g, input, dim, normalization: ops.real(ops._fft_c2c(g, dim, normalization, False))),
)
def real_transform(input: Tensor, dim: Size, normalization: int) -> Array:
    """The discrete Fourier transform of real numbers, with all of its terms."""
    return _transformed(input, dim, normalization, True)


def _prepared(input: Any, n: int | None, dim: int) -> tuple[Any, int]:
    """The input with its dimension ``dim`` cut or filled up with zeros to ``n``, and that dimension counted from the front."""
    dtype: NumpyDType = dtype_of(input.dtype).numpy
    if dtype == np.float16:
        raise TensorRuntimeError("Unsupported dtype Half", code="dtype_not_implemented")
    shape = tuple(input.shape)
    if not shape:
        raise TensorIndexError(f"Dimension specified as {dim} but tensor has no dimensions", code="dim_out_of_range")
    axis = wrap_dim(dim, len(shape))
    size = shape[axis] if n is None else n
    if size < 1:
        raise TensorRuntimeError(f"Invalid number of data points ({size}) specified", code="shape_mismatch")
    if dtype.kind not in "fc":
        input = ops.to(input, default_dtype())
    if size < shape[axis]:
        input = ops.narrow(input, axis, 0, size)
    elif size > shape[axis]:
        input = ops.nn.functional.pad(input, (0, 0) * (len(shape) - 1 - axis) + (0, size - shape[axis]))
    return input, axis


def _normalization(norm: str | None, forward: bool) -> int:
    if norm not in _FORWARD:
        raise TensorRuntimeError(f'Invalid normalization mode: "{norm}"', code="invalid_mode")
    return _FORWARD[norm] if forward else 2 - _FORWARD[norm]


@op("fft.fft", composite=True, method=False)
def fft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The discrete Fourier transform along one dimension.

    ``norm`` says what it is scaled by: nothing (``"backward"``), 1/sqrt(n) (``"ortho"``) or 1/n (``"forward"``).
    """
    prepared, axis = _prepared(input, n, dim)
    scale = _normalization(norm, True)
    if dtype_of(prepared.dtype).is_complex:
        return ops._fft_c2c(prepared, (axis,), scale, True)
    return ops._fft_r2c(prepared, (axis,), scale)


@op("fft.ifft", composite=True, method=False)
def ifft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The inverse of ``fft.fft`` with the same ``norm``."""
    prepared, axis = _prepared(input, n, dim)
    scale = _normalization(norm, False)
    if dtype_of(prepared.dtype).is_complex:
        return ops._fft_c2c(prepared, (axis,), scale, False)
    return ops.conj(ops._fft_r2c(prepared, (axis,), scale))
