"""Random numbers whose distribution is given by tensors, and the methods that fill a tensor with random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array, default_dtype, dtype_of
from ..errors import TensorRuntimeError
from ..meta import Meta, Shape, broadcast, dense
from ..op import op, ops
from ..params import Device, Dtype, Size, Tensor
from ..random import Generator
from ..shapes import same
from .making import made, memory
from .random_ops import source
from .reduce import not_implemented


def _nothing(g: Any) -> Any:
    """The gradient of a random draw, which torch defines as zero."""
    return ops.zeros_like(g)


def _in_memory_order(input: Array, draw: Callable[[Shape], Array]) -> Array:
    """Random numbers in the shape of ``input``, drawn in the order in which its elements lie in memory, as torch does."""
    if input.flags.c_contiguous:
        return draw(input.shape)
    order = sorted(range(input.ndim), key=lambda axis: -input.strides[axis])
    return draw(tuple(input.shape[axis] for axis in order)).transpose(np.argsort(order))


def _check_std(std: float) -> None:
    if not std >= 0:
        raise TensorRuntimeError(f"normal expects std >= 0.0, but found std {std:g}", code="bad_range", pointer="/std")


def _normal(mean: Any, std: Any) -> Meta:
    """The meta of normal numbers, in the dtype of the mean if that is a tensor, otherwise of the standard deviation."""
    first = std if isinstance(mean, (int, float)) else mean
    if first.dtype.kind not in "fc":
        raise not_implemented(first, "normal_kernel_cpu")
    if isinstance(std, (int, float)):
        _check_std(std)
    elif std.dtype.kind == "c":
        raise TensorRuntimeError("normal expects standard deviation to be non-complex", code="dtype_mismatch", pointer="/std")
    return dense(broadcast(*[x.shape for x in (mean, std) if not isinstance(x, (int, float))]), first.dtype)


def _normal_array(mean: Any, std: Any, generator: Generator | None) -> Array:
    meta = _normal(mean, std)
    if isinstance(std, np.ndarray) and (std < 0).any():
        raise TensorRuntimeError("normal expects all elements of std >= 0.0", code="bad_range", pointer="/std")
    if isinstance(std, (int, float)):
        drawn = source(generator).normal(meta.shape, meta.dtype, 0.0, std)
    else:
        drawn = source(generator).normal(meta.shape, meta.dtype) * std
    return np.add(drawn, mean).astype(meta.dtype, copy=False)


@op("normal", overload="Tensor_float", random=True, method=False, meta=_normal, grad_fn="NormalBackward1", vjp=dict(mean=_nothing))
def normal_around(mean: Tensor, std: float = 1.0, *, generator: Generator | None = None) -> Array:
    """Normally distributed numbers with the means ``mean`` and the standard deviation ``std``."""
    return _normal_array(mean, std, generator)


@op("normal", overload="float_Tensor", random=True, method=False, meta=_normal, grad_fn="NormalBackward2", vjp=dict(std=_nothing))
def normal_within(mean: float, std: Tensor, *, generator: Generator | None = None) -> Array:
    """Normally distributed numbers with the mean ``mean`` and the standard deviations ``std``."""
    return _normal_array(mean, std, generator)


@op(
    "normal",
    overload="Tensor_Tensor",
    random=True,
    method=False,
    meta=_normal,
    grad_fn="NormalBackward3",
    vjp=dict(mean=_nothing, std=_nothing),
)
def normal_each(mean: Tensor, std: Tensor, *, generator: Generator | None = None) -> Array:
    """Normally distributed numbers with the means ``mean`` and the standard deviations ``std``."""
    return _normal_array(mean, std, generator)


def _normal_sized(mean: float, std: float, size: Size, dtype: Dtype | None, requires_grad: bool) -> Meta:
    _check_std(std)
    meta = made(size, default_dtype() if dtype is None else dtype, requires_grad)
    if meta.dtype.kind not in "fc":
        raise not_implemented(meta, "normal_kernel_cpu")
    return meta


@op("normal", overload="float_float", creation=True, random=True, meta=_normal_sized)
def normal_sized(
    mean: float,
    std: float,
    size: Size,
    *,
    generator: Generator | None = None,
    dtype: Dtype | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Array:
    """Normally distributed numbers in the shape ``size``."""
    meta = _normal_sized(mean, std, size, dtype, requires_grad)
    return memory(meta, lambda shape, dt: source(generator).normal(shape, dt, mean, std))


def _check_chance(p: float) -> None:
    if not 0 <= p <= 1:
        raise TensorRuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}", code="bad_probability", pointer="/p")


def _check_chances(p: Array) -> None:
    if not ((p >= 0) & (p <= 1)).all():
        raise TensorRuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  "
            "(Could this error message be improved?  If so, please report an enhancement request to PyTorch.)",
            code="bad_probability",
        )


def _bernoulli(input: Any) -> Meta:
    if input.dtype.kind == "c":
        raise not_implemented(input, "bernoulli_tensor_cpu_self_")
    if input.dtype.kind != "f":
        raise not_implemented(input, "bernoulli_tensor_cpu_p_")
    return same(input)


@op("bernoulli", overload="default", random=True, meta=_bernoulli, vjp=dict(input=_nothing))
def bernoulli_each(input: Tensor, *, generator: Generator | None = None) -> Array:
    """Ones with the probabilities in ``input``, otherwise zeros."""
    _bernoulli(input)
    _check_chances(input)
    return source(generator).bernoulli(np.asarray(input), input.shape, input.dtype)


def _bernoulli_p(input: Any, p: float) -> Meta:
    _check_chance(p)
    if input.dtype.kind == "c":
        raise not_implemented(input, "bernoulli_scalar_cpu_")
    return same(input)


@op("bernoulli", overload="p", random=True, meta=_bernoulli_p)
def bernoulli_p(input: Tensor, p: float, *, generator: Generator | None = None) -> Array:
    """Ones with the probability ``p``, otherwise zeros, in the shape of ``input``."""
    _bernoulli_p(input, p)
    return source(generator).bernoulli(p, input.shape, input.dtype)


# In-place methods; their plain forms have no name in torch.


@op(
    "_bernoulli",
    overload="float",
    random=True,
    meta=_bernoulli_p,
    inplace="bernoulli_",
    grad_fn="BernoulliBackward2",
    vjp=dict(input=_nothing),
)
def fill_bernoulli(input: Tensor, p: float = 0.5, *, generator: Generator | None = None) -> Array:
    """Ones with the probability ``p``, otherwise zeros."""
    _bernoulli_p(input, p)
    return _in_memory_order(input, lambda shape: source(generator).bernoulli(p, shape, input.dtype))


def _bernoulli_tensor(input: Any, p: Any) -> Meta:
    if p.dtype.kind != "f":
        raise not_implemented(p, "bernoulli_tensor_cpu_p_")
    if broadcast(input.shape, p.shape) != input.shape:
        raise TensorRuntimeError(
            f"output with shape {list(input.shape)} doesn't match the broadcast shape {list(broadcast(input.shape, p.shape))}",
            code="shape_mismatch",
        )
    return same(input)


@op(
    "_bernoulli",
    overload="Tensor",
    random=True,
    meta=_bernoulli_tensor,
    inplace="bernoulli_",
    grad_fn="BernoulliBackward1",
    vjp=dict(input=_nothing, p=_nothing),
)
def fill_bernoulli_each(input: Tensor, p: Tensor, *, generator: Generator | None = None) -> Array:
    """Ones with the probabilities ``p``, otherwise zeros."""
    _bernoulli_tensor(input, p)
    _check_chances(p)
    return source(generator).bernoulli(np.broadcast_to(p, input.shape), input.shape, input.dtype)


def _uniform(input: Any, from_: float, to: float) -> Meta:
    if input.dtype.kind not in "fc":
        raise not_implemented(input, "check_uniform_bounds")
    if from_ > to:
        raise TensorRuntimeError(f"uniform_ expects to return a [from, to) range, but found from={from_:g} > to={to:g}", code="bad_range")
    return same(input)


@op("_uniform", random=True, meta=_uniform, inplace="uniform_", grad_fn="UniformBackward0", vjp=dict(input=_nothing))
def fill_uniform(input: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None) -> Array:
    """Numbers spread evenly over [``from_``, ``to``)."""
    _uniform(input, from_, to)
    return _in_memory_order(input, lambda shape: source(generator).uniform(shape, input.dtype, from_, to))


def _normal_like(input: Any, std: float) -> Meta:
    _check_std(std)
    if input.dtype.kind not in "fc":
        raise not_implemented(input, "normal_kernel_cpu")
    return same(input)


@op("_normal", random=True, meta=_normal_like, inplace="normal_", grad_fn="NormalBackward0", vjp=dict(input=_nothing))
def fill_normal(input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Array:
    """Normally distributed numbers with the mean ``mean`` and the standard deviation ``std``."""
    _normal_like(input, std)
    paired = not input.flags.c_contiguous
    return _in_memory_order(input, lambda shape: source(generator).normal(shape, input.dtype, mean, std, paired=paired))


def _exponential(input: Any, lambd: float) -> Meta:
    if input.dtype.kind != "f":
        name = dtype_of(input.dtype).torch_name
        raise TensorRuntimeError(
            f"Exponential distribution is a continuous probability distribution. dtype must be a floating point but you specified {name}",
            code="dtype_not_implemented",
        )
    if not lambd > 0:
        raise TensorRuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}", code="bad_range", pointer="/lambd")
    return same(input)


@op("_exponential", random=True, meta=_exponential, inplace="exponential_", grad_fn="ExponentialBackward0", vjp=dict(input=_nothing))
def fill_exponential(input: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Array:
    """Exponentially distributed numbers with the rate ``lambd``."""
    _exponential(input, lambd)
    return _in_memory_order(input, lambda shape: source(generator).exponential(shape, input.dtype, lambd))
