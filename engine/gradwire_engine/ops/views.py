"""Views of a whole tensor: the same elements in another shape or order, sharing their storage."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from ..arrays import as_array
from ..dtypes import Array, dtype_of
from ..errors import LimitError, TensorIndexError, TensorRuntimeError
from ..meta import Shape, check_extent, wrap_dim, wrap_dims
from ..op import op, ops
from ..params import Dims, Size, Tensor

_MOST_TENSORS: Final = 100_000


def resolve_size(shape: Shape, size: Shape) -> Shape:
    """``size`` with a -1 worked out.

    Raises:
        TensorRuntimeError: The elements do not fit (torch's messages).
    """
    numel = math.prod(shape)
    inferred: int | None = None
    for i, s in enumerate(size):
        if s == -1 and inferred is not None:
            raise TensorRuntimeError("only one dimension can be inferred")
        if s < -1:
            raise TensorRuntimeError(f"invalid shape dimension {s} at index {i} of shape {list(size)}")
        if s == -1:
            inferred = i
    if inferred is None:
        if math.prod(size) == numel:
            return size
    else:
        rest = math.prod(s for s in size if s != -1)
        if rest == 0 and numel == 0:
            raise TensorRuntimeError(
                f"cannot reshape tensor of 0 elements into shape {list(size)} because the unspecified dimension size -1 can "
                "be any value and is ambiguous"
            )
        if rest and numel % rest == 0:
            return tuple(numel // rest if s == -1 else s for s in size)
    raise TensorRuntimeError(f"shape '{list(size)}' is invalid for input of size {numel}", code="shape_mismatch")


def check_count(count: int) -> None:
    """Refuses an operation that would make a great number of tensors.

    Raises:
        LimitError: There would be more than 100,000.
    """
    if count > _MOST_TENSORS:
        raise LimitError(
            f"One operation can make at most {_MOST_TENSORS:,} tensors, but this one would make {count:,}.", code="too_many_tensors"
        )


def strided(array: Array, shape: Shape, strides: Shape) -> Array:
    """A writeable view of ``array`` from its first element on, with strides in bytes."""
    check_extent(shape, array.itemsize)
    if array.flags.c_contiguous:
        return np.ndarray(shape, array.dtype, array, 0, strides)  # ten times as fast as as_strided
    return np.lib.stride_tricks.as_strided(array, shape, strides)


def _viewed(input: Array, size: Shape) -> Array:
    wanted = resolve_size(input.shape, size)
    check_extent(wanted, input.itemsize)
    try:
        return input.reshape(wanted, copy=False)
    except ValueError:
        raise TensorRuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). "
            "Use .reshape(...) instead.",
            code="not_viewable",
        ) from None


@op(view=True, vjp=dict(input=lambda g, input_meta: ops.reshape(g, input_meta.shape)), batch="reshaped")
def view(input: Tensor, size: Size) -> Array:
    """The same elements in another shape, without a copy; one size may be -1."""
    return _viewed(input, size)


@op("_reshape_alias", view=True, method=False, vjp=dict(input=lambda g, input_meta: ops.reshape(g, input_meta.shape)), batch="reshaped")
def reshape_alias(input: Tensor, size: Size) -> Array:
    """What ``reshape`` records for a view of a tensor with gaps."""
    return _viewed(input, size)


@op(
    "_unsafe_view",
    method=False,
    batch="reshaped",
    meta=lambda input, size: _dense(input, size),
    vjp=dict(input=lambda g, input_meta: ops.reshape(g, input_meta.shape)),
)
def unsafe_view(input: Tensor, size: Size) -> Array:
    """What ``reshape`` records for the copy that it had to make: another shape, and no view of the copy."""
    return input.reshape(resolve_size(input.shape, size))


def _dense(input: Any, size: Shape) -> Any:
    from ..meta import dense

    return dense(resolve_size(input.shape, size), input.dtype)


@op("_alias", view=True, method=False, vjp=dict(input=lambda g: g), batch="leading")
def alias(input: Tensor) -> Array:
    """A view of everything."""
    return input[...]


def expanded_size(input: Array, size: Shape) -> Shape:
    """The shape that ``input`` expands to, its own sizes in place of -1.

    Raises:
        TensorRuntimeError: ``size`` has too few dimensions, or a size differs and was not 1 (torch's messages).
    """
    lead = len(size) - input.ndim
    if lead < 0:
        raise TensorRuntimeError(
            f"expand(torch.{dtype_of(input.dtype).torch_name}Tensor{{{list(input.shape)}}}, size={list(size)}): the number of "
            f"sizes provided ({len(size)}) "
            f"must be greater or equal to the number of dimensions in the tensor ({input.ndim})",
            code="shape_mismatch",
        )
    wanted = list(size)
    for i in reversed(range(len(wanted))):
        s, have = wanted[i], input.shape[i - lead] if i >= lead else None
        if have is None and s < 0:
            raise TensorRuntimeError(f"The expanded size of the tensor ({s}) isn't allowed in a leading, non-existing dimension {i}")
        if s == -1 and have is not None:
            wanted[i] = have
        elif have is not None and have != s and (have != 1 or s < 0):
            raise TensorRuntimeError(
                f"The expanded size of the tensor ({s}) must match the existing size ({have}) at non-singleton dimension {i}.  "
                f"Target sizes: {list(size)}.  Tensor sizes: {list(input.shape)}",
                code="shape_mismatch",
            )
    return tuple(wanted)


@op(view=True, vjp=dict(input=lambda g, input_meta: ops.sum_to_size(g, input_meta.shape)), batch="expanded")
def expand(input: Tensor, size: Size) -> Array:
    """The same elements repeated along dimensions of size 1, without a copy; -1 keeps a size."""
    wanted = expanded_size(input, size)
    source = as_array(input)
    lead = len(wanted) - source.ndim
    steps = tuple(0 if have != s else step for have, s, step in zip(source.shape, wanted[lead:], source.strides, strict=True))
    return strided(source, wanted, (0,) * lead + steps)


def _restored(g: Any, input_meta: Any) -> Any:
    # Dimensions of size 1 come and go without a copy, whatever the strides.
    return ops.view(g, input_meta.shape)


def _squeezed(input: Array, dims: Shape) -> Array:
    return input.reshape(tuple(s for i, s in enumerate(input.shape) if s != 1 or i not in dims))


@op("squeeze", overload="default", view=True, inplace=True, inplace_grad_fn="SqueezeBackward3", vjp=dict(input=_restored), batch="reshaped")
def squeeze_all(input: Tensor) -> Array:
    """Drops every dimension of size 1."""
    return _squeezed(input, tuple(range(input.ndim)))


@op(
    "squeeze",
    overload="dim",
    view=True,
    inplace=True,
    grad_fn="SqueezeBackward1",
    inplace_grad_fn="SqueezeBackward4",
    batch="reshaped",
    vjp=dict(input=_restored),
)
def squeeze_dim(input: Tensor, dim: int) -> Array:
    """Drops the dimension ``dim`` if its size is 1."""
    return _squeezed(input, (wrap_dim(dim, input.ndim),))


@op(
    "squeeze",
    overload="dims",
    view=True,
    inplace=True,
    grad_fn="SqueezeBackward2",
    inplace_grad_fn="SqueezeBackward5",
    batch="reshaped",
    vjp=dict(input=_restored),
)
def squeeze_dims(input: Tensor, dim: Dims) -> Array:
    """Drops those of the dimensions ``dim`` whose size is 1."""
    return _squeezed(input, wrap_dims(dim, input.ndim, empty_means_all=False))


@op(view=True, inplace=True, inplace_grad_fn="UnsqueezeBackward1", vjp=dict(input=_restored), batch="reshaped")
def unsqueeze(input: Tensor, dim: int) -> Array:
    """Inserts a dimension of size 1 at ``dim``."""
    position = wrap_dim(dim, input.ndim + 1)
    check_extent((1, *input.shape), input.itemsize)
    return input.reshape((*input.shape[:position], 1, *input.shape[position:]))


@op(
    view=True,
    inplace=True,
    inplace_grad_fn="TransposeBackward1",
    aliases=("swapaxes", "swapdims"),
    vjp=dict(input=lambda g, dim0, dim1: ops.transpose(g, dim0, dim1)),
)
def transpose(input: Tensor, dim0: int, dim1: int) -> Array:
    """Exchanges two dimensions."""
    first, second = wrap_dim(dim0, input.ndim), wrap_dim(dim1, input.ndim)
    return input.swapaxes(first, second) if input.ndim else input[...]


@op(view=True, inplace=True, grad_fn="TBackward0", inplace_grad_fn="TBackward1", vjp=dict(input=lambda g: ops.t(g)), batch="turned")
def t(input: Tensor) -> Array:
    """The transpose of a matrix; vectors and scalars as they are."""
    if input.ndim > 2:
        raise TensorRuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return input.T[...]


def _order(dims: Shape, ndim: int) -> Shape:
    if len(dims) != ndim:
        raise TensorRuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions "
            f"i.e. input.dim() = {ndim} is not equal to len(dims) = {len(dims)}"
        )
    order = tuple(wrap_dim(d, ndim) for d in dims)
    if len(set(order)) != ndim:
        raise TensorRuntimeError("permute(): duplicate dims are not allowed.")
    return order


def _inverse(dims: Shape) -> Shape:
    order = [d % len(dims) for d in dims]
    return tuple(order.index(i) for i in range(len(order)))


@op(view=True, vjp=dict(input=lambda g, dims: ops.permute(g, _inverse(dims))), batch="permuted")
def permute(input: Tensor, dims: Size) -> Array:
    """The dimensions in the order ``dims``."""
    return input.transpose(_order(dims, input.ndim))


def check_has_dims(input: Array, dim: int) -> None:
    """Refuses a scalar where a dimension is needed.

    Raises:
        TensorIndexError: ``input`` has no dimensions (torch's message).
    """
    if not input.ndim:
        raise TensorIndexError(f"Dimension specified as {dim} but tensor has no dimensions", code="dim_out_of_range")
