"""Minimising by SciPy's methods: the same way as SciPy goes, and what ends it early."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradwire_engine.dtypes import Array
from gradwire_engine.errors import DeadlineExceeded, ProgramError, TensorRuntimeError
from gradwire_engine.minimize import Enough, Iteration, Minimum, minimize
from gradwire_engine.optimisers import OPTIMISERS, read_optimiser, read_options
from gradwire_engine.scipy_searches import _linear_algebra
from tests.minimisation import rosen, rosen_hessian, rosen_product, scipy_minimum, start_of

START = np.array([-1.2, 1.0, 0.5, 2.0])
METHODS = list(OPTIMISERS)
SECOND = [name for name, method in OPTIMISERS.items() if method.second]
BOUNDED = [name for name, method in OPTIMISERS.items() if method.bounds]


def search(name: str, evaluate: Callable[[Array], tuple[float, Array, Any]] | None = None, **given: Any) -> Minimum:
    method = OPTIMISERS[name]
    seconds = {"product": rosen_product if method.second else None, "hessian": rosen_hessian if method.hessian else None}
    given = {"options": {}, **seconds, **given}
    return minimize(evaluate or (lambda x: (*rosen(x), None)), start_of(name), OPTIMISERS[name], **given)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_goes_the_way_that_scipy_goes(name: str) -> None:
    seen: list[Iteration] = []
    found = search(name, report=seen.append)
    expected = scipy_minimum(name, start_of(name))
    assert found.success
    assert found.message == expected.message
    np.testing.assert_allclose(found.point.x, expected.x, rtol=1e-9)
    assert (found.iterations, found.evaluations) == (expected.nit, expected.nfev)
    assert [each.iteration for each in seen] == list(range(found.iterations + 1))
    assert (seen[0].step, seen[0].value) == (0.0, rosen(start_of(name))[0])
    assert (seen[-1].value, seen[-1].gradient_norm) == (found.point.value, float(np.linalg.norm(found.point.gradient)))
    assert sum(each.step for each in seen) >= np.linalg.norm(found.point.x - start_of(name)) - 1e-12


@pytest.mark.parametrize("name", BOUNDED)
def test_bounds_are_kept(name: str) -> None:
    least, most = np.array([-np.inf, 0.9, -1.0, -np.inf]), np.array([0.7, np.inf, 1.0, np.inf])
    found = search(name, bounds=(least, most))
    expected = scipy_minimum(name, np.clip(START, least, most), (least, most))
    np.testing.assert_allclose(found.point.x, expected.x, rtol=1e-9)
    assert found.success
    assert np.all(least <= found.point.x)
    assert np.all(found.point.x <= most)


@pytest.mark.parametrize("name", METHODS)
def test_options_reach_scipy(name: str) -> None:
    count = {"maxfun" if name == "TNC" else "maxiter": 4}
    found = search(name, options=read_options(OPTIMISERS[name], count))
    expected = scipy_minimum(name, start_of(name), options=count)
    assert (found.success, found.message) == (False, expected.message)
    np.testing.assert_allclose(found.point.x, expected.x, rtol=1e-9)


@pytest.mark.parametrize("name", METHODS)
def test_enough_ends_a_search_with_the_best_point(name: str) -> None:
    values: list[float] = []

    def evaluate(x: Array) -> tuple[float, Array, int]:
        if len(values) == 6:
            raise Enough("Six are enough.")
        value, gradient = rosen(x)
        values.append(value)
        return value, gradient, len(values)

    found = search(name, evaluate)
    assert (found.success, found.message, found.evaluations) == (False, "Six are enough.", 6)
    assert found.point.value == min(values)
    assert values[found.point.found - 1] == min(values)


@pytest.mark.parametrize("name", METHODS)
def test_what_an_evaluation_raises_comes_out(name: str) -> None:
    def evaluate(x: Array) -> tuple[float, Array, None]:
        if not np.array_equal(x, start_of(name)):
            raise DeadlineExceeded("The time is over.")
        return (*rosen(x), None)

    with pytest.raises(DeadlineExceeded, match="The time is over"):
        search(name, evaluate)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (-np.inf, "minus infinity")])
def test_a_search_that_leaves_the_finite_says_so(name: str, value: float, word: str) -> None:
    def evaluate(x: Array) -> tuple[float, Array, None]:
        # Everything but the start is strange.
        right, gradient = rosen(x)
        return (right, gradient, None) if np.array_equal(x, start_of(name)) else (value, np.full_like(x, np.nan), None)

    found = search(name, evaluate)
    assert not found.success
    assert word in found.message
    np.testing.assert_array_equal(found.point.x, start_of(name))
    assert np.isfinite(found.point.value)


@pytest.mark.parametrize("name", SECOND)
def test_a_product_that_is_not_finite_ends_the_search(name: str) -> None:
    found = search(name, product=lambda x, vector: np.full_like(x, np.nan))
    assert (found.success, found.evaluations) == (False, 1)
    assert found.message == "The search cannot go on: a product of the Hessian and a vector holds NaN."


@pytest.mark.parametrize("name", ["trust-exact", "dogleg"])
def test_a_hessian_that_is_not_finite_ends_the_search(name: str) -> None:
    found = search(name, hessian=lambda x: np.full((x.size, x.size), np.inf))
    assert (found.success, found.evaluations) == (False, 1)
    assert found.message == "The search cannot go on: the Hessian holds infinite."


def test_dogleg_says_that_it_needs_a_positive_definite_hessian() -> None:
    found = search("dogleg", hessian=lambda x: -np.eye(x.size))
    assert (found.success, found.iterations) == (False, 0)
    assert found.message == "The Hessian is not positive definite here, as dogleg needs it to be; trust-exact takes any."


def test_a_start_that_is_not_finite_is_the_result() -> None:
    for strange in (np.nan, np.inf, -np.inf):
        found = search("BFGS", lambda x, v=strange: (v, np.zeros(4), None))  # type: ignore[misc]
        assert (found.success, found.iterations, found.evaluations) == (False, 0, 1)
        assert found.message.startswith("There is nothing to go by: at the start the value is ")
    found = search("BFGS", lambda x: (1.0, np.array([0.0, np.inf, 0.0, 0.0]), None))
    assert found.message == "There is nothing to go by: at the start the gradient holds infinite."


def test_a_point_that_is_not_finite_on_the_way_is_stepped_back_from() -> None:
    def evaluate(x: Array) -> tuple[float, Array, None]:
        # Infinite outside, with its minimum close to where that begins.
        if x[0] <= 0:
            return np.inf, np.full(1, np.nan), None
        return float(x[0] - 0.01 * np.log(x[0])), 1 - 0.01 / x, None

    found = minimize(evaluate, np.array([1.5]), OPTIMISERS["BFGS"], options={})
    assert found.success
    assert found.point.x[0] == pytest.approx(0.01, rel=1e-3)


def test_what_scipy_refuses_is_said_in_its_words() -> None:
    with pytest.raises(ProgramError, match=r"SciPy refuses this for the method BFGS: .*c1") as refused:
        search("BFGS", options={"c1": 0.9, "c2": 0.1})
    assert (refused.value.code, refused.value.pointer) == ("invalid_option", "/options")


def test_warnings_and_threads_are_as_they_were_after_the_last_of_several_searches() -> None:
    filters, library = list(warnings.filters), _linear_algebra()
    before = None if library is None else library[0]()
    meanwhile: list[int] = []
    barrier = threading.Barrier(3, timeout=20)

    def evaluate(x: Array) -> tuple[float, Array, None]:
        if np.array_equal(x, START):
            barrier.wait()
            meanwhile.append(1 if library is None else library[0]())
        return (*rosen(x), None)

    searches = [threading.Thread(target=search, args=("CG", evaluate)) for _ in range(3)]
    for each in searches:
        each.start()
    for each in searches:
        each.join()
    assert meanwhile == [1, 1, 1]
    assert warnings.filters == filters
    assert before == (None if library is None else library[0]())


def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(TensorRuntimeError, match=r"minimize\(\) needs SciPy, .*gradwire\[special\]") as missing:
        search("BFGS")
    assert missing.value.code == "missing_extra"


def test_methods_by_name() -> None:
    assert read_optimiser(None).name == "L-BFGS-B"
    assert read_optimiser("newton-cg").name == "Newton-CG"
    for name, hint in [("L-BFGS", "'L-BFGS-B'"), ("trust-ngc", "'trust-ncg'"), ("newton", "'Newton-CG'")]:
        with pytest.raises(ProgramError, match=f"Did you mean {hint}") as unknown:
            read_optimiser(name)
        assert (unknown.value.code, unknown.value.pointer) == ("unknown_method", "/method")


@pytest.mark.parametrize(
    ("name", "options", "code", "words"),
    [
        ("BFGS", {"maxfun": 3}, "unknown_option", "The method BFGS has no option 'maxfun' here."),
        ("L-BFGS-B", {"maxitr": 3}, "unknown_option", "Did you mean 'maxiter'?"),
        ("CG", {"disp": True}, "unknown_option", "Its options are maxiter, gtol, c1, c2."),
        ("CG", {"maxiter": 0}, "invalid_option", "must be a whole number at least 1 and at most 1,000,000,000; got 0."),
        ("CG", {"maxiter": 2.5}, "invalid_option", "got 2.5"),
        ("CG", {"maxiter": True}, "invalid_option", "got True"),
        ("CG", {"gtol": -1e-9}, "invalid_option", "must be a number at least 0; got -1e-09."),
        ("CG", {"gtol": "1e-9"}, "invalid_option", "got '1e-9'"),
        ("CG", {"gtol": None}, "invalid_option", "got None"),
        ("CG", {"c1": 0}, "invalid_option", "must be a number greater than 0 and at most 1; got 0."),
        ("L-BFGS-B", {"maxcor": 101}, "invalid_option", "at most 100"),
        ("CG", [], "invalid_type", "'options' must be an object, not a list."),
    ],
)
def test_options_that_are_not_taken(name: str, options: Any, code: str, words: str) -> None:
    with pytest.raises(ProgramError) as refused:
        read_options(OPTIMISERS[name], options)
    assert refused.value.code == code
    assert words in refused.value.detail
    assert (refused.value.pointer or "").startswith("/options")


def test_whole_numbers_may_be_written_as_floats() -> None:
    assert read_options(OPTIMISERS["CG"], {"maxiter": 5.0, "gtol": 1}) == {"maxiter": 5, "gtol": 1.0}
