"""Dropout: random masks from an explicit generator."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of
from ..errors import TensorRuntimeError, TensorValueError
from ..meta import Meta, Shape, dense
from ..modes import current_generator
from ..op import op, ops
from ..params import Size, Tensor


def _check_noise(input: Any) -> None:
    if input.dtype.kind not in "fc":
        raise TensorRuntimeError(
            f"result type Float can't be cast to the desired output type {dtype_of(input.dtype).torch_name}", code="dtype_mismatch"
        )


def _noise_meta(input: Meta, size: Shape) -> Meta:
    _check_noise(input)
    return dense(size, input.dtype)


@op("_dropout_noise", method=False, random=True, meta=_noise_meta)
def dropout_noise(input: Tensor, p: float, size: Size) -> Array:
    """Zero with the probability ``p`` and otherwise ``1 / (1 - p)``, in the dtype of ``input``."""
    _check_noise(input)
    if p == 1:
        return np.zeros(size, input.dtype)
    return current_generator().bernoulli(1 - p, size, input.dtype) / input.dtype.type(1 - p)


def _check_probability(p: float) -> None:
    if not 0 <= p <= 1:
        raise TensorValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _drop(input: Any, p: float, training: bool, size: Shape) -> Any:
    if not training or p == 0 or 0 in input.shape:
        return input
    return input * ops._dropout_noise(input, p, size)


@op("nn.functional.dropout", composite=True, method=False)
def dropout(input: Tensor, p: float = 0.5, training: bool = True) -> Any:
    """Zeroes elements with the probability ``p`` and scales the others by ``1 / (1 - p)`` (Hinton et al., 2012)."""
    _check_probability(p)
    return _drop(input, p, training, tuple(input.shape))


@op("dropout", composite=True, method=False)
def torch_dropout(input: Tensor, p: float, train: bool) -> Any:
    """``nn.functional.dropout``, as torch also has it at its top."""
    if not 0 <= p <= 1:
        raise TensorRuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")
    return _drop(input, p, train, tuple(input.shape))


def _drop_channels(input: Any, p: float, training: bool, batched: bool) -> Any:
    _check_probability(p)
    if not batched:
        return ops.squeeze(_drop_channels(ops.unsqueeze(input, 0), p, training, True), 0)
    shape = tuple(input.shape)
    if len(shape) < 2:
        raise TensorRuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return _drop(input, p, training, (*shape[:2], *[1] * (len(shape) - 2)))


@op("nn.functional.dropout1d", composite=True, method=False)
def dropout1d(input: Tensor, p: float = 0.5, training: bool = True) -> Any:
    """Zeroes whole channels of (N, C, L) or (C, L)."""
    _check_probability(p)
    if len(input.shape) not in (2, 3):
        raise TensorRuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {len(input.shape)}D input. "
            "Note that dropout1d exists to provide channel-wise dropout "
            "on inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs)."
        )
    return _drop_channels(input, p, training, len(input.shape) == 3)


@op("nn.functional.dropout2d", composite=True, method=False)
def dropout2d(input: Tensor, p: float = 0.5, training: bool = True) -> Any:
    """Zeroes whole channels of (N, C, H, W); three dimensions count as (N, C, L), as in torch."""
    return _drop_channels(input, p, training, True)


@op("nn.functional.dropout3d", composite=True, method=False)
def dropout3d(input: Tensor, p: float = 0.5, training: bool = True) -> Any:
    """Zeroes whole channels of (N, C, D, H, W) or (C, D, H, W)."""
    return _drop_channels(input, p, training, len(input.shape) == 5)
