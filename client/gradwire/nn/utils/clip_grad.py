"""Keeping gradients from growing too large. No value is looked at, unless a norm that is not finite has to be refused."""

from __future__ import annotations

import types
import warnings
from collections.abc import Iterable
from typing import Any

from gradwire_engine.modes import no_grad
from gradwire_engine.op import ops
from gradwire_engine.value import Value

from .._create import empty

Tensors = Value | Iterable[Value]


def _listed(tensors: Tensors) -> list[Any]:
    return [tensors] if isinstance(tensors, Value) else list(tensors)


def _grads(parameters: list[Any]) -> list[Any]:
    return [p.grad for p in parameters if p.grad is not None]


@no_grad()
def get_total_norm(tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None) -> Any:
    """The norm of all tensors together, as if they were one vector.

    Args:
        tensors: The tensors.
        norm_type: The order of the norm, perhaps ``inf``.
        error_if_nonfinite: Whether a norm that is not finite is refused, for which it has to be looked at.
        foreach: Accepted; there is one way to do it.

    Raises:
        RuntimeError: The norm is not finite, and that is to be refused.
    """
    found = _listed(tensors)
    norm_type = float(norm_type)
    if not found:
        return empty(()).zero_()
    norms = [ops.linalg.vector_norm(tensor, norm_type) for tensor in found]
    total = ops.linalg.vector_norm(ops.stack([norm.to(norms[0].dtype) for norm in norms]), norm_type)
    if error_if_nonfinite and not total.isfinite():
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be clipped. To disable this "
            "error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return total


@no_grad()
def clip_grads_with_norm_(parameters: Tensors, max_norm: float, total_norm: Any, foreach: bool | None = None) -> None:
    """Scales all gradients by ``max_norm / total_norm``, unless that is above one.

    Args:
        parameters: The parameters, of which those without a gradient do not count.
        max_norm: The norm that the gradients may have together.
        total_norm: The norm that they have.
        foreach: Accepted; there is one way to do it.
    """
    grads = _grads(_listed(parameters))
    if grads:
        factor = ops.clamp(float(max_norm) / (total_norm + 1e-6), max=1.0)
        for grad in grads:
            grad.mul_(factor)


@no_grad()
def clip_grad_norm_(
    parameters: Tensors, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Any:
    """Scales all gradients so that their norm together is at most ``max_norm``.

    Args:
        parameters: The parameters, of which those without a gradient do not count.
        max_norm: The norm that the gradients may have together.
        norm_type: The order of the norm, perhaps ``inf``.
        error_if_nonfinite: Whether a norm that is not finite is refused, for which it has to be looked at.
        foreach: Accepted; there is one way to do it.

    Returns:
        The norm that they had.

    Raises:
        RuntimeError: The norm is not finite, and that is to be refused.
    """
    found = _listed(parameters)
    if not found and isinstance(parameters, types.GeneratorType):
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=3)
    total = get_total_norm(_grads(found), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(found, max_norm, total, foreach)
    return total


@no_grad()
def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Cuts every element of every gradient off at plus and minus ``clip_value``.

    Args:
        parameters: The parameters, of which those without a gradient do not count.
        clip_value: The largest absolute value.
        foreach: Accepted; there is one way to do it.
    """
    bound = float(clip_value)
    for grad in _grads(_listed(parameters)):
        grad.clamp_(-bound, bound)
