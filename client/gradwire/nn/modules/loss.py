"""Losses as modules. Each is reduced by ``reduction``: ``"mean"``, ``"sum"`` or ``"none"``."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from .._reduction import legacy_reduction
from .._typename import class_text
from .module import Module


class _Loss(Module):
    """The base of the losses.

    Args:
        size_average: Deprecated, see ``reduction``.
        reduce: Deprecated, see ``reduction``.
        reduction: Whether the mean or the sum of the losses is taken, or each is given (``"none"``).
    """

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        older = size_average is not None or reduce is not None
        self.reduction = legacy_reduction(size_average, reduce) if older else reduction


class _PairLoss(_Loss):
    """A loss that compares an input with a target."""

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of ``input``, where ``target`` is wanted."""
        return self._compute(input, target)

    def _compute(self, input: Any, target: Any) -> Any:
        raise NotImplementedError


class _WeightedLoss(_PairLoss):
    """A loss with a weight, which is a buffer.

    Args:
        weight: The weights of the classes, or of the elements.
        size_average: Deprecated, see ``reduction``.
        reduce: Deprecated, see ``reduction``.
        reduction: Whether the mean or the sum of the losses is taken, or each is given (``"none"``).
    """

    def __init__(self, weight: Any = None, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class L1Loss(_PairLoss):
    """The absolute difference."""

    def _compute(self, input: Any, target: Any) -> Any:
        return F.l1_loss(input, target, reduction=self.reduction)


class MSELoss(_PairLoss):
    """The squared difference."""

    def _compute(self, input: Any, target: Any) -> Any:
        return F.mse_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_PairLoss):
    """The squared difference below ``beta``, the absolute one above (Girshick, 2015)."""

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def _compute(self, input: Any, target: Any) -> Any:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_PairLoss):
    """The squared difference below ``delta``, the absolute one times ``delta`` above.

    Raises:
        TypeError: ``delta`` is no number.
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        if not isinstance(delta, (float, int)):
            raise TypeError(f"delta must be a float or int, got: {class_text(type(delta))}")
        super().__init__(reduction=reduction)
        self.delta = delta

    def _compute(self, input: Any, target: Any) -> Any:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class SoftMarginLoss(_PairLoss):
    """``log(1 + exp(-y * x))`` for targets y of 1 and -1."""

    def _compute(self, input: Any, target: Any) -> Any:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class HingeEmbeddingLoss(_PairLoss):
    """``x`` where the target is 1, ``max(0, margin - x)`` where it is -1."""

    def __init__(self, margin: float = 1.0, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def _compute(self, input: Any, target: Any) -> Any:
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class KLDivLoss(_PairLoss):
    """The Kullback-Leibler divergence of a distribution, given by its logarithm, from the target.

    ``reduction`` may also be ``"batchmean"``, the sum divided by the size of the batch, which is the divergence itself.
    """

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean", log_target: bool = False
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def _compute(self, input: Any, target: Any) -> Any:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class BCELoss(_WeightedLoss):
    """The binary cross entropy of probabilities."""

    def _compute(self, input: Any, target: Any) -> Any:
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """The binary cross entropy of ``sigmoid(x)``.

    Args:
        weight: The weights of the elements.
        size_average: Deprecated, see ``reduction``.
        reduce: Deprecated, see ``reduction``.
        reduction: Whether the mean or the sum of the losses is taken, or each is given (``"none"``).
        pos_weight: The weights of the positive targets.
    """

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Any = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def _compute(self, input: Any, target: Any) -> Any:
        return F.binary_cross_entropy_with_logits(input, target, self.weight, pos_weight=self.pos_weight, reduction=self.reduction)


class NLLLoss(_WeightedLoss):
    """The negative logarithm of the probability of the right class, given all logarithms."""

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def _compute(self, input: Any, target: Any) -> Any:
        return F.nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class CrossEntropyLoss(_WeightedLoss):
    """The cross entropy of ``softmax(x)``.

    Args:
        weight: The weights of the classes.
        size_average: Deprecated, see ``reduction``.
        ignore_index: A class that does not count.
        reduce: Deprecated, see ``reduction``.
        reduction: Whether the mean or the sum of the losses is taken, or each is given (``"none"``).
        label_smoothing: The share of each target that is spread over all classes.
    """

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def _compute(self, input: Any, target: Any) -> Any:
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class PoissonNLLLoss(_Loss):
    """The negative logarithm of a Poisson distribution's probability.

    Args:
        log_input: Whether the input is the logarithm of the rate.
        full: Whether Stirling's term for the factorial is added.
        size_average: Deprecated, see ``reduction``.
        eps: What is added to a rate before its logarithm is taken.
        reduce: Deprecated, see ``reduction``.
        reduction: Whether the mean or the sum of the losses is taken, or each is given (``"none"``).
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Any, target: Any) -> Any:
        """The loss of the rates ``log_input``, where ``target`` was counted."""
        return F.poisson_nll_loss(log_input, target, log_input=self.log_input, full=self.full, eps=self.eps, reduction=self.reduction)


class GaussianNLLLoss(_Loss):
    """The negative logarithm of a normal distribution's density.

    Args:
        full: Whether the constant term is added.
        eps: What variances count as at the least.
        reduction: Whether the mean or the sum of the losses is taken, or each is given (``"none"``).
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(None, None, reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Any, target: Any, var: Any) -> Any:
        """The loss of the means ``input`` and the variances ``var``, where ``target`` was seen."""
        return F.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)


class _MarginLoss(_Loss):
    def __init__(self, margin: float = 0.0, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class CosineEmbeddingLoss(_MarginLoss):
    """``1 - cos`` of the angle between two vectors where the target is 1, ``max(0, cos - margin)`` where it is -1."""

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        """The loss of the pairs ``input1``, ``input2``."""
        return F.cosine_embedding_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class MarginRankingLoss(_MarginLoss):
    """``max(0, -y * (x1 - x2) + margin)``: the target y is 1 where ``x1`` should be ranked higher, else -1."""

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        """The loss of the pairs ``input1``, ``input2``."""
        return F.margin_ranking_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class TripletMarginLoss(_Loss):
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)`` for the distance of a ``p``-norm.

    Args:
        margin: By how much the negative example should be farther away.
        p: The norm.
        eps: What is added to each difference.
        swap: Whether the distance from the positive to the negative example counts where it is the smaller one.
        size_average: Deprecated, see ``reduction``.
        reduce: Deprecated, see ``reduction``.
        reduction: Whether the mean or the sum of the losses is taken, or each is given (``"none"``).

    Raises:
        ValueError: The margin is not positive (torch's message).
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if margin <= 0:
            raise ValueError(f"TripletMarginLoss: expected margin to be greater than 0, got {margin} instead")
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        """The loss of the triplets."""
        return F.triplet_margin_loss(
            anchor, positive, negative, margin=self.margin, p=self.p, eps=self.eps, swap=self.swap, reduction=self.reduction
        )
