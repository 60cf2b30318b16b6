"""Joining tensors, and bringing them to a common shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import TensorRuntimeError, TensorValueError
from ..meta import Meta, Shape, broadcast, dense, wrap_dim
from ..op import op, ops
from ..params import Tensor, Tensors


def _is_nothing(shape: Shape) -> bool:
    # torch ignores vectors without elements, whatever the other shapes are.
    return shape == (0,)


def _check_cat(shapes: Sequence[Shape], dim: int) -> tuple[Shape, int]:
    """The shape of the result, and the dimension."""
    if not shapes:
        raise TensorValueError("torch.cat(): expected a non-empty list of Tensors", code="empty_list")
    for position, shape in enumerate(shapes):
        if not shape:
            raise TensorRuntimeError(f"zero-dimensional tensor (at position {position}) cannot be concatenated", code="shape_mismatch")
    first = next((s for s in shapes if not _is_nothing(s)), (0,))
    axis = wrap_dim(dim, len(first))
    total = 0
    for number, shape in enumerate(shapes):
        if _is_nothing(shape):
            continue
        if len(shape) != len(first):
            raise TensorRuntimeError(
                f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}", code="shape_mismatch"
            )
        for i, (want, have) in enumerate(zip(first, shape, strict=True)):
            if i != axis and want != have:
                raise TensorRuntimeError(
                    f"Sizes of tensors must match except in dimension {axis}. Expected size {want} but got size {have} for "
                    f"tensor number {number} in the list.",
                    code="shape_mismatch",
                )
        total += shape[axis]
    return (*first[:axis], total, *first[axis + 1 :]), axis


def _cat_backward(g: Any, metas: Sequence[Meta], dim: int, needs: Sequence[bool]) -> list[Any]:
    axis = _check_cat([m.shape for m in metas], dim)[1]
    grads: list[Any] = []
    start = 0
    for meta, need in zip(metas, needs, strict=True):
        if _is_nothing(meta.shape):
            grads.append(ops._slice(ops.reshape(g, (-1,)), 0, 0, 0) if need else None)
            continue
        end = start + meta.shape[axis]
        grads.append(ops._slice(g, axis, start, end) if need else None)
        start = end
    return grads


@op(
    promotion="same",
    method=False,
    aliases=("concat", "concatenate"),
    batch="joined",
    meta=lambda tensors, dim: dense(_check_cat([t.shape for t in tensors], dim)[0], tensors[0].dtype),
    vjp=dict(tensors=lambda g, tensors_meta, dim, needs: _cat_backward(g, tensors_meta, dim, needs)),
)
def cat(tensors: list[Tensor], dim: int = 0) -> Array:
    """The tensors one after the other along ``dim``; they agree in all other sizes."""
    shape, axis = _check_cat([t.shape for t in tensors], dim)
    parts = [t for t in tensors if len(shape) == 1 or not _is_nothing(t.shape)]
    return np.concatenate(parts, axis)


def _check_stack(shapes: Sequence[Shape], dim: int) -> tuple[Shape, int]:
    if not shapes:
        raise TensorRuntimeError("stack expects a non-empty TensorList", code="empty_list")
    axis = wrap_dim(dim, len(shapes[0]) + 1)
    for number, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise TensorRuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shapes[0])} at entry 0 and {list(shape)} at entry {number}",
                code="shape_mismatch",
            )
    return (*shapes[0][:axis], len(shapes), *shapes[0][axis:]), axis


@op(
    promotion="same",
    method=False,
    meta=lambda tensors, dim: dense(_check_stack([t.shape for t in tensors], dim)[0], tensors[0].dtype),
    vjp=dict(tensors=lambda g, dim: ops.unbind(g, dim)),
)
def stack(tensors: list[Tensor], dim: int = 0) -> Array:
    """The tensors, all of one shape, side by side along a new dimension."""
    _, axis = _check_stack([t.shape for t in tensors], dim)
    return np.stack(tensors, axis)


def _need_some(name: str, tensors: Sequence[Any]) -> None:
    if not tensors:
        raise TensorRuntimeError(f"{name} expects a non-empty TensorList", code="empty_list")


@op(composite=True, method=False)
def hstack(tensors: list[Tensor]) -> Any:
    """Joins along the second dimension (the only one of vectors)."""
    _need_some("hstack", tensors)
    parts = ops.atleast_1d(tensors)
    return ops.cat(parts, 0 if parts[0].ndim == 1 else 1)


@op(composite=True, method=False, aliases=("row_stack",))
def vstack(tensors: list[Tensor]) -> Any:
    """Joins along the first dimension; vectors count as rows."""
    _need_some("vstack", tensors)
    return ops.cat(ops.atleast_2d(tensors), 0)


@op(composite=True, method=False)
def dstack(tensors: list[Tensor]) -> Any:
    """Joins along the third dimension."""
    _need_some("dstack", tensors)
    return ops.cat(ops.atleast_3d(tensors), 2)


@op(composite=True, method=False)
def column_stack(tensors: list[Tensor]) -> Any:
    """Joins along the second dimension; vectors and scalars count as columns."""
    _need_some("column_stack", tensors)
    return ops.cat([t if t.ndim > 1 else ops.reshape(t, (-1, 1)) for t in tensors], 1)


def _blocks(shapes: Sequence[Shape]) -> list[Shape]:
    _need_some("block_diag", shapes)
    for number, shape in enumerate(shapes):
        if len(shape) > 2:
            raise TensorRuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {number} has {len(shape)} dimensions",
                code="shape_mismatch",
            )
    return [(1,) * (2 - len(s)) + s for s in shapes]


def _block_meta(tensors: Sequence[Meta]) -> Meta:
    blocks = _blocks([t.shape for t in tensors])
    return dense((sum(b[0] for b in blocks), sum(b[1] for b in blocks)), tensors[0].dtype)


def _block_backward(g: Any, metas: Sequence[Meta]) -> list[Any]:
    grads: list[Any] = []
    row = column = 0
    for meta, (rows, columns) in zip(metas, _blocks([m.shape for m in metas]), strict=True):
        band = ops._slice(g, 0, row, row + rows)
        grads.append(ops.reshape(ops._slice(band, 1, column, column + columns), meta.shape))
        row, column = row + rows, column + columns
    return grads


@op(promotion="same", method=False, meta=_block_meta, vjp=dict(tensors=lambda g, tensors_meta: _block_backward(g, tensors_meta)))
def block_diag(tensors: Tensors) -> Array:
    """A matrix of zeros with the tensors as blocks on its diagonal; vectors count as rows."""
    blocks = _blocks([t.shape for t in tensors])
    out = np.zeros((sum(b[0] for b in blocks), sum(b[1] for b in blocks)), tensors[0].dtype)
    row = column = 0
    for t, (rows, columns) in zip(tensors, blocks, strict=True):
        out[row : row + rows, column : column + columns] = t
        row, column = row + rows, column + columns
    return out


@op(composite=True, method=False, outputs="list")
def broadcast_tensors(tensors: Tensors) -> Any:
    """The tensors expanded to their common shape."""
    shape = broadcast(*[tuple(t.shape) for t in tensors])
    return tuple(t if tuple(t.shape) == shape else ops.expand(t, shape) for t in tensors)


@op(composite=True, method=False, outputs="list")
def meshgrid(tensors: Tensors, *, indexing: str | None = None) -> Any:
    """The coordinates of a grid, one tensor for each of the given vectors.

    With ``indexing="xy"`` the first two dimensions of the results are exchanged, as plots have them.
    """
    _need_some("meshgrid", tensors)
    for t in tensors:
        if t.ndim > 1:
            raise TensorRuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got one of shape {list(t.shape)}", code="shape_mismatch"
            )
        if t.dtype != tensors[0].dtype:
            raise TensorRuntimeError("meshgrid expects all tensors to have the same dtype", code="dtype_mismatch")
    if indexing not in (None, "ij", "xy"):
        raise TensorRuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    order = list(range(len(tensors)))
    if indexing == "xy" and len(order) > 1:
        order[:2] = [1, 0]
    axes = [tensors[i] for i in order]
    shape = tuple(t.shape[0] if t.ndim else 1 for t in axes)
    grids = [ops.expand(ops.view(t, (1,) * i + (-1,) + (1,) * (len(axes) - i - 1)), shape) for i, t in enumerate(axes)]
    return tuple(grids[i] for i in order)


@op(composite=True, method=False)
def cartesian_prod(tensors: Tensors) -> Any:
    """Every choice of one element of each of the given vectors, one row for each; one vector alone stays as it is."""
    for t in tensors:
        if len(t.shape) != 1:
            raise TensorRuntimeError(f"Expect a 1D vector, but got shape {list(t.shape)}", code="shape_mismatch")
    if len(tensors) == 1:
        return tensors[0]
    return ops.stack([ops.flatten(grid) for grid in ops.meshgrid(tensors)], 1)
