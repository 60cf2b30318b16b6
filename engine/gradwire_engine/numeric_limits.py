"""The limits of dtypes in Python's numbers (``torch.finfo``, ``torch.iinfo``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .dtypes import DType, default_dtype, dtype_of, to_real
from .errors import TensorTypeError


def _dtype(name: str, given: Any) -> DType:
    if not isinstance(given, (DType, type)):
        raise TensorTypeError.of_argument(name, "type", 1, "torch.dtype", type(given).__name__)
    return dtype_of(given)


class finfo:
    """The limits of a floating point dtype (``torch.finfo``).

    Args:
        type: The dtype, or a complex one for the dtype of its parts; the default dtype when left out.

    Attributes:
        bits: The bits of a number.
        dtype: The dtype's name.
        eps: The difference between 1 and the next larger number.
        max: The largest number.
        min: The smallest number, which is ``-max``.
        tiny: The smallest positive number of full precision.
        smallest_normal: The same.
        resolution: The precision in decimal places.

    Raises:
        TensorTypeError: It is no such dtype (torch's message).
    """

    def __init__(self, type: Any = None) -> None:
        found = dtype_of(default_dtype()) if type is None else _dtype("finfo", type)
        if found.numpy.kind not in "fc":
            raise TensorTypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'", code="dtype_mismatch"
            )
        limits = np.finfo(to_real(found.numpy))
        self.bits = int(limits.bits)
        self.dtype = limits.dtype.name
        self.eps = float(limits.eps)
        self.max = float(limits.max)
        self.min = float(limits.min)
        self.tiny = self.smallest_normal = float(limits.tiny)
        self.resolution = float(f"1e-{limits.precision}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name):g}" for name in ("resolution", "min", "max", "eps", "smallest_normal", "tiny"))
        return f"finfo({shown}, dtype={self.dtype})"


class iinfo:
    """The limits of an integer dtype (``torch.iinfo``).

    Args:
        type: The dtype.

    Attributes:
        bits: The bits of a number.
        dtype: The dtype's name.
        max: The largest number.
        min: The smallest number.

    Raises:
        TensorTypeError: It is no such dtype (torch's messages).
    """

    def __init__(self, type: Any) -> None:
        found = _dtype("iinfo", type).numpy
        if found.kind == "b":
            raise TensorTypeError("torch.bool is not supported by torch.iinfo", code="dtype_mismatch")
        if found.kind not in "iu":
            raise TensorTypeError(
                "torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'", code="dtype_mismatch"
            )
        limits = np.iinfo(found)
        self.bits = int(limits.bits)
        self.dtype = found.name
        self.max = int(limits.max)
        self.min = int(limits.min)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
