"""Python's index expressions: what ``x[...]`` reads and what ``x[...] = v`` writes.

An expression is taken apart from left to right, as torch does it: integers select, slices slice, ``None`` and booleans insert
a dimension, and tensors are collected for one advanced indexing step at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .dtypes import dtype_of
from .errors import TensorIndexError, TensorTypeError, TensorValueError
from .op import REGISTRY, Op, ops
from .record import call_bound
from .value import Value

_LONGEST = 2**63 - 1


class Sliced(NamedTuple):
    """An expression half applied.

    Attributes:
        tensor: What the basic indices made of the tensor: a view, or the tensor itself.
        indices: The index tensors for its leading dimensions, ``None`` for a dimension that is read whole.
    """

    tensor: Any
    indices: tuple[Any, ...]


def read(tensor: Any, index: Any) -> Any:
    """``tensor[index]``.

    Raises:
        TensorIndexError: A position is out of range, there are too many indices, or one is of a wrong type.
        TensorValueError: A slice has a step that is not positive.
    """
    if type(index) is int:
        return _select_alone(tensor, index)
    if index is Ellipsis:
        return ops._alias(tensor)
    if index is None:
        return ops.unsqueeze(tensor, 0)
    if isinstance(index, slice):
        return _slice(tensor, 0, index)
    sliced, indices = apply(tensor, index)
    if indices:
        return ops._index_masked(sliced, indices) if any(_is_mask(i) for i in indices) else ops._index(sliced, indices)
    return ops._alias(tensor) if sliced is tensor else sliced


def assign(target: Any, index: Any, value: Any) -> None:
    """``target[index] = value``, in place and recorded.

    Args:
        target: A recorder's tensor.
        index: Any index expression.
        value: A number or a tensor that broadcasts to what the expression reads.

    Raises:
        TensorTypeError: ``value`` is neither a number nor a tensor.
        GradwireError: The expression does not fit the tensor, or the value does not fit the place.
    """
    from .inplace import call_inplace
    from .ops.supported import converted

    if isinstance(value, (bool, int, float, complex, np.generic)):
        number = value.item() if isinstance(value, np.generic) else value
        if isinstance(number, int) and abs(number) > _LONGEST:
            raise TensorValueError("Overflow when unpacking long long", code="integer_out_of_range")
        value = target._recorder._lift(converted(number, target._data.dtype))
    elif not isinstance(value, Value):
        name = "numpy.ndarray" if isinstance(value, np.ndarray) else type(value).__name__
        raise TensorTypeError(f"can't assign a {name} to a torch.{dtype_of(target._data.dtype).torch_name}Tensor")
    if index is False:
        return
    if index is True:
        _write(ops.unsqueeze(target, 0), value)
        return
    if type(index) is int:
        _write(_select_alone(target, index), value)
        return
    # Of a full read, torch writes the tensor itself and not a view of it; so its own history goes on, without CopySlices.
    sliced, indices = apply(target, index)
    if not indices:
        _write(sliced, value)
        return
    shape = _without_leading_ones(value._data.shape)
    if shape != value._data.shape:
        value = ops.view(value, shape)
    call_inplace(ops.index_put, sliced, (indices, value), {})


def _write(place: Value, value: Value) -> None:
    from .inplace import call_inplace

    have, want = value._data.shape, place._data.shape
    if have == want:
        call_inplace(ops.copy, place, (value,), {})
    elif not have:
        call_inplace(ops.fill, place, (value,), {})
    else:
        shape = _without_leading_ones(have)
        call_inplace(ops.copy, place, (ops.expand(ops.view(value, shape), want),), {})


def _without_leading_ones(shape: Sequence[int]) -> tuple[int, ...]:
    first = next((i for i, s in enumerate(shape) if s != 1), len(shape))
    return tuple(shape[first:])


def apply(tensor: Any, index: Any) -> Sliced:
    """Applies the basic part of an index expression and collects its index tensors.

    Raises:
        GradwireError: The expression does not fit the tensor.
    """
    items = tuple([_as_item(i) for i in items_of(index)])
    named = sum([_dims_of(i) for i in items])
    ndim = tensor.ndim
    if named > ndim:
        raise TensorIndexError(f"too many indices for tensor of dimension {ndim}", code="too_many_indices")
    indices: list[Any] = []
    dim = 0

    def collect(item: Any, dims: int) -> None:
        nonlocal dim
        indices.extend([None] * (dim - taken()))
        indices.append(item)
        dim += dims

    def taken() -> int:
        return sum([1 if i is None else _dims_of(i) for i in indices])

    for position, item in enumerate(items):
        if type(item) is int:
            tensor = _select(tensor, dim, item, position)
        elif isinstance(item, slice):
            if not _is_whole(item, _size(tensor, dim)):
                tensor = _slice(tensor, dim, item)
            dim += 1
        elif item is None:
            tensor = ops.unsqueeze(tensor, dim)
            dim += 1
        elif item is Ellipsis:
            dim += ndim - named
        elif isinstance(item, bool):
            tensor = ops.unsqueeze(tensor, dim)
            collect(np.zeros(1 if item else 0, np.int64), 1)
        else:
            collect(item, _dims_of(item))
    return Sliced(tensor, tuple(indices))


def items_of(index: Any) -> tuple[Any, ...]:
    """The items of an index expression, one per pair of commas."""
    return index if type(index) is tuple else tuple(index) if _is_tuple_like(index) else (index,)


def _is_tuple_like(index: Any) -> bool:
    """Whether a list means a tuple of indices: NumPy's old rule, which torch keeps."""
    if not isinstance(index, list) or len(index) >= 32:
        return False
    return any(i is None or i is Ellipsis or isinstance(i, (slice, Value, np.ndarray, list, tuple, range, str)) for i in index)


