"""How a snippet is written and what is compared of it.

A snippet is a function of ``torch`` (torch itself, or Gradwire in its place): the body is what a user writes after ``import torch``.
Compared are what it prints, what it returns, what it warns of and what it raises.
"""

from __future__ import annotations

import contextlib
import io
import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

Snippet = Callable[[Any], Any]
Outcome = dict[str, Any]

SNIPPETS: dict[str, Snippet] = {}
ADDRESS = re.compile(r"\b0x[0-9a-f]+")
# torch names the line of its own source that warned.
ORIGIN = re.compile(r" \(Triggered internally at .*")
TOLERANCES = {"torch.float16": 1e-3, "torch.float64": 1e-10, "torch.complex128": 1e-10}


def snippet(function: Snippet) -> Snippet:
    """Makes ``function`` a snippet.

    Raises:
        ValueError: There is a snippet of that name already.
    """
    if SNIPPETS.setdefault(function.__name__, function) is not function:
        raise ValueError(f"there are two snippets {function.__name__}")
    return function


def attempt(function: Callable[[], Any]) -> None:
    """Prints the builtin kind and the message of the error that ``function`` raises, or that its result raises when it is looked at."""
    try:
        text = repr(function())
    except Exception as error:
        print(f"{builtin_kind(error)}: {error}")
    else:
        print("no error:", text)


def builtin_kind(error: Exception) -> str:
    """The name of the first builtin class that ``error`` is an instance of, which is what users catch."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins")


def simple_function(torch: Any, forward: Callable[..., Any], backward: Callable[..., Any]) -> Any:
    """An ``autograd.Function`` of these two."""
    return type("Simple", (torch.autograd.Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})


def outcome(function: Snippet, torch: Any) -> Outcome:
    """Runs a snippet, from the same state each time, and describes as JSON what it did."""
    torch.manual_seed(0)
    printed = io.StringIO()
    found: Outcome = {}
    try:
        with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(printed):
            warnings.simplefilter("always")
            # NumPy warns of how torch itself implements __array__.
            warnings.filterwarnings("ignore", message="__array__ implementation")
            try:
                found["returns"] = describe(function(torch))
            except Exception as error:
                found["raises"] = [builtin_kind(error), without_chance(str(error))]
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_printoptions(profile="default")
        torch.set_grad_enabled(True)
    found["prints"] = without_chance(printed.getvalue())
    found["warns"] = [[w.category.__name__, ORIGIN.sub("", str(w.message))] for w in caught]
    return {key: value for key, value in found.items() if value or key == "raises"}


def without_chance(text: str) -> str:
    """``text`` without what differs from run to run."""
    return ADDRESS.sub("0x...", text)


def describe(value: Any) -> Any:
    """A result as JSON, the same for torch's objects and for those in their place."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, complex):
        return {"complex": [describe(value.real), describe(value.imag)]}
    if isinstance(value, np.ndarray):
        return {"array": describe(value.tolist()), "dtype": str(value.dtype)}
    if isinstance(value, list):
        return [describe(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple" if type(value).__name__ != "Size" else "Size": [describe(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[describe(key), describe(item)] for key, item in value.items()]}
    if hasattr(value, "requires_grad"):
        return {
            "tensor": describe(value.detach().tolist()),
            "dtype": repr(value.dtype),
            "shape": list(value.shape),
            "requires_grad": value.requires_grad,
            "is_leaf": value.is_leaf,
            "grad_fn": None if value.grad_fn is None else value.grad_fn.name(),
        }
    return {"object": without_chance(repr(value))}


def differences(ours: Any, theirs: Any, path: str = "outcome", tolerance: float = 1e-5) -> list[str]:
    """Where two outcomes differ: numbers by more than rounding, anything else at all."""
    if isinstance(theirs, dict) and isinstance(ours, dict) and ours.keys() == theirs.keys():
        tolerance = TOLERANCES.get(str(theirs.get("dtype")), tolerance)
        return [line for key in theirs for line in differences(ours[key], theirs[key], f"{path}.{key}", tolerance)]
    if isinstance(theirs, list) and isinstance(ours, list) and len(ours) == len(theirs):
        return [line for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) for line in differences(a, b, f"{path}[{i}]", tolerance)]
    if isinstance(theirs, float) and isinstance(ours, float) and math.isclose(ours, theirs, rel_tol=tolerance, abs_tol=tolerance / 10):
        return []
    same = type(ours) is type(theirs) and ours == theirs
    return [] if same else [f"{path} is\n{ours}\nand on torch\n{theirs}"]
