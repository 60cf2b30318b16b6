"""Python callables as registered functions, over both transports."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import gradwire
from gradwire.connection import Connection
from gradwire.errors import NotFound, ServiceError
from gradwire.local import LocalTransport
from gradwire.traced_function import TracedFunction
from gradwire_engine.errors import (
    GradwireError,
    TensorNotImplementedError,
    TensorRuntimeError,
    TensorTypeError,
    TensorValueError,
    ValueNeeded,
)
from gradwire_server.services import engine_services
from gradwire_server.services.functions.limits import FunctionLimits
from gradwire_server.services.sessions.limits import SessionLimits

A = np.array([1.0, 2.0, 3.0])
B = np.array([0.5, -1.0, 2.0])


@pytest.fixture(autouse=True)
def connected(connection: Connection) -> Any:
    with connection:
        yield


def rosenbrock(x: Any) -> Any:
    """Rosenbrock's valley."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def document(traced: TracedFunction, *args: Any, **kwargs: Any) -> Any:
    name = traced.registered(*args, **kwargs).name
    return gradwire.get_function(name).description["function"]


def ops(traced: TracedFunction, *args: Any, **kwargs: Any) -> list[str]:
    return [node["op"] for node in document(traced, *args, **kwargs)["nodes"]]


def test_numpy_in_numpy_out() -> None:
    traced = gradwire.function(rosenbrock)
    assert repr(traced) == "<traced function rosenbrock(x)>"
    value = traced(A)
    assert (type(value), value) == (np.float64, 100 * (1 + 1) + 1)
    value, gradient = traced.value_and_grad(A)
    assert value == traced(x=A)
    np.testing.assert_allclose(gradient, traced.grad(A))
    np.testing.assert_allclose(traced.hessian(A) @ B, traced.hvp(A, vectors=B))
    np.testing.assert_allclose(traced.hessian(A), traced.hvp(A, vectors=np.eye(3)))
    assert traced.jvp(A, tangents=B)[1] == pytest.approx(gradient @ B)
    assert traced.gradcheck(A).ok


def test_gradients_are_the_derivatives() -> None:
    traced = gradwire.function(rosenbrock)
    step = 1e-6 * np.eye(3)
    expected = [(traced(A + s) - traced(A - s)) / 2e-6 for s in step]
    np.testing.assert_allclose(traced.grad(A), expected, rtol=1e-6)


def test_tensors_in_tensors_out() -> None:
    x = gradwire.tensor([1.0, 2.0, 3.0], requires_grad=True)
    value, gradient = gradwire.function(rosenbrock).value_and_grad(x)
    assert isinstance(value, gradwire.Tensor)
    assert (value.dtype, value.requires_grad, gradient.requires_grad) == (gradwire.float32, False, False)
    rosenbrock(x).backward()
    assert gradwire.allclose(gradient, x.grad)


def test_the_program_is_what_was_written() -> None:
    traced = gradwire.function(rosenbrock)
    found = document(traced, A)
    assert found["inputs"] == {"x": {"dtype": "float64", "shape": [3]}}
    assert found["outputs"] == ["out"]
    assert found["description"] == "Rosenbrock's valley."
    assert ops(traced, A) == ["getitem", "getitem", "pow", "sub", "pow", "mul", "getitem", "rsub", "pow", "add", "sum"]

    def layer(x: Any, weight: Any) -> Any:
        return gradwire.nn.functional.cross_entropy(gradwire.nn.functional.linear(x, weight), gradwire.tensor([0, 1]))

    assert ops(gradwire.function(layer), np.ones((2, 3)), np.ones((4, 3))) == [
        "nn.functional.linear",
        "detach",
        "nn.functional.cross_entropy",
    ]


def test_one_trace_for_each_shape_dtype_and_fixed_argument() -> None:
    seen: list[Any] = []

    @gradwire.function
    def powers(x: Any, n: int = 2, *, how: str = "sum") -> Any:
        seen.append((tuple(x.shape), x.dtype, n, how))
        return getattr(x**n, how)()

    for _ in range(2):
        assert powers(A) == 14.0
        assert powers(A, 3) == 36.0
        assert powers(A, how="mean") == pytest.approx(14 / 3)
        assert powers(A[:2]) == 5.0
        assert powers(A.astype(np.float32)) == 14.0
    assert powers(A, True) == 6.0
    float64, float32 = gradwire.float64, gradwire.float32
    assert seen == [
        ((3,), float64, 2, "sum"),
        ((3,), float64, 3, "sum"),
        ((3,), float64, 2, "mean"),
        ((2,), float64, 2, "sum"),
        ((3,), float32, 2, "sum"),
        ((3,), float64, True, "sum"),
    ]