def _as_item(item: Any) -> Any:
    """An index in one of its final forms: ``int``, ``slice``, ``None``, ``Ellipsis``, ``bool``, or a tensor or array with dimensions."""
    kind = type(item)
    if kind is int or item is None or item is Ellipsis or kind is bool or kind is slice:
        return item
    if isinstance(item, (Value, np.ndarray)):
        return _scalar(item) if item.ndim == 0 else item
    if isinstance(item, np.integer):
        return int(item)
    if isinstance(item, (str, bytes)):
        raise TensorTypeError(f"new(): invalid data type '{type(item).__name__}'")
    if isinstance(item, (list, tuple, range)):
        from .creation import array_from

        made = array_from(item, None)
        return made.astype(np.int64) if made.size == 0 or made.dtype.kind == "f" else made
    name = f"numpy.{kind.__name__}" if isinstance(item, np.generic) else kind.__name__
    raise TensorIndexError(
        f"only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got {name})", code="index_type"
    )


def _scalar(item: Any) -> Any:
    """A tensor of no dimensions counts as the number that it holds, where that is known."""
    data = item._data if isinstance(item, Value) else item
    if data.dtype.kind not in "biu":
        return item
    if isinstance(item, Value) and not item.computes_on_arrays:
        if not item.announces:
            return item
        data = np.asarray(item.item(), data.dtype)
    return bool(data) if data.dtype == np.uint8 or data.dtype.kind == "b" else int(data)


def _is_mask(item: Any) -> bool:
    if item is None:
        return False
    dtype = item._data.dtype if isinstance(item, Value) else item.dtype
    return bool(dtype == np.uint8 or dtype.kind == "b")


def _dims_of(item: Any) -> int:
    """How many dimensions of the tensor an index takes."""
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    if isinstance(item, (Value, np.ndarray)) and _is_mask(item):
        return item.ndim
    return 1


def _select_alone(tensor: Any, index: int) -> Any:
    if not tensor.ndim:
        raise TensorIndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim "
            "tensor to a number",
            code="too_many_indices",
        )
    return _select(tensor, 0, index, 0)


def _select(tensor: Any, dim: int, index: int, position: int) -> Any:
    size = _size(tensor, dim)
    if not -size <= index < size:
        if abs(index) > _LONGEST:
            raise TensorValueError("Overflow when unpacking long long", code="integer_out_of_range")
        raise TensorIndexError(f"index {index} is out of bounds for dimension {position} with size {size}", code="index_out_of_range")
    # The arguments are what binding would make of them.
    return call_bound(_op("select"), [tensor, dim, index])


def _size(tensor: Any, dim: int) -> int:
    """A size, 0 for a dimension beyond the last one, which a second ellipsis leads to."""
    shape = (tensor._data if isinstance(tensor, Value) else tensor).shape
    return shape[dim] if dim < len(shape) else 0


def _op(name: str) -> Op:
    found = REGISTRY[name]
    assert isinstance(found, Op)
    return found


def _slice(tensor: Any, dim: int, item: slice) -> Any:
    try:
        bounds = [None if i is None else i.__index__() for i in (item.start, item.stop, item.step)]
    except AttributeError:
        raise TensorTypeError("slice indices must be integers or None or have an __index__ method") from None
    start, stop, step = [None if b is None else max(-_LONGEST, min(b, _LONGEST)) for b in bounds]
    if step is not None and step <= 0:
        raise TensorValueError("slice step cannot be zero" if step == 0 else "step must be greater than zero", code="slice_step")
    return call_bound(_op("_slice"), [tensor, dim, start, stop, 1 if step is None else step])


def _is_whole(item: slice, size: int) -> bool:
    return item.step in (None, 1) and item.start in (None, 0) and (item.stop is None or (isinstance(item.stop, int) and item.stop >= size))
