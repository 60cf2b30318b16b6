"""A batch: instructions carried out in order, until one fails, waits for an answer from outside, or none is left."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, Final

from gradwire_engine.brief import shown
from gradwire_engine.errors import Cancelled, GradwireError, LimitError, ProgramError
from gradwire_engine.names import check_fields, kind_of
from gradwire_engine.stopping import stoppable

from ...problems import Problem
from .answer import Answer
from .brief import Brief, Heavy
from .errors import SequenceConflict
from .instructions import INSTRUCTIONS
from .instructions.table import Run, Suspended
from .limits import SessionLimits
from .session import Session

_FIELDS: Final = frozenset({"seq", "instructions"})


def envelope(document: Any, limits: SessionLimits) -> tuple[int | None, list[Any]]:
    """The number and the instructions of a batch.

    Raises:
        ProgramError: The document is no batch.
        LimitError: It has too many instructions.
    """
    if not isinstance(document, Mapping):
        raise ProgramError(f"A batch must be a JSON object, not {kind_of(document)}.", code="invalid_type", pointer="")
    check_fields(document, _FIELDS, ("instructions",), "")
    seq = document.get("seq")
    if seq is not None and (isinstance(seq, bool) or not isinstance(seq, int) or seq < 1):
        raise ProgramError("'seq' must be a whole number from 1.", code="invalid_type", pointer="/seq")
    instructions = document["instructions"]
    if not isinstance(instructions, list):
        raise ProgramError(
            f"'instructions' must be a list of instructions, not {kind_of(instructions)}.", code="invalid_type", pointer="/instructions"
        )
    if len(instructions) > limits.batch_instructions:
        raise LimitError(
            f"The batch has {len(instructions):,} instructions, more than the {limits.batch_instructions:,} that are allowed.",
            code="too_many_instructions",
            pointer="/instructions",
        )
    return seq, instructions


def check_next(seq: int | None, session: Session) -> None:
    """Refuses a batch that is not the next one.

    Raises:
        SequenceConflict: Its number is another one; ``expected`` in the problem is the right one.
    """
    expected = session.seq + 1
    if seq is None or seq == expected:
        return
    if seq <= session.seq:
        raise SequenceConflict(
            f"The number {seq} was used by another batch; the next one is {expected}.",
            code="seq_reused",
            pointer="/seq",
            members={"expected": expected},
        )
    raise SequenceConflict(
        f"The next batch of this session has the number {expected}, but this one has {seq}.",
        code="seq_gap",
        pointer="/seq",
        members={"expected": expected},
    )


class Progress:
    """How far a batch has come.

    Args:
        session: The session, whose turn the batch has.
        seq: The number of the batch.
        instructions: Its instructions.
        limits: What sessions may ask for.
        check: Called between operations; the instruction under way fails with what it raises.

    Attributes:
        answer: The answer, once there is one. Whatever an instruction raises is in it.
    """

    def __init__(self, session: Session, seq: int, instructions: Sequence[Any], limits: SessionLimits, check: Callable[[], None]) -> None:
        self.answer: Answer | None = None
        self._session = session
        self._seq = seq
        self._instructions = instructions
        self._limits = limits
        self._check = check
        self._results: list[Any] = []
        self._last_change = next((i for i in range(len(instructions) - 1, -1, -1) if not _only_reads(instructions[i])), -1)

    def advance(self, brief: Brief | None = None) -> bool:
        """Goes on to the end, in the context of the session.

        Args:
            brief: Goes on only as long as this takes no time to speak of.

        Returns:
            Whether there is an answer.
        """
        if brief is None or self._session.account.used <= brief.limits.program_bytes:
            self._session.context.run(self._advance, brief)
        return self.answer is not None

    def _advance(self, brief: Brief | None) -> None:
        run = Run(self._session, self._limits, self._check, brief)
        end = math.inf if brief is None else perf_counter() + brief.seconds
        results = self._results
        with stoppable(self._check):
            for i in range(len(results), len(self._instructions)):
                if perf_counter() >= end:
                    return
                run.begin(i, i > self._last_change)
                try:
                    self._check()
                    result = _carry_out(run, self._instructions[i], f"/instructions/{i}")
                except Heavy:
                    return
                except BaseException as error:
                    self.answer = failure(error, self._seq, i, results)
                    return
                finally:
                    self._session.settle()
                if isinstance(result, Suspended):
                    self.answer = Answer(200, {"seq": self._seq, "results": results, "suspended": result.document}, {}, None)
                    return
                results.append(result)
        self.answer = Answer(200, {"seq": self._seq, "results": results}, {}, None)


def _only_reads(spec: Any) -> bool:
    return isinstance(spec, Mapping) and spec.get("do") == "read"


def _carry_out(run: Run, spec: Any, at: str) -> Any:
    if not isinstance(spec, Mapping):
        raise ProgramError(f"An instruction must be an object with 'do', not {kind_of(spec)}.", code="invalid_type", pointer=at)
    if "do" not in spec:
        raise ProgramError("The field 'do' is missing: it says which instruction this is.", code="missing_field", pointer=at)
    do = spec["do"]
    found = INSTRUCTIONS.get(do) if isinstance(do, str) else None
    if found is None:
        close = difflib.get_close_matches(do, INSTRUCTIONS, n=1) if isinstance(do, str) and len(do) <= 128 else []
        hint = f"Did you mean {close[0]!r}?" if close else f"Known are {', '.join(sorted(INSTRUCTIONS))}."
        got = shown(do) if isinstance(do, str) else kind_of(do)
        raise ProgramError(f"There is no instruction {got}. {hint}", code="unknown_instruction", pointer=at + "/do")
    check_fields(spec, found.fields, found.required, at)
    try:
        return found.carry_out(run, spec, at)
    except GradwireError as error:
        if error.pointer is None or not error.pointer.startswith(at):
            error.pointer = at
        raise


def failure(error: BaseException, seq: int, instruction: int, results: list[Any]) -> Answer:
    """The answer of a batch one of whose instructions failed, or was interrupted from outside."""
    problem = Problem.of(
        error if isinstance(error, Exception) else Cancelled("The batch was interrupted.", pointer=f"/instructions/{instruction}")
    )
    document = {**problem.document(), "seq": seq, "instruction": instruction, "results": results}
    return Answer(problem.status, document, problem.headers, error if problem.unexpected or not isinstance(error, Exception) else None)
