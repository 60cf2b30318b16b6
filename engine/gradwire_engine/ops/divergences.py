"""Losses that torch composes of other operations: divergences, and losses with a margin."""

from __future__ import annotations

import math
from typing import Any

from ..dtypes import dtype_of
from ..errors import TensorRuntimeError
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
