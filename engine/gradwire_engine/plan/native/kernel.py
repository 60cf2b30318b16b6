"""The steps of a run as one function in LLVM's language."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from ...dtypes import NumpyDType
from ..ir import Step, Term, is_splat, splat_value
from . import functions
from .code import Code, Kind, Value

NAME: Final = "run"
"""The name of the function: ``run(count, *operands, *results)`` gives 0 if every result is right.

Otherwise there are too few elements to fill a vector, or some of them are beyond what the instructions compute rightly.
"""

_VECTOR_BYTES: Final = 64
"""The bytes of a vector: two of the widest registers of most processors, so that one waits for the other less."""
_MOST_STEPS: Final = 500
"""LLVM's time grows faster than the number of steps."""
_KINDS: Final[dict[NumpyDType, Kind]] = {np.dtype(np.float64): "double", np.dtype(np.float32): "float", np.dtype(np.bool_): "i1"}


class _Unknown(Exception):
    """A step does something else than arithmetic on floating point numbers and booleans."""


def _sign(x: Value) -> Value:
    found = (x > 0.0).choose(1.0, (x < 0.0).choose(-1.0, x))
    return x.compared("oeq", 0.0).choose(0.0, found)


def _own(name: str) -> Callable[[Value], Value]:
    return lambda x: x.code.call(name, x)


def _compared(how: str) -> Callable[[Value, Value], Value]:
    return lambda x, y: x.compared(how, y)


_ARITHMETIC: Final[dict[Any, Callable[..., Value]]] = {
    np.add: lambda x, y: x + y,
    np.subtract: lambda x, y: x - y,
    np.multiply: lambda x, y: x * y,
    np.true_divide: lambda x, y: x / y,
    np.negative: lambda x: -x,
    np.positive: lambda x: x,
    np.square: lambda x: x * x,
    np.reciprocal: lambda x: 1.0 / x,
    np.absolute: lambda x: x.absolute(),
    np.fabs: lambda x: x.absolute(),
    np.copysign: lambda x, y: x.with_sign_of(y),
    np.sign: _sign,
    np.sqrt: _own("sqrt"),
    np.floor: _own("floor"),
    np.ceil: _own("ceil"),
    np.trunc: _own("trunc"),
    np.rint: _own("rint"),
    np.maximum: lambda x, y: ((x >= y) | x.is_nan()).choose(x, y),
    np.minimum: lambda x, y: ((x <= y) | x.is_nan()).choose(x, y),
    np.fmax: lambda x, y: ((x >= y) | y.is_nan()).choose(x, y),
    np.fmin: lambda x, y: ((x <= y) | y.is_nan()).choose(x, y),
    np.exp: functions.exp,
    np.expm1: functions.expm1,
    np.tanh: functions.tanh,
    np.log: functions.log,
    np.log1p: functions.log1p,
    np.logaddexp: functions.logaddexp,
    np.sin: functions.sin,
    np.cos: functions.cos,
    np.less: _compared("olt"),
    np.less_equal: _compared("ole"),
    np.greater: _compared("ogt"),
    np.greater_equal: _compared("oge"),
    np.equal: _compared("oeq"),
    np.not_equal: _compared("une"),
    np.isnan: lambda x: x.is_nan(),
    np.isinf: lambda x: x.absolute().compared("oeq", math.inf),
    np.isfinite: lambda x: x.absolute() < math.inf,
}
_LOGICAL: Final[dict[Any, Callable[..., Value]]] = {
    np.logical_and: lambda x, y: x & y,
    np.logical_or: lambda x, y: x | y,
    np.logical_xor: lambda x, y: x ^ y,
    np.logical_not: lambda x: ~x,
}
_OF_BOOLEANS: Final[dict[Any, Callable[..., Value]]] = {
    **_LOGICAL,
    np.bitwise_and: lambda x, y: x & y,
    np.bitwise_or: lambda x, y: x | y,
    np.bitwise_xor: lambda x, y: x ^ y,
    np.invert: lambda x: ~x,
}


def kernel_text(steps: Sequence[Step], operands: Sequence[Term], results: Sequence[Term]) -> str | None:
    """A module with the function that does the steps, or ``None`` if LLVM is not to do one of them.

    Args:
        steps: Elementwise steps, over elements that are counted by the caller.
        operands: What they read: arrays of so many elements, or single numbers.
        results: Those of their results that are stored; they share memory with no operand.
    """
    if len(steps) > _MOST_STEPS:
        return None
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
        out = _kind(step.out)
        if step.kind == "copy":
            return self._operand(step.args[0], out)
        if step.function is np.where:
            condition, chosen, other = step.args
            return self._operand(condition, "i1").choose(self._operand(chosen, out), self._operand(other, out))
        dtype = _loop_dtype(step)
        kind = _KINDS.get(dtype)
        if step.function is np.power and kind is not None:
            return self._power(self._operand(step.args[0], kind), step.args[1])
        table = _OF_BOOLEANS if dtype.kind == "b" or step.function in _LOGICAL else _ARITHMETIC
        if kind is None or step.function not in table:
            raise _Unknown
        made = table[step.function](*[self._operand(a, "i1" if step.function in _LOGICAL else kind) for a in step.args])
        if made.kind != out:
            raise _Unknown
        return made

    def _power(self, x: Value, exponent: Any) -> Value:
        """A power that is a few products."""
        known = splat_value(exponent).item() if type(exponent) is Term and is_splat(exponent) else exponent
        if x.kind == "i1" or type(known) not in (int, float) or known not in (0, 1, 2, 3, 4):
            raise _Unknown
        if known == 0:
            return x.lift(1.0)
        square = x * x
        return {1: x, 2: square, 3: square * x, 4: square * square}[known]

    def _operand(self, item: Any, kind: Kind) -> Value:
        if type(item) is not Term:
            return self.code.constant(kind, item)
        found = self._values.get(item)
        if found is None:
            if not is_splat(item):
                raise _Unknown
            found = self.code.constant(_kind(item), splat_value(item).item())
        return found.cast(kind)


def _kind(term: Term) -> Kind:
    found = _KINDS.get(term.dtype)
    if found is None:
        raise _Unknown
    return found


def _loop_dtype(step: Step) -> NumpyDType:
    """The dtype to which NumPy casts the operands; a Python number takes that of the arrays."""
    options = step.options()
    if set(options) - {"dtype"}:
        raise _Unknown
    terms = {t.dtype for t in step.operands()}
    numbers = [a for a in step.args if type(a) is not Term]
    if not all(type(n) in (int, float) for n in numbers) or not terms:
        raise _Unknown
    found = np.result_type(*terms)
    wanted: NumpyDType = options.get("dtype", found)
    if numbers and found.kind != "f":
        raise _Unknown
    return wanted
