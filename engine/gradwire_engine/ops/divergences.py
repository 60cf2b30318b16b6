"""Losses that torch composes of other operations: divergences, and losses with a margin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of
from ..errors import TensorRuntimeError, TensorValueError
from ..meta import Meta, ordered_like
from ..op import op, ops
from ..params import Tensor
from .losses import apply_reduction, read_reduction, size_text


@op("nn.functional.kl_div", composite=True, method=False)
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """The Kullback-Leibler divergence from log-probabilities ``input`` to ``target``; ``"batchmean"`` divides by the batch size."""
    batchmean = reduction == "batchmean" and size_average is None and reduce is None
    reduction = "sum" if batchmean else read_reduction(reduction, size_average, reduce)
    kinds = {dtype_of(t.dtype).numpy.kind for t in (input, target)}
    if "c" in kinds:
        raise TensorRuntimeError("kl_div: Complex inputs not supported.")
    if kinds & set("bui"):
        raise TensorRuntimeError("kl_div: Integral inputs not supported.")
    loss = ops.mul(ops.exp(target), ops.sub(target, input)) if log_target else ops.sub(ops.xlogy(target, target), ops.mul(target, input))
    result = apply_reduction(loss, reduction)
    return result / input.shape[0] if batchmean and input.shape else result


@op("nn.functional.poisson_nll_loss", composite=True, method=False)
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The negative log likelihood of counts ``target`` under Poisson distributions with the (log) rates ``input``."""
    reduction = read_reduction(reduction, size_average, reduce)
    loss = (
        ops.sub(ops.exp(input), ops.mul(target, input))
        if log_input
        else ops.sub(input, ops.mul(target, ops.log(ops._add_scalar(input, eps))))
    )
    if full:
        # Stirling's approximation of log(target!), which torch only applies above 1.
        stirling = ops.sub(ops.mul(target, ops.log(target)), target)
        stirling = ops.add(stirling, ops.log(ops.mul(target, 2 * math.pi)) * 0.5)
        loss = ops.add(loss, ops.masked_fill(stirling, target <= 1, 0))
    return apply_reduction(loss, reduction)


def _variances_meta(var: Meta, eps: float) -> Meta:
    return ordered_like(var.shape, var.dtype, [var])


@op("_clone_variances", method=False, grad_fn="CloneBackward0", meta=_variances_meta, vjp=dict(var=lambda g: g), batch="leading")
def clone_variances(var: Tensor, eps: float) -> Array:
    """A copy of variances with none below ``eps``, whose derivative takes no notice of the limit."""
    if (var < 0).any():
        raise TensorValueError("var has negative entry/entries", code="bad_range")
    return np.maximum(var, var.dtype.type(eps))


def _gaussian(input: Any, target: Any, var: Any, full: bool, eps: float, reduction: str) -> Any:
    have, given = tuple(input.shape), tuple(var.shape)
    if given != have:
        if have[:-1] == given:
            var = ops.unsqueeze(var, -1)
        elif len(have) != len(given) or sum(v for x, v in zip(have, given, strict=True) if x != v) != 1:
            raise TensorValueError("var is of incorrect size", code="shape_mismatch")
    if reduction not in ("none", "mean", "sum"):
        raise TensorValueError(f"{reduction} is not valid", code="unknown_reduction")
    var = ops._clone_variances(var, eps)
    loss = ops.mul(ops.add(ops.log(var), ops.div(ops.pow(ops.sub(input, target), 2), var)), 0.5)
    return apply_reduction(ops.add(loss, 0.5 * math.log(2 * math.pi)) if full else loss, reduction)