class Pair(NamedTuple):
    """Two results."""

    left: Any
    right: Any


def test_structures() -> None:
    def model(params: dict[str, Any], x: Any, scale: Any = 1.0) -> dict[str, Any]:
        return {"loss": ((params["w"] * x).sum() + params["b"][0]) * scale, "both": (x, None, Pair(x, x + 1)), "x": x}

    traced = gradwire.function(model)
    params = {"w": A, "b": (np.float64(2.0), 3)}
    found = traced(params, B)
    assert found["loss"] == A @ B + 2
    left, nothing, pair = found["both"]
    assert nothing is None
    assert isinstance(pair, Pair)
    np.testing.assert_array_equal(np.stack([left, pair.left, pair.right - 1, found["x"]]), np.stack([B] * 4))
    loss = gradwire.function(lambda *args, **kwargs: model(*args, **kwargs)["loss"])
    _, gradient = gradwire.function(lambda params, x: model(params, x)["loss"]).value_and_grad(params, B, wrt="params")
    np.testing.assert_array_equal(gradient["w"], B)
    assert gradient["b"] == (1.0, None)
    assert loss(params, B, scale=3.0) == 3 * (A @ B + 2)
    ((_, by_x),) = loss.grad({"w": A, "b": [1.0]}, B, wrt=["args"])
    np.testing.assert_array_equal(by_x, A)


def test_which_derivatives() -> None:
    @gradwire.function
    def product(a: Any, b: Any, n: int = 1) -> Any:
        return (a * b).sum() * n

    for wrt in ("b", 1, -2):
        np.testing.assert_array_equal(product.grad(A, B, wrt=wrt), A)
    for every in (None, ["a", "b"], (0, 1)):
        np.testing.assert_array_equal(np.stack(product.grad(A, B, wrt=every)), np.stack([B, A]))
    (alone,) = product.grad(A, B, wrt=["a"])
    np.testing.assert_array_equal(alone, B)
    mixed = product.hessian(A, B)
    np.testing.assert_array_equal(np.block([list(row) for row in mixed]), np.kron([[0, 1], [1, 0]], np.eye(3)))
    np.testing.assert_array_equal(np.stack(product.hvp(A, B, vectors=(A, B))), np.stack([B, A]))
    np.testing.assert_array_equal(np.stack(product.hvp(A, B, vectors={"a": A})), np.stack([0 * A, A]))
    np.testing.assert_array_equal(product.hvp(A, B, vectors=A, wrt="a"), 0 * A)
    assert product.jvp(A, B, tangents=(A, B))[1] == A @ B + B @ A
    for wrong in ("c", 3, -4):
        with pytest.raises(TensorTypeError, match=r"has no parameter .*; it has a, b, n\."):
            product.grad(A, B, wrt=wrong)
    with pytest.raises(TensorTypeError, match="one item for each of the parameters a, b"):
        product.hvp(A, B, vectors=(A,))


def test_several_outputs() -> None:
    @gradwire.function
    def outer(a: Any, b: Any) -> Any:
        return a.outer(b), {"sum": a.sum()}

    (by_a, by_b), sums = outer.jacobian(A, B)
    np.testing.assert_array_equal(by_a, np.einsum("ik,j->ijk", np.eye(3), B))
    np.testing.assert_array_equal(by_b, np.einsum("jk,i->ijk", np.eye(3), A))
    np.testing.assert_array_equal(sums["sum"][0], np.ones(3))
    outputs, grads = outer.vjp(A, B, grad_outputs=(np.ones((3, 3)), {"sum": 1.0}), wrt="a")
    np.testing.assert_array_equal(outputs[0], np.outer(A, B))
    np.testing.assert_array_equal(grads, np.full(3, B.sum() + 1))
    with pytest.raises(ServiceError, match="'output' has to name one"):
        outer.grad(A, B)
    with pytest.raises(TensorTypeError, match="Expected a tuple of 2 parts"):
        outer.vjp(A, B, grad_outputs=(A,))


