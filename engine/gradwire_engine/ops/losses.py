"""Losses that compare element by element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType, dtype_of, result_type
from ..errors import TensorRuntimeError, TensorValueError
from ..meta import Meta, broadcast, dense
from ..op import op, ops
from ..params import Tensor
from .reduce import as_dtype, average, total
from .supported import only


def read_reduction(reduction: str, size_average: bool | None = None, reduce: bool | None = None) -> str:
    """The reduction that is meant: ``"none"``, ``"mean"`` or ``"sum"``; torch's two older arguments decide where given.

    Raises:
        TensorValueError: There is no such reduction.
    """
    if size_average is not None or reduce is not None:
        if reduce is False:
            return "none"
        return "sum" if size_average is False else "mean"
    if reduction not in ("none", "mean", "sum"):
        raise TensorValueError(f"{reduction} is not a valid value for reduction", code="unknown_reduction")
    return reduction


def size_text(shape: Sequence[int]) -> str:
    """A shape as torch's messages show one that was read in Python."""
    return f"torch.Size([{', '.join(map(str, shape))}])"


def apply_reduction(loss: Any, reduction: str) -> Any:
    """Reduces a loss that was composed of ops."""
    if reduction == "mean":
        return ops.mean(loss)
    return ops.sum(loss) if reduction == "sum" else loss


def reduce_array(loss: Array, reduction: str) -> Array:
    """Reduces a loss in a kernel; the mean of nothing is NaN."""
    if reduction == "none":
        return loss
    reduce = average if reduction == "mean" else total
    return np.asarray(reduce(loss, tuple(range(loss.ndim)), False, loss.dtype))


def share_of(g: Any, meta: Meta, reduction: str) -> Any:
    """The cotangent of each element of a loss before its reduction."""
    return g / max(meta.numel, 1) if reduction == "mean" else g


def common_dtype(*metas: Any) -> NumpyDType:
    """The dtype that tensors promote to."""
    return result_type([m.dtype for m in metas if m.shape], [m.dtype for m in metas if not m.shape], [])


def reduced_meta(shape: tuple[int, ...], dtype: NumpyDType, reduction: str) -> Meta:
    """The meta of a loss."""
    return dense(shape if reduction == "none" else (), dtype)


def expanded(*tensors: Any) -> tuple[Any, ...]:
    """``tensors`` expanded to their common shape; those that have it as they are."""
    shape = broadcast(*[tuple(t.shape) for t in tensors])
    return tuple(t if tuple(t.shape) == shape else ops.expand(t, shape) for t in tensors)


def _pair_meta(kernel: str) -> Any:
    def rule(input: Meta, target: Meta, reduction: str) -> Meta:
        dtype = common_dtype(input, target)
        only("f", kernel)(dtype)
        return reduced_meta(broadcast(input.shape, target.shape), dtype, reduction)

    return rule


_mse_meta, _smooth_meta = _pair_meta("mse_cpu"), _pair_meta("smooth_l1_cpu")


def _mse_rule(g: Any, here: Any, there: Any, meta: Meta, reduction: str) -> Any:
    return g * ((here - there) * (2 / max(meta.numel, 1) if reduction == "mean" else 2))


@op(
    "_mse_loss",
    promotion="same",
    method=False,
    batch="loss",
    meta=_mse_meta,
    vjp=dict(
        input=lambda g, input, target, input_meta, reduction: _mse_rule(g, input, target, input_meta, reduction),
        target=lambda g, input, target, input_meta, reduction: _mse_rule(g, target, input, input_meta, reduction),
    ),
)
def mse(input: Tensor, target: Tensor, reduction: str) -> Array:
    """The squared differences of two tensors of one shape, reduced."""
    only("f", "mse_cpu")(input.dtype)
    difference = input - target
    return reduce_array(difference * difference, reduction)


