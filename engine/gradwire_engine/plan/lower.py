"""From a trace to NumPy calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array, wrap_integer
from ..errors import TensorRuntimeError
from ..op import Op
from ..quiet import quiet
from ..record import compute_dtype
from ..stopping import watched
from ..symbolic import Instruction, Trace, Variable
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
        self._templates: dict[Any, _Template | None] = {}

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
        values = [self._value(v) if i in op.tensor_slots else v for i, v in enumerate(instruction.values)]
        if op.promoted:
            values = self._promoted(op, values)
        wanted = [self._term(v) for v in instruction.outs]
        found = None
        if not (op.creation or op.random):
            found = self._again(op, values, wanted)
        if found is None and op.view:
            found = self._strided(op, values)
        if found is None:
            self._steps.append(Step("kernel", op, tuple(values), tuple(wanted), pure=not op.random))
            return
        self._known.update(zip(instruction.outs, found, strict=True))

    def _again(self, op: Op, values: list[Any], wanted: Sequence[Term]) -> list[Term] | None:
        """What the kernel makes of tracers; once followed, it is not followed again on operands of the same layout."""
        operands = list(terms_in([values[i] for i in op.tensor_slots]))
        key = _signature(op, values, operands)
        if key is None:
            return self._traced(op, values, wanted)
        template = self._templates.get(key, self)
        if template is self:
            begin = len(self._steps)
            found = self._traced(op, values, wanted)
            self._templates[key] = None if found is None else _Template(operands, self._steps[begin:], found)
            return found
        assert not isinstance(template, _Lowering)
        return None if template is None else template.repeat(operands, self._steps)

    def _promoted(self, op: Op, values: list[Any]) -> list[Any]:
        if _alike(op, values):
            return values
        dtype = compute_dtype(op, values)

        def cast(value: Any) -> Any:
            if type(value) is tuple:
                return tuple(cast(v) for v in value)
            if type(value) is not Term:
                return wrap_integer(value, dtype)
            return value if value.dtype == dtype else Traced(value, self._steps).astype(dtype).term

        return [cast(v) if i in op.promoted else v for i, v in enumerate(values)]

    def _traced(self, op: Op, values: Sequence[Any], wanted: Sequence[Term]) -> list[Term] | None:
        """What the kernel makes of tracers; ``None`` if it cannot be followed, and has to be called as it is."""
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
        self._operands = operands
        self._steps = steps
        self._results = results

    def repeat(self, operands: list[Term], steps: list[Step]) -> list[Term]:
        """Adds the same steps for other operands, and gives their results."""
        mapped = dict(zip(self._operands, operands, strict=True))
        for step in self._steps:
            outs = tuple(Term(o.shape, o.dtype, o.strides) for o in step.outs)
            steps.append(Step(step.kind, step.function, substitute(step.args, mapped), outs, step.how, pure=step.pure))
            mapped.update(zip(step.outs, outs, strict=True))
        return [mapped.get(r, r) for r in self._results]


def _signature(op: Op, values: Sequence[Any], operands: Sequence[Term]) -> Any:
    """What decides which steps a call takes: layouts, which operands are the same, and everything that is no tensor."""
    first: dict[Term, int] = {}
    layouts: list[Any] = []
    for term in operands:
        if term.constant is not None:
            return None
        layouts.append((first.setdefault(term, len(first)), term.shape, term.dtype, term.strides))

    def frozen(value: Any) -> Any:
        if type(value) is Term:
            return Term
        if type(value) is tuple:
            return tuple(frozen(v) for v in value)
        return type(value), repr(value) if type(value) is float else value

    key = (op, tuple(layouts), tuple(frozen(v) for v in values))
    try:
        hash(key)
    except TypeError:
        return None  # slices and generators, which are rare
    return key


def _alike(op: Op, values: Sequence[Any]) -> bool:
    """Whether all operands have one floating dtype already, beside which Python's real numbers are taken as they are."""
    dtype = None
    for i in op.promoted:
        value = values[i]
        if type(value) is Term:
            if value.dtype.kind != "f" or (dtype is not None and value.dtype != dtype):
                return False
            dtype = value.dtype
        elif type(value) not in (int, float):
            return False
    return dtype is not None


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
