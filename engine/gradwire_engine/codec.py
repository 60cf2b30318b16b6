"""Tensors in JSON: from parsed documents to arrays and back, without losing a bit or an integer.

A tensor is a number, a nested list, ``{"complex": [re, im]}``, or an object such as
``{"data": [[1.5, "NaN"]], "dtype": "float64", "shape": [1, 2], "requires_grad": true}`` with ``"base64"`` in place of
``"data"`` where the values travel as bytes; a caller in the same process hands over an array as ``"data"``, and who reads a document
may put :class:`~gradwire_engine.number_lists.Numbers` in place of a long list and :class:`~gradwire_engine.base64_text.Base64` in place
of a long string. Every error is a ``ProgramError`` whose pointer is relative to the tensor.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NoReturn

import numpy as np

from .base64_text import Base64, bytes_in_base64, read_base64
from .base64_text import base64_pieces as base64_pieces
from .base64_text import to_base64 as to_base64
from .dtypes import ALL, Array, NumpyDType, default_dtype, dtype_of, is_differentiable, scalar_dtype, to_complex, to_real
from .errors import LimitError, ProgramError, TensorTypeError
from .meta import MAX_DIMENSIONS, check_extent
from .number_lists import Numbers, converted
from .safetensors import Received

_FIELDS: Final = ("data", "base64", "dtype", "shape", "requires_grad")
_SPECIAL: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_ELEMENTS: Final = frozenset({bool, int, float, str})
# How many elements are looked at in one step, in which no other thread runs: about a millisecond's worth.
_BLOCK: Final = 2**15
_FLOAT_LIMIT: Final = 2**1024 - 2**970  # the smallest integer that rounds to infinity


@dataclass(frozen=True, slots=True, eq=False)
class TensorLiteral:
    """A tensor as a document wrote it.

    Attributes:
        array: The values: writable, C contiguous, shared with nothing unless the reader agreed to that.
        requires_grad: Whether the document asks for gradients.
    """

    array: Array
    requires_grad: bool


def decode(value: object, *, declared: NumpyDType | None = None, max_elements: int | None = None, share: bool = False) -> TensorLiteral:
    """Reads a tensor out of a parsed JSON document.

    Without a dtype torch's inference holds: numbers with a fraction take the default dtype, whole numbers ``int64``,
    booleans ``bool``. Floating point dtypes round to the nearest value; nothing else is ever converted silently.

    Args:
        value: A number, a boolean, ``"NaN"``, ``"Infinity"``, ``"-Infinity"``, a nested list or an object.
        declared: The dtype that literals without one take, and that an object's ``dtype`` has to equal.
        max_elements: The most elements to accept; checked before anything is allocated.
        share: Whether an array that lies in the body of a request may stay there: for those who never write into it.

    Raises:
        ProgramError: The value is not a tensor, or does not fit its dtype or shape.
        LimitError: It has more than ``max_elements`` elements.
    """
    if not isinstance(value, dict):
        return TensorLiteral(_Reader(declared, max_elements).read(value), False)
    if value.keys() == {"complex"}:
        return TensorLiteral(_complex_scalar(value["complex"], declared), False)
    return _tensor_object(value, declared, max_elements, share)


def encode(array: Array, *, requires_grad: bool = False, is_leaf: bool = True, grad_fn: str | None = None) -> dict[str, Any]:
    """The object that an answer holds for a tensor.

    ``data`` is the array itself, so that whoever writes the document decides between nested lists and base64.

    Raises:
        TensorTypeError: The array's dtype is not one of the engine's.
    """
    return {
        "data": array,
        "dtype": dtype_of(array.dtype).name,
        "shape": list(array.shape),
        "requires_grad": requires_grad,
        "is_leaf": is_leaf,
        "grad_fn": grad_fn,
    }


def to_lists(array: Array) -> Any:
    """The values as nested lists of JSON values: complex numbers as pairs, what is not finite as strings."""
    if array.dtype.kind == "c":
        array = as_pairs(array)
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return array.tolist()
    values = array.astype(object)
    values[np.isnan(array)] = "NaN"
    values[np.isposinf(array)] = "Infinity"
    values[np.isneginf(array)] = "-Infinity"
    return values.tolist()


def as_pairs(array: Array) -> Array:
    """A complex array as real numbers, with a trailing axis of two for the real and the imaginary part.

    Raises:
        LimitError: There is no room for another axis.
    """
    check_extent((*array.shape, 2), array.itemsize // 2)
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(to_real(array.dtype)).reshape((*array.shape, 2))


def _tensor_object(document: dict[str, Any], declared: NumpyDType | None, max_elements: int | None, share: bool) -> TensorLiteral:
    for key in document:
        if key not in _FIELDS:
            pointer = "/" + key.replace("~", "~0").replace("/", "~1")
            _fail("unknown_field", f"A tensor has no field {_shown(key)}; its fields are {', '.join(_FIELDS)}.", pointer)
    if ("data" in document) == ("base64" in document):
        _fail("invalid_tensor", 'A tensor has either "data" or "base64", and not both.')
    requires_grad = document.get("requires_grad", False)
    if not isinstance(requires_grad, bool):
        _fail("invalid_tensor", f"Expected true or false, got {_shown(requires_grad)}.", "/requires_grad")
    dtype = _dtype(document["dtype"], declared) if "dtype" in document else declared
    if requires_grad and dtype is not None and not is_differentiable(dtype):
        message = "Only Tensors of floating point and complex dtype can require gradients"
        _fail("not_differentiable", message, "/requires_grad")
    shape = _shape(document["shape"], max_elements) if "shape" in document else None
    if "base64" in document:
        if dtype is None:
            _fail("dtype_required", 'A tensor in base64 needs its "dtype".')
        if shape is None:
            _fail("shape_required", 'A tensor in base64 needs its "shape".')
        return TensorLiteral(_from_bytes(document["base64"], dtype, shape), requires_grad)
    if isinstance(document["data"], np.ndarray):
        return TensorLiteral(_from_array(document["data"], dtype, shape, requires_grad, max_elements, share), requires_grad)
    if requires_grad and dtype is None:
        dtype = default_dtype()
    return TensorLiteral(_Reader(dtype, max_elements, shape, "/data").read(document["data"]), requires_grad)


def _complex_scalar(pair: object, declared: NumpyDType | None) -> Array:
    if not isinstance(pair, list) or len(pair) != 2 or any(type(part) not in (int, float, str) for part in pair):
        _fail("invalid_tensor", f"Expected the two numbers [re, im], got {_shown(pair)}.", "/complex")
    dtype = to_complex(default_dtype()) if declared is None else declared
    if dtype.kind != "c":
        _fail("dtype_mismatch", f"A complex number does not fit {dtype.name}.")
    return _Reader(dtype, None, (), "/complex").read(pair)


class _Reader:
    """Reads one nested list.

    Whole levels are looked at with ``map`` and ``set``, so that no Python code runs per element; positions are searched
    for only once it is known that something is wrong.
    """

    def __init__(self, dtype: NumpyDType | None, max_elements: int | None, shape: tuple[int, ...] | None = None, prefix: str = "") -> None:
        self.dtype = dtype
        self.max_elements = max_elements
        self.shape = shape
        self.prefix = prefix
        self.pairs = dtype is not None and dtype.kind == "c"

    def read(self, data: object) -> Array:
        if isinstance(data, Numbers):
            dtype = _inferred({int if data.array.dtype.kind == "i" else float}) if self.dtype is None else self.dtype
            array = converted(data.array, dtype, self.shape, self.max_elements)
            if array is not None:
                return array
            data = data.written()
        level, found, kinds = self.flatten(data)
        shape = self.check_shape(found)
        if not kinds <= _ELEMENTS:
            self.fail_at(level, found, lambda v: type(v) not in _ELEMENTS, "invalid_tensor", "Expected a number, got {}.")
        if str in kinds:
            try:
                level = [_SPECIAL[v] if type(v) is str else v for v in level]
            except KeyError:
                message = 'Expected a number, "NaN", "Infinity" or "-Infinity", got {}.'
                self.fail_at(level, found, lambda v: type(v) is str and v not in _SPECIAL, "invalid_tensor", message)
            kinds = kinds - {str} | {float}
        dtype = _inferred(kinds) if self.dtype is None else self.dtype
        values = self.convert(level, kinds, dtype, found)
        result = np.empty(shape, dtype)
        part = to_real(dtype)
        flat = result.reshape(-1).view(part)
        if part.kind != "f" or part.itemsize == 8:
            flat[:] = values
            return result
        try:
            with np.errstate(over="raise"):
                flat[:] = values
        except FloatingPointError:
            # A finite number would have become an infinity without anyone having written one.
            with np.errstate(over="ignore"):
                index = int((np.isinf(values.astype(part)) & np.isfinite(values)).argmax())
            message = f"value cannot be converted to type {dtype.name} without overflow: got {_shown(level[index])}."
            _fail("float_out_of_range", message, self.prefix + _pointer(index, found))
        return result

    def flatten(self, data: object) -> tuple[list[Any], tuple[int, ...], set[type]]:
        """The elements in row-major order, the sizes up to the first zero, and the types of the elements."""
        level: list[Any] = [data]
        shape: list[int] = []
        while list in (kinds := _distinct(type, level)):
            if len(kinds) > 1 or len(_distinct(len, level)) > 1:
                self.fail_ragged(level, tuple(shape))
            size = len(level[0])
            shape.append(size)
            if len(shape) > MAX_DIMENSIONS + self.pairs:
                _fail("too_many_dimensions", f"A tensor has at most {MAX_DIMENSIONS} dimensions.", self.prefix)
            if size == 0:
                return [], tuple(shape), set()
            _check_elements(len(level) * size // (1 + self.pairs), self.max_elements, self.prefix)
            level = list(chain.from_iterable(level)) if len(level) > 1 else level[0]
        return level, tuple(shape), kinds

    def check_shape(self, found: tuple[int, ...]) -> tuple[int, ...]:
        """The tensor's shape, from the sizes of the nested list and the shape that the document states."""
        sizes = found
        empty = 0 in found
        if self.pairs and not empty:
            if not found or found[-1] != 2:
                got = f"a list of length {found[-1]}" if found else "a single number"
                message = f"Under a complex dtype the innermost level is the pair [re, im], got {got}."
                _fail("invalid_tensor", message, self.prefix + "/0" * (len(found) - 1))
            sizes = found[:-1]
        if self.shape is None:
            if empty:
                _fail("shape_required", f'A size of this tensor is 0, so it needs its "shape"; the list alone says {list(sizes)}.')
            return sizes
        # Below an empty list nothing can be nested, so the sizes after the first zero are known from the shape alone.
        stated = self.shape[: self.shape.index(0) + 1] if 0 in self.shape else self.shape
        if sizes != stated:
            _fail("shape_mismatch", f"The data has shape {list(sizes)}, expected {list(self.shape)}.", "/shape")
        return self.shape

    def convert(self, level: list[Any], kinds: set[type], dtype: NumpyDType, shape: tuple[int, ...]) -> Array:
        """The elements as the widest dtype of their category, every integer exact and within ``dtype``."""
        if dtype.kind == "b":
            if kinds - {bool}:
                message = "Expected true or false in a bool tensor, got {}."
                self.fail_at(level, shape, lambda v: type(v) is not bool, "dtype_mismatch", message)
            return _from_elements(level, np.bool_)
        if dtype.kind in "iu":
            if float in kinds:
                message = f"Expected a whole number in a tensor of dtype {dtype.name}, got {{}}."
                self.fail_at(level, shape, lambda v: type(v) is float, "dtype_mismatch", message)
            bits = 8 * dtype.itemsize - (dtype.kind == "i")
            low, high = -(1 << bits) if dtype.kind == "i" else 0, (1 << bits) - 1
            try:
                values = _from_elements(level, np.int64)
                fits = dtype.itemsize == 8 or not ((values < low) | (values > high)).any()
            except OverflowError:
                fits = False
            if not fits:
                message = f"value cannot be converted to type {dtype.name} without overflow: got {{}}, expected {low} to {high}."
                self.fail_at(level, shape, lambda v: not low <= v <= high, "integer_out_of_range", message)
            return values
        try:
            return _from_elements(level, np.float64)
        except OverflowError:
            message = f"value cannot be converted to type {dtype.name} without overflow: got {{}}."
            self.fail_at(level, shape, lambda v: type(v) is int and abs(v) >= _FLOAT_LIMIT, "integer_out_of_range", message)

    def fail_ragged(self, level: list[Any], shape: tuple[int, ...]) -> NoReturn:
        """Raises for the first row that is not like the one before all others."""
        if type(level[0]) is not list:
            self.fail_at(level, shape, lambda v: type(v) is list, "ragged_tensor", f"expected a number at dim {len(shape)} (got {{}})")
        size = len(level[0])
        index = next(index for index, row in enumerate(level) if type(row) is not list or len(row) != size)
        got = len(level[index]) if type(level[index]) is list else _shown(level[index])
        message = f"expected sequence of length {size} at dim {len(shape)} (got {got})"
        _fail("ragged_tensor", message, self.prefix + _pointer(index, shape))

    def fail_at(self, level: list[Any], shape: tuple[int, ...], wrong: Callable[[Any], bool], code: str, message: str) -> NoReturn:
        """Raises for the first wrong element, which the caller knows to exist."""
        index = next(index for index, element in enumerate(level) if wrong(element))
        _fail(code, message.format(_shown(level[index])), self.prefix + _pointer(index, shape))


