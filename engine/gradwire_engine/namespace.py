"""The names of ``torch`` for eager tensors: with ``from gradwire_engine import namespace as torch`` a tutorial runs.

What is not written here is an op of the table, found by its dotted path: ``torch.sin``, ``torch.linalg.inv``,
``torch.nn.functional.relu``. ``gradwire_engine`` itself answers to all these names.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from math import e, inf, nan, pi
from typing import Any

import numpy as np

from . import autograd
from .creation import check_array
from .devices import Device, accelerator, backends, check_device, cuda, mps, strided, xpu
from .dtypes import (
    Array,
    DType,
    bool_,
    castable,
    complex64,
    complex128,
    default_dtype,
    dtype_of,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    promote,
    set_default_dtype,
    uint8,
)
from .errors import TensorTypeError
from .meta import broadcast
from .modes import current_generator, enable_grad, inference_mode, is_grad_enabled, manual_seed, no_grad, set_grad_enabled
from .numeric_limits import finfo, iinfo
from .op import ops
from .printing import set_printoptions
from .promotion import compute_dtype
from .random import Generator
from .tensor import Tensor, tensor
from .value import Size, Value

__all__ = [
    "Generator",
    "Size",
    "Tensor",
    "accelerator",
    "allclose",
    "as_tensor",
    "autograd",
    "backends",
    "bool",
    "broadcast_shapes",
    "can_cast",
    "cdouble",
    "cfloat",
    "complex64",
    "complex128",
    "cuda",
    "device",
    "double",
    "dtype",
    "e",
    "enable_grad",
    "equal",
    "finfo",
    "float",
    "float16",
    "float32",
    "float64",
    "from_numpy",
    "get_default_dtype",
    "half",
    "iinfo",
    "inf",
    "inference_mode",
    "initial_seed",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_complex",
    "is_floating_point",
    "is_grad_enabled",
    "is_tensor",
    "long",
    "manual_seed",
    "mps",
    "nan",
    "newaxis",
    "no_grad",
    "numel",
    "pi",
    "promote_types",
    "result_type",
    "set_default_dtype",
    "set_grad_enabled",
    "set_printoptions",
    "short",
    "strided",
    "tensor",
    "uint8",
    "xpu",
]

dtype = DType
device = Device
half, float, double = float16, float32, float64
short, int, long = int16, int32, int64
cfloat, cdouble = complex64, complex128
bool = bool_
newaxis = None


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Value:
    """``data`` as a tensor: itself if it is one of that dtype, and a view of it if it is an array of that dtype."""
    check_device(device)
    if isinstance(data, Value):
        return data if dtype is None or data.dtype is dtype_of(dtype) else ops.to(data, dtype_of(dtype))
    if isinstance(data, np.ndarray) and (dtype is None or data.dtype == dtype_of(dtype).numpy):
        return from_numpy(data)
    return tensor(data, dtype=dtype)


def from_numpy(array: Array) -> Tensor:
    """A tensor that shares the memory of ``array``.

    Raises:
        TensorTypeError: ``array`` is no array, or of a dtype that tensors do not have.
    """
    if not isinstance(array, np.ndarray):
        raise TensorTypeError(f"expected np.ndarray (got {type(array).__name__})", code="argument_type")
    check_array(array)
    return Tensor._wrap(array)  # type: ignore[return-value]


def is_tensor(obj: object) -> builtins.bool:
    """Whether ``obj`` is a tensor."""
    return isinstance(obj, Value)


def is_floating_point(input: Value) -> builtins.bool:
    """Whether the dtype of ``input`` is a real floating point one."""
    return input.is_floating_point()


def equal(input: Tensor, other: Tensor) -> builtins.bool:
    """Whether both have the same shape and the same elements."""
    return input.equal(other)


def allclose(
    input: Tensor, other: Tensor, rtol: builtins.float = 1e-05, atol: builtins.float = 1e-08, equal_nan: builtins.bool = False
) -> builtins.bool:
    """Whether all elements are close."""
    return input.allclose(other, rtol, atol, equal_nan)


def is_complex(input: Value) -> builtins.bool:
    """Whether the dtype of ``input`` is complex."""
    return input.is_complex()


def numel(input: Value) -> builtins.int:
    """The number of elements of ``input``."""
    return input.numel()


def get_default_dtype() -> DType:
    """The dtype that Python floats take."""
    return dtype_of(default_dtype())


def promote_types(type1: Any, type2: Any) -> DType:
    """The dtype of a mixture of two tensors."""
    return dtype_of(promote(dtype_of(type1).numpy, dtype_of(type2).numpy))


def can_cast(from_: DType, to: DType) -> builtins.bool:
    """Whether a result of the dtype ``from_`` may be written over a tensor of the dtype ``to``: numbers may lose size, not kind.

    Raises:
        TensorTypeError: One of them is no dtype.
    """
    for position, (name, given) in enumerate((("from_", from_), ("to", to)), 1):
        if not isinstance(given, DType):
            raise TensorTypeError.of_argument("can_cast", name, position, "torch.dtype", type(given).__name__)
    return castable(from_.numpy, to.numpy)


def result_type(tensor1: Any, tensor2: Any) -> DType:
    """The dtype that an operation on two tensors, or numbers, computes in."""
    return dtype_of(compute_dtype(ops.mul, [x._data if isinstance(x, Value) else x for x in (tensor1, tensor2)]))


def broadcast_shapes(*shapes: Sequence[builtins.int] | builtins.int) -> Size:
    """The shape that tensors of these shapes broadcast to.

    Raises:
        TensorRuntimeError: They do not.
    """
    return Size(broadcast(*[(s,) if isinstance(s, builtins.int) else tuple(s) for s in shapes]))


def initial_seed() -> builtins.int:
    """The seed of the generator that random operations draw from."""
    return current_generator().initial_seed()


def __getattr__(name: str) -> Any:
    try:
        return getattr(ops, name)
    except AttributeError:
        raise AttributeError(f"module 'torch' has no attribute '{name}'") from None
