"""Parameters and buffers are the tensors of whichever recorder made them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.client.recorders import RECORDERS


@pytest.fixture(params=RECORDERS)
def torch(request: pytest.FixtureRequest) -> Iterator[Any]:
    with RECORDERS[request.param]() as found:
        yield found


def test_a_parameter_is_a_tensor_that_requires_grad(torch: Any) -> None:
    p = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    assert isinstance(p, torch.nn.Parameter)
    assert isinstance(p, torch.Tensor)
    assert (p.requires_grad, p.is_leaf, p.tolist()) == (True, True, [1.0, 2.0])
    assert not isinstance(torch.ones(1), torch.nn.Parameter)


def test_what_is_computed_from_a_parameter_is_none(torch: Any) -> None:
    p = torch.nn.Parameter(torch.ones(2, 2))
    for result in (p * 2, p[0], p.detach(), p.data, p.clone(), p.sum(), p.view(4), p.unbind()[0]):
        assert not isinstance(result, torch.nn.Parameter)
        assert type(result) is torch.Tensor


def test_repr(torch: Any) -> None:
    assert repr(torch.nn.Parameter(torch.ones(2))) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    assert str(torch.nn.Parameter(torch.ones(2), requires_grad=False)) == "Parameter containing:\ntensor([1., 1.])"
    assert repr(torch.nn.Parameter()) == "Parameter containing:\ntensor([], requires_grad=True)"


def test_gradients_accumulate(torch: Any) -> None:
    p = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    for _ in range(2):
        (p * p).sum().backward()
    assert p.grad.tolist() == [4.0, 8.0]
    assert (p * 2).grad_fn.next_functions[0][0].name() == "torch::autograd::AccumulateGrad"


def test_it_shares_storage_with_its_data(torch: Any) -> None:
    x = torch.zeros(2)
    p = torch.nn.Parameter(x)
    with torch.no_grad():
        p.add_(1)
    assert x.tolist() == [1.0, 1.0]
    p.data.mul_(3)
    assert x.tolist() == [3.0, 3.0]


def test_data_can_be_replaced(torch: Any) -> None:
    p = torch.nn.Parameter(torch.zeros(2))
    p.data = torch.tensor([5.0, 6.0, 7.0])
    assert isinstance(p, torch.nn.Parameter)
    (p * 2).sum().backward()
    assert (p.tolist(), p.grad.tolist()) == ([5.0, 6.0, 7.0], [2.0, 2.0, 2.0])


def test_in_place_on_a_leaf_is_refused(torch: Any) -> None:
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        torch.nn.Parameter(torch.ones(1)).add_(1)


def test_it_is_made_of_a_computed_tensor_as_a_leaf(torch: Any) -> None:
    x = torch.ones(2, requires_grad=True)
    p = torch.nn.Parameter(x * 2)
    assert p.is_leaf
    p.sum().backward()
    assert (p.grad.tolist(), x.grad) == ([1.0, 1.0], None)


def test_no_grad_does_not_change_the_default(torch: Any) -> None:
    with torch.no_grad():
        assert torch.nn.Parameter(torch.ones(1)).requires_grad


def test_of_a_parameter(torch: Any) -> None:
    p = torch.nn.Parameter(torch.ones(1))
    again = torch.nn.Parameter(p, requires_grad=False)
    assert again is not p
    assert (again.requires_grad, p.requires_grad, type(again)) == (False, True, type(p))


def test_whole_numbers_are_refused(torch: Any) -> None:
    with pytest.raises(RuntimeError, match=r"^Only Tensors of floating point and complex dtype can require gradients$"):
        torch.nn.Parameter(torch.tensor([1, 2]))
    assert torch.nn.Parameter(torch.tensor([1, 2]), requires_grad=False).tolist() == [1, 2]


def test_what_is_no_tensor_is_refused(torch: Any) -> None:
    with pytest.raises(AttributeError, match="'list' object has no attribute 'detach'"):
        torch.nn.Parameter([1.0])


def test_deepcopy(torch: Any) -> None:
    p = torch.nn.Parameter(torch.ones(2))
    p.sum().backward()
    first, second = copy.deepcopy([p, p])
    assert first is second
    assert isinstance(first, torch.nn.Parameter)
    assert (first.requires_grad, first.grad, first.tolist()) == (True, None, [1.0, 1.0])
    with torch.no_grad():
        first.zero_()
    assert p.tolist() == [1.0, 1.0]


def test_subclasses(torch: Any) -> None:
    class Weight(torch.nn.Parameter):  # type: ignore[misc]
        """A parameter of its own class."""

    w = Weight(torch.ones(1))
    assert isinstance(w, Weight)
    assert isinstance(w, torch.Tensor)
    assert type(w) is type(Weight(torch.zeros(2)))
    assert type(copy.deepcopy(w)) is type(w)
    assert not isinstance(torch.nn.Parameter(torch.ones(1)), Weight)


def test_the_type_is_called_parameter(torch: Any) -> None:
    assert type(torch.nn.Parameter(torch.ones(1))).__name__ == "Parameter"


def test_buffer(torch: Any) -> None:
    class Counter(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.seen = torch.nn.Buffer(torch.zeros(1))
            self.scratch = torch.nn.Buffer(torch.zeros(1), persistent=False)

    module = Counter()
    assert isinstance(module.seen, torch.nn.Buffer)
    assert not isinstance(torch.zeros(1), torch.nn.Buffer)
    assert [name for name, _ in module.named_buffers()] == ["seen", "scratch"]
    assert list(module.state_dict()) == ["seen"]
    assert repr(module.seen) == "tensor([0.])"
