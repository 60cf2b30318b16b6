"""Adam: steps scaled by running averages of the gradient and its square."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradwire_engine.dtypes import default_dtype
from gradwire_engine.op import ops
from gradwire_engine.value import Value

from .optimizer import Optimizer, closed_over, recording, scalar
from .sgd import check_ways


class Adam(Optimizer):
    """Kingma and Ba's method (``torch.optim.Adam``).

    A step takes eight operations for each parameter and looks at no value: the number of steps is a tensor in the state, as in
    torch, but known beside it.

    Args:
        params: The parameters, or groups of them.
        lr: The learning rate, a number or a tensor of one element.
        betas: The shares of both running averages that are kept.
        eps: What is added to the denominator.
        weight_decay: How much of the parameter is added to its gradient.
        amsgrad: Whether the largest average of the squares so far is used (Reddi et al., 2018).
        foreach: Accepted; there is one way to do it.
        maximize: Whether to move along the gradient.
        capturable: For CUDA graphs; steps refuse it.
        differentiable: Whether steps are recorded.
        fused: Accepted; there is one way to do it.
        decoupled_weight_decay: Whether the parameter is decayed by itself rather than through its gradient (``AdamW``).

    Raises:
        ValueError: A number is out of range (torch's messages).
        RuntimeError: ``fused`` goes with ``differentiable`` or ``foreach``.
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        _check_tensor("lr", lr, foreach, capturable)
        if not lr >= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not eps >= 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        for i, beta in enumerate(betas):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        if not weight_decay >= 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if not (all(isinstance(beta, float) for beta in betas) or all(isinstance(beta, Value) for beta in betas)):
            raise ValueError("betas must be either both floats or both Tensors")
        for i, beta in enumerate(betas):
            _check_tensor(f"betas[{i}]", beta, foreach, capturable)
        defaults = {
            "lr": lr,
            "betas": tuple(scalar(beta) for beta in betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        self._counted: dict[int, tuple[Any, int, float]] = {}
        super().__init__(params, defaults)
        check_ways(foreach, fused, differentiable)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._counted = {}
        options = ("amsgrad", "maximize", "capturable", "differentiable", "decoupled_weight_decay")
        for group in self.param_groups:
            for option in options:
                group.setdefault(option, False)
            for option in ("foreach", "fused"):
                group.setdefault(option, None)
            for parameter in group["params"]:
                own = self.state.get(parameter)
                if own and not isinstance(own["step"], Value):
                    own["step"] = _count_tensor(parameter).fill_(float(own["step"]))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Moves all parameters that have a gradient.

        Args:
            closure: Computes the loss and its gradients anew.

        Returns:
            What ``closure`` returned.

        Raises:
            AssertionError: A group is ``capturable``, which the CPU is not (torch's message).
        """
        with recording(self):
            loss = closed_over(closure)
            for group in self.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        self._move(parameter, parameter.grad, group)
        return loss

    def _state_of(self, parameter: Any, amsgrad: bool) -> dict[str, Any]:
        state: dict[str, Any] = self.state[parameter]
        if not state:
            state["step"] = _count_tensor(parameter)
            self._counted[id(parameter)] = (state["step"], state["step"]._version, 0.0)
            for name in ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")[: 3 if amsgrad else 2]:
                state[name] = ops.zeros_like(parameter)
        return state

    def _next_count(self, parameter: Any, step: Any) -> float:
        """Counts a step, and gives the number that the tensor then holds without looking at it."""
        known, version, count = self._counted.get(id(parameter), (None, 0, 0.0))
        if known is not step or version != step._version:
            # It was loaded, or someone wrote it.
            count = float(step.item())
        step += 1
        self._counted[id(parameter)] = (step, step._version, count + 1)
        return count + 1

    def _move(self, parameter: Any, grad: Any, group: dict[str, Any]) -> None:
        if group["capturable"]:
            raise AssertionError(
                "If capturable=True, params and state_steps must be on supported devices: ['cuda', 'xpu', 'hpu', 'privateuseone', 'xla']."
            )
        state = self._state_of(parameter, group["amsgrad"])
        count = self._next_count(parameter, state["step"])
        lr, (beta1, beta2), decay = scalar(group["lr"]), group["betas"], group["weight_decay"]
        if group["maximize"]:
            grad = -grad
        if decay != 0:
            if group["decoupled_weight_decay"]:
                parameter.mul_(1 - lr * decay)
            else:
                grad = grad.add(parameter, alpha=decay)
        tensors = [parameter, grad, state["exp_avg"], state["exp_avg_sq"], state.get("max_exp_avg_sq")]
        if parameter.is_complex():
            tensors = [None if t is None else ops.view_as_real(t) for t in tensors]
        target, grad, average, square, largest = tensors
        average.lerp_(grad, 1 - beta1)
        square.mul_(beta2)
        if isinstance(beta2, Value):
            square.add_(grad * grad * (1 - beta2))
        else:
            square.addcmul_(grad, grad, value=1 - beta2)
        if group["amsgrad"]:
            largest.copy_(ops.maximum(largest.clone() if group["differentiable"] else largest, square))
            square = largest
        size = lr / (1 - beta1**count)
        denominator = (square.sqrt() / (1 - beta2**count) ** 0.5).add_(group["eps"])
        if group["differentiable"]:
            average = average.clone()
        if isinstance(size, Value):
            target.addcdiv_(average * -size, denominator)
        else:
            target.addcdiv_(average, denominator, value=-size)


def _check_tensor(name: str, value: Any, foreach: bool | None, capturable: bool) -> None:
    if not isinstance(value, Value):
        return
    if foreach and not capturable:
        raise ValueError(f"{name} as a Tensor is not supported for capturable=False and foreach=True")
    if value.numel() != 1:
        raise ValueError(f"Tensor {name} must be 1-element")


def _count_tensor(parameter: Any) -> Any:
    """A zero that counts steps, in single precision unless double is the default."""
    dtype = default_dtype()
    return parameter.new_zeros((), dtype="float64" if dtype == np.float64 else "float32")
