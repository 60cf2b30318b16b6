"""What the modules compute, and how they are printed.

The numbers were computed by torch 2.13 on ``points`` (and the targets below), with the gradient of the sum of squares for activations
and of the sum for losses, printed to six digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import gradwire
from gradwire import nn
from gradwire.nn import functional as F
from tests.client.recorders import RECORDERS

Make = Callable[..., nn.Module]
POINTS = [[-2.0, -0.5, 0.0, 0.3], [1.0, 2.0, 3.5, -7.0]]


@pytest.fixture(params=RECORDERS)
def torch(request: pytest.FixtureRequest) -> Iterator[Any]:
    with RECORDERS[request.param]() as found:
        yield found


def assert_values(tensor: Any, expected: list[float]) -> None:
    np.testing.assert_allclose(np.reshape(tensor.detach().tolist(), -1), expected, rtol=3e-6, atol=2e-6)


ACTIVATIONS: dict[str, tuple[Make, list[float], list[float]]] = {
    "ReLU": (nn.ReLU, [0.0, 0.0, 0.0, 0.3, 1.0, 2.0, 3.5, 0.0], [0.0, 0.0, 0.0, 0.6, 2.0, 4.0, 7.0, 0.0]),
    "LeakyReLU": (
        lambda: nn.LeakyReLU(0.2),
        [-0.4, -0.1, 0.0, 0.3, 1.0, 2.0, 3.5, -1.4],
        [-0.16, -0.04, 0.0, 0.6, 2.0, 4.0, 7.0, -0.56],
    ),
    "ELU": (
        lambda: nn.ELU(1.5),
        [-1.296997, -0.590204, 0.0, 0.3, 1.0, 2.0, 3.5, -1.498632],
        [-0.526588, -1.073931, 0.0, 0.6, 2.0, 4.0, 7.0, -0.0041],
    ),
    "GELU": (
        nn.GELU,
        [-0.0455, -0.154269, 0.0, 0.185373, 0.841345, 1.9545, 3.499186, 0.0],
        [0.007756, -0.040883, 0.0, 0.271508, 1.822883, 4.242171, 7.018118, 0.0],
    ),
    "GELU of tanh": (
        lambda: nn.GELU("tanh"),
        [-0.045402, -0.154286, 0.0, 0.185371, 0.841192, 1.954598, 3.499384, -0.0],
        [0.007818, -0.040926, 0.0, 0.271493, 1.821961, 4.245774, 7.015721, -0.0],
    ),
    "SiLU": (
        nn.SiLU,
        [-0.238406, -0.18877, 0.0, 0.172333, 0.731059, 1.761594, 3.397407, -0.006377],
        [0.043287, -0.098175, 0.0, 0.223267, 1.356363, 3.843038, 7.272309, 7e-05],
    ),
    "Sigmoid": (
        nn.Sigmoid,
        [0.119203, 0.377541, 0.5, 0.574443, 0.731059, 0.880797, 0.970688, 0.000911],
        [0.025031, 0.177447, 0.25, 0.280854, 0.28747, 0.184956, 0.055238, 2e-06],
    ),
    "Tanh": (
        nn.Tanh,
        [-0.964028, -0.462117, 0.0, 0.291313, 0.761594, 0.964028, 0.998178, -0.999998],
        [-0.136219, -0.726862, 0.0, 0.533182, 0.6397, 0.136219, 0.007269, -7e-06],
    ),
    "Softmax": (
        lambda: nn.Softmax(dim=1),
        [0.043773, 0.196179, 0.323444, 0.436604, 0.062889, 0.170949, 0.766141, 2.1e-05],
        [-0.025552, -0.054719, -0.00789, 0.088161, -0.070091, -0.153581, 0.223698, -2.6e-05],
    ),
    "LogSoftmax": (
        lambda: nn.LogSoftmax(dim=0),
        [-3.048587, -2.57889, -3.52975, -0.000675, -0.048587, -0.07889, -0.02975, -7.300675],
        [-5.803402, -4.754551, -6.850827, 14.591493, 5.803402, 4.754551, 6.850827, -14.591493],
    ),
    "Softplus": (
        lambda: nn.Softplus(2.0, 3.0),
        [0.009075, 0.156631, 0.346574, 0.518744, 1.063464, 2.0, 3.5, 0.0],
        [0.000326, 0.084249, 0.346574, 0.669861, 1.873392, 4.0, 7.0, 0.0],
    ),
}


@pytest.mark.parametrize(("make", "values", "grads"), ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_activation(torch: Any, make: Make, values: list[float], grads: list[float]) -> None:
    x = torch.tensor(POINTS, requires_grad=True)
    y = make()(x)
    (y * y).sum().backward()
    assert_values(y, values)
    assert_values(x.grad, grads)


@pytest.mark.parametrize("make", [nn.ReLU, nn.ELU, nn.LeakyReLU, nn.SiLU, nn.Hardtanh, nn.ReLU6, nn.SELU, nn.CELU, nn.Mish, nn.Hardswish])
def test_activation_in_place(torch: Any, make: Make) -> None:
    leaf = torch.tensor(POINTS, requires_grad=True)
    x = leaf * 1
    y = make(inplace=True)(x)
    assert y is x
    (y * y).sum().backward()
    again = torch.tensor(POINTS, requires_grad=True)
    z = make()(again)
    (z * z).sum().backward()
    assert y.tolist() == z.tolist()
    assert leaf.grad.tolist() == again.grad.tolist()
    with pytest.raises(RuntimeError, match=r"^a leaf Variable that requires grad is being used in an in-place operation.$"):
        make(inplace=True)(leaf)


TARGETS: dict[str, Any] = {
    "same": [[0.5, -1.0, 0.2, 0.1], [1.0, 1.0, 3.0, -2.0]],
    "classes": [1, 3],
    "chances": [[0.0, 1.0, 1.0, 0.0], [1.0, 0.0, 1.0, 0.5]],
}
LOSSES: dict[str, tuple[Make, str, float, float, list[float], list[float]]] = {
    "MSELoss": (
        nn.MSELoss,
        "same",
        4.10375,
        32.83,
        [6.25, 0.25, 0.04, 0.04, 0.0, 1.0, 0.25, 25.0],
        [-5.0, 1.0, -0.4, 0.4, 0.0, 2.0, 1.0, -10.0],
    ),
    "L1Loss": (
        nn.L1Loss,
        "same",
        1.2375,
        9.9,
        [2.5, 0.5, 0.2, 0.2, 0.0, 1.0, 0.5, 5.0],
        [-1.0, 1.0, -1.0, 1.0, 0.0, 1.0, 1.0, -1.0],
    ),
    "SmoothL1Loss": (
        lambda reduction: nn.SmoothL1Loss(reduction=reduction, beta=0.5),
        "same",
        1.04125,
        8.33,
        [2.25, 0.25, 0.04, 0.04, 0.0, 0.75, 0.25, 4.75],
        [-1.0, 1.0, -0.4, 0.4, 0.0, 1.0, 1.0, -1.0],
    ),
    "HuberLoss": (
        lambda reduction: nn.HuberLoss(reduction, 2.0),
        "same",
        1.47375,
        11.79,
        [3.0, 0.125, 0.02, 0.02, 0.0, 0.5, 0.125, 8.0],
        [-2.0, 0.5, -0.2, 0.2, 0.0, 1.0, 0.5, -2.0],
    ),
    "CrossEntropyLoss": (
        lambda reduction: nn.CrossEntropyLoss(reduction=reduction, label_smoothing=0.1),
        "classes",
        5.856308,
        11.712617,
        [1.633729, 10.078889],
        [0.018773, -0.728821, 0.298444, 0.411604, 0.037889, 0.145949, 0.741141, -0.924979],
    ),
    "BCEWithLogitsLoss": (
        nn.BCEWithLogitsLoss,
        "chances",
        1.07742,
        8.619359,
        [0.126928, 0.974077, 0.693147, 0.854355, 0.313262, 2.126928, 0.02975, 3.500911],
        [0.119203, -0.622459, -0.5, 0.574443, -0.268941, 0.880797, -0.029312, -0.499089],
    ),
}


@pytest.mark.parametrize(("make", "target", "mean", "total", "each", "grads"), LOSSES.values(), ids=LOSSES)
def test_loss(torch: Any, make: Make, target: str, mean: float, total: float, each: list[float], grads: list[float]) -> None:
    x, wanted = torch.tensor(POINTS, requires_grad=True), torch.tensor(TARGETS[target])
    for reduction, expected in (("mean", [mean]), ("sum", [total]), ("none", each)):
        loss = make(reduction=reduction)(x, wanted)
        assert_values(loss, expected)
    loss.sum().backward()
    assert_values(x.grad, grads)


def test_losses_with_weights(torch: Any) -> None:
    x, classes, chances = torch.tensor(POINTS), torch.tensor(TARGETS["classes"]), torch.tensor(TARGETS["chances"])
    loss = nn.NLLLoss(weight=torch.tensor([1.0, 2.0, 1.0, 1.0]), ignore_index=3)
    assert list(loss.state_dict()) == ["weight"]
    assert_values(loss(F.log_softmax(x, 1), classes), [1.628729])
    assert_values(nn.BCELoss()(x.sigmoid(), chances), [1.07742])
    assert_values(nn.KLDivLoss(reduction="batchmean")(F.log_softmax(x, 1), chances / 2), [1.926924])
    with pytest.raises(ValueError, match=r"^average is not a valid value for reduction$"):
        nn.MSELoss(reduction="average")(x, x)
    with pytest.raises(TypeError, match=r"^delta must be a float or int, got: <class 'str'>$"):
        nn.HuberLoss(delta="1")  # type: ignore[arg-type]


def test_warnings_of_losses(torch: Any) -> None:
    with pytest.warns(
        UserWarning, match=r"target size \(torch.Size\(\[3, 1\]\)\) that is different to the input size \(torch.Size\(\[3\]\)\)"
    ):
        nn.MSELoss()(torch.ones(3), torch.ones(3, 1))
    with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated, please use reduction='sum' instead"):
        assert nn.L1Loss(size_average=False).reduction == "sum"


def test_softmax_without_a_dimension(torch: Any) -> None:
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax has been deprecated") as caught:
        assert nn.Softmax()(torch.zeros(1, 2)).tolist() == [[0.5, 0.5]]
    assert caught[0].filename == __file__


def test_layer_norm(torch: Any) -> None:
    expected = [-1.639166, 0.056523, 0.621753, 0.960891, 0.276563, 0.522397, 0.891148, -1.690109]
    assert_values(nn.LayerNorm(4)(torch.tensor(POINTS)), expected)
    assert_values(nn.GroupNorm(1, 4)(torch.tensor(POINTS)), expected)
    assert [name for name, _ in nn.LayerNorm((2, 4), bias=False).named_parameters()] == ["weight"]
    assert not list(nn.LayerNorm(4, elementwise_affine=False).parameters())


def test_dropout(torch: Any) -> None:
    torch.manual_seed(0)
    drop = nn.Dropout(0.25)
    assert_values(drop(torch.ones(8)), [0.0, 4 / 3, 4 / 3, 0.0, 4 / 3, 0.0, 4 / 3, 4 / 3])
    x = torch.ones(3)
    assert drop.eval()(x) is x
    torch.manual_seed(0)
    x = torch.ones(8)
    assert nn.Dropout(0.25, inplace=True)(x) is x
    assert x.tolist().count(0.0) == 3
    with pytest.raises(ValueError, match=r"^dropout probability has to be between 0 and 1, but got 1.5$"):
        nn.Dropout(1.5)


def test_embedding(torch: Any) -> None:
    table = nn.Embedding.from_pretrained(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), freeze=False, padding_idx=0)
    y = table(torch.tensor([0, 1, 1]))
    y.sum().backward()
    assert y.tolist() == [[1.0, 2.0], [3.0, 4.0], [3.0, 4.0]]
    assert table.weight.grad.tolist() == [[0.0, 0.0], [2.0, 2.0]]
    assert not nn.Embedding.from_pretrained(torch.zeros(1, 1)).weight.requires_grad
    for call, message in (
        (lambda: nn.Embedding(2, 1, padding_idx=2), "Padding_idx must be within num_embeddings"),
        (lambda: nn.Embedding(2, 1, _weight=torch.ones(1, 1)), "Shape of weight does not match num_embeddings and embedding_dim"),
        (lambda: nn.Embedding.from_pretrained(torch.ones(1)), "Embeddings parameter is expected to be 2-dimensional"),
        (lambda: F.embedding(torch.tensor([0]), torch.ones(2, 1), padding_idx=-3), "Padding_idx must be within num_embeddings"),
    ):
        with pytest.raises(AssertionError, match=f"^{message}$"):
            call()


def test_shapes(torch: Any) -> None:
    assert nn.Flatten()(torch.zeros(2, 3, 4)).shape == (2, 12)
    assert nn.Unflatten(1, (3, 4))(torch.zeros(2, 12)).shape == (2, 3, 4)
    assert nn.Bilinear(2, 3, 4)(torch.ones(5, 2), torch.ones(5, 3)).shape == (5, 4)
    assert nn.CosineSimilarity()(torch.ones(2, 3), torch.ones(2, 3)).tolist() == pytest.approx([1.0, 1.0])
    assert nn.PairwiseDistance(eps=0)(torch.ones(2, 4), torch.zeros(2, 4)).tolist() == [2.0, 2.0]
    assert nn.Identity(3, other=4)(5) == 5
    with pytest.raises(TypeError, match=r"^unflattened_size must be tuple of ints, but found element of type float at pos 1$"):
        nn.Unflatten(1, (3, 4.0))  # type: ignore[arg-type]


def test_linear_takes_what_fits(torch: Any) -> None:
    layer = nn.Linear(3, 2)
    assert layer(torch.ones(3)).shape == (2,)
    assert layer(torch.ones(4, 5, 3)).shape == (4, 5, 2)
    with pytest.raises(RuntimeError, match=r"^mat1 and mat2 shapes cannot be multiplied \(1x2 and 3x2\)$"):
        layer(torch.ones(1, 2))
    with pytest.raises(ValueError, match=r"^in1_features must be > 0, but got \(in1_features=0\)$"):
        nn.Bilinear(0, 1, 1)


def test_functional_is_the_op_table() -> None:
    from gradwire_engine.op import REGISTRY

    assert F.linear is REGISTRY["nn.functional.linear"]
    assert {"linear", "relu", "cross_entropy"} <= set(dir(F))
    with pytest.raises(AttributeError, match=r"^module 'torch.nn.functional' has no attribute 'missing'$"):
        F.missing  # noqa: B018


@pytest.mark.parametrize(
    ("module", "name", "message"),
    [
        (nn, "Conv2d", r"torch\.nn\.Conv2d is not part of Gradwire \(yet\); torch\.nn\.functional\.conv2d is there\."),
        (nn, "LSTM", r"torch\.nn\.LSTM is not part of Gradwire \(yet\)\."),
        (F, "interpolate", r"torch\.nn\.functional\.interpolate is not part of Gradwire \(yet\)\."),
        (gradwire, "utils", r"torch\.utils is not part of Gradwire \(yet\)\."),
        (gradwire.linalg, "lstsq", r"torch\.linalg\.lstsq is not part of Gradwire \(yet\)\."),
        (gradwire.optim, "RMSprop", r"torch\.optim\.RMSprop is not part of Gradwire \(yet\)\."),
    ],
)
def test_what_only_torch_has(module: Any, name: str, message: str) -> None:
    with pytest.raises(AttributeError, match=f"^{message}$"):
        getattr(module, name)
