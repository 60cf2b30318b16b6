"""The inputs of calls: what is enough, and what is missing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gradwire_engine.errors import GradwireError
from tests.server.functions import Functions, declared, function, node


def test_an_empty_list_is_enough_for_one_dimension() -> None:
    functions = Functions()
    functions.put("f", function({"x": declared("n")}, node("y", "mul", "x", 2), node("z", "sum", "y"), outputs=["y", "z"]))
    functions.put("g", function({"a": declared()}, node("y", "mul", "a", 2)))
    functions.put("two", function({"x": declared(2)}, node("y", "mul", "x", 2)))
    empty: tuple[Any, ...] = ([], {"data": []}, {"data": [], "dtype": "float64"}, {"data": [], "shape": [0]})
    for given in empty:
        assert functions.call("f", inputs={"x": given})["outputs"] == {"y": [], "z": 0.0}
        assert functions.call("g", inputs={"a": given}, batch=["a"])["outputs"] == {"y": []}
    assert functions.call("f", "hvp", inputs={"x": []}, output="z", vectors={"x": []})["hvps"] == {"x": []}
    for name, inputs, batch, code in (
        ("f", {"x": []}, ["x"], "shape_required"),
        ("g", {"a": []}, None, "shape_required"),
        ("two", {"x": []}, None, "shape_mismatch"),
        ("f", {"x": {"data": [], "dtype": "float32"}}, None, "dtype_mismatch"),
        ("f", {"x": {"data": [], "base64": ""}}, None, "invalid_tensor"),
    ):
        with pytest.raises(GradwireError) as caught:
            functions.call(name, inputs=inputs, batch=batch)
        assert (caught.value.code, (caught.value.pointer or "")[:9]) == (code, "/inputs/" + next(iter(inputs)))


def test_all_inputs_that_are_missing_are_named() -> None:
    functions = Functions()
    functions.put("f", function({"x": declared(), "a": declared(default=2.0), "b": declared()}, node("y", "mul", "x", "b")))
    for inputs, batch, expected in (
        ({}, [], "The inputs 'x', 'b' are missing. Its inputs are x, a, b."),
        ({"x": 1.0}, [], "The input 'b' is missing."),
        ({"x": 1.0}, ["a"], "The inputs 'a', 'b' are missing."),
    ):
        with pytest.raises(GradwireError, match=re.escape(expected)):
            functions.call("f", inputs=inputs, batch=batch)
