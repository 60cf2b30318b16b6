"""The first values of parameters are torch's, from the same seed.

The numbers were computed by torch 2.13: each test's lines, with ``import torch``, printed to seven digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.client.recorders import RECORDERS


@pytest.fixture(params=RECORDERS)
def torch(request: pytest.FixtureRequest) -> Iterator[Any]:
    with RECORDERS[request.param]() as found:
        yield found


def assert_values(tensor: Any, *expected: float) -> None:
    np.testing.assert_allclose(np.reshape(tensor.detach().tolist(), -1), expected, rtol=2e-6, atol=2e-7)


def test_linear(torch: Any) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    assert_values(layer.weight, -0.0043225, 0.3097158, -0.4751853, -0.4248946, -0.222369, 0.1548207)
    assert_values(layer.bias, -0.0114391, 0.4577749)
    assert layer.weight.requires_grad
    assert layer.weight.is_leaf


def test_embedding(torch: Any) -> None:
    torch.manual_seed(0)
    table = torch.nn.Embedding(3, 2, padding_idx=-2)
    assert_values(table.weight, 1.5409961, -0.2934289, 0.0, 0.0, -1.0845224, -1.3985955)


def test_bilinear(torch: Any) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Bilinear(2, 2, 1)
    assert_values(layer.weight, -0.005294, 0.3793229, -0.5819808, -0.5203875)
    assert_values(layer.bias, -0.2723452)


Fill = Callable[[Any, Any], Any]
FILLS: dict[str, tuple[Fill, list[float]]] = {
    "uniform_": (lambda init, w: init.uniform_(w, -1, 2), [1.2728949, -0.1620674, 0.2092078, 1.2040534, -0.9121553, 1.3995759]),
    "normal_": (lambda init, w: init.normal_(w, 1, 0.5), [1.3306761, 1.1334621, 1.0308386, 1.3106587, 0.774047, 0.9169349]),
    "xavier_uniform_": (
        lambda init, w: init.xavier_uniform_(w, gain=2.0),
        [1.1288851, -0.9670113, -0.4247293, 1.0283358, -2.0625849, 1.3139148],
    ),
    "xavier_normal_": (
        lambda init, w: init.xavier_normal_(w),
        [0.4182758, 0.1688176, 0.0390081, 0.3929556, -0.2858104, -0.10507],
    ),
    "kaiming_uniform_": (
        lambda init, w: init.kaiming_uniform_(w, mode="fan_out", nonlinearity="relu"),
        [0.892462, -0.7644895, -0.3357779, 0.8129708, -1.6306165, 1.0387408],
    ),
    "kaiming_normal_": (
        lambda init, w: init.kaiming_normal_(w, a=0.1),
        [0.5373119, 0.216861, 0.0501093, 0.5047858, -0.3671485, -0.1349716],
    ),
    "trunc_normal_": (
        lambda init, w: init.trunc_normal_(w, std=2.0),
        [1.3227043, 0.5338482, 0.1233545, 1.2426347, -0.9038119, -0.3322605],
    ),
    "trunc_normal_in_the_tail": (
        lambda init, w: init.trunc_normal_(w, a=2.0, b=3.0),
        [2.1767902, 2.2104321, 2.4635456, 2.4549863, 2.0292816, 2.4980025],
    ),
    "orthogonal_": (
        lambda init, w: init.orthogonal_(w, gain=2.0),
        [1.8477428, 0.7457557, 0.1723193, 0.762423, -1.7535833, -0.5862215],
    ),
    "sparse_": (lambda init, w: init.sparse_(w, 0.5), [0.0, 0.0026692, 0.0006168, 0.0062132, 0.0, 0.0]),
    "eye_": (lambda init, w: init.eye_(w), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
    "ones_": (lambda init, w: init.ones_(w), [1.0] * 6),
    "constant_": (lambda init, w: init.constant_(w, 0.25), [0.25] * 6),
    "zeros_": (lambda init, w: init.zeros_(w), [0.0] * 6),
}


@pytest.mark.parametrize(("fill", "expected"), FILLS.values(), ids=FILLS)
def test_fill(torch: Any, fill: Fill, expected: list[float]) -> None:
    torch.manual_seed(1)
    parameter = torch.nn.Parameter(torch.zeros(2, 3))
    assert fill(torch.nn.init, parameter) is parameter
    assert parameter.is_leaf
    assert_values(parameter, *expected)


def test_dirac_passes_channels_on(torch: Any) -> None:
    weight = torch.nn.init.dirac_(torch.ones(4, 2, 3), groups=2)
    middle = [[row[1] for row in channel] for channel in weight.tolist()]
    assert middle == [[1, 0], [0, 1], [1, 0], [0, 1]]
    assert weight.sum().item() == 4


def test_orthogonal_rows(torch: Any) -> None:
    weight = torch.nn.init.orthogonal_(torch.zeros(3, 5, dtype=torch.float64))
    np.testing.assert_allclose((weight @ weight.t()).tolist(), np.eye(3), atol=1e-12)


@pytest.mark.parametrize(
    ("name", "param", "gain"),
    [
        ("linear", None, 1),
        ("conv_transpose2d", None, 1),
        ("sigmoid", None, 1),
        ("tanh", None, 5 / 3),
        ("relu", None, math.sqrt(2)),
        ("leaky_relu", None, math.sqrt(2 / 1.0001)),
        ("leaky_relu", 1, 1.0),
        ("selu", None, 0.75),
    ],
)
def test_gain(torch: Any, name: str, param: float | None, gain: float) -> None:
    assert torch.nn.init.calculate_gain(name, param) == gain


REFUSED: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "gain": (lambda init, w: init.calculate_gain("swish"), "Unsupported nonlinearity swish"),
    "slope": (lambda init, w: init.calculate_gain("leaky_relu", True), "negative_slope True not a valid number"),
    "fan": (
        lambda init, w: init.xavier_uniform_(w[0]),
        "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions",
    ),
    "mode": (lambda init, w: init.kaiming_normal_(w, mode="x"), r"Mode x not supported, please use one of \['fan_in', 'fan_out'\]"),
    "eye_": (lambda init, w: init.eye_(w[0]), "Only tensors with 2 dimensions are supported"),
    "sparse_": (lambda init, w: init.sparse_(w[0], 0.1), "Only tensors with 2 dimensions are supported"),
    "orthogonal_": (lambda init, w: init.orthogonal_(w[0]), "Only tensors with 2 or more dimensions are supported"),
    "dirac_": (lambda init, w: init.dirac_(w), "Only tensors with 3, 4, or 5 dimensions are supported"),
    "groups": (lambda init, w: init.dirac_(w.reshape(2, 3, 1), 3), "dim 0 must be divisible by groups"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(torch: Any, call: Callable[[Any, Any], Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        call(torch.nn.init, torch.zeros(2, 3))


def test_nothing_to_fill(torch: Any) -> None:
    with pytest.warns(UserWarning, match="Initializing zero-element tensors is a no-op"):
        torch.nn.Linear(0, 2)


def test_a_generator_of_the_callers() -> None:
    """A session has one generator, so that only the engine's own tensors are filled from another."""
    with RECORDERS["eager"]() as torch:
        first, second = (torch.nn.init.uniform_(torch.zeros(4), generator=torch.Generator(3)).tolist() for _ in range(2))
        assert first == second
        torch.manual_seed(3)
        assert torch.nn.init.uniform_(torch.zeros(4)).tolist() == first
