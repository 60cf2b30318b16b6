"""Modules and functions against torch's: first values, text, results and gradients."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.client.recorders import eager

torch = pytest.importorskip("torch")

Make = Callable[[Any], Any]


@pytest.fixture(autouse=True)
def ours() -> Iterator[Any]:
    with eager() as found, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield found


def named(name: str, *args: Any, **options: Any) -> Make:
    """Makes the module ``name``; an option that is a function makes a tensor."""
    return lambda t: getattr(t.nn, name)(*args, **{key: value(t) if callable(value) else value for key, value in options.items()})


# Modules, each with the shapes of its inputs; a list is indices, a string names the target.
MODULES: dict[str, tuple[Make, tuple[Any, ...]]] = {
    "Linear": (named("Linear", 5, 7), ((3, 5),)),
    "Linear wide": (named("Linear", 300, 20), ((2, 300),)),
    "Linear double": (named("Linear", 5, 7, bias=False, dtype=lambda t: t.float64), ((2, 3, 5),)),
    "Bilinear": (named("Bilinear", 3, 4, 2), ((6, 3), (6, 4))),
    "Embedding": (named("Embedding", 7, 3), ([1, 4, 4, 0],)),
    "Embedding padded": (named("Embedding", 7, 3, padding_idx=-3, max_norm=1.0, scale_grad_by_freq=True), ([1, 4, 4, 0],)),
    "LayerNorm": (named("LayerNorm", (3, 4)), ((2, 3, 4),)),
    "LayerNorm plain": (named("LayerNorm", 4, eps=0.1, elementwise_affine=False), ((2, 3, 4),)),
    "LayerNorm without bias": (named("LayerNorm", 4, bias=False), ((2, 4),)),
    "GroupNorm": (named("GroupNorm", 2, 4), ((2, 4, 3),)),
    "GroupNorm without bias": (named("GroupNorm", 2, 4, bias=False), ((2, 4, 3),)),
    "Identity": (named("Identity", 54, unused=1), ((2,),)),
    "Flatten": (named("Flatten"), ((2, 3, 4),)),
    "Flatten some": (named("Flatten", 0, 1), ((2, 3, 4),)),
    "Unflatten": (named("Unflatten", 1, (2, 3)), ((2, 6),)),
    "Dropout": (named("Dropout", 0.3), ((50,),)),
    "Dropout1d": (named("Dropout1d"), ((6, 8),)),
    "Dropout2d": (named("Dropout2d"), ((2, 8, 2, 2),)),
    "Dropout3d": (named("Dropout3d", 0.7), ((2, 8, 2, 2, 1),)),
    "PReLU": (named("PReLU"), ((2, 3),)),
    "PReLU channels": (named("PReLU", 3, 0.1), ((2, 3),)),
    "PairwiseDistance": (named("PairwiseDistance", 1.5, keepdim=True), ((3, 4), (3, 4))),
    "CosineSimilarity": (named("CosineSimilarity", dim=0), ((3, 4), (3, 4))),
    "Sequential": (lambda t: t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.Dropout(), t.nn.Linear(4, 2)), ((5, 3),)),
    "ModuleList": (lambda t: t.nn.ModuleList([t.nn.Linear(2, 2), t.nn.Linear(2, 2), t.nn.ReLU()]), ()),
    "ModuleDict": (lambda t: t.nn.ModuleDict({"b": t.nn.Linear(2, 2), "a": t.nn.ModuleDict()}), ()),
    "ParameterList": (lambda t: t.nn.ParameterList([t.ones(2, 3), t.nn.Parameter(t.ones(())), 3]), ()),
    "ParameterDict": (lambda t: t.nn.ParameterDict({"b": t.ones(2, 3), "a": t.ones((), dtype=t.float64), "c": "c"}), ()),
}

ACTIVATIONS: list[tuple[Any, ...]] = [
    ("CELU",), ("CELU", 0.5), ("ELU",), ("ELU", 2.0), ("GELU",), ("GELU", "tanh"), ("GLU",), ("GLU", 0), ("Hardshrink",),
    ("Hardshrink", 0.2), ("Hardsigmoid",), ("Hardswish",), ("Hardtanh",), ("Hardtanh", -0.2, 0.3), ("LeakyReLU",), ("LeakyReLU", 0.3),
    ("LogSigmoid",), ("LogSoftmax",), ("LogSoftmax", 0), ("Mish",), ("ReLU",), ("ReLU6",), ("SELU",), ("SiLU",), ("Sigmoid",),
    ("Softmax",), ("Softmax", -2), ("Softmin",), ("Softmin", 1), ("Softplus",), ("Softplus", 3.0, 1.0), ("Softshrink",),
    ("Softshrink", 0.1), ("Softsign",), ("Tanh",), ("Tanhshrink",), ("Threshold", 0.1, 20.0),
]  # fmt: skip
MODULES.update({" ".join(map(str, of)): (named(*of), ((4, 6),)) for of in ACTIVATIONS})

WEIGHTS: Make = lambda t: t.tensor([1.0, 2.0, 3.0, 4.0], dtype=t.float64)  # noqa: E731 - an option that makes a tensor
LOSSES: list[tuple[str, dict[str, Any], tuple[Any, ...]]] = [
    ("L1Loss", {}, ((3, 4), "same")),
    ("MSELoss", {}, ((3, 4), "same")),
    ("SmoothL1Loss", {"beta": 0.3}, ((3, 4), "same")),
    ("HuberLoss", {"delta": 0.7}, ((3, 4), "same")),
    ("SoftMarginLoss", {}, ((3, 4), "signs")),
    ("HingeEmbeddingLoss", {"margin": 0.5}, ((3, 4), "signs")),
    ("PoissonNLLLoss", {"full": True}, ((3, 4), "chances")),
    ("KLDivLoss", {}, ((3, 4), "chances")),
    ("KLDivLoss", {"log_target": True}, ((3, 4), "same")),
    ("BCEWithLogitsLoss", {"pos_weight": WEIGHTS}, ((3, 4), "chances")),
    ("NLLLoss", {"ignore_index": 1}, ((3, 4), [0, 1, 3])),
    ("CrossEntropyLoss", {"weight": WEIGHTS}, ((3, 4), [0, 1, 3])),
    ("CrossEntropyLoss", {"label_smoothing": 0.2}, ((3, 4), "chances")),
    ("GaussianNLLLoss", {"full": True}, ((3, 4), (3, 4), "chances")),
    ("TripletMarginLoss", {"margin": 0.5, "swap": True}, ((3, 4), (3, 4), (3, 4))),
    ("CosineEmbeddingLoss", {"margin": 0.1}, ((4, 3), (4, 3), [1, -1, 1, -1])),
    ("MarginRankingLoss", {"margin": 0.1}, ((4,), (4,), [1, -1, 1, -1])),
]
for _name, _options, _inputs in LOSSES:
    for _reduction in ("mean", "sum", "none"):
        MODULES[f"{_name} {_reduction} {' '.join(_options)}"] = (named(_name, reduction=_reduction, **_options), _inputs)


def make(t: Any, name: str) -> Any:
    t.manual_seed(4)
    return MODULES[name][0](t)


def inputs(t: Any, name: str) -> list[Any]:
    rng = np.random.default_rng(1)
    made: list[Any] = []
    for shape in MODULES[name][1]:
        if isinstance(shape, list):
            made.append(t.tensor(shape))
        elif isinstance(shape, str):
            drawn = rng.uniform(0.1, 0.9, MODULES[name][1][0])
            made.append(t.tensor((np.sign(drawn - 0.5) if shape == "signs" else drawn).tolist(), dtype=t.float64))
        else:
            made.append(t.tensor(rng.normal(size=shape).tolist(), dtype=t.float64, requires_grad=True))
    return made


def array(tensor: Any) -> Any:
    return None if tensor is None else np.asarray(tensor.detach().tolist())


@pytest.mark.parametrize("name", MODULES)
def test_first_values_and_text(ours: Any, name: str) -> None:
    own, theirs = make(ours, name), make(torch, name)
    assert repr(own) == repr(theirs)
    assert [n for n, _ in own.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert [n for n, _ in own.named_modules()] == [n for n, _ in theirs.named_modules()]
    mine, state = own.state_dict(), theirs.state_dict()
    assert list(mine) == list(state)
    for key, value in state.items():
        assert repr(mine[key].dtype) == repr(value.dtype)
        if "Embedding" in name:
            # Logarithm and sine differ in the last digits between mathematical libraries.
            np.testing.assert_allclose(array(mine[key]), array(value), rtol=1e-6)
        else:
            np.testing.assert_array_equal(array(mine[key]), array(value))


@pytest.mark.parametrize("name", [n for n, (_, shapes) in MODULES.items() if shapes])
@pytest.mark.parametrize("training", [True, False])
def test_results_and_gradients(ours: Any, name: str, training: bool) -> None:
    found = []
    for t in (ours, torch):
        module = make(t, name).double().train(training)
        module.load_state_dict(
            {k: t.tensor(array(v).tolist(), dtype=t.float64) for k, v in make(torch, name).double().state_dict().items()}
        )
        args = inputs(t, name)
        t.manual_seed(9)
        output = module(*args)
        if output.requires_grad:
            (output * output).sum().backward()
        leaves = [a for a in args if a.requires_grad] + list(module.parameters())
        found.append(([array(output), *[array(leaf.grad) for leaf in leaves]], output.grad_fn and output.grad_fn.name()))
    assert found[0][1] == found[1][1]
    for own, theirs in zip(found[0][0], found[1][0], strict=True):
        assert (own is None) == (theirs is None)
        if theirs is not None:
            # torch rounds some of its constants to single precision.
            np.testing.assert_allclose(own, theirs, rtol=1e-7, atol=1e-12)


IN_PLACE: dict[str, tuple[Any, ...]] = {
    "relu": (),
    "relu6": (),
    "elu": (0.7,),
    "selu": (),
    "celu": (0.7,),
    "leaky_relu": (0.3,),
    "threshold": (0.1, 3.0),
    "hardtanh": (-0.5, 0.5),
    "hardsigmoid": (),
    "hardswish": (),
    "silu": (),
    "mish": (),
    "dropout": (0.4, True),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_functions_in_place(ours: Any, name: str) -> None:
    found = []
    for t in (ours, torch):
        t.manual_seed(2)
        leaf = t.tensor(np.linspace(-4, 4, 24).tolist(), dtype=t.float64, requires_grad=True)
        x = leaf * 2
        y = getattr(t.nn.functional, name)(x, *IN_PLACE[name], inplace=True)
        assert y is x
        (y * y).sum().backward()
        found.append((array(y), array(leaf.grad), x._version))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-12)
    # torch rounds some of its constants to single precision.
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-7, atol=1e-12)
    assert found[0][2] == found[1][2]


FILLS: dict[str, Callable[[Any, Any], Any]] = {
    "uniform_": lambda init, w: init.uniform_(w, -0.3, 2.2),
    "normal_": lambda init, w: init.normal_(w, 0.5, 2.0),
    "xavier_uniform_": lambda init, w: init.xavier_uniform_(w, 0.3),
    "xavier_normal_": lambda init, w: init.xavier_normal_(w, 1.3),
    "kaiming_uniform_": lambda init, w: init.kaiming_uniform_(w, 0.2, "fan_out", "relu"),
    "kaiming_normal_": lambda init, w: init.kaiming_normal_(w, nonlinearity="selu"),
    "trunc_normal_": lambda init, w: init.trunc_normal_(w, 0.1, 0.8, -1, 1),
    "trunc_normal_ far out": lambda init, w: init.trunc_normal_(w, a=1.5, b=5.0),
    "orthogonal_": lambda init, w: init.orthogonal_(w, 1.5),
}


@pytest.mark.parametrize("shape", [(4, 6), (7, 3), (5, 2, 3)])
@pytest.mark.parametrize("name", FILLS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fills(ours: Any, name: str, shape: tuple[int, ...], dtype: str) -> None:
    found = []
    for t in (ours, torch):
        t.manual_seed(12)
        found.append(array(FILLS[name](t.nn.init, t.zeros(*shape, dtype=getattr(t, dtype)))))
    if "uniform" in name:
        np.testing.assert_array_equal(found[0], found[1])
    else:
        np.testing.assert_allclose(
            found[0], found[1], rtol=2e-5 if dtype == "float32" else 1e-9, atol=2e-6 if dtype == "float32" else 1e-10
        )
