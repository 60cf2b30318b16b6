"""What machine code does for which step, and what that saves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ...dtypes import NumpyDType
from ..ir import Step, Term, is_splat, splat_value
from . import functions
from .code import Kind, Value

_KINDS: Final[dict[NumpyDType, Kind]] = {np.dtype(np.float64): "double", np.dtype(np.float32): "float", np.dtype(np.bool_): "i1"}


@dataclass(frozen=True)
class Rule:
    """How a step is done.

    Attributes:
        function: What is done to the operands.
        operands: Terms and Python numbers.
        kinds: What each of them is cast to before.
    """

    function: Callable[..., Value]
    operands: tuple[Any, ...]
    kinds: tuple[Kind, ...]


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
    np.exp2: functions.exp2,
    np.expm1: functions.expm1,
    np.tanh: functions.tanh,
    np.log: functions.log,
    np.log2: functions.log2,
    np.log1p: functions.log1p,
    np.logaddexp: functions.logaddexp,
    np.sin: functions.sin,
    np.cos: functions.cos,
    np.tan: functions.tan,
}
_TESTS: Final[dict[Any, Callable[..., Value]]] = {
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


def _and_a_half(times: int) -> Callable[[Value], Value]:
    def power(x: Value) -> Value:
        found = x.code.call("sqrt", x)
        for _ in range(times):
            found = found * x
        # The powers of zero and of infinity have no sign, whatever theirs is.
        found = x.compared("oeq", -math.inf).choose(math.inf, found)
        return x.compared("oeq", 0.0).choose(0.0, found)

    return power


_POWERS: Final[dict[float, Callable[[Value], Value]]] = {
    0: lambda x: x.lift(1.0),
    1: lambda x: x,
    1.5: _and_a_half(1),
    2: lambda x: x * x,
    2.5: _and_a_half(2),
    3: lambda x: x * x * x,
    4: lambda x: (x * x) * (x * x),
}


def kind_of(dtype: NumpyDType) -> Kind | None:
    """The type of a lane; ``None`` if elements are not floating point numbers or booleans that processors know."""
    return _KINDS.get(dtype)


def rule_for(step: Step) -> Rule | None:
    """How a step is done; ``None`` if it is left to NumPy.

    Args:
        step: An elementwise step or a copy.
    """
    out = kind_of(step.out.dtype)
    if out is None or not all(_is_operand(a) for a in step.args):
        return None
    if step.kind == "copy":
        return Rule(lambda x: x, step.args, (out,))
    if step.function is np.where:
        return Rule(lambda condition, chosen, other: condition.choose(chosen, other), step.args, ("i1", out, out))
    kind = _loop_kind(step)
    if kind is None:
        return None
    if step.function is np.power:
        power = _POWERS.get(_number(step.args[1]))
        return None if power is None or kind == "i1" or kind != out else Rule(power, step.args[:1], (kind,))
    if step.function in _LOGICAL:
        kind = "i1"
        return Rule(_LOGICAL[step.function], step.args, (kind,) * len(step.args))
    tables = (_OF_BOOLEANS,) if kind == "i1" else (_ARITHMETIC, _TESTS)
    for table, given in zip(tables, (kind, "i1"), strict=False):
        if step.function in table and given == out:
            return Rule(table[step.function], step.args, (kind,) * len(step.args))
    return None


def _is_operand(item: Any) -> bool:
    if type(item) is Term:
        return item.dtype in _KINDS
    return type(item) in (bool, int, float)


def _number(item: Any) -> Any:
    """An exponent that is known."""
    if type(item) is Term:
        return splat_value(item).item() if is_splat(item) else None
    return item


def _loop_kind(step: Step) -> Kind | None:
    """What NumPy casts the operands to; a Python number takes the type of the arrays."""
    options = step.options()
    terms = {t.dtype for t in step.operands()}
    numbers = [a for a in step.args if type(a) is not Term]
    if set(options) - {"dtype"} or bool in map(type, numbers) or not terms:
        return None
    found = np.result_type(*terms)
    return None if numbers and found.kind != "f" else kind_of(options.get("dtype", found))


# Nanoseconds that NumPy takes longer for an element of float64, and of float32, as measured.
_SAVED: Final[dict[Any, tuple[float, float]]] = {
    np.exp: (3.3, 0.9),
    np.exp2: (3.0, 0.5),
    np.expm1: (9.0, 12.0),
    np.tanh: (10.0, 2.5),
    np.log: (2.5, 1.5),
    np.log2: (4.0, 2.0),
    np.log1p: (11.0, 12.0),
    np.logaddexp: (15.0, 15.0),
    np.sin: (6.5, 1.5),
    np.cos: (6.5, 1.5),
    np.tan: (9.0, 5.0),
    np.power: (15.0, 5.0),
}


def are_for_machine_code(steps: Sequence[Step]) -> bool:
    """Whether all of them are.

    Args:
        steps: The steps.
    """
    return all(rule_for(step) is not None for step in steps)


def saved_nanoseconds(steps: Sequence[Step]) -> float:
    """About how much faster machine code computes the elementary functions among them, for one element.

    Args:
        steps: The steps.
    """
    return sum(_SAVED.get(step.function, (0.0, 0.0))[step.out.dtype.itemsize < 8] for step in steps)
