"""The op table: declarations are complete, rules are written against ops, and contradictions are refused."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.op import REGISTRY, Op, Overloads, op
from tests.engine.rule_sources import helpers_of, tree_of, uses_of_tensors

ALL_OPS = {o.full_name: o for found in REGISTRY.values() for o in (found.overloads if isinstance(found, Overloads) else (found,))}


def first_of(found: Op | Overloads) -> Op:
    return found.overloads[0] if isinstance(found, Overloads) else found


def offenders(is_right: Callable[[Op], object]) -> list[str]:
    return [name for name, declared in ALL_OPS.items() if not is_right(declared)]


def test_every_op_is_documented() -> None:
    """The first line is a sentence, and a blank line follows it."""

    def is_documented(declared: Op) -> bool:
        first, _, rest = (declared.__doc__ or "").partition("\n")
        return first.endswith(".") and (not rest or rest.startswith("\n"))

    assert not offenders(is_documented)


def test_every_name_can_be_called() -> None:
    assert not offenders(lambda declared: all(part.isidentifier() and not keyword.iskeyword(part) for part in declared.name.split(".")))
    assert not offenders(lambda declared: declared.signature().startswith(declared.name + "("))


def test_every_op_says_what_it_returns() -> None:
    def says(declared: Op) -> bool:
        return declared.composite or declared.view or declared.elementwise or declared.meta_rule is not None

    assert not offenders(says)


def test_the_parts_of_a_composite_op_have_the_rules() -> None:
    assert not offenders(lambda declared: not declared.composite or (declared.meta_rule is None and not declared.vjp))


def test_rules_do_what_arrays_tensors_and_symbols_can() -> None:
    found = {
        f"{name}: {use}"
        for name, declared in ALL_OPS.items()
        for rule in declared.vjp.values()
        for use in uses_of_tensors(tree_of(rule), declared)
    }
    assert not found


def test_rules_never_touch_numpy() -> None:
    found: set[str] = set()
    for name, declared in ALL_OPS.items():
        for rule in declared.vjp.values():
            functions: list[Any] = [rule, *helpers_of(rule)]
            for function in functions:
                if any(isinstance(node, ast.Name) and node.id in ("np", "numpy") for node in ast.walk(tree_of(function))):
                    found.add(f"{name}: {function.__qualname__}")
    assert not found


def test_every_op_is_found_by_its_path() -> None:
    for name, declared in REGISTRY.items():
        found: Any = gradwire.ops
        for part in name.split("."):
            found = getattr(found, part)
        assert found is declared


def test_methods_exist_where_ops_say_so() -> None:
    for name, found in REGISTRY.items():
        declared = first_of(found)
        if declared.name != name or "." in name or not declared.method:
            continue
        assert callable(getattr(gradwire.Tensor, name))
        if declared.inplace is True:
            assert callable(getattr(gradwire.Tensor, name + "_"))


def test_an_unknown_op_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match=r"there is no op 'linalg\.no_such_op'"):
        gradwire.ops.linalg.no_such_op  # noqa: B018 - looking it up is the test


def declare(**facts: Any) -> Any:
    """Declares an op of two tensors, which is not registered because its facts contradict each other."""

    @op("_contradiction", **facts)
    def contradiction(input: Tensor, other: Tensor, alpha: int = 1) -> Any:  # type: ignore[name-defined]  # noqa: F821
        return np.add(input, other)

    return contradiction


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"vjp": {"input": lambda g, nothing: g}}, "names 'nothing', which is no argument or output"),
        ({"vjp": {"alpha": lambda g: g}}, "serves 'alpha', which is not a tensor argument"),
        ({"vjp": {"nothing": lambda g: g}}, "serves 'nothing', which is not a tensor argument"),
    ],
)
def test_contradictions_are_refused(facts: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        declare(**facts)
    assert "_contradiction" not in REGISTRY


def test_a_name_is_declared_once() -> None:
    with pytest.raises(TypeError, match="the op 'mul' is declared twice"):

        @op("mul")
        def again(input: Tensor, other: Tensor) -> Any:  # type: ignore[name-defined]  # noqa: F821
            return np.multiply(input, other)


def test_a_parameter_has_a_known_kind() -> None:
    with pytest.raises(TypeError, match="parameter 'other' has the unknown kind 'Vector'"):

        @op("_contradiction")
        def unknown(input: Tensor, other: Vector) -> Any:  # type: ignore[name-defined]  # noqa: F821
            return np.multiply(input, other)
