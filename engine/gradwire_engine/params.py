"""Parameters of ops: their kinds, read from annotations, and the binding of arguments to them."""

from __future__ import annotations

import inspect
import numbers
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np

from .devices import Device as _Device
from .devices import check_device
from .dtypes import Array, DType, NumpyDType, dtype_of
from .errors import GradwireError, TensorRuntimeError, TensorTypeError, TensorValueError
from .random import Generator

# The annotations of op declarations. Kernels receive arrays where a parameter is a tensor slot, hence the aliases.
Tensor: TypeAlias = Array
Scalar: TypeAlias = bool | int | float | complex
Real: TypeAlias = bool | int | float
Dims: TypeAlias = int | tuple[int, ...]
Size: TypeAlias = tuple[int, ...]
Dtype: TypeAlias = NumpyDType
Device: TypeAlias = str | _Device
Index: TypeAlias = tuple[Any, ...]
Data: TypeAlias = Any
Tensors: TypeAlias = list[Array]

# "Tensors" is a list that a call may also give as separate arguments, as in ``meshgrid(x, y)``.
TENSOR_KINDS: Final = frozenset({"Tensor", "Tensor | None", "list[Tensor]", "list[Tensor | None]", "Tensors"})
# torch accepts NumPy's names for these parameters too.
_ALIASES: Final = {"axis": "dim", "keepdims": "keepdim", "x": "input", "x1": "input", "x2": "other", "axis0": "dim0", "axis1": "dim1"}
MISSING: Final = inspect.Parameter.empty


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of an op.

    Args:
        name: torch's name.
        annotation: The annotation as written in the declaration, such as ``"Tensor"`` or ``"int | None"``.
        default: The default value, or ``MISSING``.
        keyword_only: Whether it can only be given by name.

    Attributes:
        is_tensor: Whether this is a tensor slot (one tensor, an optional one, or a list).
        is_list: Whether this is a slot for a list of tensors.
        optional: Whether ``None`` is a value of this parameter.
        kind: The annotation without ``| None``.
    """

    name: str
    annotation: str
    default: Any
    keyword_only: bool
    is_tensor: bool = field(init=False)
    is_list: bool = field(init=False)
    optional: bool = field(init=False)
    kind: str = field(init=False)

    def __post_init__(self) -> None:
        # Worked out once: bindings ask for them at every call.
        object.__setattr__(self, "is_tensor", self.annotation in TENSOR_KINDS)
        object.__setattr__(self, "is_list", self.annotation.startswith("list[Tensor") or self.annotation == "Tensors")
        object.__setattr__(self, "optional", self.annotation.endswith("| None"))
        object.__setattr__(self, "kind", self.annotation.removesuffix("| None").strip())

    def describe(self) -> str:
        """The parameter as it stands in a signature."""
        return f"{self.name}: {self.annotation}" + ("" if self.default is MISSING else f" = {_show(self.default)}")


def _show(value: Any) -> str:
    return repr(dtype_of(value)) if isinstance(value, np.dtype) else repr(value)


def read_params(function: Callable[..., Any]) -> tuple[Param, ...]:
    """The parameters of a declaration, from its signature and its annotations as written.

    Raises:
        TypeError: An annotation is missing or is none of the known kinds (a mistake in the declaration).
    """
    params = []
    for p in inspect.signature(function).parameters.values():
        annotation = p.annotation if isinstance(p.annotation, str) else getattr(p.annotation, "__name__", "")
        param = Param(p.name, annotation, p.default, p.kind is p.KEYWORD_ONLY)
        if not param.is_tensor and param.kind not in _STATIC:
            raise TypeError(f"{function.__name__}(): parameter {p.name!r} has the unknown kind {annotation!r}")
        params.append(param)
    return tuple(params)


class _Refused(Exception):
    """A static argument of the wrong kind."""


_HALF: Final = 1 << 63


def _int(value: Any) -> int:
    if type(value) is not int:
        if isinstance(value, (bool, np.bool_)):
            raise _Refused
        try:
            value = operator.index(value)
        except TypeError:
            raise _Refused from None
    if not -_HALF <= value < _HALF:
        raise TensorValueError("Overflow when unpacking long long", code="integer_out_of_range")
    return int(value)


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise _Refused
    try:
        return float(value)
    except OverflowError as error:
        raise TensorRuntimeError(str(error), code="integer_out_of_range") from None


def _bool(value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise _Refused
    return bool(value)


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise _Refused
    return value


def _check_size(value: Any, pointer: str | None = None) -> None:
    """Refuses Python integers that have no 64 bit form; no dtype could hold them."""
    if type(value) is int and not -(1 << 63) <= value < 1 << 64:
        raise TensorRuntimeError("int too big to convert", code="integer_out_of_range", pointer=pointer)


def _scalar(value: Any) -> Scalar:
    if isinstance(value, (bool, int, float, complex)):
        _check_size(value)
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, np.generic):
        return value.item()  # type: ignore[no-any-return]
    raise _Refused


def _real(value: Any) -> Real:
    """A number that is compared or rounded, which complex ones cannot be; of those, the ones on the real axis will do."""
    number = _scalar(value)
    if not isinstance(number, complex):
        return number
    if number.imag != 0:
        raise TensorRuntimeError("value cannot be converted to type double without overflow", code="value_out_of_range")
    return number.real


def _ints(value: Any) -> tuple[int, ...]:
    if type(value) is tuple and all(type(v) is int and -_HALF <= v < _HALF for v in value):
        return value
    if isinstance(value, (str, bytes, dict)) or not isinstance(value, Sequence):
        raise _Refused
    return tuple(_int(v) for v in value)


def _int_or_ints(value: Any) -> int | tuple[int, ...]:
    return _ints(value) if isinstance(value, Sequence) else _int(value)


def _dtype(value: Any) -> NumpyDType:
    if not isinstance(value, (DType, str, np.dtype, type)):
        raise _Refused
    return dtype_of(value).numpy


def _device(value: Any) -> None:
    """Nothing is left of a device that there is: there is one."""
    if isinstance(value, bool) or not isinstance(value, (str, int, _Device)):
        raise _Refused
    check_device(value)


def _generator(value: Any) -> Generator:
    if not isinstance(value, Generator):
        raise _Refused
    return value


def _any(value: Any) -> Any:
    return value


# kind: (reads the value or refuses it, torch's name of the kind in error messages)
_STATIC: Final[Mapping[str, tuple[Callable[[Any], Any], str]]] = {
    "int": (_int, "int"),
    "float": (_float, "float"),
    "bool": (_bool, "bool"),
    "str": (_str, "str"),
    "Scalar": (_scalar, "Number"),
    "Real": (_real, "Number"),
    "Dims": (_int_or_ints, "int or tuple of ints"),
    "Size": (_ints, "tuple of ints"),
    "Dtype": (_dtype, "torch.dtype"),
    "Device": (_device, "torch.device"),
    "Generator": (_generator, "torch.Generator"),
    "Index": (_any, "index"),
    "Data": (_any, "data"),
}


def type_name(value: Any) -> str:
    """The name of a value's type as torch's messages have it."""
    return type(value).__name__


def read_static(op_name: str, param: Param, position: int, value: Any) -> Any:
    """Checks a static argument and brings it to its one internal form (tuples of ints, ``numpy.dtype``).

    Raises:
        TensorTypeError: The value is of another kind (torch's message).
        GradwireError: It is out of range.
    """
    if value is None and (param.optional or param.default is None):
        return None
    read, expected = _STATIC[param.kind]
    try:
        return read(value)
    except _Refused:
        place = None if param.keyword_only else position + 1
        raise TensorTypeError.of_argument(op_name, param.name, place, expected, type_name(value)) from None
    except GradwireError as error:
        raise error.at(f"/{param.name}") from None


class Binder:
    """Binds arguments to the parameters of one op.

    Args:
        op_name: The name in error messages.
        params: The parameters.
        numbers: Whether Python numbers stand for tensors, as they do where operands are promoted.
    """

    def __init__(self, op_name: str, params: tuple[Param, ...], numbers: bool = True) -> None:
        self._numbers = numbers
        self._op_name = op_name
        self._params = params
        self._positional = [p for p in params if not p.keyword_only]
        self._names = frozenset(p.name for p in params)
        self._defaults = [p.default for p in params]
        self._required = sum(1 for p in self._positional if p.default is MISSING)
        self._all_positional = not any(p.keyword_only and p.default is MISSING for p in params)
        self._gathers = any(p.kind in ("Size", "Tensors") for p in self._positional)
        self._readers = [None if p.is_tensor else _STATIC[p.kind][0] for p in params]
        self._lists = [p.is_list for p in params]

    def __call__(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], is_tensor: Callable[[Any], bool]) -> list[Any]:
        """One value per parameter, defaults filled in and static arguments checked.

        A ``Size`` parameter also takes its integers as separate arguments, as in ``x.reshape(2, 3)``.

        Raises:
            TensorTypeError: An argument is missing, unknown, given twice or of the wrong kind (torch's messages).
        """
        if self._gathers:
            args = _gather_sizes(self._positional, args)
        if kwargs or not self._required <= len(args) <= len(self._positional) or not self._all_positional:
            return self._by_name(args, kwargs, is_tensor)
        values = self._defaults.copy()
        for i, value in enumerate(args):
            reader = self._readers[i]
            if reader is None:
                read = not self._lists[i] and ((type(value) is float and self._numbers) or is_tensor(value))
                values[i] = value if read else _read_tensor(self._op_name, self._params[i], i, value, is_tensor, self._numbers)
            elif value is not self._defaults[i]:
                try:
                    values[i] = reader(value)
                except (_Refused, GradwireError):
                    values[i] = read_static(self._op_name, self._params[i], i, value)
        return values

    def _by_name(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], is_tensor: Callable[[Any], bool]) -> list[Any]:
        """The same where arguments are named, missing or too many."""
        positional, op_name = self._positional, self._op_name
        if len(args) > len(positional):
            raise TensorTypeError(
                f"{op_name}() takes {len(positional)} positional argument{'s' if len(positional) != 1 else ''} "
                f"but {len(args)} {'were' if len(args) != 1 else 'was'} given",
                code="arity",
            )
        given: dict[str, Any] = {p.name: a for p, a in zip(positional, args, strict=False)}
        for key, value in kwargs.items():
            name = key if key in self._names else _ALIASES.get(key, key)
            if name not in self._names:
                raise TensorTypeError(f"{op_name}() got an unexpected keyword argument '{key}'", code="unknown_argument")
            if name in given:
                raise TensorTypeError(f"{op_name}() got multiple values for argument '{name}'", code="duplicate_argument")
            given[name] = value
        values: list[Any] = []
        missing: list[str] = []
        for position, param in enumerate(self._params):
            if param.name not in given:
                if param.default is MISSING:
                    missing.append(param.name)
                values.append(param.default)
            elif param.is_tensor:
                values.append(_read_tensor(op_name, param, position, given[param.name], is_tensor, self._numbers))
            else:
                values.append(read_static(op_name, param, position, given[param.name]))
        if missing:
            listed = ", ".join(f'"{m}"' for m in missing)
            raise TensorTypeError(f"{op_name}() missing {len(missing)} required positional arguments: {listed}", code="arity")
        return values


def _gather_sizes(positional: list[Param], args: tuple[Any, ...]) -> tuple[Any, ...]:
    for i, param in enumerate(positional):
        if param.kind == "Tensors" and i < len(args) and not isinstance(args[i], (list, tuple)):
            return (*args[:i], args[i:])
        if param.kind == "Size" and i < len(args) and not isinstance(args[i], (list, tuple)) and args[i] is not None:
            run = i
            while run < len(args) and hasattr(args[run], "__index__") and not isinstance(args[run], bool):
                run += 1
            if run > i and (run == len(args)):
                return (*args[:i], tuple(args[i:run]))
    return args


def _read_tensor(op_name: str, param: Param, position: int, value: Any, is_tensor: Callable[[Any], bool], numbers: bool) -> Any:
    def fail(expected: str, got: Any) -> TensorTypeError:
        return TensorTypeError.of_argument(op_name, param.name, None if param.keyword_only else position + 1, expected, type_name(got))

    if param.is_list:
        if not isinstance(value, (list, tuple)):
            raise fail("tuple of Tensors", value)
        items = tuple(value)
        for i, item in enumerate(items):
            if not is_tensor(item) and not (item is None and param.annotation == "list[Tensor | None]"):
                raise TensorTypeError(
                    f"expected Tensor as element {i} in argument {position}, but got {type_name(item)}",
                    code="argument_type",
                    pointer=f"/{param.name}/{i}",
                )
        return items
    if value is None:
        if param.optional:
            return None
        raise fail("Tensor", value)
    if is_tensor(value) or (numbers and isinstance(value, (bool, int, float, complex))):
        _check_size(value, f"/{param.name}")
        return value
    raise fail("Tensor", value)