def _distinct(function: Callable[[Any], Any], level: list[Any]) -> set[Any]:
    """What ``function`` gives for the elements; in blocks, because no other thread runs within one."""
    found: set[Any] = set()
    for start in range(0, len(level), _BLOCK):
        found.update(map(function, level[start : start + _BLOCK]))
    return found


def _from_elements(level: list[Any], dtype: type[np.generic]) -> Array:
    """The elements as an array; in blocks, as above."""
    values = np.empty(len(level), dtype)
    for start in range(0, len(level), _BLOCK):
        block = level[start : start + _BLOCK]
        values[start : start + _BLOCK] = np.fromiter(block, dtype, len(block))
    return values


def _inferred(kinds: set[type]) -> NumpyDType:
    if float in kinds or not kinds:
        return default_dtype()
    return scalar_dtype(0 if int in kinds else False)


def _from_bytes(text: object, dtype: NumpyDType, shape: tuple[int, ...]) -> Array:
    if isinstance(text, Base64):
        text = text.text
    elif not isinstance(text, str):
        _fail("invalid_base64", f"Expected a string of base64, got {_shown(text)}.", "/base64")
    size = bytes_in_base64(text)
    expected = math.prod(shape) * dtype.itemsize
    # What does not fit is read all the same, since it may be wrong in itself.
    raw: Array = np.empty(shape, dtype) if size == expected else np.empty(size, np.uint8)
    try:
        read_base64(text, raw.reshape(-1).view(np.uint8).data)
    except ValueError as error:
        raise ProgramError(f"The base64 is not valid: {error}.", code="invalid_base64", pointer="/base64") from None
    if size != expected:
        message = f"Expected {expected} bytes for shape {list(shape)} of {dtype.name}, got {size}."
        _fail("shape_mismatch", message, "/base64")
    if dtype.kind == "b" and raw.view(np.uint8).max(initial=0) > 1:
        _fail("invalid_base64", "Expected the bytes 0 and 1 in a bool tensor, got others.", "/base64")
    return raw if sys.byteorder == "little" else raw.byteswap()


