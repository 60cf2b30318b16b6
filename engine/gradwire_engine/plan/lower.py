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
from ..symbolic import Instruction, Trace, Variable
from .ir import MOST_BYTES, Graph, Step, Term, constant_term, is_splat, known
from .tracer import Traced, Untraceable, own, stand_in


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

    def graph(self) -> Graph:
        inputs = [self._term(v) for v in self._trace.inputs]
        for instruction in self._trace.instructions:
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
        if not (op.creation or op.random or op.data_dependent):
            found = self._traced(op, values, wanted)
        if found is None and op.view:
            found = self._strided(op, values)
        if found is None:
            self._steps.append(Step("kernel", op, tuple(values), tuple(wanted), pure=not op.random))
            return
        self._known.update(zip(instruction.outs, found, strict=True))

    def _promoted(self, op: Op, values: list[Any]) -> list[Any]:
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
