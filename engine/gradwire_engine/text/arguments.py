"""From the values of a text to the arguments of nodes, in the JSON form that ``parse`` reads."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..dtypes import DType, default_dtype, dtype_of, to_complex
from ..errors import ProgramError, TensorTypeError
from ..op import Op, Overloads
from ..params import Param
from ..parse_nodes import slots_of
from .values import DottedName, Literal, Several, Tensor

_KINDS: Final = {
    "int": "int",
    "float": "float",
    "bool": "bool",
    "str": "str",
    "Scalar": "Number",
    "Real": "Number",
    "Dims": "int or tuple of ints",
    "Size": "tuple of ints",
    "Dtype": "torch.dtype",
    "Device": "torch.device",
    "Generator": "torch.Generator",
    "Data": "data",
}
_NUMBERS: Final = frozenset({"float", "Scalar", "Real", "Data"})
_LARGEST: Final = 2**64
_LONGEST: Final = 64


@dataclass(frozen=True, slots=True)
class Slots:
    """What an argument can be.

    Attributes:
        params: The parameters that it can belong to, one per overload; none for a custom function, whose arguments are all tensors.
        kinds: Their kinds.
        tensor: Whether one of them is for tensors.
        index: Whether one of them is for an index.
        tensor_by_name: The parameter that a tensor has to be given to by name, since a string in its place would mean something else.
    """

    params: tuple[Param, ...]
    kinds: frozenset[str]
    tensor: bool
    index: bool
    tensor_by_name: str | None


def _slots(params: Sequence[Param]) -> Slots:
    kinds = frozenset(p.kind for p in params)
    tensors = [p.name for p in params if p.is_tensor]
    by_name = tensors[0] if tensors and kinds & {"str", "Device"} else None
    return Slots(tuple(params), kinds, bool(tensors) or not params, "Index" in kinds, by_name)


CUSTOM: Final = _slots(())
"""What the arguments of custom functions can be."""


def argument_slots(target: Op | Overloads, which: int | str) -> Slots:
    """What the argument of an op at a position, or of a name, can be."""
    # What a caller has made up is not kept: it could be of any length.
    return CUSTOM if isinstance(which, str) and len(which) > _LONGEST else _known_slots(target, which)


@functools.lru_cache(maxsize=4096)
def _known_slots(target: Op | Overloads, which: int | str) -> Slots:
    return _slots(slots_of(target, which, None) if isinstance(which, int) else slots_of(target, None, which))


def encode(value: Any, where: Slots, function: str, position: int | None) -> Any:
    """The JSON form of an argument, with tensors in place of their names.

    Args:
        value: What stands there.
        where: What can stand there.
        function: The name of what is called.
        position: Its position, counted from 0; ``None`` if it is given by name.

    Raises:
        TensorTypeError: It cannot be an argument there (torch's message).
        ProgramError: It is nothing that a program can hold.
    """
    slots, kinds, tensor = where.params, where.kinds, where.tensor
    if where.index:
        return encode_index(value if isinstance(value, tuple) else (value,))
    if type(value) in (int, float) and tensor:
        return number(value)

    def refuse(got: Any) -> Exception:
        if not slots:
            return TensorTypeError(f"{function}(): a tensor is expected here, not {_type_name(got)}", code="argument_type")
        expected = "Tensor" if tensor else _KINDS.get(slots[0].kind, slots[0].kind)
        return TensorTypeError.of_argument(function, slots[0].name, None if position is None else position + 1, expected, _type_name(got))

    def form(item: Any, nested: bool) -> Any:
        if isinstance(item, (list, tuple)):
            if tensor and not nested and "Data" not in kinds and _has_complex(item):
                return _document(item, None)
            if isinstance(item, tuple) and not nested and slots and not any(p.is_list or p.kind in ("Dims", "Size", "Data") for p in slots):
                raise refuse(item)
            return [form(i, True) for i in item]
        if isinstance(item, Tensor):
            if not tensor or (nested and slots and not any(p.is_list for p in slots)):
                raise refuse(item) if not tensor else ProgramError("Tensors are put together by torch.stack or torch.cat.")
            return item
        if isinstance(item, Literal):
            if not tensor:
                raise refuse(item)
            return item.document
        if isinstance(item, Several):
            raise several(item)
        if isinstance(item, str):
            if not kinds & {"str", "Device"}:
                raise refuse(item)
            return item
        if isinstance(item, DType):
            if "Dtype" not in kinds:
                raise refuse(item)
            return item.name
        if isinstance(item, (float, complex)) and not tensor and not kinds & _NUMBERS:
            raise refuse(item)
        return number(item)

    return form(value, False)


def number(value: Any) -> Any:
    """The JSON form of a number, a boolean or ``None``.

    Raises:
        ProgramError: The value is none of these, or an integer that no dtype holds.
    """
    if isinstance(value, complex):
        return {"complex": [number(value.real), number(value.imag)]}
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int) and not -_LARGEST // 2 <= value < _LARGEST:
        raise ProgramError("An integer has at most 64 bits here.", code="integer_out_of_range")
    if value is None or isinstance(value, int):
        return value
    raise ProgramError(f"{describe(value)} cannot stand here.", code="argument_type")


def encode_index(items: tuple[Any, ...]) -> list[Any]:
    """The JSON form of what stands between the brackets.

    Raises:
        ProgramError: An item is no index.
    """
    return [_index_item(item) for item in items]


def _index_item(item: Any) -> Any:
    if item is Ellipsis:
        return "..."
    if isinstance(item, slice):
        return {"slice": [_bound(b) for b in (item.start, item.stop, item.step)]}
    if isinstance(item, (list, tuple)):
        return [_index_item(i) if isinstance(i, (list, tuple)) else number(_bound(i)) if type(i) is not bool else i for i in item]
    if isinstance(item, Literal):
        return item.document
    if isinstance(item, Tensor):
        return item
    if isinstance(item, Several):
        raise several(item)
    if item is None or isinstance(item, int):
        return number(item)
    raise ProgramError(
        f"only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got {_type_name(item)})",
        code="invalid_index",
    )


def _bound(value: Any) -> Any:
    # Slices go to the end wherever beyond it they are told to.
    if value is None or type(value) is int:
        return value
    raise ProgramError(f"Expected an integer that is written out, but got {describe(value)}.", code="invalid_index")


def several(value: Several) -> ProgramError:
    """The error where one tensor is needed and several are given."""
    count = "several" if value.count is None else str(value.count)
    field = f" or as .{value.fields[0]}" if value.fields else ""
    return ProgramError(
        f"{value.call.op!r} has {count} outputs; pick one of them by its number, as in [0]{field}, or give each a name: a, b = ...",
        code="undefined_name",
    )


def literal(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Literal | None:
    """The tensor that a call of ``torch.tensor`` writes out; ``None`` where it must be a call."""
    if len(args) != 1 or kwargs.keys() - {"dtype"} or not isinstance(kwargs.get("dtype"), (DType, type(None))):
        return None
    if not _plain(args[0]):
        return None
    return Literal(args[0], _document(args[0], kwargs.get("dtype")), args, kwargs)


def emptied(made: Literal, shape: Sequence[Any]) -> Literal | None:
    """``torch.tensor([]).reshape(2, 0)``: how a tensor without elements is written out; ``None`` where it is a call like any other."""
    sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], (list, tuple)) else shape
    if made.data not in ([], ()) or not sizes or not all(type(s) is int and s >= 0 for s in sizes) or math.prod(sizes):
        return None
    # As no bytes, because lists would have to be nested as deeply as the sizes before the first 0 say.
    dtype = made.document.get("dtype", dtype_of(default_dtype()).name)
    return Literal(None, {"base64": "", "dtype": dtype, "shape": list(sizes)}, made.args, made.kwargs)


def _plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_plain(v) for v in value)
    return isinstance(value, (bool, int, float, complex))


def _has_complex(value: Any) -> bool:
    return any(_has_complex(v) for v in value) if isinstance(value, (list, tuple)) else isinstance(value, complex)


def _document(data: Any, dtype: DType | None) -> dict[str, Any]:
    """A tensor in JSON."""
    if dtype is None and _has_complex(data if isinstance(data, (list, tuple)) else [data]):
        dtype = dtype_of(to_complex(default_dtype()))
    pairs = dtype is not None and dtype.numpy.kind == "c"

    def element(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [element(v) for v in value]
        if isinstance(value, (bool, int, float, complex)):
            return [number(complex(value).real), number(complex(value).imag)] if pairs else number(value)
        raise ProgramError(f"{describe(value)} cannot be an element of a tensor that is written out.", code="argument_type")

    document: dict[str, Any] = {"data": element(data)}
    if data in ([], ()):
        document["shape"] = [0]
    if dtype is not None:
        document["dtype"] = dtype.name
    return document


def describe(value: Any) -> str:
    """What an expression is, in words."""
    if isinstance(value, (Tensor, Literal)):
        return "a tensor"
    if isinstance(value, Several):
        return "several tensors"
    if isinstance(value, DottedName):
        return f"{value.name!r}"
    if isinstance(value, DType):
        return "a dtype"
    names: dict[type, str] = {str: "a string", list: "a list", tuple: "a tuple", bool: "a boolean", type(None): "None", type(...): "'...'"}
    return names.get(type(value), "a number")


def _type_name(value: Any) -> str:
    if isinstance(value, (Tensor, Literal)):
        return "Tensor"
    if isinstance(value, DType):
        return "torch.dtype"
    return type(value).__name__
