"""Texts that torch 2.13 printed, against ours; torch itself is not needed."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy import inf, nan

from gradwire_engine.dtypes import Array
from gradwire_engine.errors import TensorTypeError, TensorValueError
from gradwire_engine.printing import PrintOptions, format_size, format_tensor, format_value, print_options, set_printoptions

Cases = list[tuple[Array, str]]


@pytest.fixture(autouse=True)
def _default_options() -> Iterator[None]:
    set_printoptions(profile="default")
    yield
    set_printoptions(profile="default")


def f16(values: Any) -> Array:
    return np.array(values, np.float16)


def f32(values: Any) -> Array:
    return np.array(values, np.float32)


def f64(values: Any) -> Array:
    return np.array(values, np.float64)


def c64(values: Any) -> Array:
    return np.array(values, np.complex64)


def line(count: int, scale: float = 1.0) -> Array:
    return (np.arange(count) * scale).astype(np.float32)


def printed(array: Array, *suffixes: str, **arguments: Any) -> str:
    return format_tensor(array, suffixes=suffixes, **{"default_dtype": np.dtype(np.float32), **arguments})


FLOATS: Cases = [
    (f32(1), "tensor(1.)"),
    (f32(-0.0), "tensor(-0.)"),
    (f32(0.1), "tensor(0.1000)"),
    (f32(12345.678), "tensor(12345.6777)"),
    (f32(1e8), "tensor(100000000.)"),
    (f32(1e8 + 8), "tensor(1.0000e+08)"),
    (f32(1e-4), "tensor(1.0000e-04)"),
    (f32(1e-5), "tensor(1.0000e-05)"),
    (f32(nan), "tensor(nan)"),
    (f32(-inf), "tensor(-inf)"),
    (f32([1, 2, 3]), "tensor([1., 2., 3.])"),
    (f32([-0.0, 1]), "tensor([-0., 1.])"),
    (f32([0.5, -0.0]), "tensor([0.5000, -0.0000])"),
    (f32([1, -10.25]), "tensor([  1.0000, -10.2500])"),
    (f32([0, 0]), "tensor([0., 0.])"),
    (f32([1, 1000]), "tensor([   1., 1000.])"),
    (f32([1, 1001]), "tensor([1.0000e+00, 1.0010e+03])"),
    (f32([0.5, 500]), "tensor([  0.5000, 500.0000])"),
    (f32([0.5, 501]), "tensor([5.0000e-01, 5.0100e+02])"),
    (f32([1e-4, 0.09]), "tensor([1.0000e-04, 9.0000e-02])"),
    (f64([1e-4, 0.09]), "tensor([0.0001, 0.0900], dtype=torch.float64)"),
    (f32([1e10, nan, -inf, 1]), "tensor([1.0000e+10,        nan,       -inf, 1.0000e+00])"),
    (f32([1.5, nan, -inf, 0]), "tensor([1.5000,    nan,   -inf, 0.0000])"),
    (f32([nan, inf, -inf]), "tensor([nan, inf, -inf])"),
    (f32([1, nan]), "tensor([1., nan])"),
    (f64([1 / 3]), "tensor([0.3333], dtype=torch.float64)"),
    (f64([5e-324, 1e308]), "tensor([4.9407e-324, 1.0000e+308], dtype=torch.float64)"),
    (f16([1.5, -0.5]), "tensor([ 1.5000, -0.5000], dtype=torch.float16)"),
    (f16([65504, 6e-8]), "tensor([6.5504e+04, 5.9605e-08], dtype=torch.float16)"),
    (f16(0.1), "tensor(0.1000, dtype=torch.float16)"),
    (f32([99999.5, 0.25]), "tensor([1.0000e+05, 2.5000e-01])"),
    (f32([1e-10, -1e-10]), "tensor([ 1.0000e-10, -1.0000e-10])"),
    (f64([0.00012345, 0.1]), "tensor([0.0001, 0.1000], dtype=torch.float64)"),
    (f32([2.00005, 2.00015, -2.00005]), "tensor([ 2.0001,  2.0001, -2.0001])"),
]
INTEGERS: Cases = [
    (np.array(3), "tensor(3)"),
    (np.array([1, -22, 333]), "tensor([  1, -22, 333])"),
    (np.array([-(2**63), 2**63 - 1]), "tensor([-9223372036854775808,  9223372036854775807])"),
    (np.array([0, 255], np.uint8), "tensor([  0, 255], dtype=torch.uint8)"),
    (np.array([[1, 2], [-3, 4]], np.int8), "tensor([[ 1,  2],\n        [-3,  4]], dtype=torch.int8)"),
    (np.array(-7, np.int16), "tensor(-7, dtype=torch.int16)"),
    (np.array([5], np.int32), "tensor([5], dtype=torch.int32)"),
    (np.array([10**12, 1]), "tensor([1000000000000,             1])"),
    (np.array(True), "tensor(True)"),
    (np.array([True, False]), "tensor([ True, False])"),
    (np.array([[False, False], [True, False]]), "tensor([[False, False],\n        [ True, False]])"),
]
COMPLEX: Cases = [
    (c64(1j), "tensor(0.+1.j)"),
    (c64(1 + 2j), "tensor(1.+2.j)"),
    (c64([1 + 2j, 3 - 4j]), "tensor([1.+2.j, 3.-4.j])"),
    (c64([1.5 + 2j, -3 - 4.25j]), "tensor([ 1.5000+2.0000j, -3.0000-4.2500j])"),
    (c64([1 + 10.5j, -10 + 1.5j]), "tensor([  1.+10.5000j, -10.+1.5000j])"),
    (c64([1e-9 + 1j]), "tensor([1.0000e-09+1.j])"),
    (c64([1e10 + 1j, 1]), "tensor([1.0000e+10+1.j, 1.0000e+00+0.j])"),
    (c64([complex(nan, inf), complex(-inf, nan)]), "tensor([nan+infj, -inf+nanj])"),
    (c64([complex(-0.0, -0.0)]), "tensor([-0.-0.j])"),
    (np.array([0.5 - 0.25j]), "tensor([0.5000-0.2500j], dtype=torch.complex128)"),
]
SHAPES: Cases = [
    (f32([]), "tensor([])"),
    (f64([]), "tensor([], dtype=torch.float64)"),
    (np.zeros(0, np.int64), "tensor([], dtype=torch.int64)"),
    (np.zeros(0, bool), "tensor([], dtype=torch.bool)"),
    (c64([]), "tensor([], dtype=torch.complex64)"),
    (np.zeros((0, 3), np.float32), "tensor([], size=(0, 3))"),
    (np.zeros((2, 0), np.int32), "tensor([], size=(2, 0), dtype=torch.int32)"),
    (np.zeros((2, 0, 4), bool), "tensor([], size=(2, 0, 4), dtype=torch.bool)"),
    (f32([[1, 2], [3, 4.5]]), "tensor([[1.0000, 2.0000],\n        [3.0000, 4.5000]])"),
    (
        line(12, 0.5).reshape(2, 3, 2),
        "tensor([[[0.0000, 0.5000],\n"
        "         [1.0000, 1.5000],\n"
        "         [2.0000, 2.5000]],\n"
        "\n"
        "        [[3.0000, 3.5000],\n"
        "         [4.0000, 4.5000],\n"
        "         [5.0000, 5.5000]]])",
    ),
    (
        np.arange(30),
        "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n"
        "        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])",
    ),
    (
        np.zeros(30, np.float32),
        "tensor([0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.,\n"
        "        0., 0., 0., 0., 0., 0.])",
    ),
    (
        c64([1.5 + 2j] * 8),
        "tensor([1.5000+2.j, 1.5000+2.j, 1.5000+2.j, 1.5000+2.j, 1.5000+2.j, 1.5000+2.j,\n        1.5000+2.j, 1.5000+2.j])",
    ),
    (line(6).reshape(2, 3).T, "tensor([[0., 3.],\n        [1., 4.],\n        [2., 5.]])"),
    (line(4)[::-1], "tensor([3., 2., 1., 0.])"),
]
SUMMARIES: Cases = [
    (np.arange(1001), "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
    (line(1001), "tensor([   0.,    1.,    2.,  ...,  998.,  999., 1000.])"),
    (
        np.zeros((7, 200), np.float32),
        "tensor([[0., 0., 0.,  ..., 0., 0., 0.],\n"
        "        [0., 0., 0.,  ..., 0., 0., 0.],\n"
        "        [0., 0., 0.,  ..., 0., 0., 0.],\n"
        "        ...,\n"
        "        [0., 0., 0.,  ..., 0., 0., 0.],\n"
        "        [0., 0., 0.,  ..., 0., 0., 0.],\n"
        "        [0., 0., 0.,  ..., 0., 0., 0.]])",
    ),
    (
        np.ones((1001, 1, 1), np.float32),
        "tensor([[[1.]],\n\n        [[1.]],\n\n        [[1.]],\n\n        ...,\n\n        [[1.]],\n\n        [[1.]],\n\n        [[1.]]])",
    ),
    (c64([2 + 1.5j] * 1001), "tensor([2.+1.5000j, 2.+1.5000j, 2.+1.5000j,  ..., 2.+1.5000j, 2.+1.5000j,\n        2.+1.5000j])"),
    (np.concatenate([line(3), [1e10] * 1001, line(3)]), "tensor([0., 1., 2.,  ..., 0., 1., 2.], dtype=torch.float64)"),
]
SUFFIXED: list[tuple[Array, str, str]] = [
    (f32([1, 2]), "requires_grad=True", "tensor([1., 2.], requires_grad=True)"),
    (f32([1, 2]), "grad_fn=<MulBackward0>", "tensor([1., 2.], grad_fn=<MulBackward0>)"),
    (f64([1, 2]), "requires_grad=True", "tensor([1., 2.], dtype=torch.float64, requires_grad=True)"),
    (np.zeros((0, 3), np.float32), "requires_grad=True", "tensor([], size=(0, 3), requires_grad=True)"),
    (line(5, 0.1), "grad_fn=<MulBackward0>", "tensor([0.0000, 0.1000, 0.2000, 0.3000, 0.4000], grad_fn=<MulBackward0>)"),
    (line(6, 0.1), "grad_fn=<MulBackward0>", "tensor([0.0000, 0.1000, 0.2000, 0.3000, 0.4000, 0.5000],\n       grad_fn=<MulBackward0>)"),
    (
        line(9, 0.1).astype(np.float64),
        "grad_fn=<MulBackward0>",
        "tensor([0.0000, 0.1000, 0.2000, 0.3000, 0.4000, 0.5000, 0.6000, 0.7000, 0.8000],\n"
        "       dtype=torch.float64, grad_fn=<MulBackward0>)",
    ),
    (f64([[1.5], [2.5]]), "grad_fn=<MulBackward0>", "tensor([[1.5000],\n        [2.5000]], dtype=torch.float64, grad_fn=<MulBackward0>)"),
    (f32(2), "grad_fn=<MulBackward0>", "tensor(2., grad_fn=<MulBackward0>)"),
    (c64([1 + 1j]), "requires_grad=True", "tensor([1.+1.j], requires_grad=True)"),
    (
        line(20, 0.1),
        "grad_fn=<MulBackward0>",
        "tensor([0.0000, 0.1000, 0.2000, 0.3000, 0.4000, 0.5000, 0.6000, 0.7000, 0.8000,\n"
        "        0.9000, 1.0000, 1.1000, 1.2000, 1.3000, 1.4000, 1.5000, 1.6000, 1.7000,\n"
        "        1.8000, 1.9000], grad_fn=<MulBackward0>)",
    ),
]
WITH_OPTIONS: list[tuple[dict[str, Any], Array, str]] = [
    ({"precision": 2}, f32([1.23456, 2]), "tensor([1.23, 2.00])"),
    ({"precision": 0}, f32([1.5, 2]), "tensor([2, 2])"),
    ({"precision": 10}, f64([1 / 3]), "tensor([0.3333333333], dtype=torch.float64)"),
    ({"threshold": 5}, np.arange(10), "tensor([0, 1, 2,  ..., 7, 8, 9])"),
    ({"threshold": 5, "edgeitems": 1}, np.arange(10), "tensor([0,  ..., 9])"),
    ({"threshold": 5, "edgeitems": 2}, np.arange(8).reshape(2, 4), "tensor([[0, 1, 2, 3],\n        [4, 5, 6, 7]])"),
    ({"threshold": 0}, f32(5.5), "tensor(5.5000)"),
    ({"edgeitems": 0}, np.arange(3), "tensor([0, 1, 2], size=(3,))"),
    ({"edgeitems": 0}, np.arange(1001), "tensor([...], size=(1001,))"),
    ({"edgeitems": 0}, np.array(3, np.int32), "tensor(3, size=(), dtype=torch.int32)"),
    (
        {"linewidth": 40},
        np.arange(20),
        "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,\n         8,  9, 10, 11, 12, 13, 14, 15,\n        16, 17, 18, 19])",
    ),
    ({"linewidth": 1}, np.arange(3), "tensor([0,\n        1,\n        2])"),
    ({"sci_mode": True}, f32([1, 2.5]), "tensor([1.0000e+00, 2.5000e+00])"),
    ({"sci_mode": True}, f32([1, 0, nan]), "tensor([1.0000e+00, 0.0000e+00,        nan])"),
    ({"sci_mode": True}, np.arange(3), "tensor([0, 1, 2])"),
    ({"sci_mode": True}, f32(0), "tensor(0.)"),
    ({"linewidth": 19}, np.zeros((1, 0), np.int32), "tensor([],\n       size=(1, 0),\n       dtype=torch.int32)"),
    ({"linewidth": 20}, np.zeros((1, 0), np.int32), "tensor([],\n       size=(1, 0),\n       dtype=torch.int32)"),
    ({"sci_mode": False}, f32([1e-10, 1]), "tensor([0.0000, 1.0000])"),
    ({"sci_mode": False}, f32([1e10, 1]), "tensor([10000000000.,           1.])"),
    ({"profile": "short"}, f32([[1 / 3] * 600] * 2), "tensor([[0.33, 0.33,  ..., 0.33, 0.33],\n        [0.33, 0.33,  ..., 0.33, 0.33]])"),
]
WITH_DEFAULT_DTYPE: list[tuple[Any, Array, str]] = [
    (np.float64, f64([1.5]), "tensor([1.5000])"),
    (np.float64, f32([1.5]), "tensor([1.5000], dtype=torch.float32)"),
    (np.float64, np.array([1j]), "tensor([0.+1.j])"),
    (np.float64, c64([1j]), "tensor([0.+1.j], dtype=torch.complex64)"),
    (np.float16, f16([1]), "tensor([1.])"),
    (np.float16, c64([1j]), "tensor([0.+1.j])"),
    (np.float64, f64([]), "tensor([])"),
    (np.float64, np.zeros(0, np.complex128), "tensor([], dtype=torch.complex128)"),
]


@pytest.mark.parametrize(("array", "expected"), [*FLOATS, *INTEGERS, *COMPLEX, *SHAPES, *SUMMARIES])
def test_prints_as_torch(array: Array, expected: str) -> None:
    assert printed(array) == expected


@pytest.mark.parametrize(("array", "suffix", "expected"), SUFFIXED)
def test_suffix_follows_or_wraps(array: Array, suffix: str, expected: str) -> None:
    assert printed(array, suffix) == expected


@pytest.mark.parametrize(("options", "array", "expected"), WITH_OPTIONS)
def test_options_change_the_text(options: dict[str, Any], array: Array, expected: str) -> None:
    set_printoptions(**options)
    assert printed(array) == expected


@pytest.mark.parametrize(("default", "array", "expected"), WITH_DEFAULT_DTYPE)
def test_default_dtype_is_not_mentioned(default: Any, array: Array, expected: str) -> None:
    assert printed(array, default_dtype=np.dtype(default)) == expected


def test_name_moves_later_lines() -> None:
    assert printed(line(5, 0.1).astype(np.float64), name="T" * 20) == (
        "TTTTTTTTTTTTTTTTTTTT([0.0000, 0.1000, 0.2000, 0.3000, 0.4000],\n                     dtype=torch.float64)"
    )


@pytest.mark.parametrize(
    "array", [line(20, 0.1), line(12).reshape(3, 4) / 8, f64([0.5] * 6), f64(0.25)], ids=["long", "nested", "wraps", "scalar"]
)
def test_indent_counts_as_a_longer_name_does(array: Array) -> None:
    label = "x_of_ten = "
    longer = printed(array, "grad_fn=<MulBackward0>", name=label + "tensor")
    assert label + printed(array, "grad_fn=<MulBackward0>", indent=len(label)) == longer


def test_several_suffixes_break_one_by_one() -> None:
    set_printoptions(linewidth=35)
    assert printed(f64([1.5]), "requires_grad=True") == "tensor([1.5000],\n       dtype=torch.float64,\n       requires_grad=True)"


def test_the_array_is_left_as_it_was() -> None:
    array = f32([[1.5, nan], [-inf, 0]])
    before = array.tobytes()
    printed(array)
    assert array.tobytes() == before


def test_options_are_kept_until_set_again() -> None:
    set_printoptions(precision=2, sci_mode=True)
    set_printoptions(linewidth=100)
    assert print_options() == PrintOptions(precision=2, linewidth=100, sci_mode=None)
    set_printoptions(profile="full", edgeitems=5)
    assert print_options() == PrintOptions(threshold=inf, edgeitems=5)


def test_options_belong_to_their_context() -> None:
    contextvars.copy_context().run(set_printoptions, precision=1)
    assert print_options() == PrintOptions()
    assert printed(f32([0.25])) == "tensor([0.2500])"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"precision": "a"}, TensorTypeError, "set_printoptions() got 'a' for 'precision', expected an integer."),
        ({"precision": True}, TensorTypeError, "set_printoptions() got True for 'precision', expected an integer."),
        ({"precision": -1}, TensorValueError, "set_printoptions() got -1 for 'precision', expected 0 or more."),
        ({"edgeitems": 1.5}, TensorTypeError, "set_printoptions() got 1.5 for 'edgeitems', expected an integer."),
        ({"edgeitems": -1}, TensorValueError, "set_printoptions() got -1 for 'edgeitems', expected 0 or more."),
        ({"linewidth": inf}, TensorTypeError, "set_printoptions() got inf for 'linewidth', expected an integer."),
        ({"threshold": "5"}, TensorTypeError, "set_printoptions() got '5' for 'threshold', expected a number."),
        ({"threshold": nan}, TensorValueError, "set_printoptions() got nan for 'threshold', expected a number to compare sizes with."),
        ({"sci_mode": 3}, TensorTypeError, "set_printoptions() got 3 for 'sci_mode', expected True, False or None."),
        ({"profile": "long"}, TensorValueError, "set_printoptions() got 'long' for 'profile', expected one of default, short, full."),
    ],
)
def test_bad_options_are_refused_and_change_nothing(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        set_printoptions(**options)
    assert str(caught.value) == message
    assert print_options() == PrintOptions()


@pytest.mark.parametrize(("shape", "expected"), [((), "torch.Size([])"), ((3,), "torch.Size([3])"), ((2, 0, 3), "torch.Size([2, 0, 3])")])
def test_size(shape: tuple[int, ...], expected: str) -> None:
    assert format_size(shape) == expected


@pytest.mark.parametrize(
    ("array", "spec", "expected"),
    [
        (f32(1.5), ".2f", "1.50"),
        (np.array(3), "5d", "    3"),
        (f32(0.1), "", "0.10000000149011612"),
        (f16(0.1), "", "0.0999755859375"),
        (np.array(True), "", "True"),
        (c64(1 + 2j), ".2f", "1.00+2.00j"),
        (c64(2 + 1j), "", "(2+1j)"),
        (f32([1, 2]), "", "tensor([1., 2.])"),
    ],
)
def test_format_value(array: Array, spec: str, expected: str) -> None:
    assert format_value(array, spec, lambda: printed(array)) == expected


def test_format_value_refuses_what_python_or_torch_refuses() -> None:
    with pytest.raises(TensorTypeError, match=r"^unsupported format string passed to Tensor.__format__$"):
        format_value(f32([1]), ".2f", lambda: "unused")
    with pytest.raises(TensorValueError, match=r"^Unknown format code 'd' for object of type 'float'$"):
        format_value(f32(1.5), "d", lambda: "unused")
