"""Padding: with a constant, or by repeating the input at its borders.

``pad`` lists two numbers for each dimension, before and after, from the last dimension on; negative ones cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import TensorNotImplementedError, TensorRuntimeError
from ..meta import Meta, Shape, dense
from ..op import op, ops
from ..params import Scalar, Size, Tensor
from .supported import converted

_UNSUPPORTED = (
    "Padding size {0} is not supported for {1}D input tensor.\nSupported combinations for non-constant padding:\n"
    "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
    "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
    "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
)


def _pairs(pad: Sequence[int]) -> list[tuple[int, int]]:
    """``pad`` as pairs in the order of the dimensions."""
    return [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]


def _padded_shape(shape: Shape, pad: Sequence[int]) -> Shape:
    pairs = _pairs(pad)
    lead = len(shape) - len(pairs)
    return (*shape[:lead], *[n + low + high for n, (low, high) in zip(shape[lead:], pairs, strict=True)])


def _constant_meta(input: Any, pad: Shape) -> Meta:
    if len(pad) % 2:
        raise TensorRuntimeError("Length of pad must be even but instead it equals " + str(len(pad)), code="shape_mismatch")
    if len(pad) > 2 * len(input.shape):
        raise TensorRuntimeError(
            f"Length of pad should be no more than twice the number of dimensions of the input. Pad length is {len(pad)}"
            f"while the input has {len(input.shape)}dimensions.",
            code="shape_mismatch",
        )
    shape = _padded_shape(tuple(input.shape), pad)
    # Negative padding takes away first: what is left cannot be less than nothing, though more were added on the other side.
    if min(_padded_shape(tuple(input.shape), [min(p, 0) for p in pad]), default=0) < 0:
        raise TensorRuntimeError("narrow(): length must be non-negative.", code="shape_mismatch")
    return dense(shape, input.dtype)


@op(
    "constant_pad_nd",
    method=False,
    batch="leading",
    meta=_constant_meta,
    vjp=dict(input=lambda g, pad: ops.constant_pad_nd(g, tuple(-p for p in pad))),
)
def constant_pad_nd(input: Tensor, pad: Size, value: Scalar = 0) -> Array:
    """``input`` with ``value`` around it."""
    shape = _constant_meta(input, pad).shape
    out = np.full(shape, converted(value, input.dtype), input.dtype)
    lead = input.ndim - len(pad) // 2
    source: list[slice] = [slice(None)] * lead
    target: list[slice] = [slice(None)] * lead
    for n, made, (low, high) in zip(input.shape[lead:], shape[lead:], _pairs(pad), strict=True):
        source.append(slice(max(-low, 0), n - max(-high, 0)))
        target.append(slice(max(low, 0), made - max(high, 0)))
    out[tuple(target)] = input[tuple(source)]
    return out


Places = Callable[[int, int, int], Array]
"""Which element of a dimension of size n each element of the padded dimension repeats, for n, before and after."""


def _reflected(n: int, low: int, high: int) -> Array:
    inside = np.abs(np.arange(-low, n + high))
    return n - 1 - np.abs(n - 1 - inside)


def _replicated(n: int, low: int, high: int) -> Array:
    return np.clip(np.arange(-low, n + high), 0, n - 1)


def _wrapped(n: int, low: int, high: int) -> Array:
    # What a negative number cuts off does not come back on the other side.
    cut = max(-low, 0)
    rest = n - cut - max(-high, 0)
    return cut + np.arange(-max(low, 0), rest + max(high, 0)) % max(rest, 1)


_PLACES: dict[str, Places] = {"reflect": _reflected, "replicate": _replicated, "circular": _wrapped}


@op(
    "_pad_transpose",
    method=False,
    batch="leading",
    meta=lambda grad_output, size: dense(size, grad_output.dtype),
    vjp=dict(grad_output=lambda g, pad, mode: ops._pad_by(g, pad, mode)),
)
def pad_transpose(grad_output: Tensor, size: Size, pad: Size, mode: str) -> Array:
    """Adds the padding of ``grad_output`` back to the elements that it repeats."""
    for axis, (low, high) in enumerate(_pairs(pad), len(size) - len(pad) // 2):
        folded = np.zeros((*grad_output.shape[:axis], size[axis], *grad_output.shape[axis + 1 :]), grad_output.dtype)
        np.add.at(folded.swapaxes(0, axis), _PLACES[mode](size[axis], low, high), grad_output.swapaxes(0, axis))
        grad_output = folded
    return grad_output


def _repeat_rule(g: Any, input_meta: Meta, pad: Shape, mode: str) -> Any:
    return ops._pad_transpose(g, input_meta.shape, pad, mode)


@op(
    "_pad_by",
    method=False,
    grad_fn="CopySlices",
    batch="leading",
    meta=lambda input, pad: dense(_padded_shape(input.shape, pad), input.dtype),
    vjp=dict(input=_repeat_rule),
)
def pad_by(input: Tensor, pad: Size, mode: str) -> Array:
    """``input`` with its own elements around it, for sizes that were checked."""
    for axis, (low, high) in enumerate(_pairs(pad), input.ndim - len(pad) // 2):
        input = np.take(input, _PLACES[mode](input.shape[axis], low, high), axis)
    return input


def _declare(mode: str, short: str, dims: int) -> None:
    """Declares the padding that torch's graph names after its mode and the number of dimensions it pads."""

    def rule(g: Any, input: Any, pad: Shape) -> Any:
        return ops._pad_transpose(g, tuple(input.shape), pad, mode)

    @op(
        f"_{short}_pad{dims}d",
        method=False,
        grad_fn=f"{short.capitalize()}Pad{dims}DBackward0",
        batch="leading",
        meta=lambda input, pad: dense(_padded_shape(input.shape, pad), input.dtype),
        vjp=dict(input=rule),
    )
    def repeat(input: Tensor, pad: Size) -> Array:
        """``input`` with its own elements around it, for sizes that were checked."""
        return pad_by.kernel(input, pad, mode)


