"""The one place where modules make tensors from nothing: in the class that the context's creator asks for, else in the session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradwire_engine.op import ops
from gradwire_engine.value import CREATOR

from ..tensor import Tensor


def create(op: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What ``op``, which is given no tensor, makes."""
    token = CREATOR.set(CREATOR.get(Tensor))
    try:
        return op(*args, **kwargs)
    finally:
        CREATOR.reset(token)


def empty(shape: int | Sequence[int], dtype: Any = None, device: Any = None) -> Any:
    """A tensor of ``shape`` that is about to be filled (``torch.empty``).

    Args:
        shape: The sizes, or the one size.
        dtype: The element type; the default dtype when left out.
        device: ``None`` or the CPU.

    Raises:
        AssertionError: A CUDA device is asked for.
        RuntimeError: Any other device is asked for.
    """
    return create(ops.empty, (shape,) if isinstance(shape, int) else tuple(shape), dtype=dtype, device=device)
