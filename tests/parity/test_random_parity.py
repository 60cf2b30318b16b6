"""The random streams against torch: the same seed gives the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.random import Generator

torch = pytest.importorskip("torch")

SEEDS = [0, 1, 42, 2**31, 2**40 + 5, 2**64 - 1, -1, -123456789]
SIZES = [(), (1,), (7,), (15,), (16,), (17,), (3, 5, 7), (4, 16), (0, 3), (70001,)]
REAL = ["float16", "float32", "float64"]


def both(seed: int) -> tuple[Generator, Any]:
    return Generator(seed), torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_seed(seed: int) -> None:
    ours, theirs = both(seed)
    assert ours.initial_seed() == theirs.initial_seed()
    np.testing.assert_array_equal(ours.uniform((20,), np.dtype("float32")), torch.rand(20, generator=theirs).numpy())


def test_default_seed() -> None:
    np.testing.assert_array_equal(
        Generator().uniform((3,), np.dtype("float64")), torch.rand(3, generator=torch.Generator(), dtype=torch.float64).numpy()
    )


@pytest.mark.parametrize("dtype", [*REAL, "complex64", "complex128"])
@pytest.mark.parametrize("size", SIZES)
def test_uniform(dtype: str, size: tuple[int, ...]) -> None:
    ours, theirs = both(3)
    for _ in range(2):
        np.testing.assert_array_equal(
            ours.uniform(size, np.dtype(dtype)), torch.rand(size, generator=theirs, dtype=getattr(torch, dtype)).numpy()
        )


@pytest.mark.parametrize("dtype", REAL)
def test_uniform_between(dtype: str) -> None:
    ours, theirs = both(3)
    eps = float(np.finfo(dtype).eps)
    expected = torch.empty(1000, dtype=getattr(torch, dtype)).uniform_(-2.5, 7.25, generator=theirs).numpy()
    np.testing.assert_allclose(ours.uniform((1000,), np.dtype(dtype), -2.5, 7.25), expected, rtol=2 * eps, atol=2 * eps)


@pytest.mark.parametrize("dtype", [*REAL, "complex64", "complex128"])
@pytest.mark.parametrize("size", SIZES)
def test_normal(dtype: str, size: tuple[int, ...]) -> None:
    ours, theirs = both(11)
    for _ in range(3):
        expected = torch.randn(size, generator=theirs, dtype=getattr(torch, dtype)).numpy()
        found = ours.normal(size, np.dtype(dtype))
        assert found.dtype == expected.dtype
        # Logarithm, sine and cosine in single precision differ in the last digits between mathematical libraries.
        eps = float(np.finfo(dtype).eps)
        np.testing.assert_allclose(found, expected, rtol=4 * eps, atol=4 * eps)


def test_the_second_of_a_pair_is_kept_across_calls() -> None:
    ours, theirs = both(5)
    for size in (1, 2, 1, 20, 3):
        expected = torch.randn(size, generator=theirs, dtype=torch.float64).numpy()
        np.testing.assert_allclose(ours.normal((size,), np.dtype("float64")), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("low", "high"), [(0, 2), (0, 1000), (-7, 12), (5, 6), (0, 2**28 - 1), (0, 2**28), (-3, 2**40), (-(2**62), 2**62), (0, 2**63 - 1)]
)
def test_integers(low: int, high: int) -> None:
    ours, theirs = both(8)
    np.testing.assert_array_equal(ours.integers(low, high, (500,)), torch.randint(low, high, (500,), generator=theirs).numpy())


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "float32", "bool"])
def test_integers_of_other_dtypes(dtype: str) -> None:
    ours, theirs = both(8)
    np.testing.assert_array_equal(
        ours.integers(0, 2, (50,), np.dtype(dtype)), torch.randint(0, 2, (50,), generator=theirs, dtype=getattr(torch, dtype)).numpy()
    )


@pytest.mark.parametrize("n", [0, 1, 2, 10, 1000, 70000])
def test_permutation(n: int) -> None:
    ours, theirs = both(13)
    np.testing.assert_array_equal(ours.permutation(n), torch.randperm(n, generator=theirs).numpy())
    np.testing.assert_array_equal(ours.uniform((3,), np.dtype("float32")), torch.rand(3, generator=theirs).numpy())


@pytest.mark.parametrize("dtype", REAL)
def test_bernoulli_of_one_probability(dtype: str) -> None:
    ours, theirs = both(17)
    np.testing.assert_array_equal(
        ours.bernoulli(0.3, (200,), np.dtype(dtype)),
        torch.empty(200, dtype=getattr(torch, dtype)).bernoulli_(0.3, generator=theirs).numpy(),
    )


@pytest.mark.parametrize("dtype", REAL)
def test_bernoulli_of_probabilities(dtype: str) -> None:
    ours, theirs = both(17)
    p = np.linspace(0, 1, 70000).astype(dtype).reshape(100, 700)
    np.testing.assert_array_equal(
        ours.bernoulli(p, p.shape, np.dtype(dtype)), torch.bernoulli(torch.from_numpy(p), generator=theirs).numpy()
    )


@pytest.mark.parametrize("draw", [lambda g: torch.empty(99).exponential_(2.0, generator=g)])
def test_exponential(draw: Callable[[Any], Any]) -> None:
    ours, theirs = both(2)
    np.testing.assert_allclose(ours.exponential((99,), np.dtype("float32"), 2.0), draw(theirs).numpy(), rtol=1e-6)


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_seeds_that_do_not_fit(seed: int) -> None:
    message = "^Overflow when unpacking long long$"
    with pytest.raises(ValueError, match=message):
        Generator(seed)
    with pytest.raises(ValueError, match=message):
        torch.manual_seed(seed)


FILLS: list[tuple[str, tuple[float, ...]]] = [
    ("uniform_", ()),
    ("uniform_", (-1.0, 2.0)),
    ("normal_", ()),
    ("normal_", (1.0, 0.5)),
    ("bernoulli_", ()),
    ("bernoulli_", (0.2,)),
    ("exponential_", (2.0,)),
]


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("name", "args"), FILLS)
def test_filling_in_place(name: str, args: tuple[float, ...], transposed: bool) -> None:
    """Elements are drawn in the order in which they lie in memory, and backward gives zeros."""
    results = []
    for torch_like in (gradwire, torch):
        torch_like.manual_seed(21)
        leaf = torch_like.ones(5, 4, dtype=torch_like.float64, requires_grad=True)
        tensor = leaf.t() * 1 if transposed else leaf * 1
        assert getattr(tensor, name)(*args) is tensor
        tensor.sum().backward()
        results.append((tensor.grad_fn.name(), tensor.detach().numpy(), leaf.grad.numpy()))
    assert results[0][0] == results[1][0]
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-12)
    np.testing.assert_array_equal(results[0][2], results[1][2])
