"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradwire_engine.value import Value

from .optimizer import Optimizer, closed_over, recording, scalar


class SGD(Optimizer):
    """Moves each parameter against its gradient (``torch.optim.SGD``).

    A step takes one operation for each parameter, and three with momentum.

    Args:
        params: The parameters, or groups of them.
        lr: The learning rate, a number or a tensor of one element.
        momentum: The share of the last step that is kept.
        dampening: The share of a gradient that the momentum does not take in.
        weight_decay: How much of the parameter is added to its gradient.
        nesterov: Whether the gradient is taken ahead of the step (Sutskever et al., 2013).
        maximize: Whether to move along the gradient.
        foreach: Accepted; there is one way to do it.
        differentiable: Whether steps are recorded.
        fused: Accepted; there is one way to do it.

    Raises:
        ValueError: A number is out of range, or ``nesterov`` lacks a momentum (torch's messages).
        RuntimeError: ``fused`` goes with ``differentiable`` or ``foreach``.
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: Any = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        if isinstance(lr, Value) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_ways(foreach, fused, differentiable)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for option, value in (("nesterov", False), ("maximize", False), ("foreach", None), ("differentiable", False), ("fused", False)):
                group.setdefault(option, value)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Moves all parameters that have a gradient.

        Args:
            closure: Computes the loss and its gradients anew.

        Returns:
            What ``closure`` returned.
        """
        with recording(self):
            loss = closed_over(closure)
            for group in self.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        self._move(parameter, parameter.grad, group)
        return loss

    def _move(self, parameter: Any, grad: Any, group: dict[str, Any]) -> None:
        decay, momentum, lr = group["weight_decay"], group["momentum"], scalar(group["lr"])
        if group["maximize"]:
            grad = -grad
        if isinstance(decay, Value):
            # The parameter is about to be overwritten, which must not change what this saves.
            grad = grad.addcmul(parameter.clone(), decay)
        elif decay != 0:
            grad = grad.add(parameter, alpha=decay)
        if momentum != 0:
            state = self.state[parameter]
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = state["momentum_buffer"] = grad.detach().clone()
            else:
                buffer.mul_(momentum).add_(grad, alpha=1 - group["dampening"])
            grad = grad.add(buffer, alpha=momentum) if group["nesterov"] else buffer
        if isinstance(lr, Value):
            parameter.addcmul_(grad, lr, value=-1)
        else:
            parameter.add_(grad, alpha=-lr)


def check_ways(foreach: bool | None, fused: bool | None, differentiable: bool) -> None:
    """Refuses the combinations of ways to compute that torch refuses.

    Raises:
        RuntimeError: ``fused`` goes with ``differentiable`` or ``foreach`` (torch's messages).
    """
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