def _from_array(
    array: Array, dtype: NumpyDType | None, shape: tuple[int, ...] | None, requires_grad: bool, max_elements: int | None, share: bool
) -> Array:
    """A copy of an array that stands in place of its values written out; with ``share`` the array, if it may and can be used as it is."""
    found = _dtype(array.dtype.name, dtype)
    if requires_grad and not is_differentiable(found):
        _fail("not_differentiable", "Only Tensors of floating point and complex dtype can require gradients", "/requires_grad")
    _check_elements(array.size, max_elements, "/data")
    if shape is not None and array.shape != shape:
        _fail("shape_mismatch", f"The data has shape {list(array.shape)}, expected {list(shape)}.", "/shape")
    if share and isinstance(array, Received) and array.flags.carray and array.dtype == found:
        return array.view(np.ndarray)
    return np.array(array, found, order="C")


def _dtype(name: object, declared: NumpyDType | None) -> NumpyDType:
    try:
        dtype = dtype_of(name).numpy if isinstance(name, str) else None
    except TensorTypeError:
        dtype = None
    if dtype is None:
        names = ", ".join(known.name for known in ALL)
        _fail("unknown_dtype", f"There is no dtype {_shown(name)}; expected one of {names}.", "/dtype")
    if declared is not None and dtype != declared:
        _fail("dtype_mismatch", f"Expected a tensor of dtype {declared.name}, got {dtype.name}.", "/dtype")
    return dtype


