"""The symbolic recorder: operations are recorded as instructions and not run.

Shapes, dtypes and errors come from the shape rules, so a program can be checked and its cost known before anything is
allocated. The graph code is the eager tensor's: the reverse walk over symbols records the backward half of a program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar

import numpy as np

from .dtypes import NumpyDType, default_dtype, dtype_of, scalar_array
from .errors import TensorNotImplementedError, TensorTypeError, ValueNeeded
from .meta import Meta, Shape, meta_of_array
from .op import Op, ops
from .record import run_arrays
from .shapes import infer
from .stopping import check
from .tensor import Tensor, return_type
from .value import CREATOR, Value

_TRACE: ContextVar[Trace | None] = ContextVar("gradwire_trace", default=None)


class Variable:
    """The result of an instruction, an input, or a constant of a trace.

    Attributes:
        meta: Shape, dtype and strides.
        layout: The same, as what calls are told apart by.
        constant: The array of a constant, otherwise ``None``.
    """

    __slots__ = ("constant", "dtype", "layout", "meta", "shape")

    def __init__(self, meta: Meta, constant: Any = None) -> None:
        self.meta = meta
        self.layout = (meta.shape, meta.dtype, meta.strides)
        self.shape: Shape = meta.shape
        self.dtype: NumpyDType = meta.dtype
        self.constant = constant


class Form:
    """What calls have in common that differ in nothing but the tensors they are of: the op, all layouts and all other arguments.

    Attributes:
        metas: The metas of the results.
    """

    __slots__ = ("metas",)

    def __init__(self, metas: tuple[Meta, ...]) -> None:
        self.metas = metas


class Instruction:
    """One recorded operation.

    Attributes:
        op: The op; never a composite one, whose parts are recorded instead.
        values: One per parameter, a ``Variable`` (or a tuple of them, or a Python number) in tensor slots.
        outs: Its results.
        form: What it has in common with others of the trace: the same object for calls that are alike.
    """

    __slots__ = ("form", "op", "outs", "values")

    def __init__(self, op: Op, values: tuple[Any, ...], outs: tuple[Variable, ...], form: Form) -> None:
        self.op = op
        self.values = values
        self.outs = outs
        self.form = form


class Trace:
    """A straight line of instructions."""

    def __init__(self) -> None:
        self.inputs: list[Variable] = []
        self.instructions: list[Instruction] = []
        self.outputs: list[Variable] = []
        self._forms: dict[Any, Form] = {}

    def add(self, op: Op, values: tuple[Any, ...]) -> tuple[Variable, ...]:
        """Records a call, with one value per parameter, and gives its results.

        Raises:
            GradwireError: The arguments do not fit.
        """
        key: Any = (op, default_dtype(), *[v.layout if type(v) is Variable else _facts(v) for v in values])
        try:
            form = self._forms.get(key)
        except TypeError:
            form, key = None, None  # of a value that has no hash, which is rare
        if form is None:
            form = Form(infer(op, [_as_meta(v) if i in op.tensor_slots else v for i, v in enumerate(values)]))
            if key is not None:
                self._forms[key] = form
        outs = tuple([Variable(meta) for meta in form.metas])
        self.instructions.append(Instruction(op, values, outs, form))
        return outs

    def input(self, meta: Meta) -> Symbol:
        """A new input."""
        variable = Variable(meta)
        self.inputs.append(variable)
        return Symbol._wrap(variable)  # type: ignore[return-value]

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Records inside, also the operations that make tensors from no tensor."""
        token, creator = _TRACE.set(self), CREATOR.set(Symbol)
        try:
            yield
        finally:
            _TRACE.reset(token)
            CREATOR.reset(creator)

    def run(self, arrays: Sequence[Any]) -> list[Any]:
        """Runs the instructions on arrays, one per input, and gives the arrays of the outputs."""
        known: dict[Variable, Any] = dict(zip(self.inputs, arrays, strict=True))

        def value_of(item: Any) -> Any:
            if isinstance(item, Variable):
                return known[item] if item.constant is None else item.constant
            if isinstance(item, tuple):
                return tuple(value_of(i) for i in item)
            return item

        for instruction in self.instructions:
            check()
            op = instruction.op
            result = run_arrays(op, [value_of(v) if i in op.tensor_slots else v for i, v in enumerate(instruction.values)])
            single = op.outputs is None and not op.variable_outputs
            for variable, array in zip(instruction.outs, (result,) if single else result, strict=True):
                # Whether a reshape is a view was decided by the shape rules, which say that such results are row-major.
                known[variable] = array if op.view or op.elementwise else np.asarray(array, order="C")
        return [value_of(v) for v in self.outputs]


