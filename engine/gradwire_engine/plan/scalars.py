"""Numbers in place of arrays of no dimensions, whose calls cost ten times as much, with the results that arrays give.

A float64 is a Python float (or NumPy's, which is one); every other dtype is NumPy's scalar. Python raises where IEEE arithmetic has
a result, so what can is done by NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .ir import Step, Term

if TYPE_CHECKING:
    from .emit import Source

_DOUBLE: Final = np.dtype(np.float64)
_SINGLE: Final = np.dtype(np.float32)
_OPERATORS: Final = {np.add: "+", np.subtract: "-", np.multiply: "*"}


def number_of(array: Any) -> Any:
    """The one element as a number."""
    return array.item() if array.dtype == _DOUBLE else array[()]


def quotient(a: Any, b: Any) -> Any:
    """The quotient of two floats, infinite or not a number where Python would raise."""
    try:
        return a / b
    except ZeroDivisionError:
        return np.true_divide(a, b)


def number_expression(step: Step, source: Source) -> str:
    """The Python that computes the results of a step whose operands are all numbers.

    Args:
        step: The step.
        source: Where the names of its operands are known.
    """
    terms = [a for a in step.args if type(a) is Term]
    if step.kind == "copy":
        return _cast(step, source)
    names = [source.number(a) for a in step.args]
    double = step.out.dtype == _DOUBLE and _all_floats(step, _DOUBLE)
    if not step.how and (double or (step.out.dtype == _SINGLE and _all_floats(step, _SINGLE))):
        sign = _OPERATORS.get(step.function)
        if sign is not None:
            return f"{names[0]} {sign} {names[1]}"
        if step.function is np.negative:
            return f"-{names[0]}"
        if step.function is np.square:
            return f"{names[0]} * {names[0]}"
        if step.function is np.true_divide:
            if not double:
                return f"{names[0]} / {names[1]}"
            source.names["quotient"] = quotient
            return f"quotient({names[0]}, {names[1]})"
    if any(t.dtype != _DOUBLE for t in terms) or not terms:
        # Beside other dtypes a Python float would take theirs.
        source.names["float64"] = np.float64
        names = [f"float64({n})" if type(a) is Term and a.dtype == _DOUBLE else n for n, a in zip(names, step.args, strict=True)]
    options = "".join(f", {key}={source.option(value)}" for key, value in step.how or ())
    text = f"{source.function(step.function)}({', '.join(names)}{options})"
    return f"{text}[()]" if step.function is np.where else text


def _all_floats(step: Step, dtype: Any) -> bool:
    for a in step.args:
        if type(a) is Term:
            if a.dtype != dtype:
                return False
        elif type(a) not in (int, float) or abs(a) > 2**1000:
            return False
    return any(type(a) is Term for a in step.args)


def _cast(step: Step, source: Source) -> str:
    operand, out = step.args[0], step.out
    name = source.number(operand)
    if operand.dtype == out.dtype:
        return name
    if out.dtype == _DOUBLE and operand.dtype.kind == "f":
        return f"float({name})"
    if operand.dtype.kind == "f" and out.dtype.kind == "f":
        source.names["float32" if out.dtype == _SINGLE else "float16"] = out.dtype.type
        return f"{'float32' if out.dtype == _SINGLE else 'float16'}({name})"
    source.names["asarray"] = np.asarray
    return f"asarray({name}, {source.dtype(operand.dtype)}).astype({source.dtype(out.dtype)})[()]"
