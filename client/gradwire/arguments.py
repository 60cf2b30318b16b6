"""The arguments of a call as the instruction of a session has them: the opposite of what the server's parser does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradwire_engine.dtypes import dtype_of
from gradwire_engine.errors import TensorNotImplementedError
from gradwire_engine.indexing import items_of
from gradwire_engine.op import Op
from gradwire_engine.params import MISSING
from gradwire_engine.random import Generator
from gradwire_engine.value import Value

Refer = Callable[[Value], str]
"""Gives the name of a tensor and notes that it is used."""


def arguments(op: Op, values: Sequence[Any], refer: Refer) -> tuple[list[Any], dict[str, Any]]:
    """The ``args`` and ``kwargs`` of an instruction.

    Args:
        op: The op that is called.
        values: One per parameter; those with their default at the end are left out.
        refer: Names tensors.
    """
    params = op.params
    first_keyword = op.first_keyword
    last = first_keyword
    while last and _is_default(values[last - 1], params[last - 1].default):
        last -= 1
    args = [argument(values[i], params[i].is_tensor, params[i].kind == "Index", refer) for i in range(last)]
    kwargs = {
        params[i].name: argument(values[i], params[i].is_tensor, False, refer)
        for i in range(first_keyword, len(params))
        if not _is_default(values[i], params[i].default)
    }
    return args, kwargs


def _is_default(value: Any, default: Any) -> bool:
    if value is default:
        return True
    if default is MISSING or isinstance(value, (Value, np.ndarray)):
        return False
    return type(value) is type(default) and bool(value == default)


def argument(value: Any, is_tensor: bool, is_index: bool, refer: Refer) -> Any:
    """One argument."""
    if is_index:
        return [_index_item(item, refer) for item in items_of(value)]
    kind = type(value)
    if value is None or kind is int or kind is str or kind is bool:
        return value
    if isinstance(value, Value):
        return refer(value)
    if kind is float:
        return value
    if isinstance(value, (tuple, list)):
        return [argument(item, is_tensor, False, refer) for item in value]
    if kind is complex:
        return {"complex": [value.real, value.imag]}
    if isinstance(value, np.dtype):
        return dtype_of(value).name
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Generator):
        raise TensorNotImplementedError(
            "A generator of your own cannot be sent to a session, which has one generator; seed that by manual_seed().", code="generator"
        )
    if isinstance(value, np.ndarray):
        return {"data": value.copy(), "dtype": dtype_of(value.dtype).name, "shape": list(value.shape)}
    return value


def _index_item(item: Any, refer: Refer) -> Any:
    if item is Ellipsis:
        return "..."
    if isinstance(item, slice):
        return {"slice": [None if b is None else b.__index__() for b in (item.start, item.stop, item.step)]}
    if item is None or isinstance(item, (bool, int)):
        return item
    if isinstance(item, Value):
        return refer(item)
    if isinstance(item, np.bool_):
        return bool(item)
    if isinstance(item, np.integer):
        return int(item)
    array = np.array(item)  # a copy: whoever gave it may change it before it is sent
    if array.size == 0 or array.dtype.kind == "f":
        array = array.astype(np.int64)
    return {"data": array, "dtype": dtype_of(array.dtype).name, "shape": list(array.shape)}
