"""From a sample to a call: its recipes become arrays, Gradwire's tensors or torch's."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

import gradwire_engine as gradwire
from gradwire_engine.dtypes import ALL, Array, dtype_of
from gradwire_engine.op import REGISTRY
from gradwire_engine.random import Generator

from .base import G, Sample, T

DTYPE_NAMES = frozenset(d.name for d in ALL)


@dataclass(frozen=True)
class Side:
    """One of the implementations that a sample is run on.

    Args:
        tensor: Makes a tensor of an array and of whether it requires grad.
        dtype: The dtype of that name.
        generator: A generator seeded with a number.
        find: The op of that public name.
        seed: Seeds the generator that random ops draw from by themselves.
    """

    tensor: Callable[[Array, bool], Any]
    dtype: Callable[[str], Any]
    generator: Callable[[int], Any]
    find: Callable[[str], Callable[..., Any]]
    seed: Callable[[int], Any]


@dataclass
class Call:
    """A sample made ready for one side.

    Attributes:
        function: The op.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        tensors: The tensors among the arguments, in the order in which they were written.
        recipes: The recipe of each.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    tensors: list[Any] = field(default_factory=list)
    recipes: list[T] = field(default_factory=list)

    def run(self) -> Any:
        """Calls the op."""
        return self.function(*self.args, **self.kwargs)


def build(name: str, sample: Sample, side: Side, arrays: Sequence[Array] | None = None) -> Call:
    """Makes ``sample`` of the op ``name`` ready for ``side``.

    Args:
        name: The op's public name.
        sample: The sample.
        side: Whose tensors the recipes become.
        arrays: What to take for the tensors instead of the recipes' own values, in the order of ``Call.tensors``.
    """
    call = Call(side.find(name))

    def made(item: Any) -> Any:
        if isinstance(item, T):
            position = len(call.tensors)
            array = item.array(position) if arrays is None else arrays[position]
            tensor = side.tensor(array, item.grad and array.dtype.kind in "fc")
            call.tensors.append(tensor)
            call.recipes.append(item)
            return tensor
        if isinstance(item, G):
            return side.generator(item.seed)
        if isinstance(item, str) and item in DTYPE_NAMES:
            return side.dtype(item)
        if isinstance(item, (list, tuple)):
            return type(item)(made(i) for i in item)
        if isinstance(item, slice):
            return slice(made(item.start), made(item.stop), made(item.step))
        return item

    call.args = tuple(made(a) for a in sample.args)
    call.kwargs = {key: made(value) for key, value in sample.kwargs.items()}
    side.seed(0)
    return call


def flat(result: Any) -> list[Any]:
    """The tensors of a result: of one output, of several, or of a list; numbers and booleans count as they are."""
    if isinstance(result, (list, tuple)) and not isinstance(result, gradwire.Size):
        return [t for item in result for t in flat(item)]
    return [result]


def differentiated(sample: Sample, result: Any) -> list[Any]:
    """The outputs of ``sample`` that gradients are taken of: those that require grad."""
    chosen = flat(result) if sample.output is None else list(sample.output(result))
    return [t for t in chosen if getattr(t, "requires_grad", False)]


def draw(shape: Sequence[int], dtype: np.dtype[Any], seed: int) -> Array:
    """Random numbers for a projection or a cotangent, the same for the same seed."""
    return _drawn(tuple(shape), dtype, seed).copy()


@cache
def _drawn(shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
    random = np.random.default_rng([seed, 77])
    made = np.asarray(random.uniform(-1, 1, shape))
    if dtype.kind == "c":
        made = made + 1j * random.uniform(-1, 1, shape)
    return np.asarray(made, dtype)


def _gradwire_tensor(array: Array, requires_grad: bool) -> Any:
    tensor = gradwire.Tensor._wrap(array)
    return tensor.requires_grad_() if requires_grad else tensor


GRADWIRE = Side(
    tensor=_gradwire_tensor,
    dtype=dtype_of,
    generator=Generator,
    find=REGISTRY.__getitem__,
    seed=gradwire.manual_seed,
)
"""Eager tensors."""

ARRAYS = Side(tensor=lambda array, _: array, dtype=dtype_of, generator=Generator, find=REGISTRY.__getitem__, seed=gradwire.manual_seed)
"""Plain arrays: the ops run their kernels and record nothing."""


@cache
def torch_side() -> Side:
    """torch, looked for only where a test compares with it."""
    import torch

    def tensor(array: Array, requires_grad: bool) -> Any:
        # NumPy's strides of an array without elements are zeros, which torch itself never makes.
        made = torch.from_numpy(array) if array.size else torch.from_numpy(array).clone(memory_format=torch.contiguous_format)
        return made.requires_grad_(requires_grad)

    def find(name: str) -> Callable[..., Any]:
        if name == "getitem":
            return operator.getitem
        found: Any = torch
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is None or isinstance(found, torch.dtype):
            # Some are methods only: torch has Tensor.expand and Tensor.float, no torch.expand, and torch.float is a dtype.
            found = getattr(torch.Tensor, name, None)
        if found is None:
            # Others exist in place only.
            inplace = getattr(torch.Tensor, name + "_")
            return lambda first, *rest, **kwargs: inplace(first.clone(), *rest, **kwargs)
        if not callable(found):
            # And some are attributes, as Tensor.T is.
            return operator.attrgetter(name)
        return found  # type: ignore[no-any-return]

    return Side(
        tensor=tensor,
        dtype=lambda name: getattr(torch, name),
        generator=lambda seed: torch.Generator().manual_seed(seed),
        find=find,
        seed=torch.manual_seed,
    )
