"""The limits of dtypes are Python's numbers, printed as torch prints them."""

from __future__ import annotations

from typing import Any

import pytest

import gradwire_engine as torch
from gradwire_engine.errors import TensorTypeError


def test_limits_of_floating_point() -> None:
    limits = torch.finfo(torch.float32)
    assert type(limits.eps) is type(limits.max) is float
    assert (limits.eps, limits.bits, limits.dtype) == (1.1920928955078125e-07, 32, "float32")
    assert limits.min == -limits.max == -3.4028234663852886e38
    assert limits.tiny == limits.smallest_normal == 1.1754943508222875e-38
    assert repr(torch.finfo(torch.float16)) == (
        "finfo(resolution=0.001, min=-65504, max=65504, eps=0.000976562, smallest_normal=6.10352e-05, tiny=6.10352e-05, dtype=float16)"
    )


def test_limits_of_the_default_and_of_complex_dtypes() -> None:
    assert torch.finfo() == torch.finfo(torch.complex64) == torch.finfo(torch.float32)
    assert torch.finfo(float) == torch.finfo(torch.complex128) != torch.finfo()


def test_limits_of_integers() -> None:
    limits = torch.iinfo(torch.int8)
    assert (limits.min, limits.max, limits.bits, limits.dtype) == (-128, 127, 8, "int8")
    assert repr(torch.iinfo(torch.uint8)) == "iinfo(min=0, max=255, dtype=uint8)"
    assert {torch.iinfo(int): 1}[torch.iinfo(torch.int64)] == 1


@pytest.mark.parametrize(
    ("limits", "dtype", "error", "message"),
    [
        ("finfo", torch.int32, TensorTypeError, "requires a floating point input type"),
        ("iinfo", torch.float32, TensorTypeError, "requires an integer input type"),
        ("iinfo", torch.bool, TensorTypeError, "torch.bool is not supported by torch.iinfo"),
        ("finfo", "float32", TensorTypeError, r"finfo\(\): argument 'type' \(position 1\) must be torch.dtype, not str"),
    ],
)
def test_dtypes_without_such_limits_are_refused(limits: str, dtype: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        getattr(torch, limits)(dtype)


@pytest.mark.parametrize(
    ("source", "target", "can"),
    [
        (torch.float32, torch.float16, True),
        (torch.int64, torch.uint8, True),
        (torch.bool, torch.int8, True),
        (torch.int8, torch.complex64, True),
        (torch.float32, torch.int64, False),
        (torch.complex64, torch.float64, False),
        (torch.uint8, torch.bool, False),
    ],
)
def test_what_can_be_cast(source: Any, target: Any, can: bool) -> None:
    assert torch.can_cast(source, target) is can


def test_casts_of_what_is_no_dtype_are_refused() -> None:
    with pytest.raises(TensorTypeError, match=r"can_cast\(\): argument 'to' \(position 2\) must be torch.dtype, not int"):
        torch.can_cast(torch.int8, 3)
