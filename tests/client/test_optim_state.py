"""Groups, options and state of optimizers, and what they refuse."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gradwire import optim
from tests.client.recorders import RECORDERS


@pytest.fixture(params=RECORDERS)
def torch(request: pytest.FixtureRequest) -> Iterator[Any]:
    with RECORDERS[request.param]() as found:
        yield found


def leaf(torch: Any, *values: float) -> Any:
    return torch.tensor(list(values) or [1.0], requires_grad=True)


def step(optimizer: optim.Optimizer) -> None:
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = p.detach() * 2
    optimizer.step()


def test_groups(torch: Any) -> None:
    a, b = leaf(torch), leaf(torch)
    optimizer = optim.SGD([{"params": a}, {"params": [b], "lr": 0.5}], lr=0.1, momentum=0.9)
    optimizer.add_param_group({"params": (p for p in [leaf(torch)]), "momentum": 0})
    assert [(g["lr"], g["momentum"], len(g["params"])) for g in optimizer.param_groups] == [(0.1, 0.9, 1), (0.5, 0.9, 1), (0.1, 0, 1)]
    step(optimizer)
    assert [g["params"][0].item() for g in optimizer.param_groups] == pytest.approx([0.8, 0.0, 0.8])
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    before = a.tolist()
    step(optimizer)
    assert a.tolist() == before


def test_names(torch: Any) -> None:
    a, b = leaf(torch), leaf(torch)
    optimizer = optim.SGD([("a", a), ("b", b)], lr=0.1)
    assert optimizer.param_groups[0]["param_names"] == ["a", "b"]
    assert optimizer.param_groups[0]["params"][1] is b
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["a", "b"]
    with pytest.raises(ValueError, match=r"should be with/without names. cannot add param group without names to the optimizer$"):
        optimizer.add_param_group({"params": leaf(torch)})
    with pytest.raises(ValueError, match=r"^all optimizer params should be with/without names. Some param names are missing$"):
        optim.SGD([("a", a), b])


def test_repr(torch: Any) -> None:
    assert repr(optim.SGD([leaf(torch)], lr=0.1, momentum=0.9)) == (
        "SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n    foreach: None\n    fused: None\n    lr: 0.1\n"
        "    maximize: False\n    momentum: 0.9\n    nesterov: False\n    weight_decay: 0\n)"
    )
    assert repr(optim.AdamW([leaf(torch)])) == (
        "AdamW (\nParameter Group 0\n    amsgrad: False\n    betas: (0.9, 0.999)\n    capturable: False\n    decoupled_weight_decay: True\n"
        "    differentiable: False\n    eps: 1e-08\n    foreach: None\n    fused: None\n    lr: 0.001\n    maximize: False\n"
        "    weight_decay: 0.01\n)"
    )


def test_state_dict(torch: Any) -> None:
    a, b, c = leaf(torch, 1.0, 2.0), leaf(torch), leaf(torch)
    optimizer = optim.Adam([{"params": [a, b]}, {"params": [c], "lr": 0.5}], amsgrad=True)
    a.grad = torch.tensor([1.0, 3.0])
    c.grad = torch.tensor([2.0])
    optimizer.step()
    state = optimizer.state_dict()
    assert list(state["state"]) == [0, 2]
    assert list(state["state"][0]) == ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"]
    assert repr(state["state"][0]["step"]) == "tensor(1.)"
    assert state["state"][0]["exp_avg"].tolist() == pytest.approx([0.1, 0.3])
    assert [(g["params"], g["lr"]) for g in state["param_groups"]] == [([0, 1], 1e-3), ([2], 0.5)]
    assert list(state["param_groups"][0]) == [
        "lr", "betas", "eps", "weight_decay", "amsgrad", "maximize", "foreach", "capturable", "differentiable", "fused",
        "decoupled_weight_decay", "params",
    ]  # fmt: skip


@pytest.mark.parametrize("make", [lambda p: optim.SGD(p, lr=0.1, momentum=0.9), lambda p: optim.Adam(p, lr=0.1), optim.AdamW])
def test_training_goes_on_from_a_saved_state(torch: Any, make: Callable[[Any], optim.Optimizer]) -> None:
    a = leaf(torch, 1.0, -2.0)
    optimizer = make([a])
    for _ in range(3):
        step(optimizer)
    b = a.detach().clone().requires_grad_()
    other = make([b])
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for _ in range(2):
        step(optimizer)
        step(other)
    assert a.tolist() == b.tolist()


def test_loading_casts_all_but_the_count(torch: Any) -> None:
    a, b = leaf(torch, 1.0, 2.0), torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    optimizer, other = optim.Adam([a], lr=0.3), optim.Adam([b])
    step(optimizer)
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["lr"] == 0.3
    assert other.param_groups[0]["params"][0] is b
    assert other.state[b]["exp_avg"].dtype is torch.float64
    assert other.state[b]["step"].dtype is torch.float32
    for params, message in (
        ([{"params": leaf(torch)}, {"params": leaf(torch)}], "^loaded state dict has a different number of parameter groups$"),
        ([leaf(torch), leaf(torch)], "^loaded state dict contains a parameter group that doesn't match the size of optimizer's group$"),
    ):
        with pytest.raises(ValueError, match=message):
            optim.SGD([leaf(torch)]).load_state_dict(optim.SGD(params).state_dict())


def test_the_count_of_steps_may_be_written(torch: Any) -> None:
    """The optimizer knows the count beside the tensor, but the tensor decides."""
    changes: list[Callable[[Any], Any]] = [lambda state: state["step"].fill_(9), lambda state: state.update(step=torch.tensor(9.0))]
    results = []
    for change in changes:
        a = leaf(torch, 1.0)
        optimizer = optim.Adam([a], lr=0.1)
        step(optimizer)
        change(optimizer.state[a])
        step(optimizer)
        assert optimizer.state[a]["step"].item() == 10.0
        results.append(a.item())
    b = leaf(torch, 1.0)
    optimizer = optim.Adam([b], lr=0.1)
    for _ in range(2):
        step(optimizer)
    assert results[0] == results[1] != b.item()


def test_deepcopy(torch: Any) -> None:
    a = leaf(torch, 1.0)
    optimizer = optim.Adam([a], lr=0.1)
    step(optimizer)
    other = copy.deepcopy(optimizer)
    (b,) = other.param_groups[0]["params"]
    assert b is not a
    step(optimizer)
    step(other)
    assert (a.item(), other.state[b]["step"].item()) == (b.item(), 2.0)


def test_hooks_of_the_state(torch: Any) -> None:
    log: list[str] = []
    optimizer = optim.SGD([leaf(torch)], lr=0.1)
    optimizer.register_state_dict_pre_hook(lambda o: log.append("before saving"))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "more": 1})
    optimizer.register_load_state_dict_pre_hook(lambda o, state: {**state, "param_groups": [{**state["param_groups"][0], "lr": 7}]})
    optimizer.register_load_state_dict_post_hook(lambda o: log.append("after loading"))
    state = optimizer.state_dict()
    assert state["more"] == 1
    optimizer.load_state_dict(state)
    assert (optimizer.param_groups[0]["lr"], log) == (7, ["before saving", "after loading"])


REFUSED: dict[str, tuple[Callable[[Any, Any], Any], type[Exception], str]] = {
    "nothing": (lambda t, w: optim.SGD([]), ValueError, "optimizer got an empty parameter list"),
    "a tensor": (
        lambda t, w: optim.Adam(w),
        TypeError,
        "params argument given to the optimizer should be an iterable of Tensors or dicts, but got torch.FloatTensor",
    ),
    "a number": (lambda t, w: optim.SGD([1.0]), TypeError, "optimizer can only optimize Tensors, but one of the params is float"),
    "computed": (lambda t, w: optim.SGD([w * 2]), ValueError, "can't optimize a non-leaf Tensor"),
    "twice": (
        lambda t, w: optim.SGD([{"params": w}, {"params": w}]),
        ValueError,
        "some parameters appear in more than one parameter group",
    ),
    "no group": (
        lambda t, w: optim.SGD([w]).add_param_group([w]),  # type: ignore[arg-type]
        TypeError,
        "param_group must be a dict, but got <class 'list'>",
    ),
    "a set": (
        lambda t, w: optim.SGD([{"params": {w}}]),
        TypeError,
        "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets will change between runs. "
        "Please use a list instead.",
    ),
    "sgd lr": (lambda t, w: optim.SGD([w], lr=-1), ValueError, "Invalid learning rate: -1"),
    "sgd momentum": (lambda t, w: optim.SGD([w], momentum=-1), ValueError, "Invalid momentum value: -1"),
    "sgd decay": (lambda t, w: optim.SGD([w], weight_decay=-1), ValueError, "Invalid weight_decay value: -1"),
    "nesterov": (
        lambda t, w: optim.SGD([w], nesterov=True),
        ValueError,
        "Nesterov momentum requires a momentum and zero dampening",
    ),
    "sgd lrs": (lambda t, w: optim.SGD([w], lr=t.ones(2)), ValueError, "Tensor lr must be 1-element"),
    "adam lr": (lambda t, w: optim.Adam([w], lr=float("nan")), ValueError, "Invalid learning rate: nan"),
    "adam eps": (lambda t, w: optim.Adam([w], eps=-1), ValueError, "Invalid epsilon value: -1"),
    "adam beta": (lambda t, w: optim.Adam([w], betas=(0.9, 1.0)), ValueError, "Invalid beta parameter at index 1: 1.0"),
    "adam betas": (lambda t, w: optim.Adam([w], betas=(0, 0.9)), ValueError, "betas must be either both floats or both Tensors"),
    "adam decay": (lambda t, w: optim.AdamW([w], weight_decay=-1), ValueError, "Invalid weight_decay value: -1"),
    "fused and foreach": (
        lambda t, w: optim.Adam([w], fused=True, foreach=True),
        RuntimeError,
        "`fused` and `foreach` cannot be `True` together.",
    ),
    "fused and differentiable": (
        lambda t, w: optim.SGD([w], fused=True, differentiable=True),
        RuntimeError,
        "`fused` does not support `differentiable`",
    ),
    "foreach with a tensor": (
        lambda t, w: optim.Adam([w], lr=t.tensor(0.1), foreach=True),
        ValueError,
        "lr as a Tensor is not supported for capturable=False and foreach=True",
    ),
    "capturable": (
        lambda t, w: step(optim.Adam([w], capturable=True)),
        AssertionError,
        "If capturable=True, params and state_steps must be on supported devices: ['cuda', 'xpu', 'hpu', 'privateuseone', 'xla'].",
    ),
}


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(torch: Any, call: Callable[[Any, Any], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        call(torch, leaf(torch))
    assert str(caught.value) == message


def test_a_parameter_that_comes_twice_in_a_group(torch: Any) -> None:
    w = leaf(torch)
    with pytest.warns(UserWarning, match="optimizer contains a parameter group with duplicate parameters"):
        optimizer = optim.SGD([w, w], lr=0.1)
    assert optimizer.state_dict()["param_groups"][0]["params"] == [0, 0]
