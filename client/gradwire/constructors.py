"""``torch.Tensor`` and its kin as constructors: of elements, or of sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradwire_engine.creation import array_from
from gradwire_engine.dtypes import DType
from gradwire_engine.errors import TensorTypeError
from gradwire_engine.op import ops
from gradwire_engine.size import Size
from gradwire_engine.value import Value


def construct(args: Sequence[Any], dtype: DType, make: Callable[[Any], Any]) -> Any:
    """What ``torch.Tensor(*args)`` gives.

    Args:
        args: One sequence of elements, an array or a tensor; or sizes, none of which stand for an empty tensor.
        dtype: The element type.
        make: Makes a tensor of an array.

    Raises:
        TypeError: The arguments are none of these, or a tensor of another dtype.
        RuntimeError: A size is negative.
    """
    if len(args) == 1 and not isinstance(args[0], Size) and not _is_size(args[0]):
        return _of_elements(args[0], dtype, make)
    sizes = args[0] if args and isinstance(args[0], Size) else args
    if not all(_is_size(size) for size in sizes):
        got = ", ".join(type(a).__name__ for a in args)
        raise TensorTypeError(
            f"new() received an invalid combination of arguments - got ({got}), but expected one sequence, one tensor, or sizes"
        )
    return ops.empty([int(size) for size in sizes] if args else [0], dtype=dtype)


def _of_elements(data: Any, dtype: DType, make: Callable[[Any], Any]) -> Any:
    if isinstance(data, Value):
        if data.dtype is not dtype:
            raise TensorTypeError(f"new() expected a tensor of {dtype!r} (got {data.dtype!r}); x.to() gives one")
        return data.detach()
    if isinstance(data, str):
        raise TensorTypeError("new(): invalid data type 'str'")
    if not isinstance(data, (Sequence, np.ndarray)):
        raise TensorTypeError(f"new(): data must be a sequence (got {type(data).__name__})")
    return make(array_from(data, dtype.numpy))


def _is_size(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
