"""Minimising registered functions: where the search ends, and what is wrong with a call."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradwire_engine.errors import Cancelled, DeadlineExceeded, GradwireError, LimitError
from gradwire_engine.limits import Limits
from gradwire_engine.minimize import Iteration
from gradwire_engine.optimisers import OPTIMISERS
from tests.minimisation import scipy_minimum, start_of
from tests.server.functions import Functions, declared, function, node, values
from tests.server.sessions import plain

METHODS = list(OPTIMISERS)
ROSENBROCK = {
    "inputs": {"x": declared("n")},
    "program": "left, right = x[:-1], x[1:]\nf = (100 * (right - left**2) ** 2 + (1 - left) ** 2).sum()",
    "outputs": ["f"],
}
# Smallest where u is 3 and every element of v is -2.
BOWL = {
    "inputs": {"u": declared(), "v": declared(2, "n", dtype="float32"), "k": declared(dtype="int64", default=2)},
    "program": "f = (u - 3) ** 2 + ((v + k) ** 2).sum().double()\ng = v",
    "outputs": ["f", "g"],
}
START = [-1.2, 1.0, 0.5, 2.0]


def minimum(
    document: Any,
    *,
    check: Callable[[], None] = lambda: None,
    limits: Limits | None = None,
    seconds: float = 60,
    report: Callable[[Iteration], None] = lambda iteration: None,
    **call: Any,
) -> Any:
    functions = Functions()
    functions.put("f", document)
    given: dict[str, Any] = {"owner": None, "limits": limits or Limits(), "check": check, "seconds": seconds, "report": report}
    return plain(functions.service.minimize("f", call, **given))


@pytest.mark.parametrize("name", METHODS)
def test_every_method_ends_where_scipy_called_directly_does(name: str) -> None:
    found = minimum(ROSENBROCK, inputs={"x": start_of(name)}, method=name)
    expected = scipy_minimum(name, start_of(name))
    assert (found["success"], found["message"]) == (True, expected.message)
    # The function is the same up to rounding, so that the ways drift apart a little.
    np.testing.assert_allclose(found["inputs"]["x"]["data"], expected.x, rtol=2e-4, atol=2e-5)
    assert found["value"]["data"] == pytest.approx(expected.fun, rel=1e-6)
    assert found["iterations"] <= expected.nit + 5
    assert np.abs(found["grads"]["x"]["data"]).max() < 0.05


@pytest.mark.parametrize("name", METHODS)
def test_several_inputs_keep_their_shapes_and_dtypes(name: str) -> None:
    found = minimum(BOWL, inputs={"u": 10.0, "v": [[5.0], [7.0]]}, output="f", method=name)
    assert found["success"]
    assert list(found["inputs"]) == ["u", "v"]
    assert [(found["inputs"][n]["dtype"], found["inputs"][n]["shape"]) for n in "uv"] == [("float64", []), ("float32", [2, 1])]
    assert found["inputs"]["u"]["data"] == pytest.approx(3, abs=1e-4)
    np.testing.assert_allclose(found["inputs"]["v"]["data"], [[-2], [-2]], atol=1e-4)


@pytest.mark.parametrize("name", [name for name, method in OPTIMISERS.items() if method.bounds])
def test_bounds(name: str) -> None:
    bounds = {"u": [None, 2.5], "v": [[[-1.0], [-5.0]], {"data": 8.0, "dtype": "float32"}]}
    found = minimum(BOWL, inputs={"u": 10.0, "v": [[5.0], [70.0]]}, output="f", method=name, bounds=bounds)
    assert found["success"]
    assert found["inputs"]["u"]["data"] == pytest.approx(2.5, abs=1e-4)
    np.testing.assert_allclose(found["inputs"]["v"]["data"], [[-1], [-2]], atol=1e-3)
    assert found["inputs"]["u"]["data"] <= 2.5
    assert np.all(np.array(found["inputs"]["v"]["data"]) >= [[-1], [-5]])


def test_what_is_left_out_of_wrt_stays() -> None:
    found = minimum(BOWL, inputs={"u": 10.0, "v": [[5.0], [7.0]]}, output="f", wrt=["u"], bounds={"u": None})
    assert list(found["inputs"]) == list(found["grads"]) == ["u"]
    assert found["value"]["data"] == pytest.approx(7**2 + 9**2)


def test_bounds_that_bind_nothing_suit_every_method() -> None:
    found = minimum(ROSENBROCK, inputs={"x": START}, method="BFGS", bounds={"x": [None, "Infinity"]})
    assert found["success"]


def test_iterations_are_reported() -> None:
    seen: list[Iteration] = []
    found = minimum(ROSENBROCK, inputs={"x": START}, report=seen.append)
    assert [each.iteration for each in seen] == list(range(found["iterations"] + 1))
    assert (seen[-1].value, seen[-1].evaluations) == (found["value"]["data"], found["evaluations"])
    assert seen[-1].gradient_norm == pytest.approx(np.linalg.norm(found["grads"]["x"]["data"]))


def test_a_random_function_is_the_same_at_every_point() -> None:
    noisy = {"inputs": {"x": declared("n")}, "program": "f = ((x - torch.rand_like(x)) ** 2).sum()", "outputs": ["f"]}
    for method in ("BFGS", "trust-ncg"):
        found = minimum(noisy, inputs={"x": [0.0, 0.0]}, method=method)
        assert found["success"]
        assert found["value"]["data"] < 1e-10
    first, again = (minimum(noisy, inputs={"x": [0.0, 0.0]}, seed=3)["inputs"]["x"]["data"] for _ in range(2))
    assert first == again


def test_nan_at_the_start_and_on_the_way() -> None:
    log = {"inputs": {"x": declared("n")}, "program": "f = (x.log() * x).sum() - (2 - x).sqrt().sum()", "outputs": ["f"]}
    found = minimum(log, inputs={"x": [-1.0, 1.0]})
    assert (found["success"], found["iterations"]) == (False, 0)
    assert found["message"] == "There is nothing to go by: at the start the value is NaN."
    assert found["inputs"]["x"]["data"] == [-1.0, 1.0]
    drop = {"inputs": {"x": declared("n")}, "program": "f = x.log().sum()", "outputs": ["f"]}
    found = minimum(drop, inputs={"x": [1.0, 2.0]}, method="SLSQP")
    assert not found["success"]
    assert "NaN" in found["message"] or "infinity" in found["message"]
    assert np.isfinite(found["value"]["data"])


def test_an_evaluation_that_fails_on_the_way_ends_the_search_with_what_there_is() -> None:
    # Positive definite only where x is above 1.
    matrix = "m = torch.stack([torch.stack([x, x * 0 + 1]), torch.stack([x * 0 + 1, x])])\n"
    fenced = {"inputs": {"x": declared()}, "program": f"{matrix}f = x * 50 + torch.linalg.cholesky(m).sum()", "outputs": ["f"]}
    found = minimum(fenced, inputs={"x": 9.0}, method="CG")
    assert not found["success"]
    assert "the function cannot be evaluated at the next point (linalg.cholesky" in found["message"]
    assert 1 < found["inputs"]["x"]["data"] <= 9
    with pytest.raises(GradwireError, match=r"linalg\.cholesky"):
        minimum(fenced, inputs={"x": 0.5}, method="CG")


@pytest.mark.parametrize("method", ["L-BFGS-B", "Newton-CG"])
def test_when_the_time_is_over_the_best_point_is_the_result(method: str) -> None:
    # Either takes more than 40 evaluations.
    found = minimum(ROSENBROCK, inputs={"x": START}, method=method, seconds=0.5, check=lambda: time.sleep(0.02))
    assert not found["success"]
    assert 1 < found["evaluations"] < 40
    assert f"after {found['evaluations']:,} evaluations, as the time of the request was nearly over" in found["message"]


def test_the_work_of_all_evaluations_together_is_bounded() -> None:
    limits = Limits(work=2_000)
    found = minimum(ROSENBROCK, inputs={"x": START}, limits=limits)
    assert not found["success"]
    assert "their work came to more than the 2,000 multiply-adds" in found["message"]
    assert 1 < found["evaluations"] < 44
    with pytest.raises(LimitError) as refused:
        minimum(ROSENBROCK, inputs={"x": START}, limits=Limits(work=20))
    assert refused.value.code == "too_much_work"


@pytest.mark.parametrize("error", [Cancelled, DeadlineExceeded])
@pytest.mark.parametrize("name", METHODS)
def test_a_check_ends_the_search(name: str, error: type[GradwireError]) -> None:
    seen: list[Iteration] = []

    def check() -> None:
        if seen:
            raise error("Enough of it.")

    with pytest.raises(error, match="Enough of it"):
        minimum(ROSENBROCK, inputs={"x": START}, method=name, check=check, report=seen.append)
    assert len(seen) == 1


COMPLEX = function({"z": declared("n", dtype="complex128"), "x": declared()}, node("y", "abs", "z"), node("s", "sum", "y"))
WRONG: list[tuple[Any, dict[str, Any], str, str, str]] = [
    (ROSENBROCK, {"method": "L-BFGS"}, "unknown_method", "/method", "Did you mean 'L-BFGS-B'?"),
    (ROSENBROCK, {"method": 3}, "invalid_type", "/method", "not a number"),
    (ROSENBROCK, {"method": "CG", "bounds": {"x": [0, 1]}}, "bounds_not_taken", "/bounds", "L-BFGS-B, trust-constr, TNC, SLSQP do"),
    (ROSENBROCK, {"bounds": {"x": [[0, 0], 1]}}, "shape_mismatch", "/bounds/x/0", "[2]; expected a number, or the shape [4]"),
    (ROSENBROCK, {"bounds": {"x": [1, 0]}}, "invalid_bounds", "/bounds/x", "leave nothing between them"),
    (ROSENBROCK, {"bounds": {"x": 1}}, "invalid_bounds", "/bounds/x", "a list of two"),
    (ROSENBROCK, {"bounds": {"x": [1, 2, 3]}}, "invalid_bounds", "/bounds/x", "a list of two"),
    (ROSENBROCK, {"bounds": {"x": ["NaN", 2]}}, "invalid_bounds", "/bounds/x/0", "null stands for none"),
    (ROSENBROCK, {"bounds": {"x": ["low", 2]}}, "invalid_tensor", "/bounds/x/0", "got 'low'"),
    (ROSENBROCK, {"bounds": {"y": [1, 2]}}, "unknown_input", "/bounds/y", "no input 'y'"),
    (ROSENBROCK, {"bounds": [1, 2]}, "invalid_type", "/bounds", "not a list"),
    (ROSENBROCK, {"options": {"maxitr": 2}}, "unknown_option", "/options/maxitr", "Did you mean 'maxiter'?"),
    (ROSENBROCK, {"options": {"maxiter": "2"}}, "invalid_option", "/options/maxiter", "a whole number"),
    (ROSENBROCK, {"tol": 1}, "unknown_field", "/tol", ""),
    (ROSENBROCK, {"inputs": {"x": {"data": [], "shape": [0]}}}, "nothing_to_vary", "/wrt", "have no elements"),
    (BOWL, {"inputs": {"u": 1, "v": [[1], [2]]}}, "missing_field", "", "'output' has to name one"),
    (BOWL, {"inputs": {"u": 1, "v": [[1], [2]]}, "output": "g"}, "not_scalar", "/output", "scalar"),
    (BOWL, {"inputs": {"u": 1, "v": [[1], [2]]}, "output": "f", "wrt": ["k"]}, "not_differentiable", "/wrt/0", "int64"),
    (BOWL, {"inputs": {"u": 1, "v": [[1], [2]]}, "output": "f", "wrt": []}, "nothing_to_differentiate", "/wrt", ""),
    (
        BOWL,
        {"inputs": {"u": 1, "v": [[1], [2]]}, "output": "f", "wrt": ["u"], "bounds": {"v": [0, 1]}},
        "unknown_input",
        "/bounds/v",
        "in 'wrt'",
    ),
    (COMPLEX, {"inputs": {"z": [[1, 2]], "x": 1}}, "complex_input", "/wrt", "complex128"),
    (COMPLEX, {"inputs": {"z": [[1, 2]], "x": 1}, "wrt": ["x", "z"]}, "complex_input", "/wrt/1", "complex128"),
]


@pytest.mark.parametrize(("document", "call", "code", "pointer", "words"), WRONG)
def test_what_is_wrong_with_a_call(document: Any, call: Any, code: str, pointer: str, words: str) -> None:
    with pytest.raises(GradwireError) as refused:
        minimum(document, **{"inputs": {"x": START}, **call})
    error = refused.value
    assert (error.code, error.pointer) == (code, pointer)
    assert words in error.detail
    assert error.detail.endswith((".", "?"))


@pytest.mark.parametrize(
    ("name", "size"),
    [("SLSQP", 201), ("BFGS", 2001), ("trust-krylov", 2001), ("trust-exact", 2001), ("dogleg", 2001), ("trust-constr", 20_001)],
)
def test_methods_of_whole_matrices_take_a_bounded_number_of_numbers(name: str, size: int) -> None:
    with pytest.raises(LimitError, match=f"there are {size:,} to vary") as refused:
        minimum(ROSENBROCK, inputs={"x": [0.5] * size}, method=name)
    assert (refused.value.code, refused.value.pointer) == ("too_many_variables", "/method")


def test_bounds_hold_for_a_bounded_number_of_numbers() -> None:
    inputs = {"x": {"data": np.full(100_001, 0.5), "dtype": "float64", "shape": [100_001]}}
    with pytest.raises(LimitError, match="but there are 100,001") as refused:
        minimum(ROSENBROCK, inputs=inputs, bounds={"x": [None, 1]})
    assert (refused.value.code, refused.value.pointer) == ("too_many_variables", "/bounds")
    assert minimum(ROSENBROCK, inputs=inputs, bounds={"x": [None, None]}, options={"maxiter": 1})["iterations"] == 1


def test_the_memory_of_a_method_is_bounded() -> None:
    with pytest.raises(LimitError, match="keeps about 40 vectors of 1,000 numbers, 320,000 bytes") as refused:
        minimum(ROSENBROCK, inputs={"x": [0.5] * 1000}, limits=Limits(program_bytes=300_000))
    assert refused.value.code == "program_too_large"
    found = minimum(ROSENBROCK, inputs={"x": [0.5] * 1000}, limits=Limits(program_bytes=300_000), options={"maxcor": 3, "maxiter": 2})
    assert values(found)["iterations"] == 2


def test_functions_that_cannot_be_differentiated_twice_are_minimised_by_gradients_alone() -> None:
    kinked = {"inputs": {"x": declared("n")}, "program": "f = (x - 1).abs().sum()", "outputs": ["f"]}
    found = minimum(kinked, inputs={"x": [3.0]}, method="trust-ncg", options={"maxiter": 20})
    assert found["value"]["data"] < 2


@pytest.mark.parametrize("name", [name for name, method in OPTIMISERS.items() if not method.bounds])
def test_methods_without_bounds_say_which_take_them(name: str) -> None:
    with pytest.raises(GradwireError) as refused:
        minimum(ROSENBROCK, inputs={"x": START}, method=name, bounds={"x": [0, None]})
    assert (refused.value.code, refused.value.pointer) == ("bounds_not_taken", "/bounds")
    assert refused.value.detail == f"The method {name} takes no bounds; L-BFGS-B, trust-constr, TNC, SLSQP do."


def tried(document: Any, limits: Limits | None = None, **call: Any) -> Any:
    functions = Functions()
    functions.put("f", document)
    return functions.service.dry_run("f", "minimize", call, owner=None, limits=limits or Limits(), check=lambda: None)


@pytest.mark.parametrize(("name", "second"), [("BFGS", None), ("trust-ncg", "hvps"), ("dogleg", "hessian")])
def test_a_dry_run_says_what_one_evaluation_takes(name: str, second: str | None) -> None:
    said = tried(ROSENBROCK, inputs={"x": START}, method=name)
    assert (said["method"], said["variables"], said["fits"], said["refusal"]) == (name, 4, True, None)
    assert said["value"] == {"dtype": "float64", "shape": []}
    assert said["grads"] == {"x": {"dtype": "float64", "shape": [4]}}
    assert min(said["operations"], said["peak_bytes"], said["work"], said["search_bytes"]) > 0
    if second is None:
        assert said["second_derivatives"] is None
    else:
        assert set(said["second_derivatives"]) == {second, "operations", "peak_bytes", "largest_tensor_bytes", "work"}


def test_a_dry_run_holds_a_search_against_the_limits() -> None:
    big = {"x": [0.5] * 1000}
    assert tried(ROSENBROCK, inputs=big, method="BFGS")["fits"]
    for limits, method in ((Limits(program_bytes=300_000), "L-BFGS-B"), (Limits(program_bytes=2**20), "trust-exact")):
        assert tried(ROSENBROCK, limits, inputs=big, method=method)["refusal"]["code"] == "program_too_large"
    said = tried(ROSENBROCK, inputs={"x": [0.5] * 2001}, method="dogleg")
    assert (said["fits"], said["refusal"]["code"]) == (False, "too_many_variables")
    # The Hessian alone is too much.
    deep = {"inputs": {"x": declared("n")}, "program": "f = (x * x.sum()).exp().prod()", "outputs": ["f"]}
    said = tried(deep, Limits(work=10**6), inputs={"x": [0.5] * 500}, method="trust-exact")
    assert said["refusal"]["code"] == "too_much_work"
    assert said["work"] < 10**6 < said["second_derivatives"]["work"]