def test_batches() -> None:
    traced = gradwire.function(lambda x, b: (x * b).sum())
    rows = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(traced(rows, B, batch="x"), rows @ B)
    np.testing.assert_array_equal(traced.grad(rows, B, wrt="x", batch=["x"]), np.stack([B, B]))


def test_what_is_around_is_taken_as_it_is() -> None:
    layer = gradwire.nn.Linear(3, 2)
    table = np.arange(3.0)

    @gradwire.function
    def around(x: Any) -> Any:
        return layer(x) + gradwire.from_numpy(table[:2]).float() + gradwire.zeros(2) + table[2]

    x = gradwire.ones(1, 3)
    assert gradwire.allclose(around(x), layer(x) + gradwire.tensor([[0.0, 1.0]]) + 2)
    before = around(x)
    table[:] = 7
    assert gradwire.equal(around(x), before)


def test_writing_in_place_makes_new_values() -> None:
    def written(x: Any, v: Any) -> Any:
        out = gradwire.zeros(4, dtype=gradwire.float64)
        row = out[1:3]
        out[0] = v.sum()
        row += x[:2]
        out[3:] = v[:1]
        out.mul_(2)
        whole = x.clone()
        head = whole[:2]
        head[0] = 5.0
        whole[whole > 2.5] = 0.0
        whole[[1, 2]] = v[1:]
        part = head.reshape(1, 2) * 1.0
        return out, row, whole, head, part

    expected = written(gradwire.tensor(A), gradwire.tensor(B))
    found = gradwire.function(written)(A, B)
    for f, e in zip(found, expected, strict=True):
        np.testing.assert_array_equal(f, e.numpy())
    x, v = (gradwire.tensor(array, requires_grad=True) for array in (A, B))
    sum((out * out).sum() for out in written(x, v)).backward()
    gradients = gradwire.function(lambda x, v: sum((out * out).sum() for out in written(x, v))).grad(A, B)
    np.testing.assert_allclose(gradients[0], x.grad.numpy())
    np.testing.assert_allclose(gradients[1], v.grad.numpy())


def test_detached_and_without_gradient() -> None:
    @gradwire.function
    def partly(x: Any) -> Any:
        with gradwire.no_grad():
            scale = (x * x).sum()
        return (x * x.detach() * scale).sum()

    np.testing.assert_array_equal(partly.grad(A), A * 14)
    with gradwire.no_grad():
        np.testing.assert_array_equal(gradwire.function(lambda x: (x * x).sum()).grad(A), 2 * A)


def test_random_operations_draw_where_they_run() -> None:
    traced = gradwire.function(lambda x: x + gradwire.rand(3, dtype=gradwire.float64))
    np.testing.assert_array_equal(traced(A, seed=1), traced(A, seed=1))
    assert (traced(A, seed=1) != traced(A, seed=2)).all()


def branch(x: Any) -> Any:
    return x if x.sum() > 0 else -x


def asks_for_gradient(x: Any) -> Any:
    return gradwire.autograd.grad((x.requires_grad_() ** 2).sum(), x)[0]


