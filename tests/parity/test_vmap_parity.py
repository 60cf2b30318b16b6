"""vmap beside torch.func.vmap where the results are drawn: the same seed gives the same numbers; and what each refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.batching import vmap

torch = pytest.importorskip("torch")

X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")

DRAWS: dict[str, Callable[[Any, Any], Any]] = {
    "bernoulli": lambda t, x: t.bernoulli(t.sigmoid(x)),
    "bernoulli of a constant": lambda t, x: t.bernoulli(t.full((2,), 0.5)),
    "rand": lambda t, x: t.rand(2),
    "randn": lambda t, x: t.randn(2) + x.sum(),
    "rand_like": lambda t, x: t.rand_like(x),
    "rand_like of a constant": lambda t, x: t.rand_like(t.ones(3)),
    "randn_like": lambda t, x: t.randn_like(x),
    "randint_like": lambda t, x: t.randint_like(x, 5),
    "randperm": lambda t, x: t.randperm(4),
    "normal": lambda t, x: t.normal(x, 1.0),
    "multinomial": lambda t, x: t.multinomial(t.exp(x), 2),
    "multinomial of rows": lambda t, x: t.multinomial(t.exp(x).reshape(2, 2), 2),
    "dropout": lambda t, x: t.nn.functional.dropout(x),
    "dropout of channels": lambda t, x: t.nn.functional.dropout2d(x.reshape(1, 2, 2, 1)),
}


def outcome(call: Callable[[], Any]) -> Any:
    """The result as an array, or what the refusal says before torch's request for a report."""
    try:
        return np.asarray(call())
    except RuntimeError as error:
        return str(error).partition(" Please file an issue")[0]


@pytest.mark.parametrize("randomness", ["different", "same", "error"])
@pytest.mark.parametrize("name", DRAWS)
def test_what_is_drawn(name: str, randomness: str) -> None:
    torch.manual_seed(0)
    gradwire.manual_seed(0)
    theirs = outcome(lambda: torch.func.vmap(lambda x: DRAWS[name](torch, x), randomness=randomness)(torch.from_numpy(X)))
    ours = outcome(lambda: vmap(lambda named: DRAWS[name](gradwire, named["x"]), {"x": gradwire.tensor(X)}, ["x"], randomness))
    if isinstance(theirs, str):
        assert ours == theirs
        return
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
