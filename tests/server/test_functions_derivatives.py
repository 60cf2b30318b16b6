"""Derivatives of functions: Jacobians, Hessians, products, several at once, and over batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradwire_engine.errors import GradwireError
from gradwire_engine.limits import Limits
from tests.server.functions import Functions, declared, function, node

A = np.array([[1.0, 2.0], [3.0, 5.0], [-1.0, 0.5]])
W = np.array([0.5, -2.0])
# y = A w, f = sum(y^3): the derivatives are known.
CUBES: dict[str, Any] = {
    "inputs": {"A": declared("n", "k"), "w": declared("k")},
    "program": "y = A @ w\nf = (y**3).sum()",
    "outputs": ["y", "f"],
}


@pytest.fixture
def functions() -> Functions:
    made = Functions()
    made.put("cubes", CUBES)
    return made


def call(functions: Functions, form: str, **document: Any) -> Any:
    return functions.call("cubes", form, inputs={"A": A.tolist(), "w": W.tolist()}, **document)


def hessian() -> Any:
    return A.T @ np.diag(6 * (A @ W)) @ A


def test_jvp(functions: Functions) -> None:
    found = call(functions, "jvp", tangents={"w": [1.0, 0.0]})
    assert found["outputs"] == {"y": (A @ W).tolist(), "f": pytest.approx(float(((A @ W) ** 3).sum()))}
    assert found["tangents"] == {"y": A[:, 0].tolist(), "f": pytest.approx(float((3 * (A @ W) ** 2) @ A[:, 0]))}
    assert call(functions, "jvp", tangents={"w": [1.0, 0.0]}, outputs=["y"])["tangents"] == {"y": A[:, 0].tolist()}


def test_jacobian(functions: Functions) -> None:
    found = call(functions, "jacobian", outputs=["y"])
    assert np.array_equal(found["jacobian"]["y"]["w"], A)
    assert np.array_equal(found["jacobian"]["y"]["A"], np.einsum("ij,k->ijk", np.eye(3), W))
    assert call(functions, "jacobian", wrt=["w"])["jacobian"].keys() == {"y", "f"}


def test_hessian(functions: Functions) -> None:
    found = call(functions, "hessian", output="f")
    np.testing.assert_allclose(found["hessian"]["w"]["w"], hessian(), rtol=1e-13)
    assert np.shape(found["hessian"]["A"]["w"]) == (3, 2, 2)
    np.testing.assert_allclose(found["grads"]["w"], A.T @ (3 * (A @ W) ** 2), rtol=1e-13)
    assert found["value"] == pytest.approx(float(((A @ W) ** 3).sum()))


def test_products_with_one_vector_and_with_many(functions: Functions) -> None:
    vectors = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 3.0]])
    many = call(functions, "hvp", output="f", wrt=["w"], vectors={"w": vectors.tolist()})
    np.testing.assert_allclose(many["hvps"]["w"], vectors @ hessian(), rtol=1e-13)
    one = call(functions, "hvp", output="f", wrt=["w"], vectors={"w": vectors[0].tolist()})
    np.testing.assert_allclose(one["hvps"]["w"], vectors[0] @ hessian(), rtol=1e-13)


def test_all_at_once_is_what_each_gives(functions: Functions) -> None:
    more: dict[str, Any] = {"wrt": ["w"], "output": "f", "outputs": ["y"]}
    want = ["value", "jvp", "jacobian", "hessian", "hvp"]
    together = call(functions, "compute", want=want, tangents={"w": [1.0, 0.0]}, vectors={"w": [1.0, 2.0]}, **more)
    assert together.keys() == {"value", "outputs", "grads", "tangents", "jacobian", "hessian", "hvps"}
    assert together["jacobian"] == call(functions, "jacobian", wrt=["w"], outputs=["y"])["jacobian"]
    assert together["hessian"] == call(functions, "hessian", wrt=["w"], output="f")["hessian"]
    assert together["hvps"] == call(functions, "hvp", wrt=["w"], output="f", vectors={"w": [1.0, 2.0]})["hvps"]
    assert together["tangents"] == {"y": A[:, 0].tolist()}
    assert call(functions, "compute", want=["outputs"])["outputs"].keys() == {"y", "f"}
    assert call(functions, "compute", want=["vjp"], grad_outputs={"f": None}).keys() == {"outputs", "grads"}


BATCH = {"A": A.tolist(), "w": [W.tolist(), [1.0, 1.0], [0.0, 3.0], [2.0, 2.0]]}


@pytest.mark.parametrize(
    ("form", "mapped", "shared"),
    [
        ("evaluate", {}, {}),
        ("value_and_grad", {}, {"output": "f"}),
        ("vjp", {"grad_outputs": {"y": [[1.0, 0.0, 2.0], [0.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]}}, {"wrt": ["w"]}),
        ("jvp", {"tangents": {"w": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 0.0]]}}, {}),
        ("jacobian", {}, {"wrt": ["w"]}),
        ("hessian", {}, {"output": "f", "wrt": ["w"]}),
        ("hvp", {"vectors": {"w": [[[1.0, 0.0], [0.0, 1.0]]] * 4}}, {"output": "f", "wrt": ["w"]}),
    ],
)
def test_a_batch_is_what_its_items_are(functions: Functions, form: str, mapped: Any, shared: Any) -> None:
    whole = functions.call("cubes", form, inputs=BATCH, batch=["w"], **mapped, **shared)
    for i, w in enumerate(BATCH["w"]):
        fields: dict[str, Any] = {field: {name: rows[i] for name, rows in given.items()} for field, given in mapped.items()}
        one = functions.call("cubes", form, inputs={**BATCH, "w": w}, **fields, **shared)
        compare(item(whole, i), one)


def item(found: Any, i: int) -> Any:
    return {name: item(part, i) for name, part in found.items()} if isinstance(found, dict) else found[i]


def compare(found: Any, expected: Any) -> None:
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for name in expected:
            compare(found[name], expected[name])
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_gradients_of_one_that_are_not_given_over_a_batch(functions: Functions) -> None:
    answer = functions.call("cubes", "vjp", inputs=BATCH, batch=["w"], grad_outputs={"f": None}, wrt=["w"])
    assert answer["grads"] == functions.call("cubes", "value_and_grad", inputs=BATCH, batch=["w"], output="f", wrt=["w"])["grads"]


@pytest.mark.parametrize("form", ["evaluate", "value_and_grad"])
@pytest.mark.parametrize("mapped", ["x", "i"])
def test_what_fails_for_an_item_of_a_batch_is_shown_in_the_text(form: str, mapped: str) -> None:
    functions = Functions()
    inputs = {"x": declared("n"), "i": declared(1, dtype="int64")}
    functions.put("f", {"inputs": inputs, "program": "y = x * 2\nt = y.index_select(0, i)\nz = t.sum()", "outputs": ["z"]})
    good: dict[str, Any] = {"x": [1.0, 2.0], "i": [0]}
    wrong: dict[str, Any] = {**good, "i": [7]}
    given = {name: [good[name], wrong[name], good[name]] if name == mapped else wrong[name] for name in inputs}
    with pytest.raises(GradwireError, match=r"2 \| t = y.index_select") as raised:
        functions.call("f", form, inputs=given, batch=[mapped])
    assert (raised.value.pointer, raised.value.line, raised.value.column) == (None, 2, 5)


def test_random_operations_over_a_batch() -> None:
    noisy = {"inputs": {"x": declared()}, "program": "y = x + torch.rand_like(x)", "outputs": ["y"]}
    functions = Functions()
    functions.put("f", noisy)
    inputs = {"x": [0.0, 0.0, 0.0]}
    with pytest.raises(GradwireError) as raised:
        functions.call("f", inputs=inputs, batch=["x"])
    assert raised.value.code == "vmap_randomness"
    same = functions.call("f", inputs=inputs, batch=["x"], randomness="same", seed=1)["outputs"]["y"]
    different = functions.call("f", inputs=inputs, batch=["x"], randomness="different", seed=1)["outputs"]["y"]
    assert len(set(same)) == 1
    assert len(set(different)) == 3


@pytest.mark.parametrize(
    ("form", "document", "code", "pointer"),
    [
        ("hessian", {"output": "y"}, "not_scalar", "/output"),
        ("hvp", {"output": "f", "vectors": {"w": [1.0]}}, "shape_mismatch", "/vectors/w"),
        ("hvp", {"output": "f", "vectors": {"v": [1.0]}}, "unknown_input", "/vectors/v"),
        ("hvp", {"output": "f", "vectors": {}}, "invalid_type", "/vectors"),
        ("hvp", {"output": "f"}, "missing_field", ""),
        ("hvp", {"output": "f", "wrt": ["A"], "vectors": {"w": [1.0, 1.0]}}, "not_differentiated", "/vectors/w"),
        ("jvp", {"tangents": {"w": [[1.0, 1.0]]}}, "shape_mismatch", "/tangents/w"),
        ("jvp", {"tangents": {"w": {"data": [1, 1], "dtype": "int64"}}}, "dtype_mismatch", "/tangents/w/dtype"),
        ("jvp", {"tangents": [1.0]}, "invalid_type", "/tangents"),
        ("compute", {"want": ["gradients"]}, "unknown_want", "/want/0"),
        ("compute", {"want": []}, "invalid_type", "/want"),
        ("compute", {"want": ["value"], "output": "f", "wrt": ["w"]}, "unused_field", "/wrt"),
        ("compute", {"want": ["value"], "output": "f", "vectors": {"w": [1.0, 1.0]}}, "unused_field", "/vectors"),
        ("compute", {"want": ["vjp", "grads"], "grad_outputs": {"f": None}, "output": "f"}, "conflicting_wants", "/want"),
        ("jacobian", {"batch": ["v"]}, "unknown_input", "/batch/0"),
        ("jacobian", {"batch": ["w"]}, "shape_mismatch", "/inputs/w"),
        ("jacobian", {"randomness": "same"}, "unused_field", "/randomness"),
        ("jacobian", {"randomness": "some"}, "invalid_value", "/randomness"),
    ],
)
def test_what_is_wrong_with_a_call(functions: Functions, form: str, document: Any, code: str, pointer: str) -> None:
    with pytest.raises(GradwireError) as raised:
        call(functions, form, **document)
    assert (raised.value.code, raised.value.pointer) == (code, pointer)


@pytest.mark.parametrize(("batch", "place"), [([], "in front"), (["w"], "behind that of the batch")])
def test_the_place_of_a_stack_is_said(functions: Functions, batch: list[str], place: str) -> None:
    inputs = {"A": A.tolist(), "w": [W.tolist()] * 5 if batch else W.tolist()}
    vectors = {"w": [[[1.0, 1.0]] * 5] * 3}
    with pytest.raises(GradwireError, match=f"or one dimension more {place} for a stack of vectors; got"):
        functions.call("cubes", "hvp", inputs=inputs, output="f", wrt=["w"], vectors=vectors, batch=batch)


def test_batches_of_different_sizes(functions: Functions) -> None:
    inputs = {"A": [A.tolist()] * 2, "w": [W.tolist()] * 3}
    with pytest.raises(GradwireError) as raised:
        functions.call("cubes", inputs=inputs, batch=["A", "w"])
    assert (raised.value.code, raised.value.pointer) == ("bad_batch", "/batch")


def test_an_input_that_is_mapped_has_to_be_given() -> None:
    functions = Functions()
    functions.put("f", function({"x": declared("n"), "a": declared(default=2.0)}, node("y", "mul", "x", "a")))
    with pytest.raises(GradwireError) as raised:
        functions.call("f", inputs={"x": [1.0]}, batch=["a"])
    assert (raised.value.code, raised.value.pointer) == ("missing_input", "/inputs")
    assert functions.call("f", inputs={"x": [1.0, 2.0], "a": [1.0, 3.0]}, batch=["a"])["outputs"]["y"] == [[1.0, 2.0], [3.0, 6.0]]


DEEP: dict[str, Any] = {
    "inputs": {"x": declared("n")},
    "program": "y = x\n" + "y = torch.sin(y) * x\n" * 20 + "f = (y * y).sum()",
    "outputs": ["y", "f"],
}


def test_rows_that_take_too_much_together_are_computed_in_chunks() -> None:
    x = np.linspace(-1.0, 1.0, 300)
    tight = Limits(program_bytes=8 * 2**20)
    functions, roomy = Functions(program=tight), Functions()
    for made in (functions, roomy):
        made.put("f", DEEP)
    forms: dict[str, dict[str, Any]] = {
        "jacobian": {"outputs": ["y"]},
        "hessian": {"output": "f"},
        "hvp": {"output": "f", "vectors": {"x": np.eye(300).tolist()}},
    }
    for form, more in forms.items():
        document: dict[str, Any] = {"inputs": {"x": x.tolist()}, **more}
        said = functions.service.dry_run("f", form, document, owner=None, limits=tight, check=lambda: None)
        at_once = roomy.service.dry_run("f", form, document, owner=None, limits=tight, check=lambda: None)
        assert said["fits"]
        assert said["peak_bytes"] <= tight.program_bytes < at_once["peak_bytes"]
        assert at_once["refusal"]["code"] == "program_too_large"
        compare(functions.call("f", form, limits=tight, **document), roomy.call("f", form, **document))


def test_forward_mode_through_a_custom_function_is_its_own_program() -> None:
    cube: dict[str, Any] = {
        "forward": {"inputs": ["a"], "program": "b = a ** 3", "outputs": ["b"]},
        "save": ["a"],
        "backward": {"inputs": ["grad_b", "a"], "program": "g = grad_b * (a * a * 3)", "outputs": {"a": "g"}},
    }
    document = {"inputs": {"x": declared("n")}, "program": "y = functions.cube(x) * 2", "outputs": ["y"]}
    functions = Functions()
    functions.put("f", {**document, "functions": {"cube": cube}})
    given: dict[str, Any] = {"inputs": {"x": [1.0, 2.0]}, "tangents": {"x": [1.0, 10.0]}}
    with pytest.raises(GradwireError) as raised:
        functions.call("f", "jvp", **given)
    assert raised.value.code == "jvp_missing"
    along = {"inputs": ["tangent_a", "a"], "program": "t = tangent_a * (a * a * 3)", "outputs": {"b": "t"}}
    functions.put("f", {**document, "functions": {"cube": {**cube, "jvp": along}}})
    assert functions.call("f", "jvp", **given)["tangents"] == {"y": [6.0, 240.0]}
    batch: dict[str, Any] = {"inputs": {"x": [[1.0, 2.0], [0.0, 1.0]]}, "tangents": {"x": [[1.0, 10.0], [1.0, 1.0]]}, "batch": ["x"]}
    assert functions.call("f", "jvp", **batch)["tangents"] == {"y": [[6.0, 240.0], [0.0, 6.0]]}
