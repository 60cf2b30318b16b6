"""Cross entropy for two classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of
from ..errors import TensorRuntimeError, TensorValueError
from ..meta import Meta, broadcast, dense
from ..op import op, ops
from ..params import Tensor
from .losses import common_dtype, read_reduction, reduce_array, reduced_meta, share_of, size_text
from .supported import only

_BATCH_ONLY = "0D or 1D target tensor expected, multi-target not supported"


def _fits(shape: tuple[int, ...], other: Any) -> None:
    joint = broadcast(shape, tuple(other.shape))
    if joint != shape:
        raise TensorRuntimeError(f"output with shape {list(shape)} doesn't match the broadcast shape {list(joint)}", code="shape_mismatch")


def _weigh(loss: Any, weight: Any) -> Any:
    return loss if weight is None else loss * weight


def _bce_meta(input: Any, target: Any, weight: Any, reduction: str) -> Meta:
    for other in (target, weight):
        if other is not None and other.dtype != input.dtype:
            raise TensorRuntimeError(
                f"Found dtype {dtype_of(other.dtype).torch_name} but expected {dtype_of(input.dtype).torch_name}", code="dtype_mismatch"
            )
    only("f", "binary_cross_entropy")(input.dtype)
    if weight is not None:
        _fits(input.shape, weight)
    return reduced_meta(input.shape, input.dtype, reduction)


def _bce_rule(g: Any, input: Any, target: Any, weight: Any, input_meta: Meta, reduction: str) -> Any:
    slope = (input - target) / ops.clamp_min((1 - input) * input, 1e-12)
    return share_of(g, input_meta, reduction) * _weigh(slope, weight)


def _bce_target_rule(g: Any, input: Any, weight: Any, input_meta: Meta, reduction: str) -> Any:
    return share_of(g, input_meta, reduction) * _weigh(ops.log1p(-input) - ops.log(input), weight)


@op("_binary_cross_entropy", method=False, meta=_bce_meta, vjp=dict(input=_bce_rule, target=_bce_target_rule), batch="loss")
def bce(input: Tensor, target: Tensor, weight: Tensor | None, reduction: str) -> Array:
    """``binary_cross_entropy`` of tensors of one shape; logarithms below -100 count as -100."""
    _bce_meta(input, target, weight, reduction)
    if not ((input >= 0) & (input <= 1)).all():
        raise TensorRuntimeError("all elements of input should be between 0 and 1")
    loss = (target - 1) * np.maximum(np.log1p(-input), -100) - target * np.maximum(np.log(input), -100)
    return reduce_array(_weigh(loss, weight), reduction)


@op("nn.functional.binary_cross_entropy", composite=True, method=False)
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The cross entropy of probabilities ``input`` and ``target`` for two classes."""
    reduction = read_reduction(reduction, size_average, reduce)
    have, want = tuple(input.shape), tuple(target.shape)
    if have != want:
        raise TensorValueError(
            f"Using a target size ({size_text(want)}) that is different to the input size ({size_text(have)}) is deprecated. "
            "Please ensure they have the same size.",
            code="shape_mismatch",
        )
    if weight is not None:
        weight = ops.expand(weight, broadcast(want, tuple(weight.shape)))
    return ops._binary_cross_entropy(input, target, weight, reduction)


def _logits_meta(input: Any, target: Any, weight: Any, pos_weight: Any, reduction: str) -> Meta:
    if pos_weight is not None:
        _fits(input.shape, dense(broadcast(tuple(pos_weight.shape), input.shape), input.dtype))
    only("f", "log_sigmoid_cpu")(input.dtype)
    if target.dtype.kind != "f":
        names = dtype_of(common_dtype(input, target)).torch_name, dtype_of(target.dtype).torch_name
        raise TensorRuntimeError(f"result type {names[0]} can't be cast to the desired output type {names[1]}", code="dtype_mismatch")
    if weight is not None:
        _fits(input.shape, weight)
    # torch accumulates into 1 - target, so the target decides the dtype.
    return reduced_meta(input.shape, target.dtype, reduction)


def _logits_rule(g: Any, input: Any, target: Any, weight: Any, pos_weight: Any, input_meta: Meta, reduction: str) -> Any:
    positive = target if pos_weight is None else target * pos_weight
    chance = ops.sigmoid(input)
    slope = chance - target if pos_weight is None else (positive + 1 - target) * chance - positive
    return share_of(g, input_meta, reduction) * _weigh(slope, weight)


def _logits_target_rule(g: Any, input: Any, weight: Any, pos_weight: Any, input_meta: Meta, reduction: str) -> Any:
    logs = ops.nn.functional.logsigmoid
    slope = -input if pos_weight is None else logs(-input) - logs(input) * pos_weight
    return share_of(g, input_meta, reduction) * _weigh(slope, weight)


@op(
    "_binary_cross_entropy_with_logits",
    method=False,
    meta=_logits_meta,
    vjp=dict(input=_logits_rule, target=_logits_target_rule),
    batch="loss",
)
def bce_logits(input: Tensor, target: Tensor, weight: Tensor | None, pos_weight: Tensor | None, reduction: str) -> Array:
    """``binary_cross_entropy_with_logits`` of tensors of one shape."""
    dtype = _logits_meta(input, target, weight, pos_weight, reduction).dtype
    # log(sigmoid(x)) = min(x, 0) - log1p(exp(-|x|)) neither overflows nor cancels.
    log_chance = np.minimum(input, 0) - np.log1p(np.exp(-np.abs(input)))
    if pos_weight is not None:
        log_chance = log_chance * (target * (pos_weight - 1) + 1)
    loss = _weigh((1 - target) * input - log_chance, weight)
    return reduce_array(loss.astype(dtype, copy=False), reduction)


@op("nn.functional.binary_cross_entropy_with_logits", composite=True, method=False)
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Any:
    """The cross entropy of ``sigmoid(input)`` and ``target`` for two classes, without overflow."""
    reduction = read_reduction(reduction, size_average, reduce)
    have, want = tuple(input.shape), tuple(target.shape)
    if have != want:
        raise TensorValueError(f"Target size ({size_text(want)}) must be the same as input size ({size_text(have)})", code="shape_mismatch")
    return ops._binary_cross_entropy_with_logits(input, target, weight, pos_weight, reduction)
