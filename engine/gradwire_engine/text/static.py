"""Numbers that are known when a text is read."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any, Final

from ..errors import ProgramError
from .arguments import describe

_BITS: Final = 64
_OPERATORS: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}


def fold(left: Any, sign: type[ast.operator], right: Any) -> Any:
    """The result of Python's operator on two numbers.

    Raises:
        ProgramError: They are no numbers, or it has no result.
    """
    if sign is ast.Mult and isinstance(left, (list, tuple)) | isinstance(right, (list, tuple)):
        raise ProgramError("Lists are written out; they cannot be repeated.", code="unsupported_syntax")
    for side in (left, right):
        if not isinstance(side, (int, float, complex)):
            raise ProgramError(f"Operators work on tensors and numbers, not on {describe(side)}.", code="argument_type")
    if sign is ast.Pow and isinstance(left, int) and isinstance(right, int) and abs(left) > 1 and abs(right) > _BITS:
        raise ProgramError("An integer has at most 64 bits here.", code="integer_out_of_range")
    function = _OPERATORS.get(sign)
    if function is None:
        raise ProgramError("This operator is not defined for two numbers.", code="argument_type")
    try:
        return _bounded(function(left, right))
    except (ArithmeticError, TypeError, ValueError) as error:
        raise ProgramError(f"Python cannot compute this: {error}.", code="value_error") from None


def negated(value: Any, sign: type[ast.unaryop]) -> Any:
    """The result of a sign in front of a number.

    Raises:
        ProgramError: It is none.
    """
    if not isinstance(value, (int, float, complex)) or sign not in (ast.USub, ast.UAdd):
        raise ProgramError(f"This sign cannot stand in front of {describe(value)}.", code="argument_type")
    return -value if sign is ast.USub else +value


def _bounded(value: Any) -> Any:
    # One bit more, because the sign of the most negative integer is written in front of a positive one.
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise ProgramError("An integer has at most 64 bits here.", code="integer_out_of_range")
    return value
