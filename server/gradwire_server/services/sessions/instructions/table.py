"""What an instruction is, and what it is given when it is carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gradwire_engine import codec
from gradwire_engine.errors import GradwireError, LimitError, ProgramError
from gradwire_engine.meta import meta_of_array
from gradwire_engine.names import kind_of
from gradwire_engine.node import next_sequence
from gradwire_engine.parse_nodes import read_slot
from gradwire_engine.program import Constant
from gradwire_engine.tensor import Tensor

from .. import reach
from ..brief import Brief, Heavy
from ..limits import SessionLimits
from ..meter import SessionMeter
from ..session import Session

Spec = Mapping[str, Any]
NUMBERS: Final = frozenset({"NaN", "Infinity", "-Infinity"})
"""The strings that are numbers, so that no name is like them."""


class Run:
    """One batch on its way through a session.

    Args:
        session: The session, whose turn the batch has.
        limits: What sessions may ask for.
        check: Called between operations; it raises to stop.
        brief: What is more than this raises ``Heavy`` before it has any effect.

    Attributes:
        session: The session.
        limits: What sessions may ask for.
        meter: Measures operations before they run.
        since: The number of the latest node before the instruction.
        position: The number of the instruction.
        reads_only: Whether all that follows only reads, so that arrays in the answer cannot change.
    """

    def __init__(self, session: Session, limits: SessionLimits, check: Callable[[], None], brief: Brief | None = None) -> None:
        self.session = session
        self.limits = limits
        self.meter = SessionMeter(limits.program, check, session.account, brief)
        self._brief = brief
        self._answered = 0
        self._written = 0
        self.since = 0
        self.position = 0
        self.reads_only = False
        self._references = 0

    def begin(self, position: int, reads_only: bool) -> None:
        """Notes that an instruction begins."""
        self.since = next_sequence()
        self.position = position
        self.reads_only = reads_only
        self._references = 0

    def look(self, reference: Any, pointer: str) -> Tensor:
        """The tensor that a reference means."""
        self._references += 1
        if self._references > self.limits.instruction_references:
            raise LimitError(
                f"The instruction refers to more than {self.limits.instruction_references:,} tensors, which is as many as it may.",
                code="too_many_references",
                pointer=pointer,
            )
        return self.session.names.look(reference, pointer)

    def slot(self, value: Any, pointer: str) -> Any:
        """A tensor slot: the tensor of a reference, a new tensor for a constant, a number as it is."""
        found = read_slot(value, self.look, pointer)
        return self.constant(found, pointer) if isinstance(found, Constant) else found

    def constant(self, constant: Constant, pointer: str) -> Tensor:
        """A tensor that is written into an instruction."""
        return self.new(constant.array, "The constant", pointer)

    def literal(self, value: Any, pointer: str, declared: Any = None) -> Tensor:
        """A tensor from its JSON form, of the dtype that is declared, if one is."""
        try:
            literal = codec.decode(value, declared=declared, max_elements=self.limits.program.tensor_bytes)
        except GradwireError as error:
            raise error.at(pointer) from None
        tensor = self.new(literal.array, "The tensor", pointer)
        tensor._requires_grad = literal.requires_grad
        return tensor

    def new(self, array: Any, what: str, pointer: str) -> Tensor:
        """A tensor around an array of its own."""
        nbytes, most = meta_of_array(array).nbytes, self.limits.program.tensor_bytes
        if nbytes > most:
            raise LimitError(
                f"{what} takes {nbytes:,} bytes, more than the {most:,} bytes that a tensor may take.",
                code="tensor_too_large",
                pointer=pointer,
            )
        self.meter.add(array.nbytes, what)
        return Tensor._wrap(array)  # type: ignore[return-value]

    def walk(self, nodes: int) -> None:
        """Notes that so many nodes of a graph are about to be walked."""
        if self._brief is not None and nodes > self._brief.limits.nodes:
            raise Heavy

    def made(self, *values: Any) -> None:
        """Counts what an instruction made."""
        reach.count(values, self.since, self.session.account)

    def answer(self, tensor: Tensor) -> dict[str, Any]:
        """A tensor as answers have it, with its values as they are now."""
        self._answered += tensor._data.nbytes
        self._written += _least_written(tensor._data)
        most = self.limits.answer_bytes
        if most is not None and self._written > most:
            raise LimitError(
                f"With this tensor the answer would be written with at least {self._written:,} bytes, more than the {most:,} bytes that "
                "an answer may have. Read fewer tensors in a batch, or a part of this one.",
                code="answer_too_large",
            )
        if self._brief is not None and self._answered > self._brief.answer_bytes:
            raise Heavy
        return encode(tensor, tensor._data if self.reads_only else self.copy(tensor._data))

    def copy(self, array: Any) -> Any:
        """A copy for the answer."""
        self.meter.add(array.nbytes, "The answer")
        copied = np.array(array, order="C")
        self.session.account.count(copied)
        return copied


def _least_written(array: Any) -> int:
    """The fewest bytes that the elements of an array take in an answer, in lists or in base64, whichever is shorter."""
    # A digit and a comma, and of a number with a fraction a point and another digit.
    in_lists = array.size * (4 if array.dtype.kind in "fc" else 2)
    least: int = min(in_lists, array.nbytes * 4 // 3)
    return least


def encode(tensor: Tensor, array: Any) -> dict[str, Any]:
    """A tensor as answers have it, around an array with its values."""
    node = tensor._made_by()
    return codec.encode(array, requires_grad=tensor.requires_grad, is_leaf=node is None, grad_fn=None if node is None else node.short_name)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One kind of instruction.

    Attributes:
        carry_out: Does what it says, given where it stands, and gives its result. A ``Suspended`` result ends the batch.
        fields: The fields that it has beside ``do``.
        required: Those of them that may not be left out.
    """

    carry_out: Callable[[Run, Spec, str], Any]
    fields: frozenset[str]
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suspended:
    """The result of an instruction that waits for an answer from outside.

    Attributes:
        document: What is answered about it.
    """

    document: dict[str, Any]


def instruction(carry_out: Callable[[Run, Spec, str], Any], required: str = "", optional: str = "") -> Instruction:
    """An instruction with these fields, their names separated by spaces."""
    return Instruction(carry_out, frozenset(["do", *required.split(), *optional.split()]), tuple(required.split()))


def flag(spec: Spec, field: str, pointer: str, default: bool | None = False) -> Any:
    """A field that is true or false; ``None`` is allowed where it is the default.

    Raises:
        ProgramError: It is something else.
    """
    value = spec.get(field, default)
    if isinstance(value, bool) or (value is None and default is None):
        return value
    raise ProgramError(f"{field!r} must be true or false, not {kind_of(value)}.", code="invalid_type", pointer=f"{pointer}/{field}")


def listed(value: Any, what: str, pointer: str) -> list[Any]:
    """A field that is a list.

    Raises:
        ProgramError: It is something else.
    """
    if isinstance(value, list):
        return value
    raise ProgramError(f"{what} must be a list, not {kind_of(value)}.", code="invalid_type", pointer=pointer)
