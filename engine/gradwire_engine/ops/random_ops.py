"""Random tensors, drawn from a generator: the one that is given, otherwise the one of the context."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType, default_dtype, dtype_of
from ..errors import TensorRuntimeError, TensorValueError
from ..meta import Meta, dense
from ..modes import current_generator
from ..op import op
from ..params import Device, Dtype, Size, Tensor
from ..random import Generator
from ..stopping import watched
from .making import made, memory
from .reduce import not_implemented
from .supported import converted, cpp_name

_INT64 = np.dtype(np.int64)


def source(generator: Generator | None) -> Generator:
    """The generator that an op draws from."""
    return current_generator() if generator is None else generator


def _floating(meta: Meta, kernel: str) -> Meta:
    if meta.dtype.kind not in "fc":
        raise not_implemented(meta, kernel)
    return meta


def _drawn(size: Size, dtype: Dtype | None, requires_grad: bool, kernel: str) -> Meta:
    return _floating(made(size, default_dtype() if dtype is None else dtype, requires_grad), kernel)


def _rand(size: Size, dtype: Dtype | None, requires_grad: bool) -> Meta:
    return _drawn(size, dtype, requires_grad, "check_uniform_bounds")


@op(creation=True, random=True, meta=_rand)
def rand(
    size: Size, *, generator: Generator | None = None, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False
) -> Array:
    """Numbers spread evenly over [0, 1)."""
    return memory(_rand(size, dtype, requires_grad), source(generator).uniform)


def _randn(size: Size, dtype: Dtype | None, requires_grad: bool) -> Meta:
    return _drawn(size, dtype, requires_grad, "normal_kernel_cpu")


@op(creation=True, random=True, meta=_randn)
def randn(
    size: Size, *, generator: Generator | None = None, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False
) -> Array:
    """Normally distributed numbers with the mean 0 and the variance 1."""
    return memory(_randn(size, dtype, requires_grad), source(generator).normal)


def check_range(low: int, high: int, dtype: NumpyDType) -> None:
    """Checks the bounds of random whole numbers.

    Raises:
        TensorRuntimeError: The range is empty, or does not fit ``dtype`` (torch's messages).
    """
    for bound in (low, high):
        if not -(2**63) <= bound < 2**63:
            raise TensorValueError("Overflow when unpacking long long", code="integer_out_of_range")
    if low >= high:
        raise TensorRuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}", code="bad_range")
    if dtype.kind == "c":
        raise TensorRuntimeError(
            "check_random_bounds handles only integral, floating-point and boolean types", code="dtype_not_implemented"
        )
    if dtype.kind == "b":
        least, most = 0, 1
    elif dtype.kind == "f":
        most = int(np.finfo(dtype).max)
        least = -most
    else:
        least, most = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    for what, value in (("from", low), ("to - 1", high - 1)):
        if not least <= value <= most:
            raise TensorRuntimeError(f"{what} is out of bounds for {cpp_name(dtype)}", code="bad_range")


def _randint(low: int, high: int, size: Size, dtype: Dtype | None, requires_grad: bool) -> Meta:
    meta = made(size, _INT64 if dtype is None else dtype, requires_grad)
    check_range(low, high, meta.dtype)
    return meta


def _whole(meta: Meta, low: int, high: int, generator: Generator | None) -> Array:
    return memory(meta, lambda shape, dtype: source(generator).integers(low, high, shape, dtype))


@op(
    "randint",
    overload="default",
    creation=True,
    random=True,
    meta=lambda high, size, dtype, requires_grad: _randint(0, high, size, dtype, requires_grad),
)
def randint_below(
    high: int,
    size: Size,
    *,
    generator: Generator | None = None,
    dtype: Dtype | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Array:
    """Whole numbers from 0 up to, not including, ``high``."""
    return _whole(_randint(0, high, size, dtype, requires_grad), 0, high, generator)


@op("randint", overload="low", creation=True, random=True, meta=_randint)
def randint_between(
    low: int,
    high: int,
    size: Size,
    *,
    generator: Generator | None = None,
    dtype: Dtype | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Array:
    """Whole numbers from ``low`` up to, not including, ``high``."""
    return _whole(_randint(low, high, size, dtype, requires_grad), low, high, generator)


def _randperm(n: int, dtype: Dtype | None, requires_grad: bool) -> Meta:
    meta = made((n,), _INT64 if dtype is None else dtype, requires_grad)
    if meta.dtype.kind in "bc":
        raise not_implemented(meta, "randperm")
    if meta.dtype.kind == "f":
        largest = 2 ** (np.finfo(meta.dtype).nmant + 1)
        if n > largest + 1:
            name = dtype_of(meta.dtype).torch_name
            raise TensorRuntimeError(f"n cannot be greater than {largest + 1} for {name} type.", code="bad_range", pointer="/n")
    else:
        converted(n, meta.dtype)
    return meta


@op(creation=True, random=True, meta=_randperm)
def randperm(
    n: int, *, generator: Generator | None = None, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False
) -> Array:
    """The numbers from 0 to ``n - 1`` in random order."""
    return memory(_randperm(n, dtype, requires_grad), lambda shape, dt: source(generator).permutation(n, dt))


# In the shape of another tensor.


def _like(input: Any, dtype: Dtype | None, requires_grad: bool, kernel: str) -> Meta:
    return _drawn(input.shape, input.dtype if dtype is None else dtype, requires_grad, kernel)


def _rand_like(input: Any, dtype: Dtype | None, requires_grad: bool) -> Meta:
    return _like(input, dtype, requires_grad, "check_uniform_bounds")


@op(random=True, meta=_rand_like, method=False)
def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Dtype | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Array:
    """Numbers spread evenly over [0, 1), in the shape of ``input``."""
    return memory(_rand_like(input, dtype, requires_grad), source(generator).uniform)


def _randn_like(input: Any, dtype: Dtype | None, requires_grad: bool) -> Meta:
    return _like(input, dtype, requires_grad, "normal_kernel_cpu")


@op(random=True, meta=_randn_like, method=False)
def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Dtype | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Array:
    """Normally distributed numbers with the mean 0 and the variance 1, in the shape of ``input``."""
    return memory(_randn_like(input, dtype, requires_grad), source(generator).normal)


def _randint_like(input: Any, low: int, high: int, dtype: Dtype | None, requires_grad: bool) -> Meta:
    return _randint(low, high, input.shape, input.dtype if dtype is None else dtype, requires_grad)


@op(
    "randint_like",
    overload="default",
    random=True,
    method=False,
    meta=lambda input, high, dtype, requires_grad: _randint_like(input, 0, high, dtype, requires_grad),
)
def randint_like_below(
    input: Tensor,
    high: int,
    *,
    generator: Generator | None = None,
    dtype: Dtype | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Array:
    """Whole numbers from 0 up to, not including, ``high``, in the shape and dtype of ``input``."""
    return _whole(_randint_like(input, 0, high, dtype, requires_grad), 0, high, generator)


@op("randint_like", overload="low_dtype", random=True, method=False, meta=_randint_like)
def randint_like_between(
    input: Tensor,
    low: int,
    high: int,
    *,
    generator: Generator | None = None,
    dtype: Dtype | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Array:
    """Whole numbers from ``low`` up to, not including, ``high``, in the shape and dtype of ``input``."""
    return _whole(_randint_like(input, low, high, dtype, requires_grad), low, high, generator)


def _multinomial(input: Any, num_samples: int, replacement: bool) -> Meta:
    if not 1 <= len(input.shape) <= 2:
        raise TensorRuntimeError("prob_dist must be 1 or 2 dim", code="shape_mismatch", pointer="/input")
    if input.dtype.kind != "f":
        name = dtype_of(input.dtype).torch_name
        raise TensorRuntimeError(f"multinomial only supports floating-point dtypes for input, got: {name}", code="dtype_mismatch")
    if num_samples <= 0:
        raise TensorRuntimeError("cannot sample n_sample <= 0 samples", code="bad_range", pointer="/num_samples")
    if not replacement and num_samples > input.shape[-1]:
        raise TensorRuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement", code="bad_range", pointer="/num_samples"
        )
    return dense((*input.shape[:-1], num_samples), _INT64)


def _multinomial_work(input: Meta, num_samples: int) -> int:
    return 4_000 * (input.numel + math.prod(input.shape[:-1]) * num_samples)


@op(random=True, meta=_multinomial, scratch=lambda input: 2 * input.nbytes + _INT64.itemsize * input.numel, work=_multinomial_work)
def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None) -> Array:
    """Indices drawn with the probabilities in each row of ``input``, which need not add up to one."""
    meta = _multinomial(input, num_samples, replacement)
    totals = np.sum(input, axis=-1, keepdims=True)
    if not np.isfinite(input).all() or (input < 0).any():
        raise TensorRuntimeError("probability tensor contains either `inf`, `nan` or element < 0", code="bad_probability")
    if (totals <= 0).any():
        raise TensorRuntimeError("invalid multinomial distribution (sum of probabilities <= 0)", code="bad_probability")
    if not replacement or num_samples == 1:
        # The race of exponential clocks: https://timvieira.github.io/blog/gumbel-max-trick-and-weighted-reservoir-sampling/
        clocks = source(generator).exponential(input.shape, input.dtype)
        with np.errstate(all="ignore"):
            return np.argsort(-(input / clocks), axis=-1, kind="stable")[..., :num_samples]
    reached = np.cumsum(input, axis=-1) / totals
    reached[..., -1] = 1.0
    drawn = source(generator).uniform(meta.shape, np.dtype(np.float64))
    rows, draws = reached.reshape(-1, reached.shape[-1]), drawn.reshape(-1, num_samples)
    found = np.empty(draws.shape, _INT64)
    for i, row in watched(enumerate(rows)):
        found[i] = np.searchsorted(row, draws[i])
    return found.reshape(meta.shape)
