"""Modules and optimizers against torch's: signatures, and what is refused."""

from __future__ import annotations

import functools
import importlib.util
import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import gradwire
from gradwire import nn, optim
from gradwire._missing import LEFT_OUT
from tests.client.recorders import eager

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def ours() -> Iterator[Any]:
    with eager() as found, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield found


def parameters(function: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    return [(p.name, p.default, p.kind) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in LEFT_OUT.items() for name in sorted(names)])
def test_what_is_said_to_be_left_out(module: str, name: str) -> None:
    path = module.split(".")[1:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert hasattr(functools.reduce(getattr, path, torch), name) or importlib.util.find_spec(f"{module}.{name}")
    assert not hasattr(functools.reduce(getattr, path, gradwire), name)


@pytest.mark.parametrize("name", nn.modules.__all__)
def test_signature_of_module(name: str) -> None:
    own, theirs = getattr(nn, name), getattr(torch.nn, name)
    assert parameters(own.__init__) == parameters(theirs.__init__)
    assert list(inspect.signature(own.forward).parameters) == list(inspect.signature(theirs.forward).parameters)


METHODS = [
    "add_module", "apply", "buffers", "children", "cpu", "cuda", "double", "eval", "extra_repr", "float", "get_buffer", "get_parameter",
    "get_submodule", "half", "load_state_dict", "modules", "named_buffers", "named_children", "named_modules", "named_parameters",
    "parameters", "register_buffer", "register_forward_hook", "register_forward_pre_hook", "register_module", "register_parameter",
    "requires_grad_", "to", "train", "type", "zero_grad",
]  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_signature_of_method(name: str) -> None:
    assert parameters(getattr(nn.Module, name)) == parameters(getattr(torch.nn.Module, name))


def public(module: Any) -> list[str]:
    return [
        n
        for n in vars(module)
        if not n.startswith("_") and inspect.isfunction(vars(module)[n]) and vars(module)[n].__module__ == module.__name__
    ]


@pytest.mark.parametrize("name", [f"functional.{n}" for n in public(nn.functional)] + [f"init.{n}" for n in public(nn.init)])
def test_signature_of_function(name: str) -> None:
    module, _, short = name.partition(".")
    theirs = getattr(getattr(torch.nn, module), short)
    if inspect.isbuiltin(theirs):
        return  # torch's own in-place forms say nothing of their parameters
    assert parameters(getattr(getattr(nn, module), short)) == parameters(theirs)


@pytest.mark.parametrize("name", nn.utils.__all__)
def test_signature_of_utility(name: str) -> None:
    assert parameters(getattr(nn.utils, name)) == parameters(getattr(torch.nn.utils, name))


@pytest.mark.parametrize("name", optim.__all__)
def test_signature_of_optimizer(name: str) -> None:
    assert parameters(getattr(optim, name).__init__) == parameters(getattr(torch.optim, name).__init__)


def failing(call: Callable[[], Any]) -> tuple[str, str]:
    try:
        call()
    except Exception as error:
        kind = next(k.__name__ for k in type(error).__mro__ if k.__module__ == "builtins")
        return kind, str(error)
    return "", ""


def bare(t: Any, **attributes: Any) -> Any:
    """A module of a class of its own, with ``super().__init__()`` left out."""

    def init(self: Any) -> None:
        for name, value in attributes.items():
            setattr(self, name, value)

    return type("Bare", (t.nn.Module,), {"__init__": init})()


MISTAKES: dict[str, Callable[[Any], Any]] = {
    "missing attribute": lambda t: t.nn.Linear(1, 1).weights,
    "missing forward": lambda t: t.nn.ModuleList()(1),
    "no init, parameter": lambda t: bare(t, p=t.nn.Parameter(t.ones(1))),
    "no init, module": lambda t: bare(t, p=t.nn.ReLU()),
    "no init, buffer": lambda t: bare(t).register_buffer("b", None),
    "no init, registered": lambda t: bare(t).register_parameter("b", None),
    "no init, parameters": lambda t: list(bare(t).parameters()),
    "module arguments": lambda t: t.nn.Module(1),
    "module keyword": lambda t: t.nn.Module(x=1),
    "tensor for parameter": lambda t: setattr(t.nn.Linear(1, 1), "weight", t.ones(1)),
    "double for parameter": lambda t: setattr(t.nn.Linear(1, 1), "weight", t.ones(1).double()),
    "module for parameter": lambda t: setattr(t.nn.Linear(1, 1), "weight", t.nn.Linear(1, 1)),
    "class for module": lambda t: t.nn.Sequential(t.nn.Linear),
    "number for module": lambda t: setattr(t.nn.Sequential(t.nn.ReLU()), "0", 1),
    "list for buffer": lambda t: t.nn.Module().register_buffer("b", [1.0]),
    "number for buffer": lambda t: setattr(t.nn.NLLLoss(weight=t.ones(1)), "weight", 3),
    "number for parameter": lambda t: t.nn.Module().register_parameter("p", 1),
    "computed parameter": lambda t: t.nn.Module().register_parameter("p", t.nn.Parameter(t.ones(1)) * 2),
    "dotted": lambda t: t.nn.Module().register_parameter("a.b", None),
    "dotted module": lambda t: t.nn.Module().add_module("a.b", None),
    "empty": lambda t: t.nn.Module().register_buffer("", None),
    "number as name": lambda t: t.nn.Module().add_module(3, t.nn.ReLU()),
    "taken": lambda t: t.nn.Module().add_module("eval", None),
    "deleted": lambda t: delattr(t.nn.Linear(1, 1), "x"),
    "train": lambda t: t.nn.ReLU().train("yes"),
    "integers": lambda t: t.nn.Linear(1, 1).to(t.int64),
    "cuda": lambda t: t.nn.Linear(1, 1, device="cuda"),
    "to cuda": lambda t: t.nn.Linear(1, 1).cuda(),
    "submodule": lambda t: t.nn.Sequential().get_submodule("a.b"),
    "whole numbers": lambda t: t.nn.Parameter(t.tensor([1])),
    "parameter of a list": lambda t: t.nn.Parameter([1.0]),
    "parameter in place": lambda t: t.nn.Parameter(t.ones(1)).mul_(2),
    "mismatch": lambda t: t.nn.Linear(3, 2)(t.ones(2, 4)),
    "mismatched dtype": lambda t: t.nn.Linear(3, 2)(t.ones(2, 3).double()),
    "whole input": lambda t: t.nn.Linear(3, 2)(t.ones(2, 3).long()),
    "no tensor": lambda t: t.nn.Linear(3, 2)(3.0),
    "few arguments": lambda t: t.nn.Linear(3),
    "keys": lambda t: t.nn.Linear(3, 2).load_state_dict({"w": t.ones(1)}),
    "sizes": lambda t: t.nn.Sequential(t.nn.Linear(3, 2)).load_state_dict({"0.weight": t.ones(1), "0.bias": t.ones(3), "1.x": t.ones(1)}),
    "no tensors": lambda t: t.nn.Linear(1, 1).load_state_dict({"weight": 1, "bias": [1]}),
    "no mapping": lambda t: t.nn.Linear(1, 1).load_state_dict(3),
    "embedding index": lambda t: t.nn.Embedding(3, 1)(t.tensor([3])),
    "embedding dtype": lambda t: t.nn.Embedding(3, 1)(t.ones(2)),
    "embedding padding": lambda t: t.nn.Embedding(3, 1, padding_idx=3),
    "groups": lambda t: t.nn.GroupNorm(2, 3),
    "layer norm": lambda t: t.nn.LayerNorm(3)(t.ones(2, 4)),
    "dropout": lambda t: t.nn.Dropout(-0.1),
    "hardtanh": lambda t: t.nn.Hardtanh(1, 0),
    "hardtanh function": lambda t: t.nn.functional.hardtanh(t.ones(1), 1, 0),
    "glu": lambda t: t.nn.GLU()(t.ones(3)),
    "gelu": lambda t: t.nn.GELU("x")(t.ones(3)),
    "reduction": lambda t: t.nn.MSELoss(reduction="x")(t.ones(1), t.ones(1)),
    "classes": lambda t: t.nn.CrossEntropyLoss()(t.ones(2, 3), t.tensor([0, 3])),
    "batch": lambda t: t.nn.CrossEntropyLoss()(t.ones(2, 3), t.tensor([0, 1, 2])),
    "chances": lambda t: t.nn.BCELoss()(t.ones(2) * 2, t.ones(2)),
    "chances of other shapes": lambda t: t.nn.BCELoss()(t.ones(2), t.ones(2, 1)),
    "huber": lambda t: t.nn.HuberLoss(delta=None),
    "sequential index": lambda t: t.nn.Sequential(t.nn.ReLU())[1],
    "sequential sum": lambda t: t.nn.Sequential() + t.nn.ReLU(),
    "sequential product": lambda t: t.nn.Sequential() * -1,
    "module list": lambda t: t.nn.ModuleList(t.nn.ReLU()),
    "module dict": lambda t: t.nn.ModuleDict([1]),
    "module dict key": lambda t: t.nn.ModuleDict()["x"],
    "parameter dict key": lambda t: t.nn.ParameterDict()[1],
    "fan": lambda t: t.nn.init.kaiming_normal_(t.ones(3)),
    "gain": lambda t: t.nn.init.calculate_gain("x"),
    "pre hook": lambda t: hooked(t)(1),
    "unflatten": lambda t: t.nn.Unflatten(0, 3),
    "utilities": lambda t: t.nn.utils.vector_to_parameters(3, []),
    "no parameters": lambda t: t.optim.SGD([]),
    "one tensor": lambda t: t.optim.SGD(leaf(t)),
    "numbers to optimize": lambda t: t.optim.Adam([3]),
    "computed": lambda t: t.optim.Adam([leaf(t) * 2]),
    "groups that overlap": lambda t: (lambda w: t.optim.SGD([{"params": [w]}, {"params": [w]}]))(leaf(t)),
    "group of a list": lambda t: t.optim.SGD([leaf(t)]).add_param_group([leaf(t)]),
    "group of a set": lambda t: t.optim.SGD([{"params": {leaf(t)}}]),
    "group without parameters": lambda t: t.optim.SGD([{"lr": 1}]),
    "some names": lambda t: t.optim.SGD([("a", leaf(t)), leaf(t)]),
    "named groups": lambda t: t.optim.SGD([("a", leaf(t))]).add_param_group({"params": leaf(t)}),
    "unnamed groups": lambda t: t.optim.SGD([leaf(t)]).add_param_group({"params": [("a", leaf(t))]}),
    "sgd lr": lambda t: t.optim.SGD([leaf(t)], lr=-0.1),
    "sgd lrs": lambda t: t.optim.SGD([leaf(t)], lr=t.ones(2)),
    "sgd lr tensor": lambda t: t.optim.SGD([leaf(t)], lr=t.tensor(-1.0)),
    "sgd momentum": lambda t: t.optim.SGD([leaf(t)], momentum=-0.1),
    "sgd decay": lambda t: t.optim.SGD([leaf(t)], weight_decay=-0.1),
    "sgd nesterov": lambda t: t.optim.SGD([leaf(t)], nesterov=True, momentum=0.1, dampening=0.1),
    "sgd fused": lambda t: t.optim.SGD([leaf(t)], fused=True, foreach=True),
    "sgd fused and recorded": lambda t: t.optim.SGD([leaf(t)], fused=True, differentiable=True),
    "adam lr": lambda t: t.optim.Adam([leaf(t)], lr=-0.1),
    "adam lrs": lambda t: t.optim.Adam([leaf(t)], lr=t.ones(2)),
    "adam eps": lambda t: t.optim.Adam([leaf(t)], eps=-0.1),
    "adam betas": lambda t: t.optim.Adam([leaf(t)], betas=(1.0, 0.9)),
    "adam second beta": lambda t: t.optim.Adam([leaf(t)], betas=(0.9, -0.9)),
    "adam whole betas": lambda t: t.optim.Adam([leaf(t)], betas=(0, 0.9)),
    "adam beta tensors": lambda t: t.optim.Adam([leaf(t)], betas=(t.ones(2) / 2, t.ones(2) / 2)),
    "adam decay": lambda t: t.optim.AdamW([leaf(t)], weight_decay=-0.1),
    "adam foreach": lambda t: t.optim.Adam([leaf(t)], lr=t.tensor(0.1), foreach=True),
    "adam capturable": lambda t: stepped(t, t.optim.Adam, capturable=True),
    "recorded on a leaf": lambda t: stepped(t, t.optim.SGD, differentiable=True),
    "loading groups": lambda t: t.optim.SGD([leaf(t)]).load_state_dict(
        t.optim.SGD([{"params": leaf(t)}, {"params": leaf(t)}]).state_dict()
    ),
    "loading parameters": lambda t: t.optim.SGD([leaf(t)]).load_state_dict(t.optim.SGD([leaf(t), leaf(t)]).state_dict()),
    "clipping": lambda t: t.nn.utils.clip_grad_norm_(with_gradient(t, float("nan")), 1.0, error_if_nonfinite=True),
}


def leaf(t: Any) -> Any:
    return t.ones(2, requires_grad=True)


def with_gradient(t: Any, value: float) -> Any:
    w = leaf(t)
    w.grad = t.ones(2) * value
    return w


def stepped(t: Any, optimizer: Any, **options: Any) -> None:
    optimizer([with_gradient(t, 1.0)], **options).step()


def hooked(t: Any) -> Any:
    layer = t.nn.Identity()
    layer.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
    return layer


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(ours: Any, name: str) -> None:
    own, theirs = (failing(lambda t=t: MISTAKES[name](t)) for t in (ours, torch))  # type: ignore[misc]
    assert theirs[0]
    assert own == theirs
