"""Gradwire's client: torch's names for tensors that live on a Gradwire server, or in this process.

``import gradwire as torch`` and an autograd tutorial runs. :func:`connect` says where; without it, and without ``GRADWIRE_URL`` in the
environment, it is this process. :class:`Client` and :class:`AsyncClient` have the server's calls as they are.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"

from gradwire_engine.devices import Device as device
from gradwire_engine.devices import Layout as layout
from gradwire_engine.devices import accelerator, backends, cuda, mps, strided, xpu
from gradwire_engine.dtypes import (
    DType as dtype,
)
from gradwire_engine.dtypes import (
    bool_ as bool,
)
from gradwire_engine.dtypes import (
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    set_default_dtype,
    uint8,
)
from gradwire_engine.errors import GradwireError
from gradwire_engine.modes import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from gradwire_engine.namespace import (
    allclose,
    broadcast_shapes,
    can_cast,
    e,
    equal,
    get_default_dtype,
    inf,
    is_complex,
    is_floating_point,
    is_tensor,
    nan,
    newaxis,
    numel,
    pi,
    promote_types,
    result_type,
)
from gradwire_engine.numeric_limits import finfo, iinfo
from gradwire_engine.printing import set_printoptions
from gradwire_engine.random import Generator
from gradwire_engine.value import Size

from . import autograd, nn, optim
from ._torch import (
    BoolTensor,
    ByteTensor,
    CharTensor,
    DoubleTensor,
    FloatTensor,
    HalfTensor,
    IntTensor,
    LongTensor,
    ShortTensor,
    as_tensor,
    from_numpy,
    initial_seed,
    manual_seed,
)
from .api import AsyncClient, Client
from .connection import Connection, connect
from .names import Names as _Names
from .tensor import Tensor, tensor
from .traced_function import TracedFunction, function, get_function

__all__ = [
    "AsyncClient",
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "Client",
    "Connection",
    "DoubleTensor",
    "FloatTensor",
    "Generator",
    "GradwireError",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
    "Size",
    "Tensor",
    "TracedFunction",
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
    "connect",
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
    "function",
    "get_default_dtype",
    "get_function",
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
    "layout",
    "long",
    "manual_seed",
    "mps",
    "nan",
    "newaxis",
    "nn",
    "no_grad",
    "numel",
    "optim",
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

half, float, double = float16, float32, float64
short, int, long = int16, int32, int64
cfloat, cdouble = complex64, complex128

_ops = _Names("")


def __getattr__(name: str) -> Any:
    return getattr(_ops, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_ops)})
