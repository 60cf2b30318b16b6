"""The names of ``torch`` for eager tensors: with ``from gradwire_engine import namespace as torch`` a tutorial runs.

What is not written here is an op of the table, found by its dotted path: ``torch.sin``, ``torch.linalg.inv``,
``torch.nn.functional.relu``. ``gradwire_engine`` itself answers to all these names.
"""

from __future__ import annotations

import builtins
from math import e, inf, nan, pi
from typing import Any

import numpy as np

from . import autograd
from .dtypes import (
    Array,
    DType,
    bool_,
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
from .modes import current_generator, enable_grad, is_grad_enabled, manual_seed, no_grad, set_grad_enabled
from .op import ops
from .printing import set_printoptions
from .random import Generator
from .tensor import Tensor, tensor
from .value import Size, Value

__all__ = [
    "Generator",
    "Size",
    "Tensor",
    "allclose",
    "as_tensor",
    "autograd",
    "bool",
    "cdouble",
    "cfloat",
    "complex64",
    "complex128",
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
    "nan",
    "newaxis",
    "no_grad",
    "numel",
    "pi",
    "promote_types",
    "set_default_dtype",
    "set_grad_enabled",
    "set_printoptions",
    "short",
    "tensor",
    "uint8",
]

dtype = DType
half, float, double = float16, float32, float64
short, int, long = int16, int32, int64
cfloat, cdouble = complex64, complex128
bool = bool_
newaxis = None


def as_tensor(data: Any, dtype: Any = None) -> Value:
    """``data`` as a tensor: itself if it is one of that dtype, and a view of it if it is an array of that dtype."""
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
    dtype_of(array.dtype)
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


def finfo(type: Any = None) -> np.finfo[Any]:
    """The limits of a floating point dtype; of the default one when left out."""
    return np.finfo(default_dtype() if type is None else dtype_of(type).numpy)


def iinfo(type: Any) -> np.iinfo[Any]:
    """The limits of an integer dtype."""
    return np.iinfo(dtype_of(type).numpy)


def initial_seed() -> builtins.int:
    """The seed of the generator that random operations draw from."""
    return current_generator().initial_seed()


def __getattr__(name: str) -> Any:
    try:
        return getattr(ops, name)
    except AttributeError:
        raise AttributeError(f"module 'torch' has no attribute '{name}'") from None
