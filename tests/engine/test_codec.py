from __future__ import annotations

import base64
import json
import math
import struct
from typing import Any

import numpy as np
import pytest

from gradwire_engine import dtypes, safetensors
from gradwire_engine.codec import decode, encode, to_base64, to_lists
from gradwire_engine.errors import LimitError, ProgramError, TensorTypeError
from gradwire_engine.meta import MAX_DIMENSIONS

INF, NAN = math.inf, math.nan


def nested(depth: int, leaf: Any) -> Any:
    for _ in range(depth):
        leaf = [leaf]
    return leaf


def b64(*values: float, fmt: str) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}{fmt}", *values)).decode()


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (3, "int64", 3),
        (3.5, "float32", 3.5),
        (True, "bool", True),
        ("NaN", "float32", NAN),
        ("-Infinity", "float32", -INF),
        ([1, 2], "int64", [1, 2]),
        ([1, 2.5], "float32", [1, 2.5]),
        ([True, False], "bool", [True, False]),
        ([True, 2], "int64", [1, 2]),
        ([True, 2.5], "float32", [1, 2.5]),
        ([1, "Infinity"], "float32", [1, INF]),
        ([[1, 2], [3, 4]], "int64", [[1, 2], [3, 4]]),
        ({"complex": [1, -2.5]}, "complex64", 1 - 2.5j),
        ({"complex": ["NaN", "-Infinity"]}, "complex64", complex(NAN, -INF)),
        ({"data": [2, 3], "requires_grad": True}, "float32", [2, 3]),
        ({"data": [True], "requires_grad": True}, "float32", [1]),
        ({"data": [2, 3], "requires_grad": False}, "int64", [2, 3]),
        ({"data": [1, 2], "dtype": "float16"}, "float16", [1, 2]),
        ({"data": [True, 2], "dtype": "uint8"}, "uint8", [1, 2]),
        ({"data": [1, 2], "dtype": "complex128"}, "complex128", 1 + 2j),
        ({"data": [[1, 2], [3.5, "NaN"]], "dtype": "complex64"}, "complex64", [1 + 2j, complex(3.5, NAN)]),
        ({"data": 1, "dtype": "double", "shape": []}, "float64", 1),
        ({"data": [[1], [2]], "shape": [2, 1]}, "int64", [[1], [2]]),
        ({"data": [], "shape": [0]}, "float32", np.zeros(0)),
        ({"data": [], "shape": [0, 3], "dtype": "int8"}, "int8", np.zeros((0, 3))),
        ({"data": [[], []], "shape": [2, 0, 5], "dtype": "bool"}, "bool", np.zeros((2, 0, 5))),
        ({"data": [[], []], "shape": [2, 0], "dtype": "complex64"}, "complex64", np.zeros((2, 0))),
        ({"base64": b64(1.5, -0.0, fmt="d"), "dtype": "float64", "shape": [2, 1]}, "float64", [[1.5], [-0.0]]),
        ({"base64": b64(1, 2, 3, fmt="B"), "dtype": "uint8", "shape": [3]}, "uint8", [1, 2, 3]),
        ({"base64": "AAE=", "dtype": "bool", "shape": [2]}, "bool", [False, True]),
        ({"base64": "", "dtype": "int32", "shape": [4, 0]}, "int32", np.zeros((4, 0))),
    ],
)
def test_what_a_literal_means(value: Any, dtype: str, expected: Any) -> None:
    array = decode(value).array
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, np.array(expected, dtype), strict=True)


@pytest.mark.parametrize(("dtype", "too_large"), [("float16", 65520.0), ("float32", 3.4028235677973366e38)])
def test_only_a_finite_number_overflows(dtype: str, too_large: float) -> None:
    # Long enough for the vectorised conversions, whose overflow flag is what counts.
    values: list[Any] = [math.nextafter(too_large, 0), "Infinity", "-Infinity", "NaN", 1e-300, -0.0] * 200
    literal = {"data": values, "dtype": dtype}
    assert np.count_nonzero(np.isinf(decode(literal).array)) == 400
    for sign in (1, -1):
        values[777] = sign * too_large
        with pytest.raises(ProgramError, match="without overflow") as caught:
            decode(literal)
        assert caught.value.pointer == "/data/777"


def test_requires_grad_is_handed_on() -> None:
    assert decode({"data": [1.0], "requires_grad": True}).requires_grad
    assert decode({"base64": b64(1, fmt="f"), "dtype": "float32", "shape": [1], "requires_grad": True}).requires_grad
    assert not decode({"data": [1.0]}).requires_grad
    assert not decode([1.0]).requires_grad