def _shape(sizes: object, max_elements: int | None) -> tuple[int, ...]:
    if not isinstance(sizes, list):
        _fail("invalid_shape", f"Expected a list of sizes, got {_shown(sizes)}.", "/shape")
    if len(sizes) > MAX_DIMENSIONS:
        _fail("too_many_dimensions", f"A tensor has at most {MAX_DIMENSIONS} dimensions, got {len(sizes)}.", "/shape")
    for index, size in enumerate(sizes):
        if type(size) is not int or size < 0:
            _fail("invalid_shape", f"Expected a size, a whole number that is not negative, got {_shown(size)}.", f"/shape/{index}")
    _check_elements(math.prod(sizes), max_elements, "/shape")
    # NumPy refuses even an empty array whose other sizes cannot be addressed; 16 bytes is the largest element.
    if math.prod(max(size, 1) for size in sizes) > 2**63 // 16 - 1:
        _fail("invalid_shape", "The sizes are larger than any array can be.", "/shape")
    return tuple(sizes)


def _check_elements(count: int, limit: int | None, pointer: str) -> None:
    if limit is not None and count > limit:
        raise LimitError(f"The tensor has {_shown(count)} elements, more than the {limit} that are allowed.", pointer=pointer)


def _pointer(index: int, shape: tuple[int, ...]) -> str:
    parts = []
    for size in reversed(shape):
        index, part = divmod(index, size)
        parts.append(f"/{part}")
    return "".join(reversed(parts))


def _shown(value: object) -> str:
    """A value as an error message shows it: as JSON, and short whatever it is."""
    if isinstance(value, list):
        return f"a list of length {len(value)}"
    if isinstance(value, dict):
        return "an object"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    text = repr(value[:81] if isinstance(value, str) else value)
    return text if len(text) <= 80 else f"{text[:80]}..."


def _fail(code: str, message: str, pointer: str = "") -> NoReturn:
    raise ProgramError(message, code=code, pointer=pointer)
