"""The tensor that a Python callable meets while it is traced: an operation on it becomes a node of a program.

Nodes are those that the caller wrote, composite operations whole, so that the program can be read, and differentiated where it runs.
Programs are pure: what is written in place here becomes a new value, which whatever shares the storage then sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, NoReturn

import numpy as np

from gradwire_engine.dtypes import bool_, dtype_of, scalar_array
from gradwire_engine.errors import TensorNotImplementedError, TensorRuntimeError, TensorTypeError, ValueNeeded
from gradwire_engine.indexing import items_of
from gradwire_engine.inplace import run_inplace
from gradwire_engine.meta import Meta, meta_of_array
from gradwire_engine.op import Op, ops
from gradwire_engine.record import call_bound, is_tensor
from gradwire_engine.tensor import Tensor as EagerTensor
from gradwire_engine.value import Value

from .arguments import arguments
from .program_trace import TRACE, Name, written
from .shadow import SHADOW, shadow
from .shapes import ShapesOnly
from .tensor import Tensor

_WHOLE = slice(None)
# The operators that NumPy asks its own functions for, by what the operand on the right has for them.
_REFLECTED: Final = {
    np.add: "__radd__",
    np.subtract: "__rsub__",
    np.multiply: "__rmul__",
    np.divide: "__rtruediv__",
    np.floor_divide: "__rfloordiv__",
    np.remainder: "__rmod__",
    np.power: "__rpow__",
    np.matmul: "__rmatmul__",
    np.bitwise_and: "__rand__",
    np.bitwise_or: "__ror__",
    np.bitwise_xor: "__rxor__",
    np.equal: "__eq__",
    np.not_equal: "__ne__",
    np.less: "__gt__",
    np.less_equal: "__ge__",
    np.greater: "__lt__",
    np.greater_equal: "__le__",
}


class Placeholder:
    """The payload of a traced tensor.

    Attributes:
        meta: Shape, dtype and strides.
        shape: The shape.
        dtype: The NumPy dtype.
        name: What the program calls it; ``None`` for constants, and for what exists in the shadow only.
        constant: The elements of a constant, and what they were taken from.
        version: The version of the storage of which this is the value.
    """

    __slots__ = ("constant", "dtype", "meta", "name", "shape", "version")

    def __init__(self, meta: Meta, name: Name | None = None, constant: tuple[Any, Any] | None = None) -> None:
        self.meta = meta
        self.shape = meta.shape
        self.dtype = meta.dtype
        self.name = name
        self.constant = constant
        self.version = 0


class Traced(ShapesOnly, Value):
    """A tensor with a shape and a dtype, but no elements, of which a program is made."""

    precedence: ClassVar[int] = 3
    announces: ClassVar[bool] = True
    _data: Placeholder
    payload_type: ClassVar[Any] = Placeholder

    @classmethod
    def _lift(cls, value: Any) -> Value:
        if isinstance(value, Tensor):
            array = value._elements()
        elif isinstance(value, EagerTensor):
            array = value._data
        elif isinstance(value, Value):
            raise TensorTypeError(f"Expected a tensor or an array, but got a {type(value).__name__}.")
        else:
            array = np.asarray(value) if isinstance(value, (np.ndarray, np.generic)) else scalar_array(value)
        return cls._wrap(Placeholder(meta_of_array(array), None, (array, value)))

    @classmethod
    def _execute(cls, op: Op, operands: Sequence[Any], payloads: Sequence[Any]) -> Sequence[Any]:
        if op.data_dependent:
            raise ValueNeeded(
                f"What {op.name.lstrip('_')} gives has a shape that depends on values, of which there are none while a function is "
                "traced. Use torch.where or masked_fill, which keep the shape."
            )
        return super()._execute(op, operands, payloads)

    # Announcing: what the program is told.

    @classmethod
    def _announce(cls, op: Op, values: Sequence[Any], results: Sequence[Any]) -> None:
        if SHADOW.get() is None:
            _write_node(op, values, results, single=op.outputs is None and not op.variable_outputs)

    @classmethod
    def _call_again(cls, op: Op, args: tuple[Any, ...]) -> Any:
        return call_bound(op, op.bind(args, {}, is_tensor))

    @classmethod
    def _call_composite(cls, op: Op, values: Sequence[Any]) -> Any:
        if SHADOW.get() is not None:
            return op.run(values)
        values = [_lifted(v) if i in op.tensor_slots or op.params[i].kind == "Index" else v for i, v in enumerate(values)]
        with shadow():
            result = op.run(values)
        results = list(result) if isinstance(result, (tuple, list)) else [result]
        if all(isinstance(r, cls) and r._data.name is None and r._data.constant is None for r in results):
            _write_node(op, values, results, single=not isinstance(result, (tuple, list)))
            return result
        # The tensor itself, which some operations give where there is nothing to do.
        return op.run(values)

    @classmethod
    def _announce_inplace(cls, op: Op, target: Any, values: list[Any]) -> Any:
        if SHADOW.get() is not None:
            return run_inplace(op, target, values)
        if op.view:
            raise TensorNotImplementedError(
                f"{op.short_name}_() changes a shape in place, which cannot be traced; use {op.short_name}(), which gives a new tensor.",
                code="inplace_in_program",
            )
        values = [_lifted(v) if i in op.tensor_slots else v for i, v in enumerate(values)]
        target._settle()
        with shadow():
            probe = cls._wrap(target._data)
            run_inplace(op, probe, [probe, *values[1:]])
        result = call_bound(op, [target, *values[1:]])
        target._become(ops.to(result, dtype_of(target._data.dtype)))
        return target

    @classmethod
    def _enter_function(cls, name: str) -> None:
        raise TensorNotImplementedError(
            f"The function {name} has a backward in Python, which cannot become part of a program. Write it in operations of torch, "
            "or put a program with 'functions' by Client.put_function.",
            code="custom_function",
        )

    def _overwrite(self, payload: Any) -> None:
        """Nothing: the new value gets a name of its own."""

    def _snapshot(self) -> Placeholder:
        return self._data

    def _written(self) -> None:
        """Nothing: running statistics, which this is about, are left as they are."""

    # Tensors of two kinds of arguments, of which documents would not know which is which.
    to = Tensor.to

    # Writing: new values in place of old ones.

    def _settle(self) -> None:
        """Takes a view of the base as it is now, if that was written since."""
        payload = self._data
        if payload.version == self._version_counter.count or payload.constant is not None:
            return
        of = self._view
        if of is None:
            raise TensorRuntimeError(
                "A tensor that was taken by detach() or .data is used after the tensor that it was taken from was written in place, "
                "which cannot be traced. Use clone() before the operation.",
                code="stale_detached",
            )
        taken = ops.take(of.base, self._positions())
        self._data = Placeholder(payload.meta, taken._data.name)
        self._data.version = self._version_counter.count

    def _positions(self) -> Value:
        """Where in the flattened base the elements of a view are."""
        of = self._view
        assert of is not None
        base: Any = of.base._data
        positions: Any = np.arange(base.meta.numel).reshape(base.shape)
        for link in of.chain:
            positions = link.replay(positions)
        return self._lift(np.ascontiguousarray(positions))

    def _become(self, new: Any) -> None:
        """Takes the value of another tensor of the same shape and dtype, and so does its part of the base, if it is a view."""
        name = TRACE.get().node("clone", [_refer(new)], {}, None)[0] if new._data.constant is not None else new._data.name
        of = self._view
        after = None if of is None else ops.put(of.base, self._positions(), new)
        self._version_counter.bump()
        if of is not None and after is not None:
            base: Any = of.base
            base._data = Placeholder(base._data.meta, after._data.name)
            base._data.version = self._version_counter.count
        self._data = Placeholder(self._data.meta, name)
        self._data.version = self._version_counter.count

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(value, Value):
            value = ops.to(_lifted(value), dtype_of(self._data.dtype))
        elif isinstance(value, (bool, int, float, complex, np.generic)):
            value = ops.new_full(self, [], value.item() if isinstance(value, np.generic) else value)
        else:
            name = "numpy.ndarray" if isinstance(value, np.ndarray) else type(value).__name__
            raise TensorTypeError(f"can't assign a {name} to a torch.{dtype_of(self._data.dtype).torch_name}Tensor")
        items = tuple(_lifted(item) for item in items_of(index))
        if len(items) == 1 and isinstance(items[0], Value) and items[0].dtype is bool_ and value.ndim == 0:
            # The usual case of a mask, which can be differentiated by shapes alone.
            mask = ops.reshape(items[0], (*items[0]._data.shape, *[1] * (self.ndim - items[0].ndim)))
            self._become(ops.where(mask, value, self))
            return
        if any(isinstance(item, Value) for item in items) and all(isinstance(item, Value) or item == _WHOLE for item in items):
            self._become(ops.index_put(self, [None if isinstance(item, slice) else item for item in items], value))
            return
        places = ops.getitem(_all_positions(self._data.shape), index)
        extra = value.ndim - places.ndim
        if extra > 0 and all(size == 1 for size in value._data.shape[:extra]):
            value = ops.reshape(value, value._data.shape[extra:])
        self._become(ops.put(self, places, ops.expand(value, places._data.shape)))

    # What shares elements, and what would need them.

    def detach(self) -> Any:
        """The same elements, which no gradient passes."""
        if SHADOW.get() is not None:
            return self._wrap(self._data)
        result: Any = self._wrap(Placeholder(self._data.meta, TRACE.get().node("detach", [_refer(self)], {}, None)[0]))
        result._version_counter = self._version_counter
        result._data.version = self._version_counter.count
        return result

    @property
    def data(self) -> Any:
        """The same as ``detach()``."""
        return self.detach()

    @data.setter
    def data(self, value: Any) -> None:
        raise TensorNotImplementedError("The data of a tensor cannot be set while a function is traced; make a new tensor.")

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Refuses: what is differentiated is chosen where the function is called."""
        if requires_grad:
            raise TensorNotImplementedError(
                "Gradients cannot be taken inside a function that is traced. Return the value, and ask for its derivatives outside: "
                "f.value_and_grad(...), f.hessian(...), f.jvp(...).",
                code="gradient_in_trace",
            )
        return self

    def _no_value(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ValueNeeded(
            "While a function is traced its tensors have shapes and dtypes, but no elements that Python could look at. Use "
            "torch.where(...) in place of if, tensors in place of numbers, and functions of gradwire in place of those of NumPy and math."
        )

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """What NumPy makes of an operator with an array in front, which is the tensor's; other functions of NumPy are refused."""
        reflected = _REFLECTED.get(ufunc)
        if reflected is None or method != "__call__" or options or not isinstance(inputs[1], Traced):
            self._no_value()
        return getattr(inputs[1], reflected)(inputs[0])

    __bool__ = __int__ = __float__ = __complex__ = __index__ = __array__ = __contains__ = _no_value
    item = tolist = numpy = equal = allclose = data_ptr = _no_value

    def __repr__(self) -> str:
        return f"traced({list(self._data.shape)}, dtype={self.dtype!r})"


def traced_input(name: str, meta: Meta) -> Value:
    """A new input of the program."""
    return Traced._wrap(Placeholder(meta, TRACE.get().input(name, meta.shape, dtype_of(meta.dtype).name)))


def output_name(value: Any, taken: Sequence[Name]) -> Name:
    """The name of a result, which is neither that of an input nor one of those that are taken."""
    name = _refer(value if isinstance(value, Value) else Traced._lift(value))
    if isinstance(name, Name) and name.text not in TRACE.get().inputs and not any(name is other for other in taken):
        return name
    return TRACE.get().node("clone", [name], {}, None)[0]


def _write_node(op: Op, values: Sequence[Any], results: Sequence[Any], *, single: bool) -> None:
    args, kwargs = arguments(op, values, _refer)
    names = TRACE.get().node(op.name, args, kwargs, None if single else len(results))
    for name, result in zip(names, results, strict=True):
        of = result._view
        if of is not None and of.base._data.name is None and of.base._data.constant is None:
            # A view of what exists in the shadow only is nobody's view.
            result._view = None
            result._version_counter = type(result)._wrap(result._data)._version_counter
        result._data.name = name
        result._data.version = result._version_counter.count


def _refer(value: Any) -> Any:
    """What stands for a tensor in a node."""
    value = _lifted(value)
    value._settle()
    payload = value._data
    if payload.constant is None:
        return payload.name
    array, source = payload.constant
    return written(array) if array.ndim == 0 else TRACE.get().constant(array, source)


def _lifted(value: Any) -> Any:
    """Tensors of other kinds, and arrays, as constants."""
    if isinstance(value, (tuple, list)) and any(is_tensor(v) for v in value):
        return type(value)(_lifted(v) for v in value)
    if isinstance(value, (Tensor, EagerTensor, np.ndarray)):
        return Traced._lift(value)
    return value


def _all_positions(shape: tuple[int, ...]) -> Any:
    """The positions of all elements in a tensor of this shape."""
    known = TRACE.get().positions
    if shape not in known:
        known[shape] = ops.reshape(ops.arange(int(np.prod(shape)), dtype=np.dtype("int64")), shape)
    return known[shape]
