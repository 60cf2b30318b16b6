"""Losses of classifiers: negative log likelihood, cross entropy, and their forms for two classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of
from ..errors import TensorIndexError, TensorRuntimeError, TensorValueError
from ..meta import Meta, dense
from ..op import op, ops
from ..params import Size, Tensor
from .losses import read_reduction, reduced_meta
from .supported import only

_BATCH_ONLY = "0D or 1D target tensor expected, multi-target not supported"


def _class_weights(target: Array, weight: Array | None, classes: int, ignore_index: int, dtype: Any) -> tuple[Array, Array]:
    """The targets with the ignored ones set to 0, and the weight of each sample (0 for the ignored ones).

    A weight of two dimensions has a row for each item along the first axis of the targets.
    """
    used = target != ignore_index
    safe = np.where(used, target, 0).astype(np.intp)
    wrong = used & ((safe < 0) | (safe >= classes))
    if wrong.any():
        raise TensorIndexError(f"Target {target[wrong].flat[0]} is out of bounds.", code="index_out_of_range")
    # Without any class there is no weight to read, and every sample is ignored.
    if weight is None or not safe.size or not classes:
        return safe, used.astype(dtype)
    read = weight[safe] if weight.ndim == 1 else np.take_along_axis(weight, safe.reshape(len(safe), -1), 1).reshape(safe.shape)
    return safe, np.where(used, read, 0).astype(dtype)


def _nll_meta(input: Any, target: Any, reduction: str) -> Meta:
    only("f", "nll_loss_out_frame")(input.dtype)
    return reduced_meta(target.shape, input.dtype, reduction)


def _nll_each(input: Array, safe: Array, each: Array, axis: int) -> Array:
    """The loss of each sample; the classes are the dimension ``axis``."""
    if not safe.size or not input.shape[axis]:
        picked = np.zeros(safe.shape, input.dtype)
    else:
        picked = np.take_along_axis(input, np.expand_dims(safe, axis), axis).squeeze(axis)
    return np.where(each == 0, 0, -each * picked)


def _nll(input: Array, target: Array, weight: Array | None, reduction: str, ignore_index: int) -> Array:
    _nll_meta(input, target, reduction)
    axis = 0 if input.ndim == 1 else 1
    safe, each = _class_weights(target, weight, input.shape[axis], ignore_index, input.dtype)
    loss = _nll_each(input, safe, each, axis)
    if reduction == "none":
        return loss
    total = np.sum(loss)
    return np.asarray(total / np.sum(each) if reduction == "mean" else total)


def nll_of_batch(input: Array, target: Array, weight: Array | None, reduction: str, ignore_index: int) -> Array:
    """The kernel of ``nll_loss`` for many items at once: every operand has a leading axis."""
    axis = 1 if input.ndim == 2 else 2
    safe, each = _class_weights(target, weight, input.shape[axis], ignore_index, input.dtype)
    loss = _nll_each(input, safe, each, axis)
    if reduction == "none":
        return loss
    total = _of_each_item(loss)
    return total / _of_each_item(each) if reduction == "mean" else total


def _of_each_item(values: Array) -> Array:
    return np.sum(values, axis=tuple(range(1, values.ndim)))


def _nll_rule(g: Any, input: Any, target: Any, weight: Any, reduction: str, ignore_index: int) -> Any:
    return ops._nll_loss_backward(g, target, weight, tuple(input.shape), reduction, ignore_index)


@op("_nll_loss", method=False, meta=_nll_meta, vjp=dict(input=_nll_rule))
def nll(input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, ignore_index: int) -> Array:
    """``nll_loss`` where the classes are the last dimension."""
    return _nll(input, target, weight, reduction, ignore_index)


@op("_nll_loss2d", method=False, grad_fn="NllLoss2DBackward0", meta=_nll_meta, vjp=dict(input=_nll_rule))
def nll2d(input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, ignore_index: int) -> Array:
    """``nll_loss`` of images, where the classes are dimension 1."""
    return _nll(input, target, weight, reduction, ignore_index)


def _nll_backward_rule(g: Any, target: Any, weight: Any, reduction: str, ignore_index: int) -> Any:
    return ops._nll_loss(g, target, weight, reduction, ignore_index)


@op(
    "_nll_loss_backward",
    method=False,
    meta=lambda grad_output, size: dense(size, grad_output.dtype),
    vjp=dict(grad_output=_nll_backward_rule),
)
def nll_backward(grad_output: Tensor, target: Tensor, weight: Tensor | None, size: Size, reduction: str, ignore_index: int) -> Array:
    """The transpose of ``nll_loss``, which is linear in its input of shape ``size``."""
    axis = 0 if len(size) == 1 else 1
    safe, each = _class_weights(target, weight, size[axis], ignore_index, grad_output.dtype)
    total = np.sum(each) if reduction == "mean" else 1
    return _nll_spread(grad_output / total, safe, each, size, axis)


def nll_backward_of_batch(
    grad_output: Array, target: Array, weight: Array | None, size: Sequence[int], reduction: str, ignore_index: int
) -> Array:
    """The kernel of ``_nll_loss_backward`` for many items at once: every operand has a leading axis, ``size`` has none."""
    axis = 1 if len(size) == 1 else 2
    safe, each = _class_weights(target, weight, size[axis - 1], ignore_index, grad_output.dtype)
    if reduction == "mean":
        grad_output = grad_output / _of_each_item(each)
    if reduction != "none":
        grad_output = grad_output.reshape(-1, *(1,) * (each.ndim - 1))
    return _nll_spread(grad_output, safe, each, (len(safe), *size), axis)


def _nll_spread(grad_output: Array, safe: Array, each: Array, size: Sequence[int], axis: int) -> Array:
    """Zeros with the cotangent of each sample at its class."""
    out = np.zeros(size, grad_output.dtype)
    if out.size:
        value = np.where(each == 0, 0, -each * grad_output)
        np.put_along_axis(out, np.expand_dims(safe, axis), np.expand_dims(value, axis), axis)
    return out


def _check_classes(weight: Any, classes: int, prefix: str = "") -> None:
    if weight is not None and tuple(weight.shape) != (classes,):
        raise TensorRuntimeError(
            f"{prefix}weight tensor should be defined either for all {classes} classes or no classes "
            f"but got weight tensor of shape: {list(weight.shape)}",
            code="shape_mismatch",
        )


def _check_targets(input: Any, target: Any, weight: Any) -> None:
    """Refuses what the kernels of ``nll_loss`` refuse, whose input has one, two or four dimensions."""
    have, want = tuple(input.shape), tuple(target.shape)
    if len(have) <= 2 and len(want) > 1:
        raise TensorRuntimeError(_BATCH_ONLY, code="shape_mismatch")
    dtype = dtype_of(target.dtype)
    if dtype.name not in ("int64", "uint8"):
        raise TensorRuntimeError(f"expected target dtype to be Long or Byte, but got {dtype.torch_name}", code="dtype_mismatch")
    if len(have) <= 2:
        if len(have) == 1 and len(want) == 1 and want[0] != 1:
            raise TensorValueError(f"For 1D input, 1D target must have size 1, but got target size: {want[0]}", code="shape_mismatch")
        _check_classes(weight, have[-1])
    else:
        if len(want) != 3:
            raise TensorRuntimeError(
                f"only batches of spatial targets supported (3D tensors) but got targets of dimension: {len(want)}", code="shape_mismatch"
            )
        if weight is not None and tuple(weight.shape) != (have[1],):
            raise TensorRuntimeError("weight tensor should be defined either for all or no classes", code="shape_mismatch")
        if (have[0], *have[2:]) != want:
            raise TensorRuntimeError(f"size mismatch (got input: {list(have)} , target: {list(want)}", code="shape_mismatch")
    if weight is not None and dtype_of(weight.dtype) is not dtype_of(input.dtype):
        raise TensorRuntimeError(
            f"expected scalar type {dtype_of(input.dtype).torch_name} but found {dtype_of(weight.dtype).torch_name}", code="dtype_mismatch"
        )


def _nll_nd(input: Any, target: Any, weight: Any, reduction: str, ignore_index: int) -> Any:
    have, want = tuple(input.shape), tuple(target.shape)
    if not have:
        raise TensorValueError("Expected 1 or more dimensions (got 0)", code="shape_mismatch")
    batch = want[0] if want else 0
    if len(have) != 1 and (have[0] != batch or not want):
        raise TensorValueError(f"Expected input batch_size ({have[0]}) to match target batch_size ({batch}).", code="shape_mismatch")
    if len(have) <= 2:
        _check_targets(input, target, weight)
        if len(have) == 1 and want:
            target = ops.reshape(target, ())
        return ops._nll_loss(input, target, weight, reduction, ignore_index)
    if len(have) == 4:
        _check_targets(input, target, weight)
        return ops._nll_loss2d(input, target, weight, reduction, ignore_index)
    size = (have[0], *have[2:])
    if want != size:
        raise TensorRuntimeError(f"Expected target size {list(size)}, got {list(want)}", code="shape_mismatch")
    spatial = (1, math.prod(have[2:])) if math.prod(have) else (0, 0)
    input, target = ops.reshape(input, (have[0], have[1], *spatial)), ops.reshape(target, (have[0], *spatial))
    _check_targets(input, target, weight)
    loss = ops._nll_loss2d(input, target, weight, reduction, ignore_index)
    return ops.view(loss, size) if reduction == "none" else loss


@op("nn.functional.nll_loss", composite=True, method=False)
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The negative log likelihood of the classes ``target`` under log-probabilities ``input`` of shape (N, C, ...)."""
    return _nll_nd(input, target, weight, read_reduction(reduction, size_average, reduce), ignore_index)


