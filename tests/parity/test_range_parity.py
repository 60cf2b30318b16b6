"""Values and gradients near the ends of what a dtype holds, where a step that rounds too early shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.autograd import grad
from gradwire_engine.batching import vmap
from gradwire_engine.meta import meta_of_array
from gradwire_engine.plan import compile_trace
from gradwire_engine.symbolic import trace

torch = pytest.importorskip("torch")

Function = Callable[..., Any]

HALVES: list[tuple[Function, list[float]]] = [
    (lambda t, x: t.nn.functional.layer_norm(x, (4,)), [600, -600, 600, -600]),
    (lambda t, x: t.nn.functional.layer_norm(x, (4,)), [60000, -2, 60000, 5]),
    (lambda t, x: t.nn.functional.layer_norm(x, (3,), eps=1e-8), [1, 1, 1]),
    (lambda t, x: t.nn.functional.layer_norm(x, (4,), eps=1e-12), [1e-4, -1e-4, 1e-4, -1e-4]),
    (lambda t, x: t.nn.functional.layer_norm(x, (4,), x / 7, x), [60000, -2, 60000, 5]),
    (lambda t, x: t.nn.functional.group_norm(t.reshape(x, (1, 2, 2)), 1), [600, -600, 500, -60000]),
    (lambda t, x: t.nn.functional.batch_norm(t.reshape(x, (2, 2)), None, None, training=True), [600, -600, 500, -60000]),
    (lambda t, x: t.nn.functional.batch_norm(t.reshape(x, (2, 2)), t.abs(x[:2]).detach(), t.abs(x[:2]).detach()), [600, 1e-7, 500, -60]),
    (lambda t, x: t.nn.functional.mse_loss(x, x.detach() * 0), [200] * 8),
    (lambda t, x: t.nn.functional.mse_loss(x, x.detach() * 0), [20000] * 8),
    (lambda t, x: t.nn.functional.mse_loss(x, x.detach() * 0, reduction="sum"), [0.3] * 3000),
    (lambda t, x: t.nn.functional.smooth_l1_loss(x, x.detach() * 0), [30000] * 8),
    (lambda t, x: t.nn.functional.huber_loss(x, x.detach() * 0), [30000] * 8),
    (lambda t, x: t.nn.functional.binary_cross_entropy_with_logits(x, x.detach() * 0), [30000] * 8),
    (lambda t, x: t.nn.functional.avg_pool1d(t.reshape(x, (1, 4)), 4), [60000] * 4),
    (lambda t, x: t.nn.functional.avg_pool2d(t.reshape(x, (1, 4, 4)), 2), [60000] * 8 + [1e-7] * 8),
    (lambda t, x: t.sigmoid(x), [-11, -11.1, -12, -15, -17, 11, 20]),
    (lambda t, x: t.tanh(x), [-4, 3.9, 0.01, 4.1]),
    (lambda t, x: t.nn.functional.silu(x), [-11.2, -15, 200]),
    (lambda t, x: t.nn.functional.mish(x), [-11.2, -15, 200]),
    (lambda t, x: t.nn.functional.glu(x), [1, 2, 3, -11.2, -12, -15]),
    (lambda t, x: t.nn.functional.softplus(x), [-9, -12, 3, 100]),
    (lambda t, x: t.nn.functional.logsigmoid(x), [9, 12, 13, -100]),
    (lambda t, x: t.nn.functional.hardswish(x), [11000, 65504, -2.9, 2.9]),
    (lambda t, x: t.nn.functional.gelu(x, approximate="tanh"), [20, 41, 100, 256, 60000, -41, -300, -65504]),
    (lambda t, x: t.nn.functional.gelu(x), [20, 300, 60000, -4, -300]),
    (lambda t, x: t.nn.functional.elu(x), [-1e-4, -9, -30, 60000]),
    (lambda t, x: t.pow(x, -2), [255, 256, 300]),
    (lambda t, x: t.pow(x, -1), [255, 256, 300]),
    (lambda t, x: t.pow(x, -0.5), [255, 1e-7, 60000]),
    (lambda t, x: t.sinc(x), [0.1, -1.308, 144.2, 1e-4, 0]),
    # torch's loops over short arrays round between the steps, the others do not.
    (lambda t, x: t.add(x[:64], x[64:], alpha=3), [-1.17e4] * 64 + [2.3e4] * 64),
    (lambda t, x: t.sub(x[:64], x[64:], alpha=3), [1.17e4] * 64 + [2.3e4] * 64),
    (lambda t, x: t.rsub(x[:64], x[64:], alpha=3), [2.3e4] * 64 + [6e4] * 64),
    (lambda t, x: t.lerp(x[:1], x[1:2], x[2:]), [60000, -60000, 0.3]),
    (lambda t, x: t.nn.functional.normalize(x, dim=0), [1e-4, 1e-4]),
    (lambda t, x: t.nn.functional.pairwise_distance(x, x.detach()), [3, 4, 5]),
    (lambda t, x: t.nn.functional.pairwise_distance(x, x), [3, 4, 5]),
    (lambda t, x: t.nn.functional.cosine_similarity(x[:2], x[2:], dim=0), [1e-4, 2e-4, 3e-4, -1e-4]),
]

OTHERS: list[tuple[Function, list[float], str]] = [
    (lambda t, x: t.atan2(x, x.detach() * 0), [0, 1], "float64"),
    (lambda t, x: t.atan2(x.detach() * 0, x), [0, 1, -1], "float32"),
    (lambda t, x: t.atan2(x[:1], x[1:]), [1e-200, 1e-200], "float64"),
    (lambda t, x: t.linalg.vector_norm(x) * 1e30, [1e-15, 1e-15], "float32"),
    (lambda t, x: t.linalg.vector_norm(x), [1e-310], "float64"),
    (lambda t, x: t.linalg.vector_norm(t.reshape(x, (2, 1)), 2, (1,)), [1e-30, -2e-30], "float32"),
    (lambda t, x: t.addcmul(x[:1], x[:1], x[1:], value=1e-30) * 1e10, [1, 1e35], "float32"),
]


def _theirs(function: Function, x: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    tensor = torch.from_numpy(x.copy()).requires_grad_()
    out = function(torch, tensor)
    return [out.detach().numpy(), torch.autograd.grad(out, tensor, torch.ones_like(out))[0].numpy()]


def _eager(function: Function, x: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    tensor = gradwire.tensor(x, requires_grad=True)
    out = function(gradwire.ops, tensor)
    return [out.detach().numpy(), grad(out, tensor, gradwire.ones_like(out))[0].numpy()]


def _planned(function: Function, x: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    def both(x: Any) -> Any:
        x.requires_grad_()
        out = function(gradwire.ops, x)
        return out, grad(out, x, gradwire.ops.ones_like(out))[0]

    return compile_trace(trace(both, [meta_of_array(x)]))([x])


def _mapped(function: Function, x: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    tensor = gradwire.tensor(np.stack([x[::-1], x]), requires_grad=True)
    out = vmap(lambda named: function(gradwire.ops, named["x"]), {"x": tensor}, ["x"])
    return [out.detach().numpy()[1], grad(out, tensor, gradwire.ones_like(out))[0].numpy()[1]]


@pytest.mark.parametrize(("function", "data", "dtype"), [*[(f, data, "float16") for f, data in HALVES], *OTHERS])
@pytest.mark.parametrize("ours", [_eager, _planned, _mapped])
def test_values_and_gradients(ours: Callable[..., Any], function: Function, data: list[float], dtype: str) -> None:
    x = np.array(data, dtype)
    # A few of the last digits: not all steps of torch's gradients are taken in single precision.
    tolerance = 4e-3 if dtype == "float16" else 1e-6
    smallest = float(np.finfo(dtype).smallest_subnormal)
    for found, expected in zip(ours(function, x), _theirs(function, x), strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found.astype("f8"), expected.astype("f8"), rtol=tolerance, atol=4 * smallest)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize(("input_dtype", "target_dtype"), [("float16", "float32"), ("float32", "float16"), ("float32", "float64")])
def test_the_huber_loss_has_the_dtype_of_its_input(input_dtype: str, target_dtype: str, reduction: str) -> None:
    x, y = np.array([0, 3, 300], input_dtype), np.array([1, 1, 1], target_dtype)
    theirs = torch.nn.functional.huber_loss(torch.from_numpy(x), torch.from_numpy(y), reduction=reduction).numpy()

    def run(x: Any, y: Any) -> Any:
        return gradwire.ops.nn.functional.huber_loss(x, y, reduction=reduction)

    plan = compile_trace(trace(run, [meta_of_array(x), meta_of_array(y)]))
    for ours in (run(gradwire.tensor(x), gradwire.tensor(y)).numpy(), plan([x, y])[0]):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-3)


def test_the_slope_of_the_variance_of_one_number_is_constant() -> None:
    for dim in (None, -1):
        x = gradwire.tensor(2.0, requires_grad=True)
        (slope,) = grad(gradwire.ops.var(x, dim), x, create_graph=True)
        assert np.isnan(slope.item())
        assert not slope.requires_grad
