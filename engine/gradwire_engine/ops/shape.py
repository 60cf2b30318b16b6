"""Changes of shape that copy where they must, and other composites over views."""

from __future__ import annotations

import math
from typing import Any

from ..dtypes import Array
from ..errors import TensorIndexError, TensorRuntimeError
from ..meta import is_contiguous, wrap_dim
from ..op import op, ops
from ..params import Dims, Size, Tensor, Tensors
from ..value import Value
from .views import check_has_dims, resolve_size


def has_gaps(input: Any) -> bool:
    """Whether ``input`` is a recorder's tensor that does not lie in row-major order."""
    return isinstance(input, Value) and not is_contiguous(input._meta_of(input._data))


@op(composite=True)
def reshape(input: Tensor, shape: Size) -> Any:
    """The same elements in another shape: a view where the strides allow it, otherwise of a copy."""
    wanted = resolve_size(tuple(input.shape), shape)
    try:
        return ops._reshape_alias(input, wanted) if has_gaps(input) else ops.view(input, wanted)
    except TensorRuntimeError as error:
        if error.code != "not_viewable":
            raise
    return ops._unsafe_view(ops._contiguous(input), wanted)


@op(composite=True, promotion="none")
def reshape_as(input: Tensor, other: Tensor) -> Any:
    """``input`` in the shape of ``other``."""
    return ops.reshape(input, tuple(other.shape))


@op(composite=True, promotion="none")
def view_as(input: Tensor, other: Tensor) -> Any:
    """A view of ``input`` in the shape of ``other``."""
    return ops.view(input, tuple(other.shape))


@op(composite=True, promotion="none")
def expand_as(input: Tensor, other: Tensor) -> Any:
    """``input`` expanded to the shape of ``other``."""
    return ops.expand(input, tuple(other.shape))


@op(composite=True)
def broadcast_to(input: Tensor, size: Size) -> Any:
    """``input`` expanded to ``size``."""
    return ops.expand(input, size)