def _per_class(weight: Any, ndim: int) -> Any:
    return ops.view(weight, tuple(-1 if axis == 1 else 1 for axis in range(ndim))) if ndim > 1 else weight


def _check_smoothing(label_smoothing: float) -> None:
    if label_smoothing > 1:
        raise TensorRuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")


def _share(label_smoothing: float, classes: int) -> float:
    """The part of each class, infinite where there is none: what torch's division gives."""
    return label_smoothing / classes if classes else math.inf


def _probability_loss(input: Any, target: Any, weight: Any, reduction: str, label_smoothing: float) -> Any:
    ndim = len(input.shape)
    axis = 0 if ndim == 1 else 1
    classes = input.shape[axis]
    _check_classes(weight, classes, "cross_entropy: ")
    logs = ops.log_softmax(input, axis)
    if label_smoothing > 0:
        _check_smoothing(label_smoothing)
        target = ops._add_scalar(ops._mul_scalar(target, 1 - label_smoothing), _share(label_smoothing, classes))
    product = ops.mul(logs, target)
    if weight is not None:
        product = ops.mul(product, _per_class(weight, ndim))
    if reduction == "none":
        return -ops.sum(product, axis)
    total = -ops.sum(product)
    if reduction == "sum":
        return total
    samples = math.prod(input.shape) // classes if classes else 0
    return ops._div_scalar(total, samples) if samples else ops._mul_scalar(total, math.nan)


