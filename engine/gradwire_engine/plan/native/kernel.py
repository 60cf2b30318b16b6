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
"""The name of the function: ``run(count, *operands, *results)`` gives how many elements are in doubt, if only whether there are any."""

_VECTOR_BYTES: Final = 64
"""The bytes of a vector: two of the widest registers of most processors, so that one waits for the other less."""
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
        results: Those of their results that are stored.
    """
    intrinsics: set[str] = set()
    lanes = _VECTOR_BYTES // max((out.dtype.itemsize for s in steps for out in s.outs if out.dtype.kind == "f"), default=4)
    try:
        wide, single = [_Loop(n, steps, operands, results, intrinsics) for n in (lanes, 1)]
    except _Unknown:
        return None
    places = ", ".join([f"ptr noalias %x{i}" for i in range(len(operands))] + [f"ptr noalias %y{i}" for i in range(len(results))])
    doubtful = wide.code.outside is not None
    lines = [
        f"define i32 @{NAME}(i64 %count, {places}) {{",
        "entry:",
        f"  %whole = and i64 %count, {-lanes}",
        *wide.lines("0", "%whole", "entry", "single"),
        *single.lines("%whole", "%count", "single", "done"),
        "done:",
    ]
    if doubtful:
        intrinsics.add(f"declare i64 @llvm.vector.reduce.or.v{lanes}i64(<{lanes} x i64>)")
        lines += [
            f"  %some = call i64 @llvm.vector.reduce.or.v{lanes}i64(<{lanes} x i64> %outside{lanes})",
            "  %any = or i64 %some, %outside1",
            "  %answer = trunc i64 %any to i32",
            "  ret i32 %answer",
        ]
    else:
        lines.append("  ret i32 0")
    return "\n".join([*sorted(intrinsics), *lines, "}"]) + "\n"


class _Loop:
    """The steps for so many elements at once, again and again.

    Args:
        lanes: How many.
        steps: The steps.
        operands: What they read.
        results: What is stored.
        intrinsics: Gets the declarations of what is called.
    """

    def __init__(self, lanes: int, steps: Sequence[Step], operands: Sequence[Term], results: Sequence[Term], intrinsics: set[str]) -> None:
        self.code = Code(lanes, intrinsics)
        self._index = f"%i{lanes}"
        self._values: dict[Term, Value] = {}
        for i, term in enumerate(operands):
            self._values[term] = self._loaded(f"%x{i}", term)
        for step in steps:
            self._values[step.out] = self._done(step)
        for i, term in enumerate(results):
            self._store(self._values[term], f"%y{i}", term)

    def lines(self, start: str, stop: str, before: str, after: str) -> list[str]:
        """The loop.

        Args:
            start: The first element.
            stop: Behind the last.
            before: The block from which the loop is entered.
            after: The block that follows it.
        """
        lanes, outside = self.code.lanes, self.code.outside
        test, body = f"test{lanes}", f"body{lanes}"
        lines = [f"  br label %{test}", f"{test}:", f"  {self._index} = phi i64 [{start}, %{before}], [{self._index}.next, %{body}]"]
        if outside is not None:
            type_ = self.code.type("i64")
            lines.append(f"  %outside{lanes} = phi {type_} [zeroinitializer, %{before}], [%outside{lanes}.next, %{body}]")
            if lanes == 1:
                lines[-1] = lines[-1].replace("zeroinitializer", "0")
        lines += [
            f"  %more{lanes} = icmp slt i64 {self._index}, {stop}",
            f"  br i1 %more{lanes}, label %{body}, label %{after}",
            f"{body}:",
            *(f"  {line}" for line in self.code.lines),
        ]
        if outside is not None:
            lines.append(f"  %outside{lanes}.next = or {self.code.type('i64')} %outside{lanes}, {outside.text}")
        lines += [f"  {self._index}.next = add i64 {self._index}, {lanes}", f"  br label %{test}"]
        return lines + ([f"{after}:"] if after == "single" else [])

    def _address(self, place: str, term: Term) -> str:
        name = self.code.name()
        self.code.lines.append(f"{name} = getelementptr {'i8' if term.dtype.kind == 'b' else _kind(term)}, ptr {place}, i64 {self._index}")
        return name

    def _loaded(self, place: str, term: Term) -> Value:
        kind = _kind(term)
        stored = "i8" if kind == "i1" else kind
        name = self.code.name()
        if term.size > 1:
            self.code.lines.append(f"{name} = load {self.code.type(stored)}, ptr {self._address(place, term)}, align {term.dtype.itemsize}")
        else:
            self.code.lines.append(f"{name} = load {stored}, ptr {place}, align {term.dtype.itemsize}")
            name = self._repeated(name, stored)
        if kind != "i1":
            return Value(self.code, kind, name)
        zero = "zeroinitializer" if self.code.lanes > 1 else "0"
        return self.code.add("i1", f"icmp ne {self.code.type('i8')} {name}, {zero}")

    def _repeated(self, name: str, kind: str) -> str:
        if self.code.lanes == 1:
            return name
        first, all_ = self.code.name(), self.code.name()
        type_ = self.code.type(kind)
        self.code.lines.append(f"{first} = insertelement {type_} poison, {kind} {name}, i64 0")
        self.code.lines.append(f"{all_} = shufflevector {type_} {first}, {type_} poison, {self.code.type('i32')} zeroinitializer")
        return all_

    def _store(self, value: Value, place: str, term: Term) -> None:
        text, stored = value.text, str(value.kind)
        if value.kind == "i1":
            stored, text = "i8", self.code.name()
            self.code.lines.append(f"{text} = zext {self.code.type('i1')} {value.text} to {self.code.type('i8')}")
        self.code.lines.append(f"store {self.code.type(stored)} {text}, ptr {self._address(place, term)}, align {term.dtype.itemsize}")

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
        table = _OF_BOOLEANS if dtype.kind == "b" or step.function in _LOGICAL else _ARITHMETIC
        if kind is None or step.function not in table:
            raise _Unknown
        made = table[step.function](*[self._operand(a, "i1" if step.function in _LOGICAL else kind) for a in step.args])
        if made.kind != out:
            raise _Unknown
        return made

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
