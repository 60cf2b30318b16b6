"""Small programs with the same results, text and errors as on torch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import gradwire
from gradwire.connection import Connection
from gradwire.local import LocalTransport
from gradwire_engine import namespace
from gradwire_engine.dtypes import DType
from gradwire_engine.node import Node
from gradwire_engine.value import Value
from tests.parity.semantics import all_cases
from tests.parity.semantics.base import BUILTIN, Case, Failure, names

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    # torch gives this warning once in a process, whichever test comes first.
    warnings.filterwarnings("ignore", "Using backward")
    torch.manual_seed(0)
    namespace.manual_seed(0)
    yield
    assert torch.is_grad_enabled()
    assert namespace.is_grad_enabled()


def outcome(case: Case, t: Any) -> Any:
    try:
        return case(t)
    except BUILTIN as error:
        return Failure(next(kind.__name__ for kind in BUILTIN if isinstance(error, kind)), str(error))


def assert_same(ours: Any, theirs: Any, path: str = "result") -> None:
    """Compares results, item by item; ``path`` says which item."""
    if theirs is None:
        assert ours is None, path
    elif isinstance(theirs, torch.Tensor):
        assert isinstance(ours, Value), path
        assert_same_tensor(ours, theirs, path)
    elif isinstance(theirs, torch.autograd.graph.Node):
        assert isinstance(ours, Node), path
        assert names(ours) == names(theirs), path
    elif isinstance(theirs, torch.dtype):
        assert isinstance(ours, DType), path
        assert repr(ours) == repr(theirs), path
    elif isinstance(theirs, (list, tuple)):
        assert isinstance(ours, (list, tuple)), path
        assert len(ours) == len(theirs), path
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(a, b, f"{path}[{i}]")
    elif isinstance(theirs, (float, complex)):
        assert type(ours) is type(theirs), path
        assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-7, nan_ok=True), path
    else:
        assert ours == theirs, path


def assert_same_tensor(ours: Any, theirs: Any, path: str) -> None:
    assert repr(ours.dtype) == repr(theirs.dtype), path
    assert tuple(ours.shape) == tuple(theirs.shape), path
    tolerance = 1e-3 if theirs.dtype is torch.float16 else 1e-5
    expected = theirs.detach().resolve_conj().resolve_neg().numpy()
    np.testing.assert_allclose(ours.detach().numpy(), expected, rtol=tolerance, atol=tolerance / 10, err_msg=path)
    assert ours.requires_grad == theirs.requires_grad, path
    assert ours.is_leaf == theirs.is_leaf, path


@pytest.mark.parametrize("case", all_cases().values(), ids=all_cases().keys())
def test_semantics(case: Case) -> None:
    assert_same(outcome(case, namespace), outcome(case, torch))


# A session's memory is not the caller's, and has no addresses.
ABOUT_MEMORY = {"numpy_shares_memory", "chain_of_views", "contiguity"}


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.filterwarnings("ignore:Using backward")
@pytest.mark.filterwarnings("ignore:To copy construct from a tensor")
@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad=True")
@pytest.mark.parametrize("case", [pytest.param(c, id=name) for name, c in all_cases().items() if name not in ABOUT_MEMORY])
def test_semantics_of_the_client(case: Case) -> None:
    connection = Connection(LocalTransport())
    with connection:
        gradwire.manual_seed(0)
        assert_same(outcome(case, gradwire), outcome(case, torch))
    connection.close()


def test_there_are_enough_cases() -> None:
    assert len(all_cases()) >= 130
