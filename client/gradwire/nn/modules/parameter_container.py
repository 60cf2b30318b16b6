"""Modules that hold parameters: in a list or a dictionary. Tensors become parameters; other objects are kept as they are."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, KeysView, Mapping
from typing import Any, Self

from gradwire_engine.value import Value

from .._typename import typename
from ..parameter import Parameter
from .container import pairs
from .module import Module


def _as_parameter(value: Any) -> Any:
    return Parameter(value) if isinstance(value, Value) and not isinstance(value, Parameter) else value


def _described(items: Iterable[tuple[Any, Any]], kind_of: Callable[[Value], Any]) -> str:
    """One line for each item, as ``repr`` shows it; ``kind_of`` says what kind of tensor one is."""
    lines = []
    for key, value in items:
        text = f"Object of type: {type(value).__name__}"
        if isinstance(value, Value):
            kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
            text = f"{kind} containing: [{kind_of(value)} of size {'x'.join(map(str, value.shape))}]"
        lines.append(f"  ({key}): {text}")
    return "\n".join(lines)


class ParameterList(Module):
    """A list of parameters (``torch.nn.ParameterList``).

    Args:
        values: Parameters, tensors, or other objects.
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _key(self, index: int) -> str:
        index = operator.index(index)
        if not -self._size <= index < self._size:
            raise IndexError(f"index {index} is out of range")
        return str(index % self._size)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(self[i] for i in range(*index.indices(self._size)))
        return getattr(self, self._key(index))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._key(index), _as_parameter(value))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(self._size))

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def append(self, value: Any) -> Self:
        """Adds ``value`` at the end, and returns the list."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Any) -> Self:
        """Adds several values at the end, and returns the list.

        Raises:
            TypeError: They are no iterable, or one tensor.
        """
        if not isinstance(values, Iterable) or isinstance(values, Value):
            raise TypeError(f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}")
        for value in [*values]:
            self.append(value)
        return self

    def extra_repr(self) -> str:
        """A line for each value."""
        return _described(enumerate(self), lambda value: value.dtype)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refuses: a list computes nothing.

        Raises:
            RuntimeError: Always (torch's message).
        """
        raise RuntimeError("ParameterList should not be called.")


class ParameterDict(Module):
    """A dictionary of parameters, in the order in which they were added (``torch.nn.ParameterDict``).

    Args:
        parameters: Parameters, tensors, or other objects by name, or pairs of both; a mapping without an order is sorted.
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        return getattr(self, _string(key))

    def __setitem__(self, key: str, value: Any) -> None:
        self._keys[_string(key)] = None
        setattr(self, key, _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def copy(self) -> ParameterDict:
        """A new dictionary with the same parameters."""
        return ParameterDict(OrderedDict(self.items()))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value at ``key``; ``default``, which is put there, if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Takes all values away."""
        for key in [*self]:
            del self[key]

    def pop(self, key: str) -> Any:
        """Takes a value away and gives it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Takes away the name and the value that were added last, and gives them."""
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value at ``key``; ``default`` if there is none."""
        if key not in self:
            return default
        return self[key]

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new dictionary with ``default`` at each of ``keys``."""
        return ParameterDict((key, default) for key in keys)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._keys.keys()

    def items(self) -> Iterable[tuple[str, Any]]:
        """The names with their values."""
        return ((key, self[key]) for key in self._keys)

    def values(self) -> Iterable[Any]:
        """The values."""
        return (self[key] for key in self._keys)

    def update(self, parameters: Any) -> None:
        """Adds values, which take the place of those with the same names.

        Raises:
            TypeError: It is neither a mapping nor an iterable of pairs.
            ValueError: An item is no pair.
        """
        found = pairs(parameters, "ParametersDict", "ParameterDict")
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            found.sort(key=lambda pair: pair[0])
        for key, value in found:
            self[key] = value

    def extra_repr(self) -> str:
        """A line for each value."""
        return _described(self.items(), typename)

    def __call__(self, input: Any) -> Any:
        """Refuses: a dictionary computes nothing.

        Raises:
            RuntimeError: Always (torch's message).
        """
        raise RuntimeError("ParameterDict should not be called.")

    def __or__(self, other: ParameterDict) -> ParameterDict:
        joined = self.copy()
        joined.update(other)
        return joined

    def __ior__(self, other: ParameterDict) -> Self:
        self.update(other)
        return self


def _string(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(
            "Index given to ParameterDict cannot be used as a key as it is not a string "
            f"(type is '{type(key).__name__}'). Open an issue on github if you need non-string keys."
        )
    return key
