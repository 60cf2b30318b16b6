"""Einstein's summation convention, contracted a pair at a time.

An equation is read into numbered axes: the axes of the output first, then those that are summed over. Every operand is
brought to that common order, with axes of size 1 where it has none; then pairs are contracted until one operand is left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Final

from ..errors import TensorRuntimeError, TensorValueError
from ..op import op, ops
from ..params import Tensors
from .contract import refuse_many

_LETTERS: Final = ascii_uppercase + ascii_lowercase
_ELLIPSIS: Final = "..."

Labels = list[str]


def _invalid(message: str) -> TensorRuntimeError:
    return TensorRuntimeError(f"einsum(): {message}", code="bad_equation", pointer="/equation")


def _labels(text: str, start: int, owner: str) -> Labels:
    """The subscripts of one operand, an ellipsis counting as one; ``start`` is where ``text`` starts in the equation."""
    found: Labels = []
    i = 0
    while i < len(text):
        letter = text[i]
        if letter == ".":
            explained = " (...)" if owner == "output" else ""
            if _ELLIPSIS in found:
                raise _invalid(f"found '.' for {owner} {'but' if explained else 'for which'} an ellipsis{explained} was already found")
            if text[i : i + 3] != _ELLIPSIS:
                raise _invalid(f"found '.' for {owner} that is not part of any ellipsis{explained}")
            found.append(_ELLIPSIS)
            i += 3
            continue
        if letter in _LETTERS:
            found.append(letter)
        elif letter != " ":
            raise _invalid(f"invalid subscript given at index {start + i} in the equation string, subscripts must be in [a-zA-Z]")
        i += 1
    return found


class _Equation:
    """An equation read for given operands.

    Attributes:
        inputs: The subscripts of each operand.
        position: The first axis of each subscript in the common order.
        covered: How many axes the ellipsis stands for.
        outputs: How many axes the output has.
        axes: How many axes there are in all.
    """

    def __init__(self, equation: str, operands: Sequence[Any]) -> None:
        left, arrow, right = equation.partition("->")
        self.inputs: list[Labels] = []
        start = 0
        for number, part in enumerate(left.split(",")):
            self.inputs.append(_labels(part, start, f"operand {number}"))
            start += len(part) + 1
        if len(self.inputs) != len(operands):
            which = "fewer" if len(operands) < len(self.inputs) else "more"
            raise _invalid(f"{which} operands were provided than specified in the equation")
        self.covered = max(self._covered_by(i, operand) for i, operand in enumerate(operands))
        counts: dict[str, int] = {}
        for labels in self.inputs:
            for label in labels:
                counts[label] = counts.get(label, 0) + 1
        order = sorted(counts.keys() - {_ELLIPSIS}, key=_LETTERS.index)
        output = _labels(right, len(left) + 2, "output") if arrow else [_ELLIPSIS, *(x for x in order if counts[x] == 1)]
        self.position: dict[str, int] = {}
        axis = 0
        for label in output:
            if label == _ELLIPSIS:
                self.position[label] = axis
                axis += self.covered
                continue
            if label in self.position:
                raise _invalid(f"output subscript {label} appears more than once in the output")
            if label not in counts:
                raise _invalid(f"output subscript {label} does not appear in the equation for any input operand")
            self.position[label] = axis
            axis += 1
        self.outputs = axis
        if _ELLIPSIS not in self.position:
            self.position[_ELLIPSIS] = axis
            axis += self.covered
        for label in order:
            if label not in self.position:
                self.position[label] = axis
                axis += 1
        self.axes = axis

    def _covered_by(self, number: int, operand: Any) -> int:
        labels = self.inputs[number]
        names, ndim = len(labels) - labels.count(_ELLIPSIS), operand.ndim
        if _ELLIPSIS in labels:
            if names > ndim:
                raise _invalid(
                    f"the number of subscripts in the equation ({names}) is more than the number of dimensions ({ndim}) "
                    f"for operand {number}"
                )
            return ndim - names
        if names != ndim:
            raise _invalid(
                f"the number of subscripts in the equation ({names}) does not match the number of dimensions ({ndim}) for operand {number} "
                "and no ellipsis was given"
            )
        return 0

    def check_sizes(self, operands: Sequence[Any]) -> None:
        """Refuses sizes of one subscript that do not broadcast, or differ within one operand."""
        seen: dict[str, int] = {}
        for number, (labels, operand) in enumerate(zip(self.inputs, operands, strict=True)):
            missing = operand.ndim - (len(labels) - 1) if _ELLIPSIS in labels else 0
            own: dict[str, int] = {}
            axis = 0
            for label in labels:
                if label == _ELLIPSIS:
                    axis += missing
                    continue
                size = operand.shape[axis]
                axis += 1
                if own.setdefault(label, size) != size:
                    raise _invalid(f"subscript {label} is repeated for operand {number} but the sizes don't match, {size} != {own[label]}")
                before = seen.get(label, 1)
                if before != 1 and size not in (1, before):
                    raise _invalid(
                        f"subscript {label} has size {size} for operand {number} "
                        f"which does not broadcast with previously seen size {before}"
                    )
                seen[label] = size if before == 1 else before

    def align(self, number: int, operand: Any) -> Any:
        """An operand in the common order of axes."""
        labels = self.inputs[number]
        missing = self.covered - (operand.ndim - (len(labels) - 1)) if _ELLIPSIS in labels else 0
        place = [-1] * self.axes
        axes: dict[str, int] = {}
        axis = 0
        for label in labels:
            if label == _ELLIPSIS:
                for _ in range(missing):
                    operand = ops.unsqueeze(operand, axis)
                for k in range(self.covered):
                    place[self.position[label] + k] = axis + k
                axis += self.covered
            elif label in axes:
                operand = ops.movedim(ops.diagonal(operand, 0, axes[label], axis), -1, axes[label])
            else:
                axes[label] = place[self.position[label]] = axis
                axis += 1
        for k, source in enumerate(place):
            if source == -1:
                operand = ops.unsqueeze(operand, -1)
                place[k] = axis
                axis += 1
        return ops.permute(operand, tuple(place))


def _pair(left: Any, right: Any, summed: Sequence[int]) -> Any:
    """Sums the products of two aligned operands over ``summed``, whose axes stay with size 1, by one batch of matrix products.

    Every other axis is shared by both (a batch), the left one's alone, or the right one's alone.
    """
    if not summed:
        return left * right
    both: list[int] = []
    lefts: list[int] = []
    rights: list[int] = []
    for axis, (a, b) in enumerate(zip(left.shape, right.shape, strict=True)):
        if axis not in summed:
            (rights if a == 1 else lefts if b == 1 else both).append(axis)
    if lefts and rights and rights[-1] < lefts[0]:
        # The other way round the result lies in the order of the axes.
        left, right, lefts, rights = right, left, rights, lefts
    sizes = [math.prod(left.shape[x] for x in axes) for axes in (both, lefts, summed)]
    width = math.prod(right.shape[x] for x in rights)
    shape = (*(left.shape[x] for x in (*both, *lefts)), *(1 for _ in summed), *(right.shape[x] for x in rights))
    first = ops.reshape(ops.permute(left, (*both, *lefts, *summed, *rights)), tuple(sizes))
    second = ops.reshape(ops.permute(right, (*both, *summed, *rights, *lefts)), (sizes[0], sizes[2], width))
    order = [*both, *lefts, *summed, *rights]
    return ops.permute(ops.view(ops.bmm(first, second), shape), tuple(order.index(axis) for axis in range(len(order))))


def _path(equation: str, operands: Sequence[Any]) -> list[tuple[int, int]] | None:
    """The pairs to contract, as opt_einsum plans them; ``None``, from left to right, without it or where there is no choice."""
    if len(operands) < 3:
        return None
    try:
        import opt_einsum
    except ImportError:
        return None
    planned, _ = opt_einsum.contract_path(equation, *[tuple(x.shape) for x in operands], shapes=True, optimize="auto")
    pairs = [tuple(sorted(step)) for step in planned]
    return pairs if all(len(pair) == 2 for pair in pairs) else None


def _contract(operands: list[Any], parsed: _Equation, path: Sequence[tuple[int, int]] | None) -> Any:
    counts = [sum(1 for x in operands if x.shape[axis] != 1) for axis in range(parsed.axes)]
    steps = iter(path or ())
    while len(operands) > 1:
        i, j = (0, 1) if path is None else next(steps)
        b, a = operands.pop(j), operands.pop(i)
        summed: list[int] = []
        alone: tuple[list[int], list[int]] = [], []
        for axis in range(parsed.outputs, parsed.axes):
            has = a.shape[axis] != 1, b.shape[axis] != 1
            if all(has):
                counts[axis] -= 1
                if counts[axis] == 1:
                    summed.append(axis)
                    counts[axis] = 0
            elif any(has) and counts[axis] == 1:
                alone[has[1]].append(axis)
                counts[axis] = 0
        if alone[0]:
            a = ops.sum(a, tuple(alone[0]), True)
        if alone[1]:
            b = ops.sum(b, tuple(alone[1]), True)
        operands.insert(0 if path is None else len(operands), _pair(a, b, summed))
    return operands[0]


@op(composite=True, method=False)
def einsum(equation: str, operands: Tensors) -> Any:
    """Sums of products by Einstein's convention, as in ``einsum("ij,jk->ik", a, b)``.

    A subscript that the output lacks is summed over; without ``->`` the output has the subscripts that occur once, in
    alphabetical order. ``...`` stands for further dimensions, which broadcast.
    """
    if not operands:
        raise TensorValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its subscripts list",
            code="arity",
        )
    refuse_many("einsum", operands, "operands")
    parsed = _Equation(equation, operands)
    parsed.check_sizes(operands)
    aligned = [parsed.align(i, operand) for i, operand in enumerate(operands)]
    result = _contract(list(aligned), parsed, _path(equation, operands))
    if parsed.axes == parsed.outputs:
        return result
    if len(operands) == 1:
        return ops.sum(result, tuple(range(parsed.outputs, parsed.axes)))
    return ops.view(result, tuple(result.shape[: parsed.outputs]))