def test_default_dtype_is_the_contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradwire_engine.codec.default_dtype", lambda: np.dtype("float64"))
    assert decode([0.1]).array.dtype == "float64"
    assert decode({"data": [2], "requires_grad": True}).array.dtype == "float64"
    assert decode({"complex": [0.1, 0]}).array.dtype == "complex128"


@pytest.mark.parametrize(
    ("value", "declared", "expected"),
    [
        ([2, 3], "float64", [2.0, 3.0]),
        (2, "float16", 2.0),
        ([True], "float32", [1.0]),
        ([1, 2], "int8", [1, 2]),
        ([0.5, -1], "complex64", 0.5 - 1j),
        ({"complex": [1, 2]}, "complex128", 1 + 2j),
        ({"data": [2]}, "float64", [2.0]),
        ({"data": [2], "dtype": "float64"}, "float64", [2.0]),
        ({"base64": b64(2.0, fmt="d"), "shape": [1]}, "float64", [2.0]),
    ],
)
def test_literals_take_the_declared_dtype(value: Any, declared: str, expected: Any) -> None:
    array = decode(value, declared=np.dtype(declared)).array
    np.testing.assert_array_equal(array, np.array(expected, declared), strict=True)


@pytest.mark.parametrize("value", [1.5, [1, 2], [[1.0, 2.0]], [True], {"data": [1, 2], "dtype": "float16"}, {"complex": [1, 2]}])
def test_arrays_own_what_they_hold(value: Any) -> None:
    for literal in (value, {"base64": "AAAA", "dtype": "uint8", "shape": [3, 1]}):
        flags = decode(literal).array.flags
        assert flags.owndata
        assert flags.writeable
        assert flags.c_contiguous


def test_integers_are_exact() -> None:
    extremes = [-(2**63), 2**53 + 1, 2**63 - 1]
    assert decode(extremes).array.tolist() == extremes
    for name in ("uint8", "int8", "int16", "int32"):
        limits = np.iinfo(name)
        ends = [int(limits.min), int(limits.max)]
        assert decode({"data": ends, "dtype": name}).array.tolist() == ends


def test_integers_in_a_floating_dtype_mean_the_decimal_number() -> None:
    values = [2**53 + 1, 10**22, 2**64, -(10**300), 1152921504606847000]
    assert decode({"data": values, "dtype": "float64"}).array.tolist() == [float(value) for value in values]
    # By way of float64, as if ".0" stood after it; rounded at once it would be 2**53 + 2**30.
    assert decode({"data": 2**53 + 2**29 + 1, "dtype": "float32"}).array == 2**53


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
def test_negative_zero_and_subnormals_stay(dtype: str) -> None:
    part = np.empty(0, dtype).real.dtype
    values = np.array([-0.0, np.finfo(part).smallest_subnormal], part)
    assert decode({"data": to_lists(values), "dtype": dtype}).array.tobytes() == values.tobytes()


