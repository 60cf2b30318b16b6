"""Registered functions, over each transport."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import numpy as np
import pytest

from gradwire.api import AsyncClient, Client
from gradwire.errors import Conflict, NotFound, ServiceValueError
from gradwire.functions import AsyncFunction, Function
from gradwire.http import AsyncHttpTransport
from gradwire.local import AsyncLocalTransport
from gradwire.tensor import tensor
from gradwire.transport import ConnectionLost, Response, TransportError
from gradwire_engine.errors import TensorTypeError
from tests.client.support import Script, refusal

LOSS: dict[str, Any] = {
    "inputs": {
        "X": {"dtype": "float64", "shape": ["n", "k"]},
        "y": {"dtype": "float64", "shape": ["n"], "default": np.array([0.0, 1.0])},
        "w": {"dtype": "float64", "shape": ["k"]},
    },
    "program": "r = X @ w - y\nloss = (r * r).mean()",
    "outputs": ["loss", "r"],
}
X = np.array([[1.0, 2.0], [3.0, 4.0]])
W = np.array([0.5, -0.25])


def test_a_function_is_put_called_and_deleted(client: Client) -> None:
    function = client.put_function("client_loss", description="Squares.", **LOSS)
    assert repr(function) == (
        "<function client_loss(X: float64[n, k], y: float64[n] = ..., w: float64[k]) -> (loss: float64[], r: float64[n])>"
    )
    outputs = function(X, w=W)
    assert outputs["loss"] == pytest.approx(0.125)
    np.testing.assert_array_equal(outputs["r"], X @ W - [0.0, 1.0])
    assert list(function.evaluate({"X": X, "w": W}, outputs="r")) == ["r"]
    value, grads = function.value_and_grad(X, [0, 1], W, wrt="w", output="loss")
    assert value == pytest.approx(0.125)
    np.testing.assert_allclose(grads["w"], X.T @ (X @ W - [0.0, 1.0]))
    pulled = function.vjp(X, w=W, grad_outputs={"r": np.array([1.0, 2.0])}, wrt=["w"])
    np.testing.assert_allclose(pulled.grads["w"], X.T @ [1.0, 2.0])
    assert pulled.outputs["loss"] == value
    assert function.gradcheck(X, w=W).ok
    assert function.nan_check(X, w=W) is None
    found = function.nan_check(X, w=W * np.nan)
    assert found is not None
    assert (found["where"], found["name"]) == ("input", "w")
    dry = function.dry_run(X, w=W, form="value_and_grad", fields={"output": "loss"})
    assert dry["fits"]
    assert dry["grads"]["X"] == {"dtype": "float64", "shape": [2, 2]}
    assert "client_loss" in [item["name"] for item in client.list_functions()]
    computed = function.compute(X, w=W, want=["value", "hvp"], fields={"wrt": "w", "vectors": {"w": W}, "output": "loss"})
    np.testing.assert_allclose(computed["hvps"]["w"], X.T @ X @ W)
    with pytest.raises(TensorTypeError, match=r"has no input 'wrt'; compute\(\) takes what .* as fields=\{'wrt': \.\.\.\}"):
        function.compute(X, w=W, want=["grads"], wrt="w")
    with pytest.raises(TensorTypeError, match=r"no input 'tangents'; dry_run\(\) takes"):
        function.dry_run(X, w=W, form="jvp", tangents={"w": W})
    function.delete()
    with pytest.raises(NotFound, match="There is no function 'client_loss'"):
        function(X, w=W)


def test_derivatives_of_every_kind(client: Client) -> None:
    function = client.put_function("client_loss", **LOSS)
    gram = X.T @ X
    value, grads, hessian = function.hessian(X, w=W, wrt="w", output="loss")
    np.testing.assert_allclose(hessian["w"]["w"], gram)
    np.testing.assert_allclose(grads["w"], X.T @ (X @ W - [0.0, 1.0]))
    products = function.hvp(X, w=W, vectors={"w": np.eye(2)}, wrt="w", output="loss")
    np.testing.assert_allclose(products.hvps["w"], gram)
    assert products.value == value
    outputs, tangents = function.jvp(X, w=W, tangents={"w": [1.0, 2.0]}, outputs="r")
    np.testing.assert_allclose(tangents["r"], X @ [1.0, 2.0])
    assert list(outputs) == ["r"]
    np.testing.assert_array_equal(function.jacobian(X, w=W, wrt="w", outputs="r").jacobian["r"]["w"], X)
    several = function.compute(X, w=W, want=["grads", "hvp"], fields={"wrt": ["w"], "output": "loss", "vectors": {"w": W}}, seconds=30)
    np.testing.assert_allclose(several["hvps"]["w"], gram @ W)
    np.testing.assert_allclose(several["grads"]["w"], grads["w"])
    rows = function.value_and_grad(X, w=np.stack([W, 2 * W, 0 * W]), wrt="w", output="loss", batch="w")
    np.testing.assert_allclose(rows.grads["w"][0], grads["w"])
    assert rows.value.shape == (3,)


def test_tensors_are_arguments_too(client: Client) -> None:
    function = client.put_function(
        "client_sum", inputs={"x": {"dtype": "float32", "shape": ["n"]}}, program="y = x.sum()", outputs=["y"], default_dtype="float32"
    )
    assert function(tensor([1.0, 2.0], requires_grad=True)) == 3.0
    large = np.arange(50_000, dtype=np.float32)
    np.testing.assert_array_equal(function.value_and_grad(large).grads["x"], np.ones_like(large))
    function.delete()


def test_versions_and_conditions(client: Client) -> None:
    first = client.put_function("client_versions", inputs={}, program="y = torch.ones(2)", outputs=["y"], only_new=True)
    old = first.description["hash"]
    with pytest.raises(Conflict, match="If-None-Match"):
        client.put_function("client_versions", inputs={}, program="y = torch.ones(3)", outputs=["y"], only_new=True)
    with pytest.raises(Conflict, match="If-Match"):
        client.put_function("client_versions", inputs={}, program="y = torch.ones(3)", outputs=["y"], if_match="0" * 64)
    second = client.put_function("client_versions", inputs={}, program="y = torch.ones(3)", outputs=["y"], if_match=old)
    assert second().shape == first().shape == (3,)
    assert client.get_function(f"client_versions@{old}")().shape == (2,)
    assert client.get_function("client_versions").description["hash"] == second.description["hash"]
    with pytest.raises(Conflict):
        client.delete_function("client_versions", if_match=old)
    client.delete_function(f"client_versions@{old}")
    with pytest.raises(NotFound, match="has no version"):
        client.get_function(f"client_versions@{old}")
    client.delete_function("client_versions", if_match=second.description["hash"])


def test_constants_and_defaults_travel_as_json(client: Client) -> None:
    table = np.arange(20_000.0)
    table[7] = np.nan
    nodes = [{"name": "y", "op": "add", "args": ["x", table]}]
    function = client.put_function("client_table", inputs={"x": {"dtype": "float64", "shape": []}}, nodes=nodes, outputs=["y"])
    np.testing.assert_array_equal(function(1.0), table + 1.0)
    function.delete()


@pytest.mark.parametrize(
    ("arguments", "given", "message"),
    [
        ((X, [0, 1], W, W), {}, r"takes 3 inputs \(X, y, w\), but 4 were given"),
        ((X,), {"X": X, "w": W}, "got multiple values for the input 'X'"),
    ],
)
def test_wrong_arguments(client: Client, arguments: tuple[Any, ...], given: dict[str, Any], message: str) -> None:
    function = client.put_function("client_loss", **LOSS)
    with pytest.raises(TensorTypeError, match=message):
        function(*arguments, **given)


def test_mistakes_are_the_servers_to_find(client: Client) -> None:
    function = client.put_function("client_loss", **LOSS)
    with pytest.raises(ServiceValueError, match="The input 'w' is missing") as caught:
        function(X)
    assert caught.value.pointer == "/inputs"
    with pytest.raises(ServiceValueError, match="Tensors have no method 'summ'") as wrong:
        client.put_function("client_wrong", inputs={"x": {"dtype": "float64", "shape": []}}, program="y = x.summ()", outputs=["y"])
    assert (wrong.value.line, wrong.value.column) == (1, 5)


@pytest.mark.parametrize("way", ["http", "local"])
def test_the_asynchronous_client(way: str, request: pytest.FixtureRequest) -> None:
    async def main() -> None:
        transport = AsyncHttpTransport(request.getfixturevalue("server_url")) if way == "http" else AsyncLocalTransport()
        async with AsyncClient(transport=transport) as client:
            function = await client.put_function("client_awaited", **LOSS)
            values = await asyncio.gather(*(function.value_and_grad(X, w=W * i, output="loss") for i in range(5)))
            assert [float(v.value) for v in values] == [float(np.mean((X @ (W * i) - [0, 1]) ** 2)) for i in range(5)]
            assert "client_awaited" in [item["name"] for item in await client.list_functions()]
            assert (await (await client.get_function("client_awaited"))(X, w=W))["loss"] == values[1].value
            await function.delete()
            with pytest.raises(NotFound):
                await client.get_function("client_awaited")

    asyncio.run(main())


DESCRIBED = {"name": "f", "hash": "h", "signature": "f() -> ()", "inputs": {}, "outputs": {"y": {}}}


def test_a_put_that_was_not_heard_of_again_may_have_been_carried_out() -> None:
    default = {"data": np.array([1.0]), "dtype": "float64", "shape": [1]}
    inputs = {"x": {"dtype": "float64", "shape": [1], "default": np.array([1.0])}}
    document = {
        "inputs": {"x": {"dtype": "float64", "shape": [1], "default": default}},
        "outputs": ["y"],
        "program": "y = torch.ones(2)",
    }
    stale = refusal(412, "precondition_failed", hash="h")
    script = Script([ConnectionLost("Cut."), stale, Response(200, {**DESCRIBED, "function": document})])
    put = Client(transport=script).put_function("f", inputs=inputs, outputs=["y"], program="y = torch.ones(2)", only_new=True)
    assert put.description["hash"] == "h"
    assert [request.method for request in script.requests] == ["PUT", "PUT", "GET"]
    script.close()
    others = Response(200, {**DESCRIBED, "function": {**document, "program": "y = torch.ones(3)"}})
    attempts: list[list[Response | TransportError]] = [[stale], [ConnectionLost("Cut."), stale, others]]
    for answers in attempts:
        script = Script(answers)
        with pytest.raises(Conflict):
            Client(transport=script).put_function("f", inputs=inputs, outputs=["y"], program="y = torch.ones(2)", only_new=True)
        script.close()


def test_a_delete_that_was_not_heard_of_again_may_have_been_carried_out() -> None:
    script = Script([ConnectionLost("Cut."), refusal(404, "unknown_function")])
    Client(transport=script).delete_function("f")
    script.close()


def test_functions_are_listed_page_by_page() -> None:
    script = Script([Response(200, {"items": [{"name": "a"}], "next": "a"}), Response(200, {"items": [{"name": "b"}], "next": None})])
    assert [item["name"] for item in Client(transport=script).list_functions()] == ["a", "b"]
    assert [dict(request.params) for request in script.requests] == [{}, {"cursor": "a"}]


def test_the_two_kinds_of_functions_have_the_same_methods() -> None:
    def public(kind: type) -> dict[str, Any]:
        return {name: value for name, value in vars(kind).items() if name == "__call__" or not name.startswith("_")}

    assert public(Function).keys() == public(AsyncFunction).keys()
    for name, method in public(Function).items():
        assert inspect.getdoc(method)
        assert inspect.signature(public(AsyncFunction)[name]).parameters == inspect.signature(method).parameters
        assert inspect.iscoroutinefunction(public(AsyncFunction)[name])
