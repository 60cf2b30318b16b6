"""What a module registers, lists, prints, calls and refuses."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gradwire import nn
from tests.client.recorders import RECORDERS


@pytest.fixture(params=RECORDERS)
def torch(request: pytest.FixtureRequest) -> Iterator[Any]:
    with RECORDERS[request.param]() as found:
        yield found


class Net(nn.Module):
    """Two layers, of which the second comes in twice, a parameter and buffers."""

    def __init__(self, torch: Any) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.first = nn.Linear(2, 2, bias=False)
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(2, 1))
        self.again = self.rest[1]
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("scratch", torch.zeros(1), persistent=False)
        self.register_parameter("none", None)

    def forward(self, x: Any) -> Any:
        return self.rest(self.first(x) * self.scale)


def test_order_of_parameters_and_modules(torch: Any) -> None:
    net = Net(torch)
    assert [name for name, _ in net.named_parameters()] == ["scale", "first.weight", "rest.1.weight", "rest.1.bias"]
    assert [name for name, _ in net.named_parameters(prefix="net", recurse=False)] == ["net.scale"]
    assert [name for name, _ in net.named_parameters(remove_duplicate=False)][-2:] == ["again.weight", "again.bias"]
    assert [name for name, _ in net.named_modules()] == ["", "first", "rest", "rest.0", "rest.1"]
    assert [name for name, _ in net.named_modules(remove_duplicate=False)][-1] == "again"
    assert [name for name, _ in net.named_children()] == ["first", "rest", "again"]
    assert [name for name, _ in net.named_buffers()] == ["mean", "scratch"]
    assert len(list(net.modules())) == 5
    assert next(net.parameters()) is net.scale


def test_assigning_moves_between_tables(torch: Any) -> None:
    net = nn.Module()
    net.x = torch.ones(1)
    assert not list(net.parameters())
    net.x = nn.Parameter(torch.ones(1))
    assert "x" not in net.__dict__
    assert [name for name, _ in net.named_parameters()] == ["x"]
    net.x = None
    assert (net.x, list(net.parameters())) == (None, [])
    net.layer = nn.ReLU()
    net.layer = None
    assert net.layer is None
    net.register_buffer("b", torch.zeros(1))
    net.b = torch.ones(1)
    assert net._buffers["b"] is net.b
    del net.b
    assert not hasattr(net, "b")
    net.b = nn.Parameter(torch.ones(1))
    net.b = nn.Parameter(torch.zeros(1))
    assert len(list(net.parameters())) == 1


def test_repr() -> None:
    assert repr(nn.Sequential()) == "Sequential()"
    with RECORDERS["eager"]() as torch:
        net = Net(torch)
    assert repr(net) == (
        "Net(\n"
        "  (first): Linear(in_features=2, out_features=2, bias=False)\n"
        "  (rest): Sequential(\n"
        "    (0): ReLU()\n"
        "    (1): Linear(in_features=2, out_features=1, bias=True)\n"
        "  )\n"
        "  (again): Linear(in_features=2, out_features=1, bias=True)\n"
        ")"
    )


def test_repr_with_own_lines() -> None:
    class Two(nn.Module):
        def extra_repr(self) -> str:
            return "a=1\nb=2"

    two = Two()
    assert repr(two) == "Two(\n  a=1\n  b=2\n)"
    two.inner = nn.Tanh()
    assert repr(two) == "Two(\n  a=1\n  b=2\n  (inner): Tanh()\n)"


def test_forward_and_gradients(torch: Any) -> None:
    net = Net(torch)
    for p in net.parameters():
        nn.init.ones_(p)
    y = net(torch.tensor([[1.0, 2.0]]))
    y.sum().backward()
    assert y.tolist() == [[7.0]]
    assert {name: p.grad.tolist() for name, p in net.named_parameters()} == {
        "scale": [6.0],
        "first.weight": [[1.0, 2.0], [1.0, 2.0]],
        "rest.1.weight": [[3.0, 3.0]],
        "rest.1.bias": [1.0],
    }
    net.zero_grad(set_to_none=False)
    assert net.scale.grad.tolist() == [0.0]
    net.zero_grad()
    assert net.scale.grad is None


def test_modes_and_freezing(torch: Any) -> None:
    net = Net(torch)
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    assert net.train().rest[0].training
    assert not any(p.requires_grad for p in net.requires_grad_(False).parameters())
    with pytest.raises(ValueError, match=r"^training mode is expected to be boolean$"):
        net.train(1)  # type: ignore[arg-type]


def test_apply_visits_children_first(torch: Any) -> None:
    seen: list[str] = []
    net = Net(torch)
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "ReLU", "Linear", "Sequential", "Linear", "Net"]


def test_casting_keeps_the_parameters(torch: Any) -> None:
    net = Net(torch)
    weight = net.first.weight
    net(torch.ones(1, 2)).sum().backward()
    assert net.double() is net
    assert net.first.weight is weight
    assert (weight.dtype, weight.grad.dtype, net.mean.dtype) == (torch.float64,) * 3
    assert net(torch.ones(1, 2, dtype=torch.float64)).dtype is torch.float64
    assert net.to("cpu", torch.float16).scale.dtype is torch.float16
    assert net.to(torch.zeros(1)).scale.dtype is torch.float32
    assert net.half().float().scale.dtype is torch.float32
    assert net.to(device="cpu", dtype=torch.float64).cpu().scale.dtype is torch.float64
    assert net.type("float32").scale.dtype is torch.float32
    with pytest.raises(TypeError, match=r"^nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=torch.int64$"):
        net.to(torch.int64)
    with pytest.raises(AssertionError, match=r"^Torch not compiled with CUDA enabled$"):
        net.to("cuda")
    with pytest.raises(AssertionError, match=r"^Torch not compiled with CUDA enabled$"):
        nn.Linear(1, 1, device="cuda:0")
    with pytest.raises(RuntimeError, match=r"device type at start of device string: moon$"):
        net.to("moon")


def test_looking_up_by_path(torch: Any) -> None:
    net = Net(torch)
    assert net.get_submodule("rest.1") is net.rest[1]
    assert net.get_submodule("") is net
    assert net.get_parameter("rest.1.bias") is net.rest[1].bias
    assert net.get_buffer("mean") is net.mean
    for call, message in (
        (lambda: net.get_submodule("rest.x"), "Sequential has no attribute `x`"),
        (lambda: net.get_submodule("scale.x"), "`scale` is not an nn.Module"),
        (lambda: net.get_parameter("mean"), "`mean` is not an nn.Parameter"),
        (lambda: net.get_buffer("scale"), "`scale` is not a buffer"),
        (lambda: net.get_buffer("x"), "Net has no attribute `x`"),
    ):
        with pytest.raises(AttributeError, match=f"^{message}$"):
            call()


def test_deepcopy(torch: Any) -> None:
    net = Net(torch)
    other = copy.deepcopy(net)
    assert other.rest[1] is other.again
    assert other.first.weight is not net.first.weight
    assert other.first.weight.tolist() == net.first.weight.tolist()
    assert isinstance(other.scale, nn.Parameter)
    with torch.no_grad():
        other.scale.fill_(3)
        other.mean.fill_(3)
    assert (net.scale.item(), net.mean.tolist()) == (1.0, [0.0, 0.0])


def test_hooks(torch: Any) -> None:
    log: list[Any] = []
    layer = nn.Identity()
    x = torch.ones(1)
    handles = [
        layer.register_forward_pre_hook(lambda m, args: log.append("pre")),
        layer.register_forward_pre_hook(lambda m, args: args[0] + 1, prepend=True),
        layer.register_forward_pre_hook(lambda m, args, kwargs: ((args[0] * 10,), kwargs), with_kwargs=True),
        layer.register_forward_hook(lambda m, args, output: log.append((args[0].item(), output.item()))),
        layer.register_forward_hook(lambda m, args, kwargs, output: output + 0.5, with_kwargs=True),
    ]
    assert layer(x).item() == 20.5
    assert log == ["pre", (20.0, 20.0)]
    for handle in handles:
        handle.remove()
        handle.remove()
    assert layer(x) is x
    with layer.register_forward_hook(lambda m, args, output: output * 0):
        assert layer(x).item() == 0
    assert layer(x).item() == 1


def test_hooks_that_are_always_called() -> None:
    class Broken(nn.Module):
        def forward(self) -> None:
            raise KeyError("broken")

    log: list[Any] = []
    broken = Broken()
    broken.register_forward_hook(lambda m, args, output: log.append("not called"))
    broken.register_forward_hook(lambda m, args, output: log.append(output), always_call=True)
    with pytest.raises(KeyError, match="broken"):
        broken()
    assert log == [None]
    broken.register_forward_hook(lambda m, args, output: 1 / 0, always_call=True)
    with (
        pytest.raises(KeyError, match="broken"),
        pytest.warns(UserWarning, match="silenced as another error was raised in forward: division"),
    ):
        broken()


def test_a_pre_hook_with_kwargs_returns_both() -> None:
    layer = nn.Identity()
    layer.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match=r"^forward pre-hook must return None or a tuple of \(new_args, new_kwargs\), but got 3.$"):
        layer(1)


class NoSuper(nn.Module):
    """A module whose author forgot ``super().__init__()``."""

    def __init__(self, value: Any, name: str = "x") -> None:
        setattr(self, name, value)


REFUSED: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "attribute": (lambda t: nn.Linear(1, 1).missing, AttributeError, "'Linear' object has no attribute 'missing'"),
    "forward": (lambda t: nn.Module()(), NotImplementedError, 'Module [Module] is missing the required "forward" function'),
    "keyword": (lambda t: nn.Module(a=1), TypeError, "Module.__init__() got an unexpected keyword argument 'a'"),
    "positional": (lambda t: nn.Module(1, 2), TypeError, "Module.__init__() takes 1 positional argument but 3 were given"),
    "parameter before init": (
        lambda t: NoSuper(nn.Parameter(t.ones(1))),
        AttributeError,
        "cannot assign parameters before Module.__init__() call",
    ),
    "module before init": (lambda t: NoSuper(nn.ReLU()), AttributeError, "cannot assign module before Module.__init__() call"),
    "buffer before init": (
        lambda t: NoSuper(1).register_buffer("b", None),
        AttributeError,
        "cannot assign buffer before Module.__init__() call",
    ),
    "registered before init": (
        lambda t: NoSuper(1).register_parameter("b", None),
        AttributeError,
        "cannot assign parameter before Module.__init__() call",
    ),
    "tensor over parameter": (
        lambda t: setattr(nn.Linear(1, 1), "weight", t.ones(1)),
        TypeError,
        "cannot assign 'torch.FloatTensor' as parameter 'weight' (torch.nn.Parameter or None expected)",
    ),
    "module over parameter": (
        lambda t: setattr(nn.Linear(1, 1), "bias", nn.ReLU()),
        TypeError,
        "cannot assign 'torch.nn.modules.activation.ReLU' as parameter 'bias' (torch.nn.Parameter or None expected)",
    ),
    "number over module": (
        lambda t: setattr(nn.Sequential(nn.ReLU()), "0", 3),
        TypeError,
        "cannot assign 'int' as child module '0' (torch.nn.Module or None expected)",
    ),
    "number over buffer": (
        lambda t: setattr(Net(t), "mean", 3),
        TypeError,
        "cannot assign 'int' as buffer 'mean' (torch.nn.Buffer, torch.Tensor or None expected)",
    ),
    "tensor as parameter": (
        lambda t: nn.Module().register_parameter("p", t.ones(1, dtype=t.int64)),
        TypeError,
        "cannot assign 'torch.LongTensor' object to parameter 'p' (torch.nn.Parameter or None required)",
    ),
    "list as buffer": (
        lambda t: nn.Module().register_buffer("b", [1]),  # type: ignore[arg-type]
        TypeError,
        "cannot assign 'list' object to buffer 'b' (torch Tensor or None required)",
    ),
    "no module": (lambda t: nn.Module().add_module("m", 3), TypeError, "int is not a Module subclass"),  # type: ignore[arg-type]
    "name of a parameter": (
        lambda t: nn.Module().register_parameter(1, None),  # type: ignore[arg-type]
        TypeError,
        "parameter name should be a string. Got int",
    ),
    "dot in a buffer": (lambda t: nn.Module().register_buffer("a.b", None), KeyError, "'buffer name can\\'t contain \".\"'"),
    "dot in a module": (lambda t: nn.Module().add_module("a.b", None), KeyError, "'module name can\\'t contain \".\", got: a.b'"),
    "empty name": (lambda t: nn.Module().register_parameter("", None), KeyError, "'parameter name can\\'t be empty string \"\"'"),
    "taken": (lambda t: nn.Module().register_buffer("forward", None), KeyError, "\"attribute 'forward' already exists\""),
}


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(torch: Any, call: Callable[[Any], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        call(torch)
    assert type(caught.value) is kind
    assert str(caught.value) == message


def test_a_computed_parameter_is_refused(torch: Any) -> None:
    p = nn.Parameter(torch.ones(1))
    module = nn.Module()
    with torch.no_grad():
        view = p[:]
    with pytest.raises(TypeError, match=r"cannot assign 'torch.FloatTensor' object to parameter 'p'"):
        module.register_parameter("p", view)


def test_dir_lists_what_is_registered(torch: Any) -> None:
    names = dir(Net(torch))
    assert {"scale", "first", "mean", "forward"} <= set(names)
    assert "0" not in dir(nn.Sequential(nn.ReLU()))
