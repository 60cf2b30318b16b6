"""The tensors of a session by the names that its client chose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gradwire_engine.brief import shown
from gradwire_engine.errors import LimitError, ProgramError
from gradwire_engine.names import check_name, kind_of, suggest
from gradwire_engine.tensor import Tensor

Parts = Mapping[str, Tensor | None]


class Names:
    """Tensors, and operations' several outputs, by name.

    A reference is a name, ``name.<k>`` for one of several outputs, and either followed by ``.grad`` (the gradient) or ``.data`` (the
    same storage without history).

    Args:
        limit: The most names.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bound: dict[str, Tensor | Parts] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, name: str) -> bool:
        return name in self._bound

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Every tensor with its full name."""
        for name, found in self._bound.items():
            if isinstance(found, Tensor):
                yield name, found
            else:
                yield from ((f"{name}.{part}", tensor) for part, tensor in found.items() if tensor is not None)

    def look(self, reference: Any, pointer: str) -> Tensor:
        """The tensor that a reference means.

        Raises:
            ProgramError: There is none (codes ``undefined_name``, ``no_gradient``).
        """
        if not isinstance(reference, str):
            raise ProgramError(f"Expected the name of a tensor, but got {kind_of(reference)}.", code="invalid_type", pointer=pointer)
        found = self._bound.get(reference)
        return found if isinstance(found, Tensor) else self._follow(reference, pointer)

    def _follow(self, reference: str, pointer: str) -> Tensor:
        base, *steps = reference.split(".")
        found = self._bound.get(base)
        if found is None:
            hint = suggest(base, self._bound) or (" It may have been deleted." if self._bound else " Nothing is defined in the session.")
            raise ProgramError(f"{shown(reference)} is not defined.{hint}", code="undefined_name", pointer=pointer)
        if not isinstance(found, Tensor):
            found = _part(base, found, steps, reference, pointer)
        elif steps and steps[0].isdecimal():
            raise ProgramError(f"{base!r} is one tensor, so it has no output {shown(reference)}.", code="undefined_name", pointer=pointer)
        for step in steps:
            if step == "grad":
                if found._grad is None:
                    raise ProgramError(f"There is no gradient {shown(reference)}: it is None.", code="no_gradient", pointer=pointer)
                found = found.grad
            elif step == "data":
                found = found.data
            else:
                raise ProgramError(
                    f"{shown(reference)} is not defined: after a name come the number of an output, '.grad' or '.data'.",
                    code="undefined_name",
                    pointer=pointer,
                )
        return found

    def check(self, names: Any, pointer: str) -> None:
        """Refuses names that cannot be given to the results of an operation.

        Args:
            names: A name, or a list of names and ``null``.
            pointer: Where they stand.

        Raises:
            ProgramError: A name is none, or is taken.
            LimitError: There are as many names as are allowed.
        """
        # First, so that a list is never longer than what a session may have.
        self._check_room(len(names) if isinstance(names, list) else 1, pointer)
        seen: set[str] = set()
        for i, name in enumerate(names) if isinstance(names, list) else [(None, names)]:
            if name is None and i is not None:
                continue
            at = pointer if i is None else f"{pointer}/{i}"
            if check_name(name, at) in self._bound or name in seen:
                raise ProgramError(f"The name {name!r} is taken: delete it first.", code="duplicate_name", pointer=at)
            seen.add(name)

    def _check_room(self, more: int, pointer: str) -> None:
        if self._count + more > self._limit:
            raise LimitError(
                f"The session has {self._count:,} names and would get {more:,} more, but {self._limit:,} are allowed. Delete some.",
                code="too_many_names",
                pointer=pointer,
            )

    def bind(self, names: Any, result: Any, pointer: str) -> None:
        """Gives names that were checked to the results of an operation.

        Raises:
            ProgramError: There are more names than results, or fewer.
            LimitError: The results need more names than are allowed.
        """
        if not isinstance(names, list):
            if isinstance(result, (tuple, list)):
                self._check_room(len(result), pointer)
                result = {str(i): item for i, item in enumerate(result)}
            self.define(names, result)
            return
        results: Sequence[Any] = result if isinstance(result, (tuple, list)) else (result,)
        check_count(names, len(results), pointer)
        for name, item in zip(names, results, strict=True):
            if name is not None and item is not None:
                self.define(name, item)

    def define(self, name: str, found: Tensor | Parts) -> None:
        """Gives a new name to a tensor, or to several by part."""
        self._bound[name] = found
        self._count += 1 if isinstance(found, Tensor) else len(found)

    def forget(self, name: str) -> None:
        """Takes a name away."""
        found = self._bound.pop(name)
        self._count -= 1 if isinstance(found, Tensor) else len(found)

    def withdraw(self, name: str, given: Parts) -> None:
        """Takes a name away, unless it no longer means what it was given to: then it is the client's own."""
        if self._bound.get(name) is given:
            self.forget(name)

    def clear(self) -> None:
        """Takes all names away, and the gradients that would keep leaves alive in a cycle."""
        for _, tensor in self.tensors():
            tensor._grad = None
        self._bound.clear()
        self._count = 0


def check_count(names: Any, outputs: int, pointer: str) -> None:
    """Refuses a list of names that is not as long as an operation has outputs.

    Raises:
        ProgramError: It is longer or shorter.
    """
    if isinstance(names, list) and len(names) != outputs:
        raise ProgramError(f"The operation has {outputs} outputs, but {len(names)} names.", code="output_count", pointer=pointer)


def _part(base: str, parts: Parts, steps: list[str], reference: str, pointer: str) -> Tensor:
    """The part that the first step names, which is taken off."""
    part = steps.pop(0) if steps else None
    found = parts.get(part) if part is not None else None
    if found is not None:
        return found
    present = [f"{base}.{name}" for name, tensor in parts.items() if tensor is not None]
    listed = f"{present[0]} to {present[-1]}" if len(present) > 1 else "".join(present) or "none"
    raise ProgramError(
        f"{shown(reference)} is no tensor: {base!r} has {len(parts)} outputs; refer to one of them, {listed}.",
        code="undefined_name",
        pointer=pointer,
    )
