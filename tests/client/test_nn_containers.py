"""Modules that hold modules or parameters."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gradwire import nn
from tests.client.recorders import RECORDERS


@pytest.fixture(params=RECORDERS)
def torch(request: pytest.FixtureRequest) -> Iterator[Any]:
    with RECORDERS[request.param]() as found:
        yield found


def names(container: nn.Module) -> list[str]:
    return [f"{name} {type(module).__name__}" for name, module in container.named_children()]


def test_sequential() -> None:
    chain = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.SiLU())
    assert names(chain) == ["0 ReLU", "1 Tanh", "2 SiLU"]
    assert (len(chain), type(chain[-1]), type(chain[True])) == (3, nn.SiLU, nn.Tanh)
    assert names(chain[1:]) == ["1 Tanh", "2 SiLU"]
    assert [type(m) for m in chain] == [nn.ReLU, nn.Tanh, nn.SiLU]
    chain[1] = nn.GELU()
    assert chain.append(nn.ELU()) is chain
    del chain[0]
    assert names(chain) == ["0 GELU", "1 SiLU", "2 ELU"]
    del chain[:2]
    assert names(chain) == ["0 ELU"]
    assert names(chain.insert(0, nn.Tanh()).insert(-1, nn.ReLU()).extend([nn.SELU()])) == ["0 Tanh", "1 ReLU", "2 ELU", "3 SELU"]
    assert type(chain.pop(1)) is nn.ReLU
    assert names(chain) == ["0 Tanh", "1 ELU", "2 SELU"]
    assert names(nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh()))) == ["a ReLU", "b Tanh"]


def test_sequential_arithmetic() -> None:
    a, b = nn.Sequential(nn.ReLU()), nn.Sequential(nn.Tanh(), nn.Tanh())
    total = a + b
    assert [type(m) for m in total] == [nn.ReLU, nn.Tanh, nn.Tanh]
    assert [type(m) for m in a * 2] == [type(m) for m in 2 * a] == [nn.ReLU, nn.ReLU]
    a += b
    assert len(a) == 3
    b *= 2
    assert len(b) == 4
    assert len(list(b.children())) == 2


def test_sequential_chains(torch: Any) -> None:
    chain = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    nn.init.ones_(chain[1].weight)
    nn.init.zeros_(chain[1].bias)
    assert chain(torch.ones(3, 2, 2)).tolist() == [[4.0]] * 3


def test_module_list() -> None:
    modules = nn.ModuleList([nn.ReLU(), nn.Tanh()])
    modules += [nn.SiLU()]
    modules.insert(1, nn.ELU())
    assert names(modules) == ["0 ReLU", "1 ELU", "2 Tanh", "3 SiLU"]
    assert isinstance(modules[1:3], nn.ModuleList)
    assert names(modules[1:3]) == ["0 ELU", "1 Tanh"]
    assert names(modules + nn.ModuleList([nn.GELU()])) == ["0 ReLU", "1 ELU", "2 Tanh", "3 SiLU", "4 GELU"]
    assert type(modules.pop(-1)) is nn.SiLU
    modules[0] = nn.GELU()
    del modules[1]
    assert names(modules) == ["0 GELU", "1 Tanh"]
    with pytest.raises(NotImplementedError, match=r'^Module \[ModuleList\] is missing the required "forward" function$'):
        modules(1)


def test_module_list_repr() -> None:
    assert repr(nn.ModuleList()) == "ModuleList()"
    modules = nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Sequential(nn.Tanh()), nn.ReLU()])
    assert repr(modules) == ("ModuleList(\n  (0-1): 2 x ReLU()\n  (2): Sequential(\n    (0): Tanh()\n  )\n  (3): ReLU()\n)")


def test_module_dict() -> None:
    modules = nn.ModuleDict({"b": nn.ReLU(), "a": nn.Tanh()})
    modules.update([["c", nn.ELU()]])
    modules.update(OrderedDict(a=nn.GELU()))
    modules["d"] = nn.SiLU()
    assert list(modules) == list(modules.keys()) == ["b", "a", "c", "d"]
    assert ("b" in modules, "x" in modules, len(modules)) == (True, False, 4)
    assert [type(m) for m in modules.values()] == [nn.ReLU, nn.GELU, nn.ELU, nn.SiLU]
    assert type(modules.pop("c")) is nn.ELU
    del modules["d"]
    assert [(name, type(m)) for name, m in modules.items()] == [("b", nn.ReLU), ("a", nn.GELU)]
    assert nn.ModuleDict(modules)["b"] is modules["b"]
    modules.clear()
    assert len(modules) == 0


def test_parameter_list(torch: Any) -> None:
    values = nn.ParameterList([torch.ones(2), nn.Parameter(torch.zeros(1, 3)), "text"])
    values.append(torch.ones(()))
    values += [torch.ones(1)]
    assert [name for name, _ in values.named_parameters()] == ["0", "1", "3", "4"]
    assert isinstance(values[0], nn.Parameter)
    assert (len(values), values[2], values[-1].shape) == (5, "text", (1,))
    assert [type(v).__name__ for v in values[1:3]] == ["Parameter", "str"]
    values[0] = torch.zeros(2)
    assert (isinstance(values[0], nn.Parameter), values[0].tolist()) == (True, [0.0, 0.0])
    assert repr(values[:3]) == (
        "ParameterList(\n"
        "    (0): Parameter containing: [torch.float32 of size 2]\n"
        "    (1): Parameter containing: [torch.float32 of size 1x3]\n"
        "    (2): Object of type: str\n"
        ")"
    )
    with pytest.raises(RuntimeError, match=r"^ParameterList should not be called.$"):
        values(1)


def test_parameter_dict(torch: Any) -> None:
    values = nn.ParameterDict({"b": torch.ones(1), "a": torch.zeros(2)})
    values["c"] = 3
    assert list(values) == ["a", "b", "c"]
    assert [name for name, _ in values.named_parameters()] == ["a", "b"]
    assert (values.get("x", 5), values.setdefault("d", 4), values.pop("c"), "c" in values) == (5, 4, 3, False)
    assert [key for key, _ in values.items()] == ["a", "b", "d"]
    assert list(reversed(values)) == ["d", "b", "a"]
    copied = values.copy()
    assert copied["a"] is values["a"]
    assert list(copied | nn.ParameterDict({"e": torch.ones(1)})) == ["a", "b", "d", "e"]
    copied |= nn.ParameterDict({"e": torch.ones(1)})
    assert copied.popitem()[0] == "e"
    assert repr(values) == (
        "ParameterDict(\n"
        "    (a): Parameter containing: [torch.FloatTensor of size 2]\n"
        "    (b): Parameter containing: [torch.FloatTensor of size 1]\n"
        "    (d): Object of type: int\n"
        ")"
    )
    assert list(values.fromkeys(["x"], 1).values()) == [1]
    values.clear()
    assert (len(values), list(values.keys()), list(values.parameters())) == (0, [], [])
    with pytest.raises(RuntimeError, match=r"^ParameterDict should not be called.$"):
        values(1)


REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "index": (lambda: nn.Sequential(nn.ReLU())[1], IndexError, "index 1 is out of range"),
    "list index": (lambda: nn.ModuleList([nn.ReLU()])[-2], IndexError, "index -2 is out of range"),
    "parameter index": (lambda: nn.ParameterList()[0], IndexError, "index 0 is out of range"),
    "insert": (lambda: nn.Sequential().insert(1, nn.ReLU()), IndexError, "Index out of range: 1"),
    "no module": (lambda: nn.Sequential(3), TypeError, "int is not a Module subclass"),  # type: ignore[arg-type, unused-ignore]
    "a class": (lambda: nn.Sequential(nn.ReLU), TypeError, "torch.nn.modules.activation.ReLU is not a Module subclass"),
    "inserted": (
        lambda: nn.Sequential().insert(0, 3),  # type: ignore[arg-type]
        AssertionError,
        "module should be of type: <class 'torch.nn.modules.module.Module'>",
    ),
    "sum": (
        lambda: nn.Sequential() + nn.ModuleList(),
        ValueError,
        "add operator supports only objects of Sequential class, but <class 'torch.nn.modules.container.ModuleList'> is given.",
    ),
    "product": (
        lambda: nn.Sequential() * 1.5,  # type: ignore[operator]
        TypeError,
        "unsupported operand type(s) for *: <class 'torch.nn.modules.container.Sequential'> and <class 'float'>",
    ),
    "no times": (
        lambda: nn.Sequential() * 0,
        ValueError,
        "Non-positive multiplication factor 0 for <class 'torch.nn.modules.container.Sequential'>",
    ),
    "list": (lambda: nn.ModuleList(3), TypeError, "ModuleList.extend should be called with an iterable, but got int"),  # type: ignore[arg-type]
    "parameters": (lambda: nn.ParameterList(3), TypeError, "ParameterList.extend should be called with an iterable, but got int"),  # type: ignore[arg-type]
    "dictionary": (
        lambda: nn.ModuleDict(3),
        TypeError,
        "ModuleDict.update should be called with an iterable of key/value pairs, but got int",
    ),
    "pair": (lambda: nn.ModuleDict([["a"]]), ValueError, "ModuleDict update sequence element #0 has length 1; 2 is required"),
    "no pair": (lambda: nn.ParameterDict([3]), TypeError, "ParameterDict update sequence element #0 should be Iterable; isint"),
    "key": (
        lambda: nn.ParameterDict()[3],  # type: ignore[index]
        TypeError,
        "Index given to ParameterDict cannot be used as a key as it is not a string (type is 'int'). "
        "Open an issue on github if you need non-string keys.",
    ),
}


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message
