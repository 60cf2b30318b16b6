"""Vectors scaled to one length, and compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of
from ..errors import TensorRuntimeError
from ..meta import Meta, broadcast, dense, ordered_like
from ..op import op, ops
from ..params import Tensor
from .losses import common_dtype
from .norms import vector_norm


@op("nn.functional.normalize", composite=True, method=False)
def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """Divides by the ``p``-norm along ``dim``, but by no less than ``eps``."""
    length = ops.clamp_min(ops.linalg.vector_norm(input, p, dim, True), eps)
    return input / ops.expand(length, tuple(input.shape))


@op(
    "_clone_at_least",
    method=False,
    grad_fn="CloneBackward0",
    batch="leading",
    meta=lambda input: ordered_like(input.shape, input.dtype, [input]),
    vjp=dict(input=lambda g: g),
)
def clone_at_least(input: Tensor, min: float) -> Array:
    """A copy with no element below ``min``, whose derivative takes no notice of the limit."""
    return np.maximum(input, min)


@op("nn.functional.cosine_similarity", aliases=("cosine_similarity",), composite=True, method=False)
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors along ``dim``, whose norms count as at least ``eps``."""
    metas = [dense(tuple(t.shape), dtype_of(t.dtype).numpy) for t in (x1, x2)]
    dtype = common_dtype(*metas)
    if dtype.kind != "f":
        raise TensorRuntimeError(
            f"expected common dtype to be floating point, yet common dtype is {dtype_of(dtype).torch_name}", code="dtype_mismatch"
        )
    vectors = [ops.to(t, dtype) if m.dtype.kind in "bui" else t for t, m in zip((x1, x2), metas, strict=True)]
    if metas[0].shape != metas[1].shape:
        shape = broadcast(metas[0].shape, metas[1].shape)
        vectors = [ops.expand(v, shape) for v in vectors]
    # torch clamps the norms outside of the graph; dividing first is more accurate than dividing the dot product.
    scaled = [ops.div(v, ops._clone_at_least(ops.linalg.vector_norm(v, 2, dim, True), eps)) for v in vectors]
    return ops.sum(ops.mul(*scaled), dim)


def _norm_rule(g: Any, input: Any, out: Any, input_meta: Meta, p: float, dim: int, keepdim: bool) -> Any:
    return vector_norm.vjp[("input",)](g, input, out, input_meta, p, dim, keepdim)


def _norm_meta(input: Meta, p: float, dim: int, keepdim: bool) -> Meta:
    return vector_norm.meta_rule(input, p, dim, keepdim, None)  # type: ignore[misc]


# torch's own composites call the older norm, whose name their graphs show.
@op("_norm_along", method=False, holomorphic=False, grad_fn="NormBackward1", meta=_norm_meta, vjp=dict(input=_norm_rule))
def norm_along(input: Tensor, p: float, dim: int, keepdim: bool) -> Array:
    """``linalg.vector_norm`` along one dimension."""
    return vector_norm.kernel(input, p, dim, keepdim)


@op("nn.functional.pairwise_distance", aliases=("pairwise_distance",), composite=True, method=False)
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The ``p``-norm of the differences along the last dimension; ``eps`` is added to each difference."""
    return ops._norm_along(ops._add_scalar(ops.sub(x1, x2), eps), p, max(len(x1.shape), len(x2.shape)) - 1, keepdim)
