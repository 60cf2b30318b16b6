"""Modules that hold modules: in a chain, a list, or a dictionary."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Self

from .._typename import class_text
from .module import Module, bracketed, indented


class _Numbered(Module):
    """The base of the containers whose modules are named by their numbers."""

    _modules: dict[str, Module]  # type: ignore[assignment]

    def _key(self, index: int) -> str:
        """The name of the module at ``index``, which may count from the end."""
        index = operator.index(index)
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range")
        return list(self._modules)[index]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._key(index), module)

    def __delitem__(self, index: int | slice) -> None:
        for key in list(self._modules)[index] if isinstance(index, slice) else [self._key(index)]:
            delattr(self, key)
        self._modules = {str(i): module for i, module in enumerate(self._modules.values())}

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def append(self, module: Module) -> Self:
        """Adds ``module`` at the end, and returns the container."""
        self.add_module(str(len(self)), module)
        return self

    def pop(self, key: int | slice) -> Any:
        """Takes away a module, or several, and gives it."""
        found = self[key]  # type: ignore[index]
        del self[key]
        return found

    def _insert(self, index: int, module: Module) -> None:
        for i in range(len(self), index, -1):
            self._modules[str(i)] = self._modules[str(i - 1)]
        self._modules[str(index)] = module


class Sequential(_Numbered):
    """A chain of modules: each is given the output of the one before (``torch.nn.Sequential``).

    Args:
        args: The modules, or one ``OrderedDict`` of them by name.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        named = len(args) == 1 and isinstance(args[0], OrderedDict)
        modules = args[0] if named else {str(i): module for i, module in enumerate(args)}
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, input: Any) -> Any:
        """The output of the last module."""
        for module in self:
            input = module(input)
        return input

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._key(index)]

    def insert(self, index: int, module: Module) -> Self:
        """Adds ``module`` before the one at ``index``, and returns the chain.

        Raises:
            AssertionError: It is no module.
            IndexError: There is no such place.
        """
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {class_text(Module)}")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        self._insert(index + len(self) if index < 0 else index, module)
        return self

    def extend(self, sequential: Iterable[Module]) -> Self:
        """Adds several modules at the end, and returns the chain."""
        for module in sequential:
            self.append(module)
        return self

    def __add__(self, other: Any) -> Sequential:
        self._require_chain(other)
        return Sequential(*self, *other)

    def __iadd__(self, other: Any) -> Self:
        self._require_chain(other)
        return self.extend([*other])

    def _require_chain(self, other: Any) -> None:
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {class_text(type(other))} is given.")

    def __mul__(self, other: int) -> Sequential:
        return Sequential(*self._repeated(other))

    def __rmul__(self, other: int) -> Sequential:
        return self.__mul__(other)

    def __imul__(self, other: int) -> Self:
        return self.extend(self._repeated(other)[len(self) :])

    def _repeated(self, times: int) -> list[Module]:
        if not isinstance(times, int):
            raise TypeError(f"unsupported operand type(s) for *: {class_text(type(self))} and {class_text(type(times))}")
        if times <= 0:
            raise ValueError(f"Non-positive multiplication factor {times} for {class_text(type(self))}")
        return [*self] * times


class ModuleList(_Numbered):
    """A list of modules (``torch.nn.ModuleList``).

    Args:
        modules: The modules.
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self._modules.values())[index])
        return self._modules[self._key(index)]

    def insert(self, index: int, module: Module) -> None:
        """Adds ``module`` before the one at ``index``."""
        self._insert(index, module)

    def extend(self, modules: Iterable[Module]) -> Self:
        """Adds several modules at the end, and returns the list.

        Raises:
            TypeError: They are no iterable.
        """
        if not isinstance(modules, Iterable):
            raise TypeError(f"ModuleList.extend should be called with an iterable, but got {type(modules).__name__}")
        for module in [*modules]:
            self.append(module)
        return self

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        runs: list[tuple[int, int, str]] = []
        for i, module in enumerate(self):
            text = repr(module)
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], i, text)
            else:
                runs.append((i, i, text))
        lines = [
            indented(f"({first}): {text}" if first == last else f"({first}-{last}): {last - first + 1} x {text}")
            for first, last, text in runs
        ]
        return f"{self._get_name()}({bracketed(lines)})"


class ModuleDict(Module):
    """A dictionary of modules, in the order in which they were added (``torch.nn.ModuleDict``).

    Args:
        modules: The modules by name, or pairs of both.
    """

    _modules: dict[str, Module]  # type: ignore[assignment]

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Takes all modules away."""
        self._modules.clear()

    def pop(self, key: str) -> Module:
        """Takes a module away and gives it."""
        return self._modules.pop(key)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._modules.keys()

    def items(self) -> ItemsView[str, Module]:
        """The names with their modules."""
        return self._modules.items()

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Adds modules, which take the place of those with the same names.

        Raises:
            TypeError: It is neither a mapping nor an iterable of pairs.
            ValueError: An item is no pair.
        """
        for key, module in pairs(modules, "ModuleDict", "ModuleDict"):
            self[key] = module


def pairs(items: Any, owner: str, element_owner: str) -> list[tuple[Any, Any]]:
    """The pairs of a mapping, or of an iterable of pairs.

    Args:
        items: The mapping or the iterable.
        owner: Whose method this is, in the message about what is neither.
        element_owner: The same in the messages about items.

    Raises:
        TypeError: It is neither, or an item is no iterable (torch's messages).
        ValueError: An item is no pair.
    """
    if not isinstance(items, Iterable):
        raise TypeError(f"{owner}.update should be called with an iterable of key/value pairs, but got {type(items).__name__}")
    if isinstance(items, Mapping) or (isinstance(items, Module) and hasattr(items, "items")):
        return list(items.items())
    found = []
    for position, item in enumerate(items):
        if not isinstance(item, Iterable):
            raise TypeError(f"{element_owner} update sequence element #{position} should be Iterable; is{type(item).__name__}")
        if len(item) != 2:  # type: ignore[arg-type]
            raise ValueError(f"{element_owner} update sequence element #{position} has length {len(item)}; 2 is required")  # type: ignore[arg-type]
        found.append((item[0], item[1]))  # type: ignore[index]
    return found
