"""Transforms of functions: what they share, what they refuse, and how they nest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine import transforms
from gradwire_engine.errors import GradwireError
from gradwire_engine.execute import Runner
from gradwire_engine.limits import Limits
from gradwire_engine.meta import dense
from gradwire_engine.op import ops
from gradwire_engine.parse import parse
from gradwire_engine.symbolic import Trace, trace

X = np.array([1.0, 2.0, 3.0])
DOUBLE = np.dtype(np.float64)
Named = Mapping[str, Any]


def loss(named: Named) -> dict[str, Any]:
    return {"y": (ops.sin(named["x"]) * named["x"] ** 2).sum()}


def vector(named: Named) -> dict[str, Any]:
    return {"y": ops.sin(named["x"])}


def given(**arrays: Any) -> dict[str, Any]:
    return {name: gradwire.tensor(a) for name, a in (arrays or {"x": X}).items()}


def test_one_forward_pass_for_everything() -> None:
    calls = []

    def counted(named: Named) -> dict[str, Any]:
        calls.append(1)
        return loss(named)

    want = ("value", "outputs", "grads", "vjp", "jvp", "jacobian", "hessian", "hvp")
    one = gradwire.tensor(1.0, dtype="float64")
    v = gradwire.tensor(np.eye(3))
    made = transforms.compute(counted, given(), want, grad_outputs={"y": one}, tangents=given(), vectors={"x": v})
    assert set(made) == set(want)
    assert len(calls) == 1
    gradient = np.cos(X) * X**2 + 2 * X * np.sin(X)
    np.testing.assert_allclose(made["grads"]["x"].numpy(), gradient)
    np.testing.assert_allclose(made["vjp"]["x"].numpy(), gradient)
    np.testing.assert_allclose(made["jacobian"]["y"]["x"].numpy(), gradient)
    np.testing.assert_allclose(made["jvp"]["y"].numpy(), gradient @ X)
    np.testing.assert_allclose(made["hvp"]["x"].numpy(), made["hessian"]["x"]["x"].numpy())
    assert not any(t.requires_grad for t in (made["value"], made["grads"]["x"], made["hessian"]["x"]["x"]))


def test_what_is_not_reached_is_zero() -> None:
    inputs = given(x=X, w=np.ones((2, 2)))
    made = transforms.compute(loss, inputs, ("grads", "hessian", "hvp", "jacobian"), vectors={"w": gradwire.tensor(np.ones((4, 2, 2)))})
    assert made["grads"]["w"].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert made["hessian"]["w"]["x"].shape == (2, 2, 3)
    assert made["hessian"]["x"]["w"].shape == (3, 2, 2)
    assert made["hvp"]["x"].shape == (4, 3)
    assert made["jacobian"]["y"]["w"].shape == (2, 2)


def test_linear_functions_have_no_second_derivative() -> None:
    made = transforms.compute(lambda n: {"y": n["x"].sum()}, given(), ("hessian", "hvp"), vectors=given())
    assert not made["hessian"]["x"]["x"].numpy().any()
    assert not made["hvp"]["x"].numpy().any()


def test_derivatives_of_derivatives_from_outside() -> None:
    """What goes in with a history comes out with one."""
    x = gradwire.tensor(X, requires_grad=True)
    jacobian = transforms.jacobian(vector, {"x": x})["y"]["x"]
    (g,) = gradwire.grad([jacobian.sum()], [x])
    np.testing.assert_allclose(g.numpy(), -np.sin(X))
    hvp = transforms.hvp(lambda n: {"y": (n["x"] ** 4).sum()}, {"x": x}, {"x": gradwire.tensor(np.ones((2, 3)))})["x"]
    (third,) = gradwire.grad([hvp.sum()], [x])
    np.testing.assert_allclose(third.numpy(), 2 * 24 * X)


def test_complex_forward_mode() -> None:
    z, t = np.array([1 + 2j, 0.5 - 1j]), np.array([1 + 0j, 2j])
    _, found = transforms.jvp(lambda n: {"y": n["z"] * n["z"] * (1 + 1j)}, given(z=z), {"z": gradwire.tensor(t)})
    np.testing.assert_allclose(found["y"].numpy(), 2 * z * (1 + 1j) * t)


@pytest.mark.parametrize("size", [3, 40])
def test_programs_do_not_grow_with_the_number_of_rows(size: int) -> None:
    def recorded(n: int) -> Trace:
        def everything(x: Any) -> Any:
            made = transforms.compute(loss, {"x": x}, ("value", "grads", "hessian"))
            return made["value"], made["grads"]["x"], made["hessian"]["x"]["x"], transforms.jacobian(vector, {"x": x})["y"]["x"]

        return trace(everything, [dense((n,), DOUBLE)])

    program = recorded(size)
    assert len(program.instructions) == len(recorded(2).instructions)
    x = np.linspace(0, 1, size)
    *_, hessian, jacobian = program.run([x])
    np.testing.assert_allclose(jacobian, np.diag(np.cos(x)))
    np.testing.assert_allclose(hessian, np.diag(-np.sin(x) * x**2 + 4 * x * np.cos(x) + 2 * np.sin(x)), atol=1e-12)


def refused(code: str, want: str, call: Any = loss, inputs: Any = None, **fields: Any) -> str:
    """The message with which a transform is refused."""
    with pytest.raises(GradwireError) as caught:
        transforms.compute(call, given() if inputs is None else inputs, (want,), **fields)
    assert caught.value.code == code
    return caught.value.detail


@pytest.mark.parametrize("want", ["value", "grads", "hessian", "hvp"])
def test_gradients_are_of_scalars(want: str) -> None:
    message = refused("not_scalar", want, vector, vectors=given())
    assert "to be a scalar Tensor, got tensor with 1 dims" in message


def test_bad_requests() -> None:
    refused("not_differentiable", "grads", inputs={"x": gradwire.tensor([1, 2])}, wrt=["x"])
    refused("not_differentiable", "jacobian", lambda n: {"y": n["x"].long()})
    refused("unknown_name", "grads", wrt=["z"])
    refused("unknown_name", "grads", output="z")
    refused("unknown_name", "vjp", grad_outputs={"z": gradwire.tensor(1.0)})
    refused("unknown_name", "jvp", tangents={"z": gradwire.tensor(1.0)})
    refused("unknown_name", "hvp", vectors={"z": gradwire.tensor(1.0)})
    refused("output_needed", "grads", lambda n: {"a": n["x"].sum(), "b": n["x"].sum()})
    refused("missing_field", "hvp")
    refused("unknown_want", "everything")
    refused("shape_mismatch", "jvp", tangents={"x": gradwire.tensor(1.0)})
    refused("shape_mismatch", "vjp", vector, grad_outputs={"y": gradwire.tensor(1.0)})
    refused("shape_mismatch", "hvp", vectors={"x": gradwire.tensor([1.0])})
    refused("runtime_error", "jacobian", inputs=given(x=X.astype(complex)))


def test_stacks_are_all_of_one_size() -> None:
    inputs = given(x=X, w=X)
    vectors = {"x": gradwire.tensor(np.ones((2, 3))), "w": gradwire.tensor(X)}
    assert "stacks of the same number" in refused("shape_mismatch", "hvp", inputs=inputs, vectors=vectors)


EXP = {
    "forward": {"inputs": ["x"], "nodes": [{"name": "y", "op": "exp", "args": ["x"]}], "outputs": ["y"]},
    "save": ["y"],
    "backward": {"inputs": ["grad_y", "y"], "nodes": [{"name": "gx", "op": "mul", "args": ["grad_y", "y"]}], "outputs": {"x": "gx"}},
}


def with_function(named: Named) -> dict[str, Any]:
    document = {"functions": {"my_exp": EXP}, "nodes": [{"name": "y", "op": "functions.my_exp", "args": ["x"]}], "outputs": ["y"]}
    program = parse(document, ["x"], Limits())
    return {"y": Runner(lambda: None).run(program.body, dict(named))["y"]}


def test_custom_functions() -> None:
    assert "'my_exp'" in refused("jvp_missing", "jvp", with_function, tangents=given())
    inputs = {"x": gradwire.tensor(0.5, dtype="float64")}
    wide = transforms.jacobian(lambda n: {"y": with_function(n)["y"] * ops.ones(9, dtype="float64")}, inputs)["y"]["x"]
    np.testing.assert_allclose(wide.numpy(), np.full(9, np.exp(0.5)))
    np.testing.assert_allclose(transforms.hessian(with_function, inputs)["x"]["x"].numpy(), np.exp(0.5))
    batch = transforms.compute(with_function, given(), ("jacobian",), batch=("x",))["jacobian"]["y"]["x"]
    np.testing.assert_allclose(batch.numpy(), np.exp(X))


def test_mapped_fields() -> None:
    """Tangents and vectors are mapped with their inputs; each item has its own stack."""
    rows, stacks = np.stack([X, 2 * X]), np.random.default_rng(0).normal(size=(2, 4, 3))
    made = transforms.compute(loss, given(x=rows), ("hvp",), vectors={"x": gradwire.tensor(stacks)}, batch=("x",))["hvp"]["x"]
    expected = [transforms.hvp(loss, given(x=r), {"x": gradwire.tensor(s)})["x"].numpy() for r, s in zip(rows, stacks, strict=True)]
    np.testing.assert_allclose(made.numpy(), expected)
    cotangents = {"y": gradwire.tensor(rows)}
    found = transforms.compute(vector, given(x=rows), ("vjp",), grad_outputs=cotangents, batch=("x",))["vjp"]["x"]
    np.testing.assert_allclose(found.numpy(), rows * np.cos(rows))
    refused("bad_batch", "grads", batch=("z",))
