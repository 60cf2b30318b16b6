"""Layers, losses and look-ups on a batch beside torch.func.vmap, whatever of them differs from item to item, and their gradients."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.batching import vmap
from gradwire_engine.dtypes import Array

torch = pytest.importorskip("torch")

# torch.func compiles its own decompositions the first time, by a way that it calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SIZE = 4
GENERATOR = np.random.default_rng(3)


class Case(NamedTuple):
    """A function of named arrays; the first is differentiated by.

    Attributes:
        function: Takes ``nn.functional`` of either library and the tensors.
        shapes: The shapes of the arguments.
        classes: For each argument how many classes its elements count, 0 where they are numbers.
    """

    function: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    classes: tuple[int, ...]


CASES = {
    "nll_loss": Case(lambda f, x, t: f.nll_loss(x, t), ((5, 3), (5,)), (0, 3)),
    "nll_loss, summed": Case(lambda f, x, t: f.nll_loss(x, t, reduction="sum"), ((5, 3), (5,)), (0, 3)),
    "nll_loss of each": Case(lambda f, x, t: f.nll_loss(x, t, reduction="none"), ((5, 3), (5,)), (0, 3)),
    "nll_loss without some": Case(lambda f, x, t: f.nll_loss(x, t, ignore_index=1), ((5, 3), (5,)), (0, 3)),
    "nll_loss with weights": Case(lambda f, x, t, w: f.nll_loss(x, t, w, ignore_index=2), ((5, 3), (5,), (3,)), (0, 3, 0)),
    "nll_loss of one sample": Case(lambda f, x, t: f.nll_loss(x, t), ((3,), ()), (0, 3)),
    "nll_loss of images": Case(lambda f, x, t: f.nll_loss(x, t), ((2, 3, 2, 2), (2, 2, 2)), (0, 3)),
    "cross_entropy": Case(lambda f, x, t: f.cross_entropy(x, t), ((5, 3), (5,)), (0, 3)),
    "group_norm": Case(lambda f, x, w, b: f.group_norm(x, 2, w, b), ((2, 4, 3), (4,), (4,)), (0, 0, 0)),
    "group_norm of images": Case(lambda f, x, w: f.group_norm(x, 2, w), ((2, 4, 2, 2), (4,)), (0, 0)),
    "layer_norm": Case(lambda f, x, w, b: f.layer_norm(x, (3,), w, b), ((2, 4, 3), (3,), (3,)), (0, 0, 0)),
    "batch_norm": Case(lambda f, x, w, b: f.batch_norm(x, None, None, w, b, True), ((4, 3), (3,), (3,)), (0, 0, 0)),
    "batch_norm of images": Case(lambda f, x, w: f.batch_norm(x, None, None, w, None, True), ((4, 3, 2, 2), (3,)), (0, 0)),
    "batch_norm with fixed statistics": Case(
        lambda f, x, m, v, w: f.batch_norm(x, m, v * v + 0.5, w), ((4, 3), (3,), (3,), (3,)), (0, 0, 0, 0)
    ),
    "embedding": Case(lambda f, w, t: f.embedding(t, w), ((5, 3), (2, 4)), (0, 5)),
    "embedding with padding": Case(lambda f, w, t: f.embedding(t, w, padding_idx=2), ((5, 3), (6,)), (0, 5)),
}


def patterns() -> list[Any]:
    found = []
    for name, case in CASES.items():
        count = len(case.shapes)
        for size in range(1, count + 1):
            found += [pytest.param(name, mapped, id=f"{name}-{mapped}") for mapped in combinations(range(count), size)]
    return found


def arrays_of(case: Case, mapped: tuple[int, ...]) -> list[Array]:
    made = []
    for i, (shape, classes) in enumerate(zip(case.shapes, case.classes, strict=True)):
        full = (SIZE, *shape) if i in mapped else shape
        made.append(GENERATOR.integers(0, classes, full) if classes else GENERATOR.normal(size=full))
    return made


@pytest.mark.parametrize(("name", "mapped"), patterns())
def test_values_and_gradients(name: str, mapped: tuple[int, ...]) -> None:
    case = CASES[name]
    arrays = arrays_of(case, mapped)
    dims = tuple(0 if i in mapped else None for i in range(len(arrays)))

    def theirs(*tensors: Any) -> Any:
        return case.function(torch.nn.functional, *tensors)

    def weighted(result: Any, cosine: Callable[[Any], Any]) -> Any:
        return (cosine(result) * result).sum()

    given = [torch.from_numpy(a) for a in arrays]
    value = torch.func.vmap(theirs, dims)(*given)
    gradient = torch.func.vmap(torch.func.grad(lambda *x: weighted(theirs(*x), torch.cos)), dims)(*given)

    def ours(named: Any) -> Any:
        tensors = list(named.values())
        leaf = tensors[0].requires_grad_()
        result = case.function(gradwire.ops.nn.functional, leaf, *tensors[1:])
        return result.detach(), gradwire.grad([weighted(result, gradwire.ops.cos)], [leaf])[0]

    found, by_first = vmap(ours, dict(enumerate(gradwire.tensor(a) for a in arrays)), mapped)
    np.testing.assert_allclose(found.numpy(), value.numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(by_first.numpy(), gradient.numpy(), rtol=1e-9, atol=1e-11)