@op(composite=True)
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The dimensions ``start_dim`` to ``end_dim`` made one; a scalar becomes a vector."""
    start, end = wrap_dim(start_dim, input.ndim), wrap_dim(end_dim, input.ndim)
    if start > end:
        raise TensorRuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not input.ndim:
        return ops.reshape(input, (1,))
    if start == end:
        return input
    shape = tuple(input.shape)
    return ops.reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


@op(composite=True)
def unflatten(input: Tensor, dim: int, sizes: Size) -> Any:
    """The dimension ``dim`` made several, of the given sizes; one of them may be -1."""
    check_has_dims(input, dim)
    axis = wrap_dim(dim, input.ndim)
    if not sizes:
        raise TensorRuntimeError("unflatten: sizes must be non-empty")
    have = input.shape[axis]
    try:
        wanted = resolve_size((have,), sizes)
    except TensorRuntimeError as error:
        if error.code != "shape_mismatch":
            raise
        raise TensorRuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {axis} ({have}) in the input tensor",
            code="shape_mismatch",
        ) from None
    shape = tuple(input.shape)
    return ops.view(input, (*shape[:axis], *wanted, *shape[axis + 1 :]))


@op(composite=True)
def ravel(input: Tensor) -> Any:
    """All elements in a vector, copied only where they do not lie in row-major order."""
    return ops.view(ops.contiguous(input), (-1,))


def _distinct(name: str, dims: tuple[int, ...], given: tuple[int, ...]) -> None:
    if len(set(dims)) != len(dims):
        raise TensorRuntimeError(f"movedim: repeated dim in `{name}` ({list(given)})")


@op(composite=True, aliases=("moveaxis",))
def movedim(input: Tensor, source: Dims, destination: Dims) -> Any:
    """Moves the dimensions ``source`` to the positions ``destination``; the others keep their order."""
    sources = (source,) if isinstance(source, int) else source
    destinations = (destination,) if isinstance(destination, int) else destination
    if len(sources) != len(destinations):
        raise TensorRuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(sources)} dims) should contain the same number of "
            f"dims as destination ({list(destinations)} dims)"
        )
    ndim = input.ndim
    come = tuple(wrap_dim(d, ndim) for d in sources)
    go = tuple(wrap_dim(d, ndim) for d in destinations)
    _distinct("source", come, sources)
    _distinct("destination", go, destinations)
    if not ndim:
        return ops._alias(input)
    rest = iter(d for d in range(ndim) if d not in come)
    place = dict(zip(go, come, strict=True))
    return ops.permute(input, tuple(place[d] if d in place else next(rest) for d in range(ndim)))


@op("T", composite=True, method=False)
def reversed_dims(input: Tensor) -> Any:
    """The dimensions in reverse order; the attribute ``x.T``."""
    return ops.permute(input, tuple(reversed(range(input.ndim))))


def _check_matrices(name: str, input: Any) -> None:
    if input.ndim == 1:
        raise TensorRuntimeError(f"tensor.{name} is only supported on matrices or batches of matrices. Got 1-D tensor.")


def _conjugated(input: Any) -> Any:
    kind = input._data.dtype.kind if isinstance(input, Value) else input.dtype.kind
    return ops.conj(input) if kind == "c" else input


@op("mT", composite=True, method=False)
def matrix_transpose(input: Tensor) -> Any:
    """Each matrix of a batch transposed; the attribute ``x.mT``."""
    _check_matrices("mT", input)
    return ops.transpose(input, -2, -1) if input.ndim else input


@op("mH", composite=True, method=False)
def matrix_adjoint(input: Tensor) -> Any:
    """Each matrix of a batch transposed and conjugated; the attribute ``x.mH``."""
    _check_matrices("mH", input)
    return _conjugated(ops.transpose(input, -2, -1)) if input.ndim else _conjugated(input)


@op(composite=True)
def adjoint(input: Tensor) -> Any:
    """Each matrix of a batch transposed and conjugated."""
    _check_matrices("adjoint()", input)
    return _conjugated(ops.transpose(input, -2, -1)) if input.ndim else _conjugated(input)


@op("H", composite=True, method=False)
def conjugate_transpose(input: Tensor) -> Any:
    """A matrix transposed and conjugated; the attribute ``x.H``."""
    if input.ndim not in (0, 2):
        more = " For batches of matrices, consider using tensor.mH" if input.ndim > 2 else ""
        raise TensorRuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {input.ndim}-D tensor.{more}")
    return _conjugated(ops.transpose(input, 0, 1)) if input.ndim else _conjugated(input)


@op(composite=True)
def narrow(input: Tensor, dim: int, start: int, length: int) -> Any:
    """``length`` positions along ``dim`` from ``start`` on."""
    if not input.ndim:
        raise TensorRuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise TensorRuntimeError("narrow(): length must be non-negative.")
    size = input.shape[wrap_dim(dim, input.ndim)]
    if not -size <= start <= size:
        raise TensorIndexError(
            f"start out of range (expected to be in range of [-{size}, {size}], but got {start})", code="index_out_of_range"
        )
    first = start + size if start < 0 else start
    if first + length > size:
        raise TensorRuntimeError(f"start ({first}) + length ({length}) exceeds dimension size ({size}).")
    return ops._slice(input, dim, first, first + length)


@op("atleast_1d", overload="default", composite=True, method=False)
def atleast_1d(input: Tensor) -> Any:
    """``input``, with one dimension if it has none."""
    return input if input.ndim else ops.reshape(input, (1,))


@op("atleast_1d", overload="Sequence", composite=True, method=False, outputs="list")
def atleast_1d_all(tensors: Tensors) -> Any:
    """Each tensor with at least one dimension."""
    return tuple(ops.atleast_1d(t) for t in tensors)


@op("atleast_2d", overload="default", composite=True, method=False)
def atleast_2d(input: Tensor) -> Any:
    """``input`` with at least two dimensions; a vector becomes a row."""
    return input if input.ndim > 1 else ops.unsqueeze(input, 0) if input.ndim else ops.reshape(input, (1, 1))


@op("atleast_2d", overload="Sequence", composite=True, method=False, outputs="list")
def atleast_2d_all(tensors: Tensors) -> Any:
    """Each tensor with at least two dimensions."""
    return tuple(ops.atleast_2d(t) for t in tensors)


@op("atleast_3d", overload="default", composite=True, method=False)
def atleast_3d(input: Tensor) -> Any:
    """``input`` with at least three dimensions; a vector lies along the second, a matrix along the first two."""
    if input.ndim > 2:
        return input
    if input.ndim == 2:
        return ops.unsqueeze(input, -1)
    return ops.unsqueeze(ops.unsqueeze(input, 0), -1) if input.ndim else ops.reshape(input, (1, 1, 1))


@op("atleast_3d", overload="Sequence", composite=True, method=False, outputs="list")
def atleast_3d_all(tensors: Tensors) -> Any:
    """Each tensor with at least three dimensions."""
    return tuple(ops.atleast_3d(t) for t in tensors)


@op(composite=True)
def sum_to_size(input: Tensor, size: Size) -> Array:
    """Sums ``input`` over the dimensions along which ``size`` would be broadcast to it."""
    from ..walk_arithmetic import sum_to_shape

    have = tuple(input.shape)
    if len(size) > len(have) or any(s not in (1, h) for s, h in zip(reversed(size), reversed(have), strict=False)):
        raise TensorRuntimeError(f"size {{{list(size)}}} is not expandable to size {{{list(have)}}}.", code="shape_mismatch")
    if not size:
        return ops.sum(input)
    return sum_to_shape(input, size)