@contextmanager
def aside() -> Iterator[tuple[Trace, Trace]]:
    """Records what is done to symbols inside by itself.

    Yields:
        The trace that the symbols belong to, to which nothing is added, and the new one.

    Raises:
        TensorTypeError: Nothing is being recorded.
    """
    outer, inner = _current(), Trace()
    token = _TRACE.set(inner)
    try:
        yield outer, inner
    finally:
        _TRACE.reset(token)


def _current() -> Trace:
    trace = _TRACE.get()
    if trace is None:
        raise TensorTypeError("A symbolic tensor belongs to the trace that made it and cannot be used after it ended.")
    return trace


class Symbol(Value):
    """A tensor whose payload is a ``Variable``: it has a shape and a dtype, but no elements."""

    precedence: ClassVar[int] = 3
    _data: Variable

    @classmethod
    def _lift(cls, value: Any) -> Value:
        if isinstance(value, Tensor):
            value = value._data
        if isinstance(value, Value):
            raise TensorTypeError(f"Expected a symbolic or an eager tensor, but got a {type(value).__name__}.")
        array = np.asarray(value) if isinstance(value, (np.ndarray, np.generic)) else scalar_array(value)
        return cls._wrap(Variable(meta_of_array(array), array))

    @classmethod
    def _execute(cls, op: Op, operands: Sequence[Any], payloads: Sequence[Any]) -> Sequence[Any]:
        return _current().add(op, tuple(operands))

    @classmethod
    def _promote(cls, payload: Any, dtype: NumpyDType) -> Any:
        if isinstance(payload, tuple):
            return tuple(cls._promote(p, dtype) for p in payload)
        if not isinstance(payload, Variable) or payload.dtype == dtype:
            return payload
        # A cast of its own, without history: promotion is no part of the backward graph.
        return ops.to(cls._wrap(payload), dtype_of(dtype))._data

    @classmethod
    def _meta_of(cls, payload: Any) -> Meta:
        meta: Meta = payload.meta
        return meta

    @classmethod
    def _pack(cls, op: Op, results: list[Any]) -> Any:
        return return_type(op)(*results) if op.named_outputs else tuple(results)

    def _overwrite(self, payload: Any) -> None:
        raise TensorNotImplementedError(
            "Programs are pure, so a symbolic tensor cannot be written in place. Use the out-of-place form of the operation."
        )

    def _snapshot(self) -> Any:
        return self._data

    def _accumulate(self, g: Value) -> None:
        self._grad = g if self._grad is None else self._grad + g

    def _no_value(self) -> Any:
        raise ValueNeeded(
            "A symbolic tensor has a shape and a dtype but no elements, so Python cannot "
            "look at its value. Use where() instead of if, and tensors instead of numbers."
        )

    __bool__ = __int__ = __float__ = __complex__ = __index__ = item = tolist = numpy = _no_value

    def __repr__(self) -> str:
        return f"symbol({list(self._data.shape)}, dtype={self.dtype!r})"


def _facts(value: Any) -> Any:
    """What tells the arguments of calls apart: 0.0 from -0.0 and 1 from True, which compare equal."""
    kind = type(value)
    if kind is Variable:
        return value.layout
    if kind is tuple:
        return tuple(map(_facts, value))
    if kind is slice:
        return kind, _facts(value.start), _facts(value.stop), _facts(value.step)
    if kind is float:
        return kind, value or repr(value)
    return kind, repr(value) if kind is complex else value


def _as_meta(payload: Any) -> Any:
    if isinstance(payload, Variable):
        return payload.meta
    if isinstance(payload, tuple):
        return tuple(_as_meta(p) for p in payload)
    return payload


def trace(function: Callable[..., Any], metas: Sequence[Meta]) -> Trace:
    """Records what ``function`` does to symbols.

    Args:
        function: Takes one symbol per meta; returns a symbol or several. It may use ``autograd.grad``.
        metas: The metas of the inputs.

    Returns:
        The trace, with the function's results as outputs.
    """
    made = Trace()
    with made.recording():
        result = function(*[made.input(m) for m in metas])
    results = result if isinstance(result, (list, tuple)) else (result,)
    made.outputs = [r._data if isinstance(r, Symbol) else Symbol._lift(r)._data for r in results]
    return made
