"""The steps of a run as one function in LLVM's language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ..ir import Step, Term, splat_value
from .code import Code, Kind, Value
from .rules import kind_of, rule_for

NAME: Final = "run"
"""The name of the function: ``run(count, *operands, *results)`` gives 0 if every result is right.

Otherwise there are too few elements to fill a vector, or some of them are beyond what the instructions compute rightly.
"""

_VECTOR_BYTES: Final = 64
"""The bytes of a vector: two of the widest registers of most processors, so that one waits for the other less."""
_MOST_LINES: Final = 4_000
"""The instructions that LLVM takes half a second for; its time grows with the square of their number."""


class _Unknown(Exception):
    """Something is not for machine code, or there is too much of it."""


def kernel_text(steps: Sequence[Step], operands: Sequence[Term], results: Sequence[Term]) -> str | None:
    """A module with the function that does the steps, or ``None`` if LLVM is not to do one of them.

    Args:
        steps: Elementwise steps, over elements that are counted by the caller.
        operands: What they read: arrays of so many elements, or single numbers.
        results: Those of their results that are stored; they share memory with no operand.
    """
    lanes = _VECTOR_BYTES // max((out.dtype.itemsize for s in steps for out in s.outs if out.dtype.kind == "f"), default=4)
    try:
        return _Loop(lanes, steps, operands, results).text()
    except _Unknown:
        return None


class _Loop:
    """The steps for so many elements at once, again and again.

    Args:
        lanes: How many.
        steps: The steps.
        operands: What they read.
        results: What is stored.
    """

    def __init__(self, lanes: int, steps: Sequence[Step], operands: Sequence[Term], results: Sequence[Term]) -> None:
        self.code = Code(lanes)
        self._values: dict[Term, Value] = {}
        for i, term in enumerate(operands):
            self._values[term] = self._loaded(f"%x{i}", term)
        for step in steps:
            self._values[step.out] = self._done(step)
            if len(self.code.lines) > _MOST_LINES:
                raise _Unknown
        for i, term in enumerate(results):
            self._store(self._values[term], f"%y{i}", term)
        self._places = [f"ptr noalias %{letter}{i}" for letter, n in (("x", len(operands)), ("y", len(results))) for i in range(n)]

    def text(self) -> str:
        """The module."""
        lanes, wide = self.code.lanes, self.code.type("i64")
        outside = self.code.outside or self.code.constant("i64", 0)
        reduce = f"@llvm.vector.reduce.or.v{lanes}i64"
        lines = [
            f"declare i64 {reduce}({wide})",
            *sorted(self.code.intrinsics),
            f"define i32 @{NAME}({', '.join(['i64 %count', *self._places])}) {{",
            "entry:",
            f"  %final = sub i64 %count, {lanes}",
            "  %short = icmp slt i64 %final, 0",
            "  br i1 %short, label %refuse, label %body",
            "refuse:",
            "  ret i32 1",
            "body:",
            # The last elements may be computed once more: so there are always as many as there are lanes.
            "  %next = phi i64 [0, %entry], [%following, %body]",
            f"  %outside = phi {wide} [zeroinitializer, %entry], [%outside.next, %body]",
            "  %late = icmp sgt i64 %next, %final",
            "  %i = select i1 %late, i64 %final, i64 %next",
            *(f"  {line}" for line in self.code.lines),
            f"  %outside.next = or {wide} %outside, {outside.text}",
            f"  %following = add i64 %next, {lanes}",
            "  %more = icmp slt i64 %following, %count",
            "  br i1 %more, label %body, label %done",
            "done:",
            f"  %any = call i64 {reduce}({wide} %outside.next)",
            "  %answer = trunc i64 %any to i32",
            "  ret i32 %answer",
            "}",
        ]
        return "\n".join(lines) + "\n"

    def _address(self, place: str, term: Term) -> str:
        name = self.code.name()
        self.code.lines.append(f"{name} = getelementptr {'i8' if term.dtype.kind == 'b' else _kind(term)}, ptr {place}, i64 %i")
        return name

    def _loaded(self, place: str, term: Term) -> Value:
        kind = _kind(term)
        stored = "i8" if kind == "i1" else kind
        name = self.code.name()
        if term.size > 1:
            self.code.lines.append(f"{name} = load {self.code.type(stored)}, ptr {self._address(place, term)}, align 1")
        else:
            self.code.lines.append(f"{name} = load {stored}, ptr {place}, align 1")
            name = self._repeated(name, stored)
        if kind != "i1":
            return Value(self.code, kind, name)
        return self.code.add("i1", f"icmp ne {self.code.type('i8')} {name}, zeroinitializer")

    def _repeated(self, name: str, kind: str) -> str:
        """A number in every lane."""
        first, every = self.code.name(), self.code.name()
        type_ = self.code.type(kind)
        self.code.lines.append(f"{first} = insertelement {type_} poison, {kind} {name}, i64 0")
        self.code.lines.append(f"{every} = shufflevector {type_} {first}, {type_} poison, {self.code.type('i32')} zeroinitializer")
        return every

    def _store(self, value: Value, place: str, term: Term) -> None:
        text, stored = value.text, str(value.kind)
        if value.kind == "i1":
            stored, text = "i8", self.code.name()
            self.code.lines.append(f"{text} = zext {self.code.type('i1')} {value.text} to {self.code.type('i8')}")
        self.code.lines.append(f"store {self.code.type(stored)} {text}, ptr {self._address(place, term)}, align 1")

    def _done(self, step: Step) -> Value:
        """The result of a step."""
        rule = rule_for(step)
        if rule is None:
            raise _Unknown
        return rule.function(*[self._operand(a, kind) for a, kind in zip(rule.operands, rule.kinds, strict=True)])

    def _operand(self, item: Any, kind: Kind) -> Value:
        if type(item) is not Term:
            return self.code.constant(kind, item)
        found = self._values.get(item)
        if found is None:
            found = self.code.constant(_kind(item), splat_value(item).item())
        return found.cast(kind)


def _kind(term: Term) -> Kind:
    found = kind_of(term.dtype)
    if found is None:
        raise _Unknown
    return found
