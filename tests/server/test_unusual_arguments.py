"""Arguments that look wild and have a value all the same: it is answered, and little takes little time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gradwire_engine.errors import LimitError
from gradwire_engine.limits import Limits
from gradwire_server.services.evaluate import evaluate

from .hostile import answer, nested, program, value

ANSWERED: dict[str, tuple[dict[str, Any], Any]] = {
    "a deep list": (program("tensor", nested(30)), nested(30)),
    "a list of every dimension": (program("tensor", nested(64)), nested(64)),
    "a deep list for new_tensor": (program("new_tensor", "x", nested(30)), nested(30)),
    "an object for a tensor": (program("tensor", {"data": [1, 2]}), [1, 2]),
    "an object for a new tensor": (program("new_tensor", "x", {"data": [1]}), [1.0]),
    "an object for dims": (program("tensordot", "x", "x", {"data": 1}), 14.0),
    "NaN as a boolean": (program("tensor", ["NaN", 0.0], dtype="bool"), [True, False]),
    "a number beyond half precision": (program("tensor", [1e10], dtype="float16"), ["Infinity"]),
    "no repetition of many": (program("repeat", "x", [0, 10**7]), []),
    "many repetitions of none": (program("sum", {"data": [], "shape": [0], "dtype": "float32"}), 0.0),
    "a complex array of every dimension": (program("clone", "c64"), nested(64, [1.0, 2.0])),
    "random complex numbers of every dimension": (program("mul", "c64", 0), nested(64, [0.0, 0.0])),
    "repeat of every dimension": (program("sum", "d64"), 1.0),
    "inverse of NaN": (program("linalg.inv", "nan"), [["NaN"] * 2] * 2),
    "solution with NaN": (program("linalg.solve", "nan", "m"), [["NaN"] * 2] * 2),
    "determinant of NaN": (program("linalg.det", "nan"), "NaN"),
    "a real correction": (program("std", "x", correction={"complex": [1, 0]}), 1.0),
    "a real threshold": (program("nn.functional.softshrink", "x", {"complex": [1, 0]}), [0.0, 1.0, 2.0]),
    "no class": (
        program("nn.functional.cross_entropy", "none", {"data": [[], []], "shape": [2, 0], "dtype": "float32"}, label_smoothing=0.5),
        "NaN",
    ),
    "nothing to sum without a class": (program("nn.functional.cross_entropy", "none", [-100, -100], reduction="sum"), 0.0),
    "no class and none wanted": (program("nn.functional.cross_entropy", "none", [-100, -100], label_smoothing=0.5), "NaN"),
    "all places below a distant diagonal": (program("tril_indices", 2, 1, 2**63 - 1), [[0, 1], [0, 0]]),
    "all places above a distant diagonal": (program("triu_indices", 2, 1, -(2**63)), [[0, 1], [0, 0]]),
    "special functions of every dimension": (program("erf", "i64"), nested(64, 0.0)),
    "a remainder of every dimension": (program("remainder", "d64", 2), nested(64)),
    "all of it behind two ellipses": (program("getitem", "m", ["...", "..."]), [[1.0, 2.0], [3.0, 4.0]]),
}


@pytest.mark.parametrize("case", ANSWERED)
def test_what_looks_wild_but_has_a_value_is_answered(case: str) -> None:
    document, expected = ANSWERED[case]
    assert value(document) == expected


GRADIENTS: dict[str, tuple[dict[str, Any], str, Any]] = {
    "repeat of every dimension": (program("repeat", "d64", [2, 2, *[1] * 62], backward=True), "d64", nested(64, 4.0)),
    "repeat into nothing": (program("repeat", "x", [10**5, 0], backward=True), "x", [0.0] * 3),
    "determinant of NaN": (program("linalg.det", "nan", backward=True), "nan", [["NaN"] * 2] * 2),
    "determinants of a batch": (program("linalg.det", "batch", backward=True), "batch", [[[1.0, 0.0], [0.0, 1.0]], [["NaN"] * 2] * 2]),
    "logarithm of a determinant of NaN": (program("logdet", "nan", backward=True), "nan", [["NaN"] * 2] * 2),
    "scatter_add at no place": (
        program("scatter_add", "m", 0, {"data": [[], []], "shape": [2, 0], "dtype": "int64"}, "volume", backward=True),
        "volume",
        [[[0.0] * 2] * 2],
    ),
    "scatter of more than there is": (program("scatter", "scalar", 0, {"data": 0}, "x", backward=True), "x", [1.0, 0.0, 0.0]),
    "a complex array of every dimension": (program("abs", "c64", backward=True), "c64", None),
}


@pytest.mark.parametrize("case", GRADIENTS)
def test_so_are_gradients(case: str) -> None:
    document, name, expected = GRADIENTS[case]
    gradient = answer(document)["grads"][name]
    assert gradient["shape"] == answer({**document, "outputs": [name]})["outputs"][name]["shape"]
    if expected is not None:
        assert gradient["data"] == expected


def test_the_gradients_of_empty_inputs_count_too() -> None:
    wide = {"base64": "", "dtype": "float32", "shape": [10**6, 0], "requires_grad": True}
    inputs = {f"x{i}": wide for i in range(8)}
    document = {"inputs": inputs, "nodes": [{"name": "s", "op": "sum", "args": ["x0"]}], "outputs": ["s"]}
    limits = Limits(tensor_bytes=2**24, program_bytes=2**24)
    answer(document, limits)
    with pytest.raises(LimitError, match="would bring the program to"):
        answer({**document, "backward": "s"}, limits)


@pytest.mark.parametrize(
    "document",
    [
        program("repeat", "x", [10**8, 0]),
        program("tile", "x", [10**8, 0]),
        program("expand", "empty", [10**8, 0, 5]),
        program("repeat_interleave", "empty", 10**8, 1),
        program("tensor", [nested(24), nested(24)]),
    ],
    ids=["repeat", "tile", "expand", "repeat_interleave", "deep lists"],
)
def test_little_takes_little_time(document: dict[str, Any]) -> None:
    start = time.process_time()
    evaluate(document, limits=Limits(), check=lambda: None)
    assert time.process_time() - start < 0.5
