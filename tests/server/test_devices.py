"""Devices in documents: the CPU by its name, and a clear refusal of what is not there."""

from __future__ import annotations

from typing import Any

import pytest

from gradwire_engine.errors import DeviceMissing, TensorRuntimeError
from gradwire_server.errors import Problem
from tests.server.hostile import answer, program, value


def refused(document: dict[str, Any], error: type[Exception]) -> Problem:
    with pytest.raises(error) as raised:
        answer(document)
    return Problem.of(raised.value)


def test_the_cpu_is_accepted() -> None:
    assert value(program("zeros", [2], device="cpu")) == [0.0, 0.0]
    assert value(program("to", "floats", "cpu")) == [1.0, 2.0]
    assert value(program("to", "floats", "cpu:0", "int64")) == [1, 2]
    assert value(program("to", "floats", "int64")) == [1, 2]


def test_what_is_missing_is_refused() -> None:
    problem = refused(program("zeros", [2], device="cuda"), DeviceMissing)
    assert (problem.status, problem.code, problem.exception) == (422, "unknown_device", "AssertionError")
    assert (problem.detail, problem.pointer) == ("Torch not compiled with CUDA enabled", "/nodes/0/kwargs/device")
    problem = refused(program("to", "floats", "nowhere"), TensorRuntimeError)
    assert (problem.status, problem.code, problem.pointer) == (422, "unknown_device", "/nodes/0/args/1")
