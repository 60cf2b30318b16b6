"""What torch has at its top beside the operations, for tensors that live in sessions."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import numpy as np

from gradwire_engine import dtypes
from gradwire_engine.creation import check_array
from gradwire_engine.devices import check_device
from gradwire_engine.dtypes import Array, DType, dtype_of
from gradwire_engine.errors import TensorTypeError
from gradwire_engine.op import ops
from gradwire_engine.random import Generator
from gradwire_engine.value import Value

from .connection import current_session
from .constructors import construct
from .tensor import Tensor, created, tensor


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
    """``data`` as a tensor: itself if it is one of that dtype, otherwise a copy."""
    check_device(device)
    if isinstance(data, Value):
        return data if dtype is None or data.dtype is dtype_of(dtype) else ops.to(data, dtype_of(dtype))
    return tensor(data, dtype=dtype)


def from_numpy(array: Array) -> Tensor:
    """A tensor with the elements of ``array``; its memory cannot be shared with a session.

    Raises:
        TypeError: ``array`` is no array, or of a dtype that tensors do not have.
    """
    if not isinstance(array, np.ndarray):
        raise TensorTypeError(f"expected np.ndarray (got {type(array).__name__})", code="argument_type")
    check_array(array)
    result: Tensor = created(np.array(array))
    return result


def manual_seed(seed: int) -> Generator:
    """Seeds the session's random generator (``torch.manual_seed``).

    Returns:
        A generator with the same seed.
    """
    generator = Generator(seed)
    session = current_session()
    session.seed = generator.initial_seed()
    session.emit({"do": "seed", "value": seed}, loud=True)
    return generator


def initial_seed() -> int:
    """The seed of the session's random generator."""
    seed = current_session().seed
    # A session that was not seeded draws its own seed; from now on it is one that can be told.
    return manual_seed(secrets.randbits(63)).initial_seed() if seed is None else seed


def _constructor(dtype: DType) -> Callable[..., Tensor]:
    def of_elements_or_sizes(*data: Any) -> Tensor:
        made: Tensor = construct(data, dtype, created)
        return made

    of_elements_or_sizes.__doc__ = f"A tensor of {dtype.torch_name} with the elements of one sequence, or of these sizes."
    return of_elements_or_sizes


HalfTensor, FloatTensor, DoubleTensor = map(_constructor, (dtypes.float16, dtypes.float32, dtypes.float64))
ByteTensor, CharTensor, ShortTensor = map(_constructor, (dtypes.uint8, dtypes.int8, dtypes.int16))
IntTensor, LongTensor, BoolTensor = map(_constructor, (dtypes.int32, dtypes.int64, dtypes.bool_))