# What is wrong, the code, the pointer, and a part of the sentence.
BAD: list[tuple[Any, str, str, str]] = [
    (None, "invalid_tensor", "", "Expected a number, got null."),
    ("x", "invalid_tensor", "", "got 'x'"),
    ("nan", "invalid_tensor", "", '"NaN", "Infinity" or "-Infinity"'),
    ([1, None], "invalid_tensor", "/1", "got null"),
    ([[1.0], ["1.0"]], "invalid_tensor", "/1/0", "got '1.0'"),
    ([1, {"complex": [1, 2]}], "invalid_tensor", "/1", "got an object"),
    ([[1, 2], [3, 4], [5]], "ragged_tensor", "/2", "expected sequence of length 2 at dim 1 (got 1)"),
    ([[[1], [2]], [[1], [2, 3]]], "ragged_tensor", "/1/1", "expected sequence of length 1 at dim 2 (got 2)"),
    ([[1], 2], "ragged_tensor", "/1", "expected sequence of length 1 at dim 1 (got 2)"),
    ([1, [2, 3]], "ragged_tensor", "/1", "expected a number at dim 1 (got a list of length 2)"),
    ([[], [1]], "ragged_tensor", "/1", "expected sequence of length 0 at dim 1 (got 1)"),
    (nested(MAX_DIMENSIONS + 1, 1), "too_many_dimensions", "", "at most 64 dimensions"),
    ([], "shape_required", "", 'needs its "shape"'),
    ([[], []], "shape_required", "", "[2, 0]"),
    (2**63, "integer_out_of_range", "", "value cannot be converted to type int64 without overflow"),
    ([[1, 2], [3, -(2**63) - 1]], "integer_out_of_range", "/1/1", "got -9223372036854775809, expected -9223372036854775808 to"),
    ([2**64, 2**80], "integer_out_of_range", "/0", "18446744073709551616"),
    ({"data": [1, 256], "dtype": "uint8"}, "integer_out_of_range", "/data/1", "got 256, expected 0 to 255"),
    ({"data": [-1], "dtype": "uint8"}, "integer_out_of_range", "/data/0", "got -1, expected 0 to 255"),
    ({"data": [[0], [128]], "dtype": "int8"}, "integer_out_of_range", "/data/1/0", "got 128, expected -128 to 127"),
    ({"data": [0, 10**5000], "dtype": "int32"}, "integer_out_of_range", "/data/1", "an integer of 16610 bits"),
    (
        {"data": [0.0, -(2**1024) + 2**970 + 1, 2**1024 - 2**970], "dtype": "float64"},
        "integer_out_of_range",
        "/data/2",
        "type float64 without overflow",
    ),
    ([1.5, -(10**400)], "integer_out_of_range", "/1", "type float32 without overflow"),
    ([1.5, 1e39], "float_out_of_range", "/1", "value cannot be converted to type float32 without overflow: got 1e+39."),
    ({"data": ["Infinity", 65520.0], "dtype": "float16"}, "float_out_of_range", "/data/1", "got 65520.0"),
    ({"data": [[0, 1], [0, 2**200]], "dtype": "complex64"}, "float_out_of_range", "/data/1/1", "type complex64"),
    ({"data": [1, 2.0], "dtype": "int64"}, "dtype_mismatch", "/data/1", "Expected a whole number in a tensor of dtype int64, got 2.0."),
    ({"data": "NaN", "dtype": "int32"}, "dtype_mismatch", "/data", "Expected a whole number"),
    ({"data": [True, 1], "dtype": "bool"}, "dtype_mismatch", "/data/1", "Expected true or false in a bool tensor, got 1."),
    ({"data": 1.5, "dtype": "complex64"}, "invalid_tensor", "/data", "the pair [re, im], got a single number"),
    ({"data": [[1, 2, 3]], "dtype": "complex64"}, "invalid_tensor", "/data/0", "got a list of length 3"),
    ({"complex": 1}, "invalid_tensor", "/complex", "Expected the two numbers [re, im], got 1."),
    ({"complex": [1]}, "invalid_tensor", "/complex", "got a list of length 1"),
    ({"complex": [[1, 2], [3, 4]]}, "invalid_tensor", "/complex", "Expected the two numbers"),
    ({"complex": [1, "i"]}, "invalid_tensor", "/complex/1", "got 'i'"),
    ({"complex": [1e39, 0]}, "float_out_of_range", "/complex/0", "type complex64"),
    ({"data": [1], "grad_fn": None}, "unknown_field", "/grad_fn", "no field 'grad_fn'; its fields are data, base64, dtype"),
    ({"data": [1], "a/b~c": 1}, "unknown_field", "/a~1b~0c", "no field"),
    ({"complex": [1, 2], "dtype": "complex64"}, "unknown_field", "/complex", "no field 'complex'"),
    ({}, "invalid_tensor", "", 'either "data" or "base64"'),
    ({"dtype": "float32"}, "invalid_tensor", "", 'either "data" or "base64"'),
    ({"data": [1], "base64": "AQ==", "dtype": "uint8", "shape": [1]}, "invalid_tensor", "", "not both"),
    ({"data": [1.0], "requires_grad": 1}, "invalid_tensor", "/requires_grad", "Expected true or false, got 1."),
    (
        {"data": [1], "dtype": "int64", "requires_grad": True},
        "not_differentiable",
        "/requires_grad",
        "Only Tensors of floating point and complex dtype can require gradients",
    ),
    ({"data": [1], "dtype": "float31"}, "unknown_dtype", "/dtype", "There is no dtype 'float31'; expected one of bool, uint8"),
    ({"data": [1], "dtype": None}, "unknown_dtype", "/dtype", "There is no dtype null"),
    ({"data": [1], "dtype": "x" * 1000}, "unknown_dtype", "/dtype", "xxx..."),
    ({"data": [1], "shape": 1}, "invalid_shape", "/shape", "Expected a list of sizes, got 1."),
    ({"data": [1], "shape": [1, -1]}, "invalid_shape", "/shape/1", "got -1"),
    ({"data": [1], "shape": [1.0]}, "invalid_shape", "/shape/0", "got 1.0"),
    ({"data": [1], "shape": [True]}, "invalid_shape", "/shape/0", "got true"),
    ({"data": [1], "shape": [1] * 65}, "too_many_dimensions", "/shape", "got 65"),
    ({"data": [], "shape": [0, 2**62]}, "invalid_shape", "/shape", "larger than any array can be"),
    ({"data": [1, 2, 3, 4], "shape": [2, 2]}, "shape_mismatch", "/shape", "The data has shape [4], expected [2, 2]."),
    ({"data": [], "shape": [2, 0]}, "shape_mismatch", "/shape", "The data has shape [0], expected [2, 0]."),
    ({"data": [1], "shape": [0]}, "shape_mismatch", "/shape", "The data has shape [1], expected [0]."),
    ({"data": [1, 2], "dtype": "complex64", "shape": [2]}, "shape_mismatch", "/shape", "The data has shape [], expected [2]."),
    ({"base64": "AQ==", "shape": [1]}, "dtype_required", "", 'needs its "dtype"'),
    ({"base64": "AQ==", "dtype": "uint8"}, "shape_required", "", 'needs its "shape"'),
    ({"base64": "AQ==", "dtype": "uint8", "shape": [2]}, "shape_mismatch", "/base64", "Expected 2 bytes for shape [2] of uint8, got 1."),
    ({"base64": "AQ==", "dtype": "uint8", "shape": [10**12]}, "shape_mismatch", "/base64", "Expected 1000000000000 bytes"),
    ({"base64": [1], "dtype": "uint8", "shape": [1]}, "invalid_base64", "/base64", "got a list of length 1"),
    ({"base64": "AgE=", "dtype": "bool", "shape": [2]}, "invalid_base64", "/base64", "the bytes 0 and 1 in a bool tensor"),
    *(
        ({"base64": text, "dtype": "uint8", "shape": [1]}, "invalid_base64", "/base64", "The base64 is not valid")
        for text in ("AQ", "AQ=", "AQ==\n", "A Q==", "AR==", "AQ==AQ==", "AQ======", "-_==", "é===", "====")
    ),
]


