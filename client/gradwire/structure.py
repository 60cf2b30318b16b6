"""Arguments and results of callables: which parts of them are tensors, and what is around those."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Container, Hashable, Iterator
from typing import Any, NamedTuple

import numpy as np

from gradwire_engine.creation import check_array
from gradwire_engine.dtypes import Array
from gradwire_engine.errors import TensorTypeError
from gradwire_engine.value import Value


class Leaf(NamedTuple):
    """A tensor in a structure.

    Attributes:
        name: What it is called.
    """

    name: str


class Fixed(NamedTuple):
    """A part of a structure that is no tensor.

    Attributes:
        kind: Its type, which tells 1 from True.
        value: The part.
    """

    kind: type
    value: Hashable


class Group(NamedTuple):
    """A tuple, a list or a dict in a structure.

    Attributes:
        kind: Its type.
        keys: The keys of a dict; the positions in a list.
        parts: What is in it.
    """

    kind: type
    keys: tuple[Any, ...]
    parts: tuple[Any, ...]


Structure = Leaf | Fixed | Group


def taken_apart(value: Any, name: str, found: dict[str, Any]) -> Structure:
    """The structure of an argument.

    Arrays, tensors, floats and complex numbers are its tensors, and lists of numbers; integers, truth values, strings and the like are
    fixed parts of it.

    Args:
        value: The argument.
        name: What it is called.
        found: The tensors in it are added here, by name.

    Raises:
        TensorTypeError: A part is of a kind that cannot be an argument.
    """
    tensor: Any = None
    if isinstance(value, Value):
        tensor = value
    elif isinstance(value, (np.ndarray, np.generic, float, complex)) or (isinstance(value, list) and _is_numbers(value)):
        tensor = np.asarray(value)
        check_array(tensor)
    if tensor is not None:
        name = free_name(name, found)
        found[name] = tensor
        return Leaf(name)
    if isinstance(value, (tuple, list)):
        parts = tuple(taken_apart(item, f"{name}_{i}", found) for i, item in enumerate(value))
        return Group(type(value), tuple(range(len(value))), parts)
    if isinstance(value, dict):
        parts = tuple(taken_apart(item, f"{name}_{key}", found) for key, item in value.items())
        return Group(dict, tuple(value), parts)
    try:
        hash(value)
    except TypeError:
        raise TensorTypeError(
            f"The argument {name!r} of a traced function is a {type(value).__name__}, but has to be a tensor, an array, a number, a tuple, "
            "list or dict of those, or something that does not change and can be hashed."
        ) from None
    return Fixed(type(value), value)


def free_name(wanted: str, taken: Container[str]) -> str:
    """A name as programs have them, like ``wanted`` and not taken."""
    name = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in wanted)[:100]
    name = name if _is_name(name) else f"v_{name}"
    while name in taken:
        name += "_"
    return name


def _is_name(name: str) -> bool:
    """Whether programs can have the name."""
    return name.isidentifier() and not keyword.iskeyword(name) and name not in ("NaN", "Infinity")


def _is_numbers(value: list[Any]) -> bool:
    return bool(value) and all(isinstance(i, (bool, int, float, complex)) or (isinstance(i, list) and _is_numbers(i)) for i in value)


def put_together(structure: Structure, leaf: Callable[[str], Any], fixed: bool = True) -> Any:
    """What has a structure.

    Args:
        structure: The structure.
        leaf: Gives what stands for the tensor of a name.
        fixed: Whether the parts that are no tensors are in it; otherwise there is ``None`` in their place.
    """
    if isinstance(structure, Leaf):
        return leaf(structure.name)
    if isinstance(structure, Fixed):
        return structure.value if fixed else None
    parts = [put_together(part, leaf, fixed) for part in structure.parts]
    if structure.kind is dict:
        return dict(zip(structure.keys, parts, strict=True))
    if hasattr(structure.kind, "_fields"):
        return structure.kind(*parts)
    return structure.kind(parts)


def leaves(structure: Structure) -> Iterator[str]:
    """The names of the tensors in a structure."""
    if isinstance(structure, Leaf):
        yield structure.name
    elif isinstance(structure, Group):
        for part in structure.parts:
            yield from leaves(part)


def matched(structure: Structure, value: Any, found: dict[str, Any]) -> None:
    """Adds the tensors of a value that is structured like an argument to ``found``, by the argument's names.

    Raises:
        TensorTypeError: It is structured differently.
    """
    if isinstance(structure, Leaf):
        if value is not None:
            found[structure.name] = as_array(value)
        return
    if isinstance(structure, Fixed) or value is None:
        return
    if not isinstance(value, (dict if structure.kind is dict else (tuple, list))) or len(value) != len(structure.keys):
        raise TensorTypeError(f"Expected a {structure.kind.__name__} of {len(structure.keys)} parts, like the argument, but got {value!r}.")
    for key, part in zip(structure.keys, structure.parts, strict=True):
        matched(part, value[key], found)


def as_array(value: Any) -> Array:
    """A tensor, an array or a number as an array."""
    return np.asarray(value.detach().numpy() if isinstance(value, Value) else value)