def _check_weight(input: Any, weight: Any, reduction: str) -> None:
    if tuple(weight.shape) != tuple(input.shape):
        raise TensorValueError("Weights and input must have the same size.", code="shape_mismatch")
    if reduction not in ("none", "mean", "sum"):
        raise TensorValueError(f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'.", code="unknown_reduction")


def _weighted(errors: Any, weight: Any, reduction: str) -> Any:
    weighted = ops.mul(errors, weight)
    if reduction == "mean":
        return ops.div(ops.sum(weighted), ops.sum(weight))
    return ops.sum(weighted) if reduction == "sum" else weighted


@op("nn.functional.mse_loss", composite=True, method=False)
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Any:
    """The squared differences, their mean by default; with ``weight`` the weighted mean."""
    if size_average is not None or reduce is not None:
        reduction = read_reduction(reduction, size_average, reduce)
    here, there = expanded(input, target)
    if weight is not None:
        _check_weight(input, weight, reduction)
        return _weighted(ops.pow(ops.sub(here, there), 2), weight, reduction)
    return ops._mse_loss(here, there, read_reduction(reduction))


def _l1(input: Any, target: Any, reduction: str) -> Any:
    return apply_reduction(ops.abs(ops.sub(input, target)), reduction)


@op("nn.functional.l1_loss", composite=True, method=False)
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Any:
    """The absolute differences, their mean by default; with ``weight`` the weighted mean."""
    if size_average is not None or reduce is not None:
        reduction = read_reduction(reduction, size_average, reduce)
    here, there = expanded(input, target)
    if weight is not None:
        _check_weight(input, weight, reduction)
        return _weighted(ops.abs(ops.sub(here, there)), weight, reduction)
    return _l1(here, there, read_reduction(reduction))


def _smooth_rule(g: Any, here: Any, there: Any, meta: Meta, reduction: str, beta: float) -> Any:
    return share_of(g, meta, reduction) * ops.clamp((here - there) * (1 / beta), -1.0, 1.0)


@op(
    "_smooth_l1_loss",
    promotion="same",
    method=False,
    grad_fn="SmoothL1LossBackward0",
    batch="loss",
    meta=_smooth_meta,
    vjp=dict(
        input=lambda g, input, target, input_meta, reduction, beta: _smooth_rule(g, input, target, input_meta, reduction, beta),
        target=lambda g, input, target, input_meta, reduction, beta: _smooth_rule(g, target, input, input_meta, reduction, beta),
    ),
)
def smooth_l1(input: Tensor, target: Tensor, reduction: str, beta: float) -> Array:
    """``smooth_l1_loss`` of two tensors of one shape, for a positive ``beta``."""
    only("f", "smooth_l1_cpu")(input.dtype)
    size = np.abs(input - target)
    return reduce_array(np.where(size < beta, 0.5 * size * size / beta, size - 0.5 * beta), reduction)


@op("nn.functional.smooth_l1_loss", composite=True, method=False)
def smooth_l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean", beta: float = 1.0
) -> Any:
    """The absolute difference less half of ``beta``, rounded off by half its square over ``beta`` where it is below ``beta``."""
    reduction = read_reduction(reduction, size_average, reduce)
    here, there = expanded(input, target)
    if beta == 0:
        return _l1(here, there, reduction)
    if beta < 0:
        raise TensorRuntimeError("smooth_l1_loss does not support negative values for beta.")
    return ops._smooth_l1_loss(here, there, reduction, beta)


def _huber_rule(g: Any, here: Any, there: Any, meta: Meta, reduction: str, delta: float) -> Any:
    return share_of(g, meta, reduction) * ops.clamp(here - there, -delta, delta)


def _huber_meta(input: Any, target: Any, reduction: str) -> Meta:
    dtype = common_dtype(input, target)
    # Unlike the other losses, this one has the dtype of the input.
    if dtype.kind in "fc" and (input.dtype.kind not in "fc" or dtype.kind != input.dtype.kind):
        names = dtype_of(dtype).torch_name, dtype_of(input.dtype).torch_name
        raise TensorRuntimeError(f"result type {names[0]} can't be cast to the desired output type {names[1]}", code="dtype_mismatch")
    only("f", "huber_cpu")(dtype)
    return reduced_meta(broadcast(input.shape, target.shape), input.dtype, reduction)


@op(
    "_huber_loss",
    method=False,
    batch="loss",
    meta=_huber_meta,
    vjp=dict(
        input=lambda g, input, target, input_meta, reduction, delta: _huber_rule(g, input, target, input_meta, reduction, delta),
        target=lambda g, input, target, input_meta, reduction, delta: _huber_rule(g, target, input, input_meta, reduction, delta),
    ),
)
def huber(input: Tensor, target: Tensor, reduction: str, delta: float) -> Array:
    """``huber_loss`` of two tensors of one shape."""
    dtype = _huber_meta(input, target, reduction).dtype
    size = np.abs(input - target)
    return reduce_array(as_dtype(np.where(size <= delta, 0.5 * size * size, delta * (size - 0.5 * delta)), dtype), reduction)


@op("nn.functional.huber_loss", composite=True, method=False)
def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None) -> Any:
    """Half the squared difference where that is at most ``delta``, a line of slope ``delta`` elsewhere (Huber, 1964)."""
    here, there = expanded(input, target)
    if weight is None:
        reduction = read_reduction(reduction)
    else:
        _check_weight(input, weight, reduction)
    if delta <= 0:
        raise TensorRuntimeError("huber_loss does not support non-positive values for delta.")
    if weight is None:
        return ops._huber_loss(here, there, reduction, delta)
    return apply_reduction(ops.mul(ops._huber_loss(here, there, "none", delta), weight), reduction)


def _soft_margin_rule(g: Any, input: Any, target: Any, input_meta: Meta, reduction: str) -> Any:
    return share_of(g, input_meta, reduction) * (-target * ops.sigmoid(-target * input))


@op("_soft_margin_loss", promotion="same", method=False, meta=_pair_meta("exp_cpu"), vjp=dict(input=_soft_margin_rule), batch="loss")
def soft_margin(input: Tensor, target: Tensor, reduction: str) -> Array:
    """``soft_margin_loss`` of two tensors of one shape."""
    only("f", "exp_cpu")(input.dtype)
    return reduce_array(np.logaddexp(-target * input, 0), reduction)


@op("nn.functional.soft_margin_loss", composite=True, method=False)
def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Any:
    """``log(1 + exp(-target * input))`` for targets of -1 and 1."""
    here, there = expanded(input, target)
    return ops._soft_margin_loss(here, there, read_reduction(reduction, size_average, reduce))