@pytest.mark.parametrize(("value", "code", "pointer", "part"), BAD)
def test_errors_say_what_and_where(value: Any, code: str, pointer: str, part: str) -> None:
    with pytest.raises(ProgramError) as caught:
        decode(value)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    assert part in caught.value.detail
    assert len(caught.value.detail) < 300


@pytest.mark.parametrize(
    ("value", "declared", "code", "pointer"),
    [
        ({"data": [1], "dtype": "float32"}, "float64", "dtype_mismatch", "/dtype"),
        ({"complex": [1, 2]}, "float64", "dtype_mismatch", ""),
        ([1, 2.5], "int64", "dtype_mismatch", "/1"),
        (1, "bool", "dtype_mismatch", ""),
        (300, "int8", "integer_out_of_range", ""),
        ([1.0, 2.0, 3.0], "complex64", "invalid_tensor", ""),
        ({"data": [1], "requires_grad": True}, "int64", "not_differentiable", "/requires_grad"),
    ],
)
def test_what_does_not_fit_the_declared_dtype_is_refused(value: Any, declared: str, code: str, pointer: str) -> None:
    with pytest.raises(ProgramError) as caught:
        decode(value, declared=np.dtype(declared))
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ([1, 2, 3, 4], ""),
        ([[1, 2], [3, 4]], ""),
        ({"data": [[1, 2], [3, 4]]}, "/data"),
        ({"data": [1], "shape": [10**12]}, "/shape"),
        ({"base64": "", "dtype": "float64", "shape": [2**40, 2**40]}, "/shape"),
    ],
)
def test_too_many_elements_are_refused(value: Any, pointer: str) -> None:
    with pytest.raises(LimitError, match="more than the 3 that are allowed") as caught:
        decode(value, max_elements=3)
    assert caught.value.pointer == pointer


def test_the_limit_counts_elements_not_numbers() -> None:
    assert decode([1, 2, 3], max_elements=3).array.size == 3
    pairs = {"data": [[1, 2], [3, 4], [5, 6]], "dtype": "complex64"}
    assert decode(pairs, max_elements=3).array.size == 3
    with pytest.raises(LimitError):
        decode(pairs, max_elements=2)


@pytest.mark.parametrize("dtype", ["int64", "complex64"])
def test_every_dimension_that_numpy_has(dtype: str) -> None:
    leaf = [1, 2] if dtype == "complex64" else 1
    assert decode({"data": nested(MAX_DIMENSIONS, leaf), "dtype": dtype}).array.ndim == MAX_DIMENSIONS
    with pytest.raises(ProgramError, match="at most 64"):
        decode({"data": nested(MAX_DIMENSIONS + 1, leaf), "dtype": dtype})


