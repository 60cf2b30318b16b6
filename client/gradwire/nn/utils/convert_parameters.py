"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gradwire_engine.op import ops
from gradwire_engine.value import Value

from .._typename import typename


def parameters_to_vector(parameters: Iterable[Value]) -> Any:
    """The elements of all parameters, one after the other."""
    return ops.cat([parameter.view(-1) for parameter in parameters])


def vector_to_parameters(vec: Value, parameters: Iterable[Value]) -> None:
    """Gives the parameters the elements of ``vec``, whose storage they share from then on.

    Raises:
        TypeError: ``vec`` is no tensor.
    """
    if not isinstance(vec, Value):
        raise TypeError(f"expected torch.Tensor, but got: {typename(vec)}")
    start = 0
    for parameter in parameters:
        stop = start + parameter.numel()
        parameter.data = vec[start:stop].view_as(parameter).data
        start = stop