def _smoothed_loss(input: Any, target: Any, weight: Any, ignore_index: int, reduction: str, label_smoothing: float) -> Any:
    _check_smoothing(label_smoothing)
    ndim = len(input.shape)
    axis = 0 if ndim == 1 else 1
    logs = ops.log_softmax(input, axis)
    sharp = _nll_nd(logs, target, weight, reduction, ignore_index)
    smooth = -ops.sum(logs if weight is None else ops.mul(logs, _per_class(weight, ndim)), axis)
    ignored = target == ignore_index
    smooth = ops.masked_fill(smooth, ignored, 0.0)
    if reduction != "none":
        smooth = ops.sum(smooth)
    if reduction == "mean":
        if weight is None:
            count = ops.sum(~ignored)
        else:
            chosen = ops.gather(weight, 0, ops.reshape(ops.masked_fill(target, ignored, 0), (-1,)))
            count = ops.sum(ops.masked_fill(chosen, ops.reshape(ignored, (-1,)), 0))
        smooth = ops.div(smooth, count)
    return ops.add(ops._mul_scalar(sharp, 1 - label_smoothing), ops._mul_scalar(smooth, _share(label_smoothing, input.shape[axis])))


@op("nn.functional.cross_entropy", composite=True, method=False)
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The cross entropy of logits ``input`` of shape (N, C, ...) and ``target``: classes, or probabilities of the input's shape."""
    reduction = read_reduction(reduction, size_average, reduce)
    if tuple(input.shape) == tuple(target.shape):
        if dtype_of(target.dtype).numpy.kind != "f":
            raise TensorRuntimeError(
                f"Expected floating point type for target with class probabilities, got {dtype_of(target.dtype).torch_name}",
                code="dtype_mismatch",
            )
        if ignore_index >= 0:
            raise TensorRuntimeError("ignore_index is not supported for floating point target")
        return _probability_loss(input, target, weight, reduction, label_smoothing)
    if label_smoothing > 0:
        return _smoothed_loss(input, target, weight, ignore_index, reduction, label_smoothing)
    return _nll_nd(ops.log_softmax(input, 0 if len(input.shape) == 1 else 1), target, weight, reduction, ignore_index)