def test_encode_describes_the_tensor() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    document = encode(array, requires_grad=True, is_leaf=False, grad_fn="MulBackward0")
    assert document.pop("data") is array
    assert document == {"dtype": "float32", "shape": [2, 3], "requires_grad": True, "is_leaf": False, "grad_fn": "MulBackward0"}
    with pytest.raises(TensorTypeError):
        encode(np.zeros(1, np.uint16))


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array(1.5), "1.5"),
        (np.array(NAN, np.float32), '"NaN"'),
        (np.array([1.0, NAN, INF, -INF, -0.0]), '[1.0, "NaN", "Infinity", "-Infinity", -0.0]'),
        (np.array([[2**63 - 1], [-(2**63)]]), "[[9223372036854775807], [-9223372036854775808]]"),
        (np.array([True, False]), "[true, false]"),
        (np.array([1 + 2j, complex(NAN, -0.0)]), '[[1.0, 2.0], ["NaN", -0.0]]'),
        (np.array(1j, np.complex64), "[0.0, 1.0]"),
        (np.zeros((2, 0)), "[[], []]"),
        (np.arange(6).reshape(2, 3).T, "[[0, 3], [1, 4], [2, 5]]"),
        (np.array([1j, 2j, 3j])[::-2], "[[0.0, 3.0], [0.0, 1.0]]"),
    ],
)
def test_to_lists_gives_json(array: Any, expected: str) -> None:
    assert json.dumps(to_lists(array), allow_nan=False) == expected


def test_to_base64_is_little_endian_and_row_major() -> None:
    array = np.array([[1, 2], [3, 4]], ">i2").T
    assert base64.b64decode(to_base64(array)) == struct.pack("<4h", 1, 3, 2, 4)


@pytest.mark.parametrize("dtype", dtypes.ALL, ids=lambda dtype: dtype.name)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3)])
def test_round_trip_without_a_parser(dtype: dtypes.DType, shape: tuple[int, ...]) -> None:
    array = np.arange(-1, math.prod(shape) - 1).astype(dtype.numpy).reshape(shape)
    common = {"dtype": dtype.name, "shape": list(shape)}
    for document in ({"data": to_lists(array), **common}, {"base64": to_base64(array), **common}):
        back = decode(document).array
        assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_an_array_in_a_body_may_stay_there() -> None:
    body = bytearray(b"".join(safetensors.write({"x": np.arange(6.0).reshape(2, 3)}, {})))
    document = {"data": safetensors.read(body).tensors["x"]}
    shared = decode(document, share=True).array
    assert type(shared) is np.ndarray
    assert np.array_equal(shared, np.arange(6.0).reshape(2, 3))
    assert np.shares_memory(shared, np.frombuffer(body, np.uint8))
    assert not np.shares_memory(decode(document).array, shared)


def test_what_cannot_be_used_where_it_lies_is_copied() -> None:
    whole = b"".join(safetensors.write({"x": np.arange(6.0)}, {}))
    text = whole[8:-48]
    # A header of one byte more is as good, but what follows is not aligned.
    shifted = bytearray((len(text) + 1).to_bytes(8, "little") + text + b" " + whole[-48:])
    for array in (safetensors.read(shifted).tensors["x"], safetensors.read(whole).tensors["x"], np.arange(6.0)):
        found = decode({"data": array}, share=True).array
        assert np.array_equal(found, np.arange(6.0))
        assert found.flags.carray
        assert not np.shares_memory(found, array)


@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3).T, np.array(2, np.int8), np.zeros((0, 2)), np.arange(3, dtype=">f4")])
def test_arrays_of_this_process_are_copied(array: Any) -> None:
    literal = decode({"data": array, "shape": list(array.shape), "requires_grad": array.dtype.kind == "f"})
    assert np.array_equal(literal.array, array)
    assert literal.array.dtype == array.dtype.newbyteorder("=")
    assert literal.array.flags.c_contiguous
    assert not np.shares_memory(literal.array, array)


@pytest.mark.parametrize(
    ("document", "code", "pointer"),
    [
        ({"data": np.array([1.0]), "dtype": "float32"}, "dtype_mismatch", "/dtype"),
        ({"data": np.array(["a"])}, "unknown_dtype", "/dtype"),
        ({"data": np.array([1]), "requires_grad": True}, "not_differentiable", "/requires_grad"),
        ({"data": np.array([1.0]), "shape": [2]}, "shape_mismatch", "/shape"),
    ],
)
def test_arrays_of_this_process_are_checked(document: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(ProgramError) as caught:
        decode(document)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
