"""From a trace to NumPy calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..dtypes import Array, wrap_integer
from ..errors import TensorRuntimeError
from ..op import Op
from ..promotion import compute_dtype, settled_dtype
from ..quiet import quiet
from ..stopping import watched
from ..symbolic import Form, Instruction, Trace, Variable
from .ir import MOST_BYTES, Graph, Step, Term, constant_term, is_splat, known, substitute, terms_in
from .outline import Untraceable, own, stand_in
from .tracer import Traced


def lower(trace: Trace) -> Graph:
    """The NumPy calls that the instructions of a trace make, in order.

    Args:
        trace: What was recorded.
    """
    return _Lowering(trace).graph()


class _Lowering:
    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._known: dict[Variable, Term] = {}
        self._steps: list[Step] = []
        self._templates: dict[tuple[Form, tuple[int, ...]], _Template | None] = {}

    def graph(self) -> Graph:
        inputs = [self._term(v) for v in self._trace.inputs]
        for instruction in watched(self._trace.instructions):
            if instruction.op.data_dependent:
                raise data_dependent(instruction.op)
            self._add(instruction)
        return Graph(inputs, self._steps, [self._term(v) for v in self._trace.outputs])

    def _term(self, variable: Variable) -> Term:
        found = self._known.get(variable)
        if found is None:
            meta = variable.meta
            if variable.constant is None:
                found = Term(meta.shape, meta.dtype, meta.strides)
            else:
                found = constant_term(np.asarray(variable.constant))
            self._known[variable] = found
        return found

    def _value(self, item: Any) -> Any:
        if isinstance(item, Variable):
            return self._term(item)
        if type(item) is tuple:
            return tuple(self._value(i) for i in item)
        return item

    def _add(self, instruction: Instruction) -> None:
        op = instruction.op
        found = None
        if not (op.creation or op.random):
            found = self._again(instruction)
        if found is None and op.view:
            found = self._strided(op, self._values(instruction))
        if found is None:
            wanted = tuple([self._term(v) for v in instruction.outs])
            self._steps.append(Step("kernel", op, tuple(self._values(instruction)), wanted, pure=not op.random))
            return
        self._known.update(zip(instruction.outs, found, strict=True))

    def _values(self, instruction: Instruction) -> list[Any]:
        """The arguments of a call, promoted."""
        op = instruction.op
        values = [self._value(v) if i in op.tensor_slots else v for i, v in enumerate(instruction.values)]
        return self._promoted(op, values) if op.promoted else values

    def _again(self, instruction: Instruction) -> list[Term] | None:
        """What the kernel makes of tracers; once followed, it is not followed again for calls that are alike."""
        operands: list[Term] = []
        for value in instruction.values:
            if type(value) is Variable:
                operands.append(self._known.get(value) or self._term(value))
            elif type(value) is tuple:
                operands += terms_in(self._value(value))
        for term in operands:
            if term.constant is not None:
                return self._traced(instruction)
        first: dict[Term, int] = {}
        key = (instruction.form, tuple([first.setdefault(term, len(first)) for term in operands]))
        if key in self._templates:
            template = self._templates[key]
            return None if template is None else template.repeat(operands, self._steps)
        begin = len(self._steps)
        found = self._traced(instruction)
        self._templates[key] = None if found is None else _Template(operands, self._steps[begin:], found)
        return found

    def _promoted(self, op: Op, values: list[Any]) -> list[Any]:
        if settled_dtype(op, values) is not None:
            return values
        dtype = compute_dtype(op, values)

        def cast(value: Any) -> Any:
            if type(value) is tuple:
                return tuple(cast(v) for v in value)
            if type(value) is not Term:
                return wrap_integer(value, dtype)
            return value if value.dtype == dtype else Traced(value, self._steps).astype(dtype).term

        return [cast(v) if i in op.promoted else v for i, v in enumerate(values)]

    def _traced(self, instruction: Instruction) -> list[Term] | None:
        """What the kernel makes of tracers; ``None`` if it cannot be followed, and has to be called as it is."""
        op, values = instruction.op, self._values(instruction)
        wanted = [self._term(v) for v in instruction.outs]
        noted: list[Step] = []

        def stand_ins(value: Any) -> Any:
            if type(value) is Term:
                return Traced(value, noted)
            return tuple(stand_ins(v) for v in value) if type(value) is tuple else value

        try:
            result = quiet.run(op.run, [stand_ins(v) if i in op.tensor_slots else v for i, v in enumerate(values)])
            results = (result,) if op.outputs is None and not op.variable_outputs else tuple(result)
            found = [_settled(r, w, noted) for r, w in zip(results, wanted, strict=True)]
        except Exception:
            # Whatever it is, the kernel itself meets it again, on arrays, and says so in its own words.
            return None
        self._steps += noted
        return found

    def _strided(self, op: Op, values: Sequence[Any]) -> list[Term]:
        """The results of a view op, found on an array of the same layout: a view kernel reads no element."""
        source, *rest = values
        array = stand_in(source)
        result = quiet.run(op.run, [array, *rest])
        start = _address(array)
        found: list[Term] = []
        for view in result if op.variable_outputs else (result,):
            out = Term(view.shape, view.dtype, tuple(s // view.itemsize for s in view.strides))
            offset = _address(view) - start if view.size else 0
            self._steps.append(Step("view", None, (source,), (out,), ("strided", (view.shape, view.strides, offset, view.dtype))))
            found.append(out)
        return found


class _Template:
    """The steps of one call of an op, to be repeated for others.

    Args:
        operands: The terms that it read.
        steps: What it did.
        results: What came out.
    """

    def __init__(self, operands: list[Term], steps: list[Step], results: list[Term]) -> None:
        self._terms = [*operands, *(out for step in steps for out in step.outs)]
        places = {term: place for place, term in enumerate(self._terms)}
        self._steps = [(step, _places(step.args, places)) for step in steps]
        self._results = [(result, places.get(result)) for result in results]

    def repeat(self, operands: list[Term], steps: list[Step]) -> list[Term]:
        """Adds the same steps for other operands, and gives their results."""
        terms = operands.copy()
        for step, places in self._steps:
            if places is None:
                args = substitute(step.args, dict(zip(self._terms, terms, strict=False)))
            else:
                args = tuple([arg if place is None else terms[place] for arg, place in zip(step.args, places, strict=True)])
            outs = tuple([out.another() for out in step.outs])
            steps.append(Step(step.kind, step.function, args, outs, step.how, pure=step.pure))
            terms += outs
        return [result if place is None else terms[place] for result, place in self._results]


def _places(args: tuple[Any, ...], places: Mapping[Term, int]) -> list[int | None] | None:
    """Which of the terms each argument is, ``None`` for one that is none of them; ``None`` if some are in lists."""
    if any(type(arg) is tuple for arg in args):
        return None
    return [places.get(arg) if type(arg) is Term else None for arg in args]


def data_dependent(op: Op) -> TensorRuntimeError:
    """The refusal of an op whose result has a shape that depends on values.

    Args:
        op: The op.
    """
    return TensorRuntimeError(
        f"The shape of what {op.full_name} gives depends on values, so it cannot be part of a function that is compiled for shapes. "
        "Use torch.where or masked_fill, which keep the shape, in place of selecting elements.",
        code="data_dependent_shape",
    )


def _address(array: Array) -> int:
    place: int = array.__array_interface__["data"][0]
    return place


def _settled(result: Any, wanted: Term, noted: list[Step]) -> Term:
    if not isinstance(result, Traced):
        made = known(np.array(result))
        if not is_splat(made) and made.nbytes > MOST_BYTES:
            raise Untraceable
        result = Traced(made, noted)
    return own(result, wanted)
