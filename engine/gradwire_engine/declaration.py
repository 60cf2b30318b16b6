"""What the inputs of a function are declared to be, and the arrays that a call gives for them.

An input has a dtype and a shape, in which a size is a number or a name: ``{"dtype": "float64", "shape": ["n", 3]}``. A name is bound
where it first stands, from left to right, and has that value in the rest of the call.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from . import codec
from .brief import shown
from .dtypes import Array, NumpyDType, dtype_of
from .errors import GradwireError, LimitError, ProgramError, TensorTypeError
from .limits import Limits
from .meta import MAX_DIMENSIONS, Meta, dense
from .names import check_fields, check_name, join, kind_of, suggest
from .parse_nodes import check_count
from .stopping import watched

_FIELDS: Final = frozenset({"dtype", "shape", "default"})
_LARGEST_SIZE: Final = 2**48
_FLOATS: Final = ({float}, {float, int})
_FLOAT64: Final = np.dtype("float64")
# Longer lists are read in blocks, between which other threads run.
_SHORT: Final = 2**12


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """One input.

    Attributes:
        name: Its name.
        dtype: Its element type.
        shape: Its sizes: numbers, or the names of sizes.
        default: What stands for it where a call leaves it out; ``None`` if it has to be given.
        sizes: The shape, if it has no names in it.
    """

    name: str
    dtype: NumpyDType
    shape: tuple[int | str, ...]
    default: Array | None
    sizes: tuple[int, ...] | None

    def describe(self) -> dict[str, Any]:
        """The declaration as a document."""
        described: dict[str, Any] = {"dtype": self.dtype.name, "shape": list(self.shape)}
        if self.default is not None:
            described["default"] = {**described, "data": codec.to_lists(self.default), "shape": list(self.default.shape)}
        return described

    def text(self) -> str:
        """The declaration as a signature has it: ``x: float64[n, 3]``."""
        sizes = ", ".join(map(str, self.shape))
        return f"{self.name}: {self.dtype.name}[{sizes}]" + ("" if self.default is None else " = ...")

    def read(self, value: Any, limits: Limits, *, mapped: bool = False) -> Array:
        """The array that a document, or a caller in this process, gives for the input, not to be written into; its shape is not looked at.

        Args:
            value: The tensor.
            limits: What it may take.
            mapped: Whether it has a leading axis in front of the declared ones.

        Raises:
            GradwireError: It is no tensor of this dtype; the pointer is relative to it.
            LimitError: It is too large.
        """
        kind = type(value)
        if self.dtype == _FLOAT64:
            # What calls are for the most part: a number, or a short list of numbers.
            if kind is float:
                return np.array(value)
            if kind is list and 0 < len(value) <= _SHORT and set(map(type, value)) in _FLOATS:
                try:
                    return np.array(value, _FLOAT64)
                except OverflowError:
                    pass  # an integer beyond all floats, which the reader below describes
        if isinstance(value, np.ndarray):
            value = {"data": value, "dtype": value.dtype.name}
        elif len(self.shape) + mapped == 1 and _is_empty(value):
            # With one dimension there is nothing that a list without elements leaves open.
            value = {**(value if kind is dict else {}), "data": [], "shape": [0]}
        array = codec.decode(value, declared=self.dtype, max_elements=limits.tensor_bytes, share=True).array
        if array.nbytes > limits.tensor_bytes:
            raise LimitError(
                f"The input {self.name!r} takes {array.nbytes:,} bytes, more "
                f"than the {limits.tensor_bytes:,} bytes that a tensor may take.",
                code="tensor_too_large",
            )
        return array


class Signature:
    """The declared inputs of a function, in order.

    Args:
        inputs: The declarations; no two have the same name.

    Attributes:
        names: The names of the inputs.
        sizes: The names of the sizes, in the order in which a call binds them.
    """

    def __init__(self, inputs: Sequence[Declaration]) -> None:
        self.inputs = tuple(inputs)
        self.names = tuple(declared.name for declared in self.inputs)
        self.sizes = tuple(dict.fromkeys(size for declared in self.inputs for size in declared.shape if isinstance(size, str)))
        self._by_name = {declared.name: declared for declared in self.inputs}

    def __getitem__(self, name: str) -> Declaration:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def describe(self) -> dict[str, Any]:
        """The declarations as a document."""
        return {declared.name: declared.describe() for declared in self.inputs}

    def metas(self, sizes: Mapping[str, int]) -> dict[str, Meta]:
        """The metas of the inputs when the names of sizes have these values."""
        return {d.name: dense([sizes[s] if isinstance(s, str) else s for s in d.shape], d.dtype) for d in self.inputs}

    def bind(self, given: Any, limits: Limits, batch: Collection[str] = ()) -> list[Array]:
        """The arrays of a call, one per input.

        Args:
            given: A tensor by the name of each input: as a document has it, or an array. Numbers and lists take the declared dtype.
            limits: What a tensor may take.
            batch: The inputs that have a leading axis, of which every item is an input as it is declared.

        Raises:
            ProgramError: An input is missing or unknown, is no tensor of the declared dtype, or has another shape; ``pointer`` leads
                to it from the call's document.
            LimitError: An input is too large.
        """
        if not (type(given) is dict or isinstance(given, Mapping)):
            raise ProgramError(
                f"'inputs' must be an object of tensors by name, not {kind_of(given)}.", code="invalid_type", pointer="/inputs"
            )
        arrays: list[Array] = []
        sizes: dict[str, int] = {}
        used = 0
        for declared in self.inputs:
            name = declared.name
            if name in given:
                used += 1
                try:
                    array = declared.read(given[name], limits, mapped=name in batch)
                except GradwireError as error:
                    raise error.at(join("/inputs", name)) from None
            elif declared.default is not None and name not in batch:
                array = declared.default
            else:
                self._refuse_unknown(given)
                raise self._missing(given, batch)
            shape = array.shape
            if name in batch:
                if not shape:
                    raise ProgramError(
                        f"The input {name!r} is mapped over, so it must have an axis in front of the declared ones; got a single number.",
                        code="shape_mismatch",
                        pointer=join("/inputs", name),
                    )
                shape = shape[1:]
            if shape != declared.sizes:
                self._check_shape(declared, shape, sizes)
            arrays.append(array)
        if used < len(given):
            self._refuse_unknown(given)
        return arrays

    def _check_shape(self, declared: Declaration, shape: tuple[int, ...], sizes: dict[str, int]) -> None:
        """Compares the sizes with the declared ones, and binds the names among those."""
        if len(shape) != len(declared.shape):
            raise _mismatch(declared, f", of {len(declared.shape)} dimensions; got one of {len(shape)}, {list(shape)}.")
        for dim, (size, expected) in enumerate(zip(shape, declared.shape, strict=True)):
            if isinstance(expected, int):
                if size != expected:
                    raise _mismatch(
                        declared, f", but has the size {size} where {expected} is expected, at dimension {dim}; got {list(shape)}."
                    )
            elif sizes.setdefault(expected, size) != size:
                first = next(d.name for d in self.inputs if expected in d.shape)
                raise _mismatch(
                    declared,
                    f", but has the size {size} at dimension {dim}, where {expected} is {sizes[expected]}, "
                    f"as the input {first!r} has it; got {list(shape)}.",
                )

    def _refuse_unknown(self, given: Mapping[str, Any]) -> None:
        for name in given:
            if name not in self._by_name:
                raise ProgramError(
                    f"The function has no input {shown(name)}.{suggest(str(name), self._by_name) or self._known()}",
                    code="unknown_input",
                    pointer=join("/inputs", str(name)),
                )

    def _missing(self, given: Mapping[str, Any], batch: Collection[str]) -> ProgramError:
        """The error for a call that does not have all inputs."""
        missing = [repr(d.name) for d in self.inputs if d.name not in given and (d.default is None or d.name in batch)]
        if len(missing) == 1:
            said = f"The input {missing[0]} is missing."
        else:
            more = "" if len(missing) <= 8 else f" and {len(missing) - 8} more"
            said = f"The inputs {', '.join(missing[:8])}{more} are missing."
        return ProgramError(said + self._known(), code="missing_input", pointer="/inputs")

    def _known(self) -> str:
        return f" Its inputs are {', '.join(self.names[:8])}." if self.names else " It has none."


def _is_empty(value: Any) -> bool:
    """Whether this is a list without elements, alone or as the data of a tensor that has no shape beside it."""
    if type(value) is dict and "shape" not in value:
        value = value.get("data")
    return type(value) is list and not value


def _mismatch(declared: Declaration, what: str) -> ProgramError:
    declaration = f"The input {declared.name!r} is declared with the shape [{', '.join(map(str, declared.shape))}]"
    return ProgramError(declaration + what, code="shape_mismatch", pointer=join("/inputs", declared.name))


def read_signature(document: Any, limits: Limits) -> Signature:
    """Reads the declarations of a function's inputs.

    Args:
        document: ``{"dtype", "shape", "default"}`` by name, the last of which may be left out.
        limits: Bounds on the number of inputs and on the size of their defaults.

    Raises:
        ProgramError: It is something else; ``pointer`` leads there from the function's document.
        LimitError: There are too many inputs, or a default is too large.
    """
    if not isinstance(document, Mapping):
        raise ProgramError(
            f"'inputs' must be an object of declarations by name, not {kind_of(document)}.", code="invalid_type", pointer="/inputs"
        )
    check_count("inputs", len(document), limits, "/inputs")
    return Signature([_read_declaration(name, declared, limits) for name, declared in watched(document.items())])


def _read_declaration(name: Any, document: Any, limits: Limits) -> Declaration:
    pointer = join("/inputs", str(name))
    check_name(name, pointer)
    if not isinstance(document, Mapping):
        raise ProgramError(
            f"An input is declared by an object with its dtype and its shape, not by {kind_of(document)}.",
            code="invalid_type",
            pointer=pointer,
        )
    check_fields(document, _FIELDS, ("dtype", "shape"), pointer)
    try:
        if not isinstance(document["dtype"], str):
            raise ProgramError(f"'dtype' must be the name of a dtype, not {kind_of(document['dtype'])}.", code="invalid_type")
        dtype = dtype_of(document["dtype"]).numpy
    except (ProgramError, TensorTypeError) as error:
        raise ProgramError(error.detail, code=error.code, pointer=pointer + "/dtype") from None
    shape = _read_shape(document["shape"], pointer + "/shape")
    sizes = tuple(size for size in shape if isinstance(size, int))
    declared = Declaration(name, dtype, shape, None, sizes if len(sizes) == len(shape) else None)
    if document.get("default") is None:
        return declared
    try:
        default = declared.read(document["default"], limits)
        Signature([declared])._check_shape(declared, default.shape, {})
    except GradwireError as error:
        error.pointer = (error.pointer or "").removeprefix(pointer)
        raise error.at(pointer + "/default") from None
    # It is handed to every call.
    default.flags.writeable = False
    return Declaration(name, dtype, shape, default, declared.sizes)


def _read_shape(shape: Any, pointer: str) -> tuple[int | str, ...]:
    if not isinstance(shape, list):
        raise ProgramError(
            f"'shape' must be a list of sizes, each a number or a name, not {kind_of(shape)}.", code="invalid_shape", pointer=pointer
        )
    if len(shape) > MAX_DIMENSIONS:
        raise ProgramError(
            f"A tensor has at most {MAX_DIMENSIONS} dimensions, got {len(shape)}.", code="too_many_dimensions", pointer=pointer
        )
    for i, size in enumerate(shape):
        if isinstance(size, str):
            check_name(size, f"{pointer}/{i}")
        elif type(size) is not int or not 0 <= size <= _LARGEST_SIZE:
            raise ProgramError(
                f"A size is a name, or a whole number that is not negative and not beyond {_LARGEST_SIZE}; "
                f"got {'null' if size is None else shown(size)}.",
                code="invalid_shape",
                pointer=f"{pointer}/{i}",
            )
    return tuple(shape)
