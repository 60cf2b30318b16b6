"""Saving and loading the state of modules."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import pytest

from gradwire import nn
from tests.client.recorders import RECORDERS


@pytest.fixture(params=RECORDERS)
def torch(request: pytest.FixtureRequest) -> Iterator[Any]:
    with RECORDERS[request.param]() as found:
        yield found


class Net(nn.Module):
    """Two layers and buffers."""

    def __init__(self, torch: Any) -> None:
        super().__init__()
        self.first = nn.Linear(2, 2)
        self.second = nn.Linear(2, 1, bias=False)
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("scratch", torch.zeros(1), persistent=False)
        self.register_buffer("absent", None)


def test_keys_and_order(torch: Any) -> None:
    net = Net(torch)
    state = net.state_dict()
    assert type(state) is OrderedDict
    assert list(state) == ["mean", "first.weight", "first.bias", "second.weight"]
    assert list(net.state_dict(prefix="net.")) == ["net.mean", "net.first.weight", "net.first.bias", "net.second.weight"]
    assert state._metadata == {"": {"version": 1}, "first": {"version": 1}, "second": {"version": 1}}  # type: ignore[attr-defined]


def test_what_it_holds_shares_storage(torch: Any) -> None:
    net = Net(torch)
    state = net.state_dict()
    assert not state["first.weight"].requires_grad
    with torch.no_grad():
        net.first.weight.fill_(2)
    assert state["first.weight"].tolist() == [[2.0, 2.0], [2.0, 2.0]]
    assert net.state_dict(keep_vars=True)["first.weight"] is net.first.weight


def test_loading_copies(torch: Any) -> None:
    source, target = Net(torch), Net(torch)
    weight = target.first.weight
    keys = target.load_state_dict(source.state_dict())
    assert str(keys) == "<All keys matched successfully>"
    assert target.first.weight is weight
    assert weight.tolist() == source.first.weight.tolist()
    assert (weight.requires_grad, weight.is_leaf) == (True, True)
    with torch.no_grad():
        source.first.weight.zero_()
    assert weight.tolist() != source.first.weight.tolist()


def test_loading_casts_and_takes_plain_dictionaries(torch: Any) -> None:
    layer = nn.Linear(1, 1)
    layer.load_state_dict({"weight": torch.tensor([[2.0]], dtype=torch.float64), "bias": torch.tensor([3])})
    assert (layer.weight.dtype, layer.weight.item(), layer.bias.item()) == (torch.float32, 2.0, 3.0)


def test_assigning(torch: Any) -> None:
    layer = nn.Linear(1, 1)
    given = {"weight": torch.tensor([[2.0]], dtype=torch.float64), "bias": nn.Parameter(torch.ones(1), requires_grad=False)}
    layer.load_state_dict(given, assign=True)
    assert layer.weight.dtype is torch.float64
    assert isinstance(layer.weight, nn.Parameter)
    assert layer.bias is given["bias"]
    assert (layer.weight.requires_grad, layer.bias.requires_grad) == (True, True)


def test_a_vector_of_one_fits_a_scalar(torch: Any) -> None:
    net = Net(torch)
    net.load_state_dict({"mean": torch.tensor([4.0])}, strict=False)
    assert net.mean.item() == 4.0


def test_keys_that_do_not_fit(torch: Any) -> None:
    net = Net(torch)
    state = net.state_dict()
    del state["first.bias"]
    state["third.weight"] = torch.ones(1)
    state["mean"] = torch.ones(3)
    state["second.weight"] = [1.0]
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(state)
    assert str(caught.value) == (
        "Error(s) in loading state_dict for Net:\n"
        '\tMissing key(s) in state_dict: "first.bias". \n'
        '\tUnexpected key(s) in state_dict: "third.weight". \n'
        "\tsize mismatch for mean: copying a param with shape torch.Size([3]) from checkpoint, "
        "the shape in current model is torch.Size([]).\n"
        '\tWhile copying the parameter named "second.weight", expected torch.Tensor or Tensor-like object from checkpoint but '
        "received <class 'list'>"
    )


def test_not_strict(torch: Any) -> None:
    keys = Net(torch).load_state_dict({"other": torch.ones(1), "first.weight": torch.ones(2, 2)}, strict=False)
    assert keys.missing_keys == ["mean", "first.bias", "second.weight"]
    assert keys.unexpected_keys == ["other"]
    assert repr(keys) == ("_IncompatibleKeys(missing_keys=['mean', 'first.bias', 'second.weight'], unexpected_keys=['other'])")


def test_what_is_no_mapping(torch: Any) -> None:
    with pytest.raises(TypeError, match=r"^Expected state_dict to be dict-like, got <class 'list'>.$"):
        nn.ReLU().load_state_dict([])  # type: ignore[arg-type]


class Counting(nn.Module):
    """A module with state that is no tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def get_extra_state(self) -> Any:
        return {"count": self.count}

    def set_extra_state(self, state: Any) -> None:
        self.count = state["count"]


def test_extra_state() -> None:
    source, target = nn.Sequential(Counting()), nn.Sequential(Counting())
    source[0].count = 7
    state = source.state_dict()
    assert state == {"0._extra_state": {"count": 7}}
    target.load_state_dict(state)
    assert target[0].count == 7
    assert target.load_state_dict({}, strict=False).missing_keys == ["0._extra_state"]
    assert nn.Sequential(nn.ReLU()).load_state_dict(state, strict=False).unexpected_keys == ["0._extra_state"]
    for call in (nn.ReLU().get_extra_state, lambda: nn.ReLU().set_extra_state(1)):
        with pytest.raises(RuntimeError, match=r"^ReLU has no extra state"):
            call()


def test_hooks(torch: Any) -> None:
    log: list[str] = []
    net = nn.Sequential(nn.Linear(1, 1))
    handles = [
        net.register_state_dict_pre_hook(lambda module, prefix, keep_vars: log.append("before saving")),
        net.register_state_dict_post_hook(lambda module, state, prefix, metadata: state.pop("0.bias") and None),
        net.register_load_state_dict_pre_hook(lambda module, state, *rest: state.update({"0.bias": torch.tensor([5.0])})),
        net.register_load_state_dict_post_hook(lambda module, keys: log.append("after loading")),
    ]
    state = net.state_dict()
    assert list(state) == ["0.weight"]
    net.load_state_dict(state)
    assert net[0].bias.item() == 5.0
    assert log == ["before saving", "after loading"]
    for handle in handles:
        handle.remove()
    assert list(net.state_dict()) == ["0.weight", "0.bias"]
    net.register_state_dict_post_hook(lambda *args: 3)
    with pytest.raises(RuntimeError, match=r"^state_dict post-hook must return None$"):
        net.state_dict()
    net.register_load_state_dict_post_hook(lambda *args: 3)
    with pytest.raises(AssertionError, match="are not expected to return new values"):
        net.load_state_dict({}, strict=False)
