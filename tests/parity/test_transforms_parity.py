"""Transforms of functions beside torch.func: Jacobians, Hessians, products with them, forward mode, and all of these mapped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine import transforms
from gradwire_engine.batching import vmap
from gradwire_engine.dtypes import Array
from gradwire_engine.meta import meta_of_array
from gradwire_engine.symbolic import trace

torch = pytest.importorskip("torch")

# torch.func compiles its own decompositions the first time, by a way that it calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SIZE = 4


class Case(NamedTuple):
    """A function of ``x`` and ``w`` in the names that both libraries share.

    Attributes:
        name: What it is called here.
        function: Takes the library, x and w.
        x: The shape of x.
        w: The shape of w.
    """

    name: str
    function: Callable[[Any, Any, Any], Any]
    x: tuple[int, ...]
    w: tuple[int, ...]


def norm_of_layer(t: Any, x: Any, w: Any) -> Any:
    return t.nn.functional.layer_norm(x, (3,), w)


CASES = [
    Case("product", lambda t, x, w: x * w, (3,), (3,)),
    Case("quotient", lambda t, x, w: x / (w * w + 1), (3,), (2, 3)),
    Case("broadcast", lambda t, x, w: t.sin(x) * w, (3, 1), (2,)),
    Case("scalar", lambda t, x, w: x * t.exp(w), (), ()),
    Case("scalar times vector", lambda t, x, w: x * t.exp(w), (), (3,)),
    Case("polynomial", lambda t, x, w: x**3 - 2 * x**2 * w + 1, (3,), (3,)),
    Case("power", lambda t, x, w: (x * x + 1) ** w, (3,), (3,)),
    Case("linear layer", lambda t, x, w: t.tanh(w @ x), (3,), (2, 3)),
    Case("matrix times matrix", lambda t, x, w: x @ w, (2, 3), (3, 2)),
    Case("batched matrices", lambda t, x, w: t.matmul(x, w), (2, 2, 3), (3, 2)),
    Case("quadratic form", lambda t, x, w: x @ w @ x, (3,), (3, 3)),
    Case("outer product", lambda t, x, w: t.outer(x, w), (3,), (2,)),
    Case("einsum", lambda t, x, w: t.einsum("ij,jk->ki", x, w), (2, 3), (3, 2)),
    Case("softmax", lambda t, x, w: t.softmax(x * w, 0), (3,), (3,)),
    Case("log softmax of rows", lambda t, x, w: t.log_softmax(x, -1) * w, (2, 3), (3,)),
    Case("logsumexp", lambda t, x, w: t.logsumexp(x + w, 0), (3,), (3,)),
    Case("mean and deviation", lambda t, x, w: (x - x.mean()) / (x.std() + 1) * w, (3,), (3,)),
    Case("variance of rows", lambda t, x, w: x.var(1) * w, (2, 3), (2,)),
    Case("layer norm", norm_of_layer, (2, 3), (3,)),
    Case("norm", lambda t, x, w: t.linalg.vector_norm(x) * w, (3,), (2,)),
    Case("rosenbrock", lambda t, x, w: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum() * w, (4,), ()),
    Case("stack of elements", lambda t, x, w: t.stack([x[0] * x[1], x[2] ** 2, w[0]]), (3,), (2,)),
    Case("cat", lambda t, x, w: t.cat([x, w * 2, x * w], 0), (3,), (3,)),
    Case("gather", lambda t, x, w: t.gather(x * x, 0, t.tensor([0, 2, 2, 1])) * w, (3,), (4,)),
    Case("index select", lambda t, x, w: t.index_select(x, 0, t.tensor([1, 0])) * w, (3, 2), (2,)),
    Case("indexing", lambda t, x, w: (x * x)[t.tensor([1, 0]), t.tensor([0, 2])] * w, (2, 3), (2,)),
    Case("columns by index", lambda t, x, w: (x * x)[:, t.tensor([0, 2])] * w, (2, 3), (2,)),
    Case("transpose and reshape", lambda t, x, w: x.t().reshape(6) * w, (2, 3), (6,)),
    Case("permute", lambda t, x, w: t.permute(x, (2, 0, 1)) * w, (1, 2, 3), (2,)),
    Case("where", lambda t, x, w: t.where(x > 0, x * w, t.exp(x)), (3,), (3,)),
    Case("clamp", lambda t, x, w: t.clamp(x * w, -0.5, 0.5), (3,), (3,)),
    Case("sort", lambda t, x, w: t.sort(x).values * w, (3,), (3,)),
    Case("cumulative sum", lambda t, x, w: t.cumsum(x * w, 0), (3,), (3,)),
    Case("cumulative product", lambda t, x, w: t.cumprod(x * w, 0), (3,), (3,)),
    Case("product of all", lambda t, x, w: t.prod(x) * w, (3,), (2,)),
    Case("maximum along", lambda t, x, w: t.amax(x * x, 1) * w, (2, 3), (2,)),
    Case("inverse", lambda t, x, w: t.linalg.inv(x @ x.t() + t.eye(2)) @ w, (2, 2), (2,)),
    Case("solve", lambda t, x, w: t.linalg.solve(x @ x.t() + t.eye(2), w), (2, 2), (2,)),
    Case("determinant", lambda t, x, w: t.linalg.det(x @ x.t() + t.eye(2)) * w, (2, 2), (2,)),
    Case("cholesky", lambda t, x, w: t.linalg.cholesky(x @ x.t() + t.eye(2)) * w, (2, 2), (2,)),
    Case("convolution", lambda t, x, w: t.nn.functional.conv1d(x, w), (1, 2, 5), (2, 2, 3)),
    Case("pooling", lambda t, x, w: t.nn.functional.max_pool2d(x, 2) * w, (1, 4, 4), (2,)),
    Case("padding", lambda t, x, w: t.nn.functional.pad(x, (1, 2)) * w, (2,), (5,)),
    Case("smooth loss", lambda t, x, w: t.nn.functional.smooth_l1_loss(t.tanh(x), w), (3,), (3,)),
    Case("cross entropy", lambda t, x, w: t.nn.functional.cross_entropy(x * w, t.tensor([2, 0])), (2, 3), (3,)),
    Case("gelu", lambda t, x, w: t.nn.functional.gelu(x) * w, (3,), (3,)),
    Case("triangle", lambda t, x, w: t.tril(x) @ w, (3, 3), (3,)),
    Case("diagonal", lambda t, x, w: t.diagonal(x) * w, (3, 3), (3,)),
    Case("wide", lambda t, x, w: t.sin(x) * t.exp(w), (), (12,)),
    Case("many outputs of few inputs", lambda t, x, w: t.sin(x * t.arange(30.0)) * w, (2, 1), ()),
    Case("no use of w", lambda t, x, w: t.sin(x), (3,), (2,)),
]


def draw(shape: tuple[int, ...], seed: int) -> Array:
    return np.random.default_rng([seed, *shape]).uniform(-1.5, 1.5, shape)


class Sides:
    """A case on both sides, with the same numbers."""

    def __init__(self, case: Case, stacked: bool = False) -> None:
        lead = (SIZE,) if stacked else ()
        self.case = case
        self.arrays = {"x": draw((*lead, *case.x), 1), "w": draw(case.w, 2)}
        self.theirs = tuple(torch.from_numpy(a) for a in self.arrays.values())
        self.ours = {name: gradwire.Tensor._wrap(a) for name, a in self.arrays.items()}

    def call(self, named: Mapping[str, Any]) -> dict[str, Any]:
        """The function as ours takes it."""
        return {"y": self.case.function(gradwire, named["x"], named["w"])}

    def loss(self, named: Mapping[str, Any]) -> dict[str, Any]:
        """A scalar function made of it."""
        return {"y": self.call(named)["y"].sin().sum()}

    def their_call(self, x: Any, w: Any) -> Any:
        """The function as torch takes it."""
        return self.case.function(torch, x, w)

    def their_loss(self, x: Any, w: Any) -> Any:
        """A scalar function made of it."""
        return self.their_call(x, w).sin().sum()

    def close(self, ours: Callable[..., Any], expected: Any) -> None:
        """Compares, run at once and as a program, what ``ours`` gives of values by name."""
        flat = flatten(ours(self.ours))
        program = trace(lambda x, w: flatten(ours({"x": x, "w": w})), [meta_of_array(a) for a in self.arrays.values()])
        wanted = [t.numpy() for t in flatten(expected)]
        for found in ([t._data for t in flat], program.run(list(self.arrays.values()))):
            assert len(found) == len(wanted)
            for a, b in zip(found, wanted, strict=True):
                assert a.shape == b.shape
                assert a.dtype == b.dtype
                np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8)


def flatten(tree: Any) -> list[Any]:
    if isinstance(tree, Mapping):
        return [leaf for value in tree.values() for leaf in flatten(value)]
    return [leaf for value in tree for leaf in flatten(value)] if isinstance(tree, (tuple, list)) else [tree]


@pytest.fixture(autouse=True)
def double() -> Any:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    gradwire.set_default_dtype(gradwire.float64)
    yield
    torch.set_default_dtype(before)
    gradwire.set_default_dtype(gradwire.float32)


EACH = pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in CASES])


@EACH
def test_jacobian(case: Case) -> None:
    sides = Sides(case)
    expected = torch.func.jacrev(sides.their_call, (0, 1))(*sides.theirs)
    sides.close(lambda named: transforms.jacobian(sides.call, named), expected)


@EACH
def test_hessian(case: Case) -> None:
    sides = Sides(case)
    # By its autograd: torch.func has the second derivative of layer_norm by weight and input wrong.
    expected = torch.autograd.functional.hessian(sides.their_loss, sides.theirs)
    sides.close(lambda named: transforms.hessian(sides.loss, named), expected)


@EACH
def test_vjp(case: Case) -> None:
    sides = Sides(case)
    value, back = torch.func.vjp(sides.their_call, *sides.theirs)
    g = draw(tuple(value.shape), 3)
    sides.close(lambda named: transforms.vjp(sides.call, named, {"y": gradwire.tensor(g)}), (value, back(torch.from_numpy(g))))


@EACH
def test_jvp(case: Case) -> None:
    sides = Sides(case)
    tangents = {"x": draw(case.x, 4), "w": draw(case.w, 5)}
    expected = torch.func.jvp(sides.their_call, sides.theirs, tuple(torch.from_numpy(a) for a in tangents.values()))
    ours = {name: gradwire.tensor(a) for name, a in tangents.items()}
    sides.close(lambda named: transforms.jvp(sides.call, named, ours), expected)


@EACH
def test_value_grads_and_products_with_the_hessian(case: Case) -> None:
    """Everything of one forward pass."""
    sides = Sides(case)
    stack = draw((SIZE, *case.x), 6)
    grads, value = torch.func.grad_and_value(sides.their_loss, (0, 1))(*sides.theirs)
    gradient = torch.func.grad(sides.their_loss, (0, 1))

    def product(v: Any) -> Any:
        return torch.func.vjp(gradient, *sides.theirs)[1]((v, torch.zeros(case.w)))

    products = [torch.stack(column) for column in zip(*[product(v) for v in torch.from_numpy(stack)], strict=True)]
    want = ("value", "grads", "hvp")
    sides.close(lambda named: transforms.compute(sides.loss, named, want, vectors={"x": gradwire.tensor(stack)}), (value, grads, products))


@EACH
def test_mapped_jacobian(case: Case) -> None:
    sides = Sides(case, stacked=True)
    expected = torch.func.vmap(torch.func.jacrev(sides.their_call, (0, 1)), (0, None))(*sides.theirs)
    sides.close(lambda named: transforms.compute(sides.call, named, ("jacobian",), batch=("x",)), expected)


@EACH
def test_mapped_hessian(case: Case) -> None:
    sides = Sides(case, stacked=True)
    expected = torch.func.vmap(torch.func.jacrev(torch.func.grad(sides.their_loss)), (0, None))(*sides.theirs)
    sides.close(lambda named: transforms.compute(sides.loss, named, ("hessian",), wrt=("x",), batch=("x",)), expected)


# torch mistakes the shapes of its fused losses on two levels.
@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in CASES if "loss" not in c.name])
def test_two_levels(case: Case) -> None:
    """A batch in a batch: x by its rows outside, w inside."""
    sides = Sides(case, stacked=True)
    ws = draw((3, *case.w), 7)

    def ours(named: Mapping[str, Any]) -> Any:
        def outer(one: Mapping[str, Any]) -> Any:
            def inner(both: Mapping[str, Any]) -> Any:
                return transforms.vjp(sides.loss, both, {"y": gradwire.tensor(1.0)})

            return vmap(inner, {"x": one["x"], "w": gradwire.tensor(ws)}, ("w",))

        return vmap(outer, {"x": named["x"]}, ("x",))

    grads = torch.func.grad_and_value(sides.their_loss, (0, 1))
    expected = torch.func.vmap(torch.func.vmap(grads, (None, 0)), (0, None))(sides.theirs[0], torch.from_numpy(ws))
    sides.close(ours, expected[::-1])


def test_the_derivative_of_sinc_along_a_tangent_at_zero() -> None:
    x = np.array([0.0, 0.5, 1.0, -2.5])
    tangent = np.array([2.0, 1.0, -1.0, 0.5])
    _, theirs = torch.func.jvp(torch.sinc, (torch.from_numpy(x),), (torch.from_numpy(tangent),))
    named = {"x": gradwire.tensor(x)}
    _, ours = transforms.jvp(lambda n: {"y": gradwire.ops.sinc(n["x"])}, named, {"x": gradwire.tensor(tangent)})
    np.testing.assert_allclose(np.asarray(ours["y"]), theirs.numpy(), rtol=1e-13)
