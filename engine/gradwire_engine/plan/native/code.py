"""LLVM's language for straight lines of arithmetic on vectors, written with Python's operators."""

from __future__ import annotations

import struct
from typing import Final, Literal

import numpy as np

Kind = Literal["double", "float", "i64", "i32", "i1"]
"""The type of each lane."""

Number = float | int

_SUFFIX: Final[dict[Kind, str]] = {"double": "f64", "float": "f32", "i64": "i64", "i32": "i32", "i1": "i1"}
_FLOATS: Final = ("double", "float")


class Code:
    """Instructions in order.

    Args:
        lanes: How many elements each instruction works on.

    Attributes:
        lines: The instructions.
        intrinsics: The declarations of the functions of LLVM's own that they call.
        outside: Where an element is that is beyond what the instructions compute rightly, if anything was ever in doubt.
    """

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self.lines: list[str] = []
        self.intrinsics: set[str] = set()
        self.outside: Value | None = None
        self._count = 0

    def type(self, kind: Kind | str) -> str:
        """The type of a value."""
        return f"<{self.lanes} x {kind}>"

    def name(self) -> str:
        """A new name."""
        self._count += 1
        return f"%v{self._count}"

    def add(self, kind: Kind, text: str) -> Value:
        """The value that an instruction gives."""
        name = self.name()
        self.lines.append(f"{name} = {text}")
        return Value(self, kind, name)

    def constant(self, kind: Kind, number: Number) -> Value:
        """The same number in every lane."""
        if kind == "i1":
            text = "true" if number else "false"
        elif kind in _FLOATS:
            # LLVM writes a float32 as the double that equals it.
            with np.errstate(all="ignore"):
                value = float(np.float64(number).astype(np.float32 if kind == "float" else np.float64))
            text = f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
        else:
            text = str(int(number))
        return Value(self, kind, f"<{', '.join([f'{kind} {text}'] * self.lanes)}>")

    def call(self, function: str, *operands: Value) -> Value:
        """Calls a function of LLVM's own that gives what it takes."""
        kind = operands[0].kind
        name = f"llvm.{function}.v{self.lanes}{_SUFFIX[kind]}"
        type_ = self.type(kind)
        self.intrinsics.add(f"declare {type_} @{name}({', '.join([type_] * len(operands))})")
        return self.add(kind, f"call {type_} @{name}({', '.join(f'{type_} {v.text}' for v in operands)})")

    def doubt(self, where: Value) -> None:
        """Says of which elements the result is not to be used."""
        wide = where.extended("i64")
        self.outside = wide if self.outside is None else self.outside | wide


class Value:
    """What an instruction gives, or a constant.

    Args:
        code: Where it is computed.
        kind: The type of each lane.
        text: How instructions refer to it.
    """

    __slots__ = ("code", "kind", "text")

    def __init__(self, code: Code, kind: Kind, text: str) -> None:
        self.code = code
        self.kind = kind
        self.text = text

    def lift(self, other: Value | Number) -> Value:
        """An operand beside this: a number is a constant of the same type."""
        return other if isinstance(other, Value) else self.code.constant(self.kind, other)

    def _binary(self, name: str, other: Value | Number) -> Value:
        return self.code.add(self.kind, f"{name} {self.code.type(self.kind)} {self.text}, {self.lift(other).text}")

    def _arithmetic(self, name: str, other: Value | Number) -> Value:
        return self._binary(f"f{name}" if self.kind in _FLOATS else name, other)

    def __add__(self, other: Value | Number) -> Value:
        return self._arithmetic("add", other)

    def __sub__(self, other: Value | Number) -> Value:
        return self._arithmetic("sub", other)

    def __rsub__(self, other: Number) -> Value:
        return self.lift(other) - self

    def __mul__(self, other: Value | Number) -> Value:
        return self._arithmetic("mul", other)

    def __truediv__(self, other: Value | Number) -> Value:
        return self._arithmetic("div", other)

    def __rtruediv__(self, other: Number) -> Value:
        return self.lift(other) / self

    def __neg__(self) -> Value:
        return self.code.add(self.kind, f"fneg {self.code.type(self.kind)} {self.text}")

    def __and__(self, other: Value | Number) -> Value:
        return self._binary("and", other)

    def __or__(self, other: Value | Number) -> Value:
        return self._binary("or", other)

    def __xor__(self, other: Value | Number) -> Value:
        return self._binary("xor", other)

    def __invert__(self) -> Value:
        return self ^ (1 if self.kind == "i1" else -1)

    def __lshift__(self, other: Value | Number) -> Value:
        return self._binary("shl", other)

    def __rshift__(self, other: Value | Number) -> Value:
        """Shifts in zeros."""
        return self._binary("lshr", other)

    def compared(self, how: str, other: Value | Number) -> Value:
        """Where it compares so: ``oeq``, ``une``, ``olt``, ``ole``, ``ogt``, ``oge``, ``uno`` for floats, ``eq``, ``ne`` for others."""
        instruction = "fcmp" if self.kind in _FLOATS else "icmp"
        return self.code.add("i1", f"{instruction} {how} {self.code.type(self.kind)} {self.text}, {self.lift(other).text}")

    def __lt__(self, other: Value | Number) -> Value:
        return self.compared("olt", other)

    def __le__(self, other: Value | Number) -> Value:
        return self.compared("ole", other)

    def __gt__(self, other: Value | Number) -> Value:
        return self.compared("ogt", other)

    def __ge__(self, other: Value | Number) -> Value:
        return self.compared("oge", other)

    def is_nan(self) -> Value:
        """Where it is not a number."""
        return self.compared("uno", self)

    def choose(self, chosen: Value | Number, other: Value) -> Value:
        """``chosen`` where this holds, and ``other`` elsewhere."""
        first = other.lift(chosen)
        type_ = self.code.type(other.kind)
        return self.code.add(other.kind, f"select {self.code.type('i1')} {self.text}, {type_} {first.text}, {type_} {other.text}")

    def times_plus(self, factor: Value | Number, addend: Value | Number) -> Value:
        """``self * factor + addend``, rounded once where the processor does that as fast."""
        return self.code.call("fmuladd", self, self.lift(factor), self.lift(addend))

    def absolute(self) -> Value:
        """Without its sign."""
        return self.code.call("fabs", self)

    def with_sign_of(self, other: Value | Number) -> Value:
        """With the sign of another."""
        return self.code.call("copysign", self, self.lift(other))

    def _changed(self, how: str, kind: Kind) -> Value:
        return self.code.add(kind, f"{how} {self.code.type(self.kind)} {self.text} to {self.code.type(kind)}")

    def bits(self) -> Value:
        """Its bits as an integer."""
        return self._changed("bitcast", "i64" if self.kind == "double" else "i32")

    def from_bits(self) -> Value:
        """The floating point number of these bits."""
        return self._changed("bitcast", "double" if self.kind == "i64" else "float")

    def extended(self, kind: Kind) -> Value:
        """All bits set where it holds."""
        return self._changed("sext", kind)

    def truncated(self, kind: Kind) -> Value:
        """The low bits."""
        return self if self.kind == kind else self._changed("trunc", kind)

    def cast(self, kind: Kind) -> Value:
        """The nearest number of another type; as a boolean, whether it is not zero."""
        if self.kind == kind:
            return self
        if kind == "i1":
            return self.compared("une", 0.0)
        if self.kind == "i1":
            return self._changed("uitofp", kind)
        return self._changed("fpext" if kind == "double" else "fptrunc", kind)
