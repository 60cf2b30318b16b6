"""Declared inputs, and the arrays that calls give for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradwire_engine.declaration import Signature, read_signature
from gradwire_engine.errors import LimitError, ProgramError
from gradwire_engine.limits import Limits


def signature(**inputs: Any) -> Signature:
    return read_signature({name: {"dtype": dtype, "shape": shape} for name, (dtype, shape) in inputs.items()}, Limits())


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"])
def test_numbers_and_lists_take_the_declared_dtype(dtype: str) -> None:
    declared = signature(s=(dtype, []), v=(dtype, ["n"]), m=(dtype, [2, "n"]))
    one: Any = True if dtype == "bool" else 1
    arrays = declared.bind({"s": one, "v": [one, one], "m": [[one, one], [one, one]]}, Limits())
    assert [(array.dtype.name, array.shape) for array in arrays] == [(dtype, ()), (dtype, (2,)), (dtype, (2, 2))]
    assert all((array == 1).all() for array in arrays)


def test_numbers_are_exact_on_the_way_that_is_quick() -> None:
    declared = signature(x=("float64", ["n"]))
    given = [0.1, -0.0, 1, 2**53 + 1, 1e308, 5e-324]
    (array,) = declared.bind({"x": given}, Limits())
    assert array.tobytes() == np.array([float(value) for value in given]).tobytes()
    (array,) = declared.bind({"x": ["NaN", "-Infinity", 1]}, Limits())
    assert np.isnan(array[0])
    assert array[1] == -np.inf


def test_arrays_and_tensor_objects() -> None:
    declared = signature(x=("float32", ["n"]), z=("complex64", ["n"]))
    given = {"x": np.array([1, 2], np.float32), "z": {"data": [[1, 2], [3, 4]], "dtype": "complex64"}}
    x, z = declared.bind(given, Limits())
    assert (x.tolist(), z.tolist()) == ([1.0, 2.0], [1 + 2j, 3 + 4j])
    with pytest.raises(ProgramError) as caught:
        declared.bind({**given, "x": np.array([1.0, 2.0])}, Limits())
    assert caught.value.code == "dtype_mismatch"
    assert caught.value.detail == "Expected a tensor of dtype float32, got float64."


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (
            {"a": (2, 3), "b": (4,)},
            "The input 'b' is declared with the shape [n], but has the size 4 at dimension 0, where n is 3, as the input",
        ),
        ({"a": (2, 3, 1), "b": (3,)}, "The input 'a' is declared with the shape [2, n], of 2 dimensions; got one of 3, [2, 3, 1]."),
        ({"a": (3, 3), "b": (3,)}, "has the size 3 where 2 is expected, at dimension 0; got [3, 3]."),
    ],
)
def test_sizes_are_bound_by_the_first_input_that_has_them(shapes: dict[str, tuple[int, ...]], message: str) -> None:
    declared = signature(a=("float64", [2, "n"]), b=("float64", ["n"]))
    assert declared.sizes == ("n",)
    declared.bind({"b": np.zeros(5), "a": np.zeros((2, 5))}, Limits())
    with pytest.raises(ProgramError) as caught:
        declared.bind({name: np.zeros(shape) for name, shape in shapes.items()}, Limits())
    assert message in caught.value.detail
    assert caught.value.code == "shape_mismatch"


def test_a_size_that_stands_twice_in_one_shape() -> None:
    declared = signature(m=("float64", ["n", "n"]))
    declared.bind({"m": np.zeros((3, 3))}, Limits())
    with pytest.raises(ProgramError, match="has the size 4 at dimension 1, where n is 3"):
        declared.bind({"m": np.zeros((3, 4))}, Limits())


def test_defaults() -> None:
    document = {"x": {"dtype": "float64", "shape": ["n"]}, "w": {"dtype": "float64", "shape": ["n"], "default": [1, 2]}}
    declared = read_signature(document, Limits())
    x, w = declared.bind({"x": [5.0, 6.0]}, Limits())
    assert (x.tolist(), w.tolist(), w.flags.writeable) == ([5.0, 6.0], [1.0, 2.0], False)
    assert declared.bind({"x": [5.0], "w": [7.0]}, Limits())[1].tolist() == [7.0]
    with pytest.raises(ProgramError, match=r"The input 'w' .* has the size 2 at dimension 0, where n is 3"):
        declared.bind({"x": [1.0, 2.0, 3.0]}, Limits())
    assert read_signature(declared.describe(), Limits()).describe() == declared.describe()


def test_missing_and_unknown_inputs() -> None:
    declared = signature(weights=("float64", []), bias=("float64", []))
    for given, message in (
        ({"weights": 1.0}, r"The input 'bias' is missing\. Its inputs are weights, bias\."),
        ({"weight": 1.0, "bias": 1.0}, r"The function has no input 'weight'\. Did you mean 'weights'\?"),
        ({"weights": 1.0, "bias": 1.0, "q": 1.0}, r"The function has no input 'q'\. Its inputs are weights, bias\."),
    ):
        with pytest.raises(ProgramError, match=message):
            declared.bind(given, Limits())
    with pytest.raises(ProgramError, match=r"The function has no input 'x'\. It has none\."):
        signature().bind({"x": 1.0}, Limits())


def test_an_input_may_be_too_large() -> None:
    declared = signature(k=("int64", ["n"]))
    for given in ([1] * 11, np.zeros(11, np.int64)):
        with pytest.raises(LimitError):
            declared.bind({"k": given}, Limits(tensor_bytes=80))
    declared.bind({"k": [1] * 10}, Limits(tensor_bytes=80))
