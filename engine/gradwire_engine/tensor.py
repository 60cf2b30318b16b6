"""The eager tensor: operations run at once on NumPy arrays."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, ClassVar

import numpy as np

from .devices import check_device
from .dtypes import Array, NumpyDType, default_dtype, dtype_of, scalar_array, wrap_integer
from .errors import TensorRuntimeError, TensorTypeError, TensorValueError
from .meta import Meta, meta_of_array
from .modes import GRAD_MODE, GUARD
from .op import Op, ops
from .printing import format_tensor, format_value
from .record import run_kernel
from .value import Value


class Tensor(Value):
    """A tensor whose payload is a NumPy array."""

    precedence: ClassVar[int] = 1
    computes_on_arrays: ClassVar[bool] = True
    _data: Array

    @classmethod
    def _lift(cls, value: Any) -> Value:
        if isinstance(value, Value):
            raise TensorTypeError(f"Expected an eager tensor, but got a {type(value).__name__}.")
        if isinstance(value, (np.ndarray, np.generic)):
            return cls._wrap(np.asarray(value))
        return cls._wrap(scalar_array(value))

    @classmethod
    def _execute(cls, op: Op, operands: Sequence[Any], payloads: Sequence[Any]) -> Sequence[Any]:
        guard = GUARD.get()
        if guard is not None:
            guard(op, operands)
        result = run_kernel(op, operands)
        if op.outputs is None and not op.variable_outputs:
            result = (result,)
        if op.view:
            return tuple(result)
        return tuple(own_result(r, op, payloads) for r in result)

    @classmethod
    def _promote(cls, payload: Any, dtype: NumpyDType) -> Any:
        if isinstance(payload, tuple):
            return tuple(cls._promote(p, dtype) for p in payload)
        if isinstance(payload, np.ndarray):
            return payload.astype(dtype) if payload.dtype != dtype else payload
        return wrap_integer(payload, dtype)

    @classmethod
    def _meta_of(cls, payload: Any) -> Meta:
        return meta_of_array(payload)

    @classmethod
    def _pack(cls, op: Op, results: list[Any]) -> Any:
        return return_type(op)(*results) if op.named_outputs else tuple(results)

    def _overwrite(self, payload: Array) -> None:
        np.copyto(self._data, payload, casting="unsafe")

    def _snapshot(self) -> Array:
        return self._data.copy()

    def _accumulate(self, g: Value) -> None:
        present = self._grad
        if GRAD_MODE.get() and g.requires_grad:
            self._grad = copied(g) if present is None else present + g
        elif present is None:
            # What arrives may be shared (both inputs of an addition get the same array), so the leaf takes a copy.
            self._grad = Tensor._wrap(np.array(g._data, order="C"))
        elif GRAD_MODE.get():
            self._grad = present + g
        else:
            present._overwrite(present._data + g._data)
            present._version_counter.bump()

    # Values.

    def item(self) -> Any:
        """The element of a one-element tensor as a Python number."""
        if self._data.size != 1:
            raise TensorRuntimeError(f"a Tensor with {self._data.size} elements cannot be converted to Scalar")
        return self._data.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self._data.tolist()

    def numpy(self, *, force: bool = False) -> Array:
        """The elements as an array that shares this tensor's storage; with ``force`` also of a tensor that requires gradients."""
        if self.requires_grad and not force:
            raise TensorRuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return self._data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        data = self.numpy()
        if dtype is not None and data.dtype != dtype:
            return data.astype(dtype)
        return data.copy() if copy else data

    def equal(self, other: Any) -> bool:
        """Whether both have the same shape and the same elements; NaN equals nothing."""
        if not isinstance(other, Tensor):
            got = type(other).__name__
            raise TensorTypeError(f"equal(): argument 'other' (position 2) must be Tensor, not {got}", code="argument_type")
        return self._data.shape == other._data.shape and bool(np.all(self._data == other._data))

    def allclose(self, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
        """Whether all elements are close (see ``isclose``)."""
        if not isinstance(other, Tensor):
            got = type(other).__name__
            raise TensorTypeError(f"allclose(): argument 'other' (position 2) must be Tensor, not {got}", code="argument_type")
        return bool(self.isclose(other, rtol, atol, equal_nan)._data.all())

    def is_contiguous(self) -> bool:
        """Whether the elements lie in row-major order without gaps."""
        return bool(self._data.flags.c_contiguous)

    def storage_offset(self) -> int:
        """The place of the first element in the storage, in elements."""
        base = self if self._view is None else self._view.base
        return (self.data_ptr() - int(base._data.ctypes.data)) // int(self._data.itemsize)

    def data_ptr(self) -> int:
        """The address of the first element."""
        return int(self._data.ctypes.data)

    def __bool__(self) -> bool:
        if self._data.size != 1:
            kind = "no values" if self._data.size == 0 else "more than one value"
            raise TensorRuntimeError(f"Boolean value of Tensor with {kind} is ambiguous")
        return bool(self._data.item())

    def _number(self) -> Any:
        if self._data.size != 1:
            raise TensorValueError("only one element tensors can be converted to Python scalars")
        return self._data.item()

    def __float__(self) -> float:
        warn_of_history(self)
        number = self._number()
        if isinstance(number, complex):
            if number.imag:
                raise TensorRuntimeError("value cannot be converted to type double without overflow")
            number = number.real
        return float(number)

    def __int__(self) -> int:
        return int(self._number())

    def __complex__(self) -> complex:
        warn_of_history(self)
        return complex(self._number())

    def __index__(self) -> int:
        if self._data.size != 1 or self._data.dtype.kind not in "iub":
            raise TensorTypeError("only integer tensors of a single element can be converted to an index")
        return int(self._data.item())

    def __contains__(self, element: Any) -> bool:
        if not isinstance(element, (Tensor, bool, int, float, complex, np.generic)):
            raise TensorRuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")
        return bool((self._data == (element._data if isinstance(element, Tensor) else element)).any())

    def _suffixes(self) -> list[str]:
        node = self._made_by()
        if node is not None:
            return [f"grad_fn=<{node.short_name}>"]
        return ["requires_grad=True"] if self._requires_grad else []

    def __repr__(self) -> str:
        return self._text(self._suffixes())

    def _text(self, suffixes: Sequence[str]) -> str:
        return format_tensor(self._data, suffixes=suffixes, default_dtype=default_dtype())

    def __format__(self, spec: str) -> str:
        return format_value(self._data, spec, self.__repr__)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if not self.is_leaf:
            raise TensorRuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  If you were "
                "attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, see "
                "https://github.com/pytorch/pytorch/pull/103001"
            )
        copy = self._wrap(self._data.copy())
        copy._requires_grad = self._requires_grad
        memo[id(self)] = copy
        if self._grad is not None:
            copy._grad = deepcopy(self._grad, memo)
        return copy  # type: ignore[return-value]


