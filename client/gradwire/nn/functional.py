"""``torch.nn.functional``: the ops at that path, and what torch does in Python before it calls them.

What is not written here is an op of the table, found by its name: ``functional.linear`` is ``ops.nn.functional.linear``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from gradwire_engine.modes import is_grad_enabled
from gradwire_engine.op import REGISTRY, ops
from gradwire_engine.value import Value

from .._missing import no_attribute
from ._reduction import legacy_reduction

_table = ops.nn.functional


def __getattr__(name: str) -> Any:
    try:
        return getattr(_table, name)
    except AttributeError:
        raise no_attribute("torch.nn.functional", name) from None


def __dir__() -> list[str]:
    prefix = "nn.functional."
    return sorted({*globals(), *(name.removeprefix(prefix) for name in REGISTRY if name.startswith(prefix))})


def _run(name: str, inplace: bool, input: Any, *args: Any) -> Any:
    """Calls the op, or writes its result over ``input``."""
    op = getattr(_table, name)
    if not inplace or not isinstance(input, Value):
        return op(input, *args)
    method: Callable[..., Any] | None = getattr(input, name + "_", None)
    if method is not None:
        return method(*args)
    # What has no in-place method is computed from a copy, since backward needs the elements that are overwritten.
    return input.copy_(op(input.clone() if is_grad_enabled() and input.requires_grad else input, *args))


# Activations, which torch also has in place.


def relu(input: Any, inplace: bool = False) -> Any:
    """``max(x, 0)`` of each element."""
    return _run("relu", inplace, input)


def relu6(input: Any, inplace: bool = False) -> Any:
    """``min(max(x, 0), 6)`` of each element."""
    return _run("relu6", inplace, input)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """``x`` where positive, else ``alpha * (exp(x) - 1)``."""
    return _run("elu", inplace, input, alpha)


def selu(input: Any, inplace: bool = False) -> Any:
    """The scaled ``elu`` whose constants keep mean and variance."""
    return _run("selu", inplace, input)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """``max(0, x) + min(0, alpha * (exp(x / alpha) - 1))`` of each element."""
    return _run("celu", inplace, input, alpha)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """``x`` where positive, else ``negative_slope * x``."""
    return _run("leaky_relu", inplace, input, negative_slope)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """``x`` where greater than ``threshold``, else ``value``."""
    return _run("threshold", inplace, input, threshold, value)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """Each element cut off at ``min_val`` and ``max_val``.

    Raises:
        ValueError: ``min_val`` is greater than ``max_val``.
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return _run("hardtanh", inplace, input, min_val, max_val)


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """``relu6(x + 3) / 6`` of each element."""
    return _run("hardsigmoid", inplace, input)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """``x * relu6(x + 3) / 6`` of each element."""
    return _run("hardswish", inplace, input)


def silu(input: Any, inplace: bool = False) -> Any:
    """``x * sigmoid(x)`` of each element."""
    return _run("silu", inplace, input)


def mish(input: Any, inplace: bool = False) -> Any:
    """``x * tanh(softplus(x))`` of each element."""
    return _run("mish", inplace, input)


def relu_(input: Any) -> Any:
    """``relu`` in place."""
    return relu(input, True)


def elu_(input: Any, alpha: float = 1.0) -> Any:
    """``elu`` in place."""
    return elu(input, alpha, True)


def selu_(input: Any) -> Any:
    """``selu`` in place."""
    return selu(input, True)


def celu_(input: Any, alpha: float = 1.0) -> Any:
    """``celu`` in place."""
    return celu(input, alpha, True)


def leaky_relu_(input: Any, negative_slope: float = 0.01) -> Any:
    """``leaky_relu`` in place."""
    return leaky_relu(input, negative_slope, True)


def threshold_(input: Any, threshold: float, value: float) -> Any:
    """``threshold`` in place."""
    return _run("threshold", True, input, threshold, value)


def hardtanh_(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """``hardtanh`` in place."""
    return hardtanh(input, min_val, max_val, True)


# Dropout.


def _dropout(name: str, input: Any, p: float, training: bool, inplace: bool) -> Any:
    # In place nothing is written where nothing is dropped; the op says what is wrong with ``p``.
    return _run(name, inplace and training and 0 < p <= 1, input, p, training)


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zeroes elements with the probability ``p`` and scales the others by ``1 / (1 - p)``.

    Raises:
        ValueError: ``p`` is no probability.
    """
    return _dropout("dropout", input, p, training, inplace)


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """``dropout`` of whole channels of (N, C, L) or (C, L)."""
    return _dropout("dropout1d", input, p, training, inplace)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """``dropout`` of whole channels of (N, C, H, W); three dimensions count as (N, C, L), as in torch."""
    return _dropout("dropout2d", input, p, training, inplace)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """``dropout`` of whole channels of (N, C, D, H, W) or (C, D, H, W)."""
    return _dropout("dropout3d", input, p, training, inplace)


# Softmax, whose dimension torch once chose itself.


def _softmax_dim(name: str, input: Any, dim: int | None, stacklevel: int) -> int:
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if input.dim() in (0, 1, 3) else 1


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """``exp(x)`` divided by its sum along ``dim``."""
    return ops.softmax(input, _softmax_dim("softmax", input, dim, _stacklevel), dtype)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """The logarithm of ``softmax``."""
    return ops.log_softmax(input, _softmax_dim("log_softmax", input, dim, _stacklevel), dtype)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """``softmax`` of the negative elements."""
    return _table.softmin(input, _softmax_dim("softmin", input, dim, _stacklevel), dtype=dtype)


# Losses that compare two tensors of one shape.


def _compared(name: str, input: Any, target: Any, size_average: bool | None, reduce: bool | None, reduction: str, **others: Any) -> Any:
    if isinstance(input, Value) and isinstance(target, Value) and input.shape != target.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will likely lead to incorrect "
            "results due to broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce, stacklevel=3)
    return getattr(_table, name)(input, target, reduction=reduction, **others)


def mse_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean", weight: Any = None
) -> Any:
    """The mean (or sum, or each) of the squared differences."""
    return _compared("mse_loss", input, target, size_average, reduce, reduction, weight=weight)


def l1_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean", weight: Any = None
) -> Any:
    """The mean (or sum, or each) of the absolute differences."""
    return _compared("l1_loss", input, target, size_average, reduce, reduction, weight=weight)


def smooth_l1_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean", beta: float = 1.0
) -> Any:
    """Squared differences below ``beta``, absolute ones above."""
    return _compared("smooth_l1_loss", input, target, size_average, reduce, reduction, beta=beta)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """Squared differences below ``delta``, absolute ones times ``delta`` above."""
    return _compared("huber_loss", input, target, None, None, reduction, delta=delta, weight=weight)


# Rows of a table.


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of ``weight`` at the indices ``input``; the row ``padding_idx`` gets no gradient.

    Raises:
        AssertionError: There is no row ``padding_idx`` (torch's message).
    """
    if padding_idx is not None and padding_idx and not -weight.size(0) <= padding_idx < weight.size(0):
        raise AssertionError("Padding_idx must be within num_embeddings")
    return _table.embedding(input, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
