"""Adam with weight decay beside the gradient."""

from __future__ import annotations

from typing import Any

from .adam import Adam


class AdamW(Adam):
    """Loshchilov and Hutter's method (``torch.optim.AdamW``): ``Adam`` whose parameters decay by themselves.

    Args:
        params: The parameters, or groups of them.
        lr: The learning rate, a number or a tensor of one element.
        betas: The shares of both running averages that are kept.
        eps: What is added to the denominator.
        weight_decay: The share of a parameter, times ``lr``, that a step takes away.
        amsgrad: Whether the largest average of the squares so far is used.
        maximize: Whether to move along the gradient.
        foreach: Accepted; there is one way to do it.
        capturable: For CUDA graphs; steps refuse it.
        differentiable: Whether steps are recorded.
        fused: Accepted; there is one way to do it.
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