def warn_of_history(value: Value) -> None:
    """Warns, as torch does, of a number that is taken out of a tensor whose history is recorded."""
    if GRAD_MODE.get() and value.requires_grad:
        warnings.warn(
            "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\n"
            "Consider using tensor.detach() first.",
            UserWarning,
            stacklevel=3,
        )


def copied(g: Value) -> Any:
    """A copy of a gradient that is recorded as torch records it."""
    return ops.copy(ops.empty_like(g.detach()), g)


def own_result(result: Any, op: Op, payloads: Sequence[Any]) -> Array:
    """A kernel's result as an array that shares memory with no argument, row-major unless the op is elementwise."""
    if type(result) is not np.ndarray:
        return np.asarray(result)
    if not op.elementwise and not result.flags.c_contiguous:
        return np.ascontiguousarray(result)
    for slot in op.tensor_slots:
        item = payloads[slot]
        for x in item if isinstance(item, tuple) else (item,):
            if isinstance(x, np.ndarray) and (result is x or np.may_share_memory(result, x)):
                return result.copy(order="K" if op.elementwise else "C")
    return result


_RETURN_TYPES: dict[str, type[tuple[Any, ...]]] = {}


def return_type(op: Op) -> Any:
    """The named tuple of an op with several outputs, which prints as torch's ``torch.return_types``."""
    found = _RETURN_TYPES.get(op.name)
    if found is None:
        from collections import namedtuple

        short = op.name.replace(".", "_")
        fields = op.outputs or ()

        def __repr__(self: Any) -> str:
            inner = ",\n".join(f"{f}={v!r}" for f, v in zip(fields, self, strict=True))
            return f"torch.return_types.{short}(\n{inner})"

        base = namedtuple(short, fields)  # type: ignore[misc]
        found = _RETURN_TYPES[op.name] = type(short, (base,), {"__repr__": __repr__, "__slots__": ()})
    return found


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Makes a tensor by copying ``data`` (``torch.tensor``).

    Args:
        data: A number, a nested list, an array, or a tensor.
        dtype: The element type; inferred when left out (floats take the default dtype, whole numbers int64).
        device: Where it is: the CPU.
        requires_grad: Whether operations on it are recorded.

    Raises:
        TensorValueError: The lists are ragged.
        TensorTypeError: An item is no number, or the dtype cannot require gradients.
    """
    from .creation import array_from

    check_device(device)
    wanted = None if dtype is None else dtype_of(dtype).numpy
    result = Tensor._wrap(array_from(data, wanted))
    if requires_grad:
        if result._data.dtype.kind not in "fc":
            raise TensorRuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        result._requires_grad = True
    return result  # type: ignore[return-value]