for _dims in (1, 2, 3):
    _declare("reflect", "reflection", _dims)
    _declare("replicate", "replication", _dims)


def _check_repeat(shape: Shape, pad: Shape, mode: str) -> None:
    dims = len(pad) // 2
    if mode == "circular":
        for axis, (low, high) in enumerate(_pairs(pad), len(shape) - dims):
            if low > shape[axis] or high > shape[axis]:
                raise TensorRuntimeError("Padding value causes wrapping around more than once.", code="shape_mismatch")
            if shape[axis] + low + high <= 0:
                raise TensorRuntimeError("Negative padding value is resulting in an empty dimension", code="shape_mismatch")
        return
    # Only the batch may be empty.
    if 0 in shape[len(shape) - dims - 1 :]:
        raise TensorRuntimeError(
            f"Expected {dims + 1}D or {dims + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(shape)}",
            code="shape_mismatch",
        )
    if mode == "reflect":
        for number, (axis, (low, high)) in enumerate(reversed(list(enumerate(_pairs(pad), len(shape) - dims)))):
            if low >= shape[axis] or high >= shape[axis]:
                raise TensorRuntimeError(
                    f"Argument #{4 + 2 * number}: Padding size should be less than the corresponding input dimension, "
                    f"but got: padding ({low}, {high}) at dimension {axis} of input {list(shape)}",
                    code="shape_mismatch",
                )
    sides = "DHW"[-dims:]
    made = _padded_shape(shape, pad)[-dims:]
    if min(made) < 1:
        have = " ".join(f"{side}: {n}" for side, n in zip(sides, shape[-dims:], strict=True))
        got = " ".join(f"{side}: {n}" for side, n in zip(sides, made, strict=True))
        raise TensorRuntimeError(f"input ({have}) is too small. Calculated output {got}", code="shape_mismatch")


@op("nn.functional.pad", composite=True, method=False)
def pad(input: Tensor, pad: Size, mode: str = "constant", value: float | None = None) -> Any:
    """``input`` with more elements around it: a constant, or its own elements (``"reflect"``, ``"replicate"``, ``"circular"``).

    Two numbers for each dimension, before and after, from the last one on; negative ones cut off.
    """
    shape = tuple(input.shape)
    if len(pad) % 2:
        raise TensorRuntimeError("Padding length must be divisible by 2", code="shape_mismatch")
    if len(pad) > 2 * len(shape):
        raise TensorRuntimeError(
            "Padding length should be less than or equal to two times the input dimension "
            f"but got padding length {len(pad)} and input of dimension {len(shape)}",
            code="shape_mismatch",
        )
    if mode == "constant":
        return ops.constant_pad_nd(input, pad, 0 if value is None else value)
    if value is not None and value != 0:
        raise TensorRuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    dims = len(pad) // 2
    if not 1 <= dims <= 3 or len(shape) not in (dims + 1, dims + 2):
        raise TensorNotImplementedError(_UNSUPPORTED.format(len(pad), len(shape)))
    if mode not in _PLACES:
        raise TensorNotImplementedError(f"Unrecognised padding mode {mode}")
    _check_repeat(shape, pad, mode)
    if mode == "circular":
        return ops._pad_by(input, pad, mode)
    return getattr(ops, f"_{'reflection' if mode == 'reflect' else 'replication'}_pad{dims}d")(input, pad)
