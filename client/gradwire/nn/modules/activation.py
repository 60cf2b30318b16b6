"""Activation functions as modules."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

from .. import functional as F
from .. import init
from .._create import empty
from ..parameter import Parameter
from .module import Module


class Activation(Module):
    """The base of the activations: ``forward`` applies the function, ``repr`` shows its settings."""

    _settings: ClassVar[tuple[str, ...]] = ()
    inplace = False

    def forward(self, input: Any) -> Any:
        """Applies the function to ``input``."""
        return self._compute(input)

    def _compute(self, input: Any) -> Any:
        raise NotImplementedError

    def extra_repr(self) -> str:
        """The settings, and ``inplace`` where it is on."""
        parts = [f"{name}={getattr(self, name)!r}" for name in self._settings]
        return ", ".join([*parts, "inplace=True"] if self.inplace else parts)


class InPlace(Activation):
    """An activation whose only setting is whether the result is written over the input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class ReLU(InPlace):
    """``max(x, 0)``."""

    def _compute(self, input: Any) -> Any:
        return F.relu(input, self.inplace)


class SELU(InPlace):
    """The scaled ``ELU`` whose constants keep mean and variance (Klambauer et al., 2017)."""

    def _compute(self, input: Any) -> Any:
        return F.selu(input, self.inplace)


class SiLU(InPlace):
    """``x * sigmoid(x)``, also called swish."""

    def _compute(self, input: Any) -> Any:
        return F.silu(input, self.inplace)


class Mish(InPlace):
    """``x * tanh(softplus(x))`` (Misra, 2019)."""

    def _compute(self, input: Any) -> Any:
        return F.mish(input, self.inplace)


class Hardsigmoid(InPlace):
    """``relu6(x + 3) / 6``."""

    def _compute(self, input: Any) -> Any:
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        """Nothing, as in torch."""
        return ""


class Hardswish(InPlace):
    """``x * relu6(x + 3) / 6``."""

    def _compute(self, input: Any) -> Any:
        return F.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        """Nothing, as in torch."""
        return ""


class LeakyReLU(Activation):
    """``x`` where positive, else ``negative_slope * x``."""

    _settings = ("negative_slope",)

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def _compute(self, input: Any) -> Any:
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class ELU(Activation):
    """``x`` where positive, else ``alpha * (exp(x) - 1)`` (Clevert et al., 2015)."""

    _settings = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def _compute(self, input: Any) -> Any:
        return F.elu(input, self.alpha, self.inplace)


class CELU(Activation):
    """``max(0, x) + min(0, alpha * (exp(x / alpha) - 1))`` (Barron, 2017)."""

    _settings = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def _compute(self, input: Any) -> Any:
        return F.celu(input, self.alpha, self.inplace)


class Threshold(Activation):
    """``x`` where greater than ``threshold``, else ``value``."""

    _settings = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def _compute(self, input: Any) -> Any:
        return F.threshold(input, self.threshold, self.value, self.inplace)


class Hardtanh(Activation):
    """Each element cut off at ``min_val`` and ``max_val``.

    Raises:
        AssertionError: ``max_val`` is not greater than ``min_val``.
    """

    _settings: ClassVar[tuple[str, ...]] = ("min_val", "max_val")

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        for old, given in (("min_value", min_value), ("max_value", max_value)):
            if given is not None:
                new = old.replace("value", "val")
                warnings.warn(f"keyword argument `{old}` is deprecated and renamed to `{new}`", FutureWarning, stacklevel=2)
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        self.inplace = inplace
        if self.max_val <= self.min_val:
            raise AssertionError(f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})")

    def _compute(self, input: Any) -> Any:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


class ReLU6(Hardtanh):
    """``min(max(x, 0), 6)``."""

    _settings = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)


class Sigmoid(Activation):
    """``1 / (1 + exp(-x))``."""

    def _compute(self, input: Any) -> Any:
        return F.sigmoid(input)


class Tanh(Activation):
    """The hyperbolic tangent."""

    def _compute(self, input: Any) -> Any:
        return F.tanh(input)


class LogSigmoid(Activation):
    """The logarithm of ``Sigmoid``."""

    def _compute(self, input: Any) -> Any:
        return F.logsigmoid(input)


class Softsign(Activation):
    """``x / (1 + |x|)``."""

    def _compute(self, input: Any) -> Any:
        return F.softsign(input)


class Tanhshrink(Activation):
    """``x - tanh(x)``."""

    def _compute(self, input: Any) -> Any:
        return F.tanhshrink(input)


class GELU(Activation):
    """``x`` times the chance that a normal number is below it (Hendrycks and Gimpel, 2016).

    Args:
        approximate: ``"none"``, or ``"tanh"`` for the usual approximation.
    """

    _settings = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def _compute(self, input: Any) -> Any:
        return F.gelu(input, approximate=self.approximate)


class Softplus(Activation):
    """``log(1 + exp(beta * x)) / beta``; ``x`` itself where ``beta * x`` is above ``threshold``."""

    _settings = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def _compute(self, input: Any) -> Any:
        return F.softplus(input, self.beta, self.threshold)


class _Shrink(Activation):
    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        """The bound."""
        return str(self.lambd)


class Hardshrink(_Shrink):
    """``x`` where further from zero than ``lambd``, else zero."""

    def _compute(self, input: Any) -> Any:
        return F.hardshrink(input, self.lambd)


class Softshrink(_Shrink):
    """``x`` moved towards zero by ``lambd``, and zero where it is nearer."""

    def _compute(self, input: Any) -> Any:
        return F.softshrink(input, self.lambd)


class GLU(Activation):
    """The first half along ``dim`` times the sigmoid of the second (Dauphin et al., 2016)."""

    _settings = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def _compute(self, input: Any) -> Any:
        return F.glu(input, self.dim)


class _AlongDim(Activation):
    _settings = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim


class Softmax(_AlongDim):
    """``exp(x)`` divided by its sum along ``dim``."""

    def _compute(self, input: Any) -> Any:
        return F.softmax(input, self.dim, _stacklevel=6)


class LogSoftmax(_AlongDim):
    """The logarithm of ``Softmax``."""

    def _compute(self, input: Any) -> Any:
        return F.log_softmax(input, self.dim, _stacklevel=6)


class Softmin(_AlongDim):
    """``Softmax`` of the negative elements."""

    def _compute(self, input: Any) -> Any:
        return F.softmin(input, self.dim, _stacklevel=6)


class PReLU(Activation):
    """``x`` where positive, else ``weight * x`` with a learned weight (He et al., 2015).

    Args:
        num_parameters: 1, or one weight for each channel, which is the second dimension.
        init: The first value of the weights.
        device: ``None`` or the CPU.
        dtype: The element type of the weights; the default dtype when left out.
    """

    _settings = ("num_parameters",)

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(empty(num_parameters, dtype, device))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Gives the weights their first value again."""
        init.constant_(self.weight, self.init)

    def _compute(self, input: Any) -> Any:
        return F.prelu(input, self.weight)