class Halve(gradwire.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x / 2

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g / 2


def stale(x: Any) -> Any:
    y = x * 1
    kept = y.detach()
    y += 1
    return kept


@pytest.mark.parametrize(
    ("callable", "error", "message"),
    [
        (branch, ValueNeeded, r"Use torch\.where\(\.\.\.\) in place of if"),
        (float, ValueNeeded, "no elements that Python could look at"),
        (np.asarray, ValueNeeded, "no elements"),
        (lambda x: gradwire.nonzero(x), ValueNeeded, r"nonzero gives has a shape that depends on values.*torch\.where"),
        (lambda x: x[x > 0], ValueNeeded, "depends on values"),
        (asks_for_gradient, TensorNotImplementedError, r"f\.value_and_grad\(\.\.\.\)"),
        (Halve.apply, TensorNotImplementedError, "The function Halve has a backward in Python"),
        (stale, TensorRuntimeError, r"Use clone\(\) before"),
        (lambda x: x.clone().unsqueeze_(0), TensorNotImplementedError, r"use unsqueeze\(\)"),
        (lambda x: "text", TensorTypeError, "returns a str, but a traced function returns tensors"),
        (lambda x: None, TensorValueError, "has to return a tensor"),
        (lambda x: x @ gradwire.ones(4, dtype=gradwire.float64), TensorRuntimeError, "inconsistent tensor size"),
    ],
)
def test_what_cannot_be_traced(callable: Any, error: type[GradwireError], message: str) -> None:
    with pytest.raises(error, match=message):
        gradwire.function(lambda x: callable(x))(A)
    # Nothing of it is left behind.
    assert (gradwire.tensor([1.0]) * 2).item() == 2.0


def test_a_server_that_takes_no_more_functions() -> None:
    services = engine_services(SessionLimits(), FunctionLimits(owner_functions=1), None)
    with Connection(LocalTransport(services)):
        traced = gradwire.function(lambda x: x * 3)
        np.testing.assert_array_equal(traced(A), 3 * A)
        with pytest.raises(ServiceError) as caught:
            traced(A[:2])
        assert caught.value.code == "too_many_functions"
        assert "a function for each combination of shapes" in caught.value.__notes__[0]


def test_integers_alone_have_no_gradient() -> None:
    with pytest.raises(GradwireError, match=r"would have to be of floating point, and there are x: int64\[3\]\.$"):
        gradwire.function(lambda x: x.sum()).value_and_grad(np.arange(3))


def test_arguments_that_cannot_be() -> None:
    traced = gradwire.function(lambda x, options=None: x)
    with pytest.raises(TensorTypeError, match="The argument 'options' of a traced function is a set"):
        traced(A, {1})
    with pytest.raises(TypeError, match="missing a required argument: 'x'"):
        traced()
    with pytest.raises(TensorTypeError, match=r"numpy\.str_"):
        traced(np.array(["a"]))


def test_a_function_that_was_deleted_is_registered_again() -> None:
    traced = gradwire.function(lambda x: x * 3, name="traced_deleted")
    np.testing.assert_array_equal(traced(A), 3 * A)
    connection = gradwire.connection.current()
    gradwire.Client(transport=connection.transport).delete_function("traced_deleted")
    np.testing.assert_array_equal(traced(A), 3 * A)


def test_names_and_versions() -> None:
    traced = gradwire.function(name="traced_named", description="Twice.")(lambda x: x * 2)
    first, second = traced.registered(A), traced.registered(A[:2])
    assert first.name.partition("@")[0] == second.name.partition("@")[0] == "traced_named"
    assert first.description["description"] == "Twice."
    # The older one is called by its hash, whatever is current.
    np.testing.assert_array_equal(traced(A), 2 * A)
    np.testing.assert_array_equal(gradwire.get_function("traced_named")(A[:2]), 2 * A[:2])
    with pytest.raises(NotFound):
        gradwire.get_function("traced_unnamed")


def test_names_are_valid_and_apart() -> None:
    def odd(x: Any, out: Any) -> Any:
        return {"x": x + out["a-b"] + out["a b"], "1": x, "class": x}

    found = gradwire.function(odd)(A, {"a-b": A, "a b": B})
    np.testing.assert_array_equal(found["x"], A + A + B)
    np.testing.assert_array_equal(found["class"], A)


def test_methods_can_be_traced() -> None:
    class Model:
        def __init__(self, scale: float) -> None:
            self.scale = scale

        @gradwire.function
        def scaled(self, x: Any) -> Any:
            return x * self.scale

    np.testing.assert_array_equal(Model(2.0).scaled(A), 2 * A)
    np.testing.assert_array_equal(Model(3.0).scaled(A), 3 * A)


def test_a_closed_connection_says_so() -> None:
    from gradwire.local import LocalTransport

    closed = Connection(LocalTransport())
    closed.close()
    with closed, pytest.raises(TensorRuntimeError, match="This connection is closed"):
        gradwire.function(rosenbrock)(A)


def test_constants_keep_all_bits() -> None:
    table = np.array([np.nan, np.inf, -0.0, 1e-320])
    traced = gradwire.function(lambda x: x * table)
    assert traced(1.0).tobytes() == table.tobytes()
