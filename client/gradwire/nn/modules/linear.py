"""Affine maps."""

from __future__ import annotations

import math
from typing import Any

from .. import functional as F
from .. import init
from .._create import empty
from ..parameter import Parameter
from .module import Module


class Identity(Module):
    """Passes its input on; whatever arguments it is made with are ignored."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Gives ``input``."""
        return input


class Linear(Module):
    """``x @ weight.T + bias`` (``torch.nn.Linear``).

    Args:
        in_features: The size of the last dimension of the input.
        out_features: That of the output.
        bias: Whether a bias is added.
        device: ``None`` or the CPU.
        dtype: The element type of the parameters; the default dtype when left out.

    Attributes:
        weight: (out_features, in_features), drawn evenly between plus and minus ``1 / sqrt(in_features)``.
        bias: (out_features), drawn likewise, or ``None``.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in_features), dtype, device))
        if bias:
            self.bias = Parameter(empty(out_features, dtype, device))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weight and bias anew."""
        # The slope sqrt(5) makes the bound 1 / sqrt(in_features).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Any) -> Any:
        """Maps (*, in_features) to (*, out_features)."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes, and whether there is a bias."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """``x1 @ weight[k] @ x2 + bias[k]`` for each output k (``torch.nn.Bilinear``).

    Args:
        in1_features: The size of the last dimension of the first input.
        in2_features: That of the second.
        out_features: That of the output.
        bias: Whether a bias is added.
        device: ``None`` or the CPU.
        dtype: The element type of the parameters; the default dtype when left out.
    """

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in1_features, in2_features), dtype, device))
        if bias:
            self.bias = Parameter(empty(out_features, dtype, device))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weight and bias anew.

        Raises:
            ValueError: The first input has no features.
        """
        if self.in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got (in1_features={self.in1_features})")
        bound = 1 / math.sqrt(self.weight.size(1))
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Any, input2: Any) -> Any:
        """Maps (*, in1_features) and (*, in2_features) to (*, out_features)."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes, and whether there is a bias."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )
