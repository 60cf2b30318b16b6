"""Normalisation over the features or the channels of each example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import functional as F
from .. import init
from .._create import empty
from ..parameter import Parameter
from .module import Module


class _Affine(Module):
    """The base of the normalisations that scale and shift their result."""

    def _make_affine(self, shape: int | Sequence[int], affine: bool, bias: bool, device: Any, dtype: Any) -> None:
        if affine:
            self.weight = Parameter(empty(shape, dtype, device))
        else:
            self.register_parameter("weight", None)
        if affine and bias:
            self.bias = Parameter(empty(shape, dtype, device))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the scale to one and the shift to zero."""
        if self.weight is not None:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)


class LayerNorm(_Affine):
    """Gives the last dimensions of each example the mean 0 and the variance 1, then scales and shifts (Ba et al., 2016).

    Args:
        normalized_shape: The sizes of the dimensions, or the one size.
        eps: What is added to the variance.
        elementwise_affine: Whether there is a scale.
        bias: Whether there is a shift beside the scale.
        device: ``None`` or the CPU.
        dtype: The element type of the parameters; the default dtype when left out.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._make_affine(self.normalized_shape, elementwise_affine, bias, device, dtype)

    def forward(self, input: Any) -> Any:
        """Normalises (*, *normalized_shape)."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"


class GroupNorm(_Affine):
    """Gives groups of channels of each example the mean 0 and the variance 1, then scales and shifts (Wu and He, 2018).

    Args:
        num_groups: Into how many groups the channels are divided.
        num_channels: The size of the second dimension.
        eps: What is added to the variance.
        affine: Whether there is a scale for each channel.
        device: ``None`` or the CPU.
        dtype: The element type of the parameters; the default dtype when left out.
        bias: Whether there is a shift beside the scale.

    Raises:
        ValueError: ``num_groups`` does not divide ``num_channels``.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups != 0:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._make_affine(num_channels, affine, bias, device, dtype)

    def forward(self, input: Any) -> Any:
        """Normalises (N, num_channels, *)."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"