@op("nn.functional.gaussian_nll_loss", overload="Tensor", composite=True, method=False)
def gaussian_nll_loss(input: Tensor, target: Tensor, var: Tensor, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> Any:
    """The negative log likelihood of ``target`` under normal distributions with the means ``input`` and the variances ``var``.

    ``var`` has the shape of ``input``, or lacks its last dimension, or has size 1 in one. Variances count as at least ``eps``.
    """
    return _gaussian(input, target, var, full, eps, reduction)


@op("nn.functional.gaussian_nll_loss", overload="float", composite=True, method=False)
def gaussian_nll_loss_of_one(
    input: Tensor, target: Tensor, var: float, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """The negative log likelihood of ``target`` under normal distributions with the means ``input`` and one variance."""
    if var < 0:
        raise TensorValueError("var has negative entry/entries", code="bad_range", pointer="/var")
    return _gaussian(input, target, ops.mul(ops.ones_like(input), var), full, eps, reduction)


@op("nn.functional.hinge_embedding_loss", composite=True, method=False)
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The distance ``input`` itself where ``target`` is 1, what it lacks to ``margin`` where that is -1."""
    reduction = read_reduction(reduction, size_average, reduce)
    apart = ops.where(target != 1, ops.clamp_min(ops.sub(margin, input), 0), 0)
    return apply_reduction(ops.add(apart, ops.where(target != -1, input, 0)), reduction)


@op("nn.functional.margin_ranking_loss", composite=True, method=False)
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """What ``target * (input1 - input2)`` lacks to ``margin``, for targets of -1 and 1."""
    reduction = read_reduction(reduction, size_average, reduce)
    shapes = [tuple(t.shape) for t in (input1, input2, target)]
    if len({len(s) for s in shapes}) > 1:
        texts = [size_text(s) for s in shapes]
        raise TensorRuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {texts[0]}, input2: {texts[1]}, target: {texts[2]} ",
            code="shape_mismatch",
        )
    return apply_reduction(ops.clamp_min(ops._add_scalar(ops.mul(-target, ops.sub(input1, input2)), margin), 0), reduction)


@op("nn.functional.cosine_embedding_loss", composite=True, method=False)
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """One minus the cosine of the vectors where ``target`` is 1, the cosine above ``margin`` where it is -1."""
    reduction = read_reduction(reduction, size_average, reduce)
    dim = len(target.shape)
    if dim > 1:
        raise TensorRuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if len(input1.shape) != dim + 1 or len(input2.shape) != dim + 1:
        raise TensorRuntimeError(
            f"{dim}D target tensor expects {dim + 1}D input tensors, "
            f"but found inputs with sizes {list(input1.shape)} and {list(input2.shape)}.",
            code="shape_mismatch",
        )
    squares = [ops._add_scalar(ops.sum(x * x, dim), 1e-12) for x in (input1, input2)]
    cosine = ops.div(ops.sum(ops.mul(input1, input2), dim), ops.sqrt(ops.mul(*squares)))
    together = ops.where(target == 1, ops.sub(1, cosine), 0)
    apart = ops.where(target == -1, ops.clamp_min(ops._sub_scalar(cosine, margin), 0), 0)
    return apply_reduction(ops.add(together, apart), reduction)


@op("nn.functional.triplet_margin_loss", composite=True, method=False)
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """How much closer than by ``margin`` each ``anchor`` should be to ``positive`` than to ``negative``, in the ``p``-norm.

    With ``swap`` the distance from ``positive`` to ``negative`` counts where that is smaller than the one from ``anchor``.
    """
    reduction = read_reduction(reduction, size_average, reduce)
    if margin <= 0:
        raise TensorValueError(f"margin must be greater than 0, got {margin}", code="bad_range", pointer="/margin")
    counts = [len(t.shape) for t in (anchor, positive, negative)]
    if len(set(counts)) > 1:
        raise TensorRuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {counts[0]}D, positive {counts[1]}D, and negative {counts[2]}D inputs",
            code="shape_mismatch",
        )
    distance = ops.nn.functional.pairwise_distance
    near, far = distance(anchor, positive, p, eps), distance(anchor, negative, p, eps)
    if swap:
        far = ops.minimum(far, distance(positive, negative, p, eps))
    return apply_reduction(ops.clamp_min(ops.sub(ops._add_scalar(near, margin), far), 0), reduction)
