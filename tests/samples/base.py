"""How the samples of an op are written: argument lists with recipes in place of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

Layout = Literal["contiguous", "transposed", "strided", "expanded"]


@dataclass(frozen=True)
class T:
    """A recipe for a tensor.

    Args:
        shape: Its shape; an int is a vector.
        dtype: torch's name of the dtype.
        low: Smallest value (values are uniform; integers too).
        high: Largest value, not included for integers.
        values: The elements themselves, in place of random ones.
        grad: Whether it requires grad where its dtype allows that.
        layout: How it lies in memory.
        spd: A symmetric (Hermitian) positive definite matrix, or a batch of them.
    """

    shape: int | tuple[int, ...] = ()
    dtype: str = "float64"
    low: float = -2.0
    high: float = 2.0
    values: Any = None
    grad: bool = True
    layout: Layout = "contiguous"
    spd: bool = False

    def array(self, seed: int) -> np.ndarray[Any, Any]:
        """The array, the same for the same seed."""
        dtype = np.dtype(self.dtype)
        if self.values is not None:
            return self._lay_out(np.array(self.values, dtype))
        shape = (self.shape,) if isinstance(self.shape, int) else self.shape
        random = np.random.default_rng([seed, *shape])
        if dtype.kind == "b":
            made: Any = random.random(shape) < 0.5
        elif dtype.kind in "iu":
            made = random.integers(int(max(self.low, 0) if dtype.kind == "u" else self.low), int(max(self.high, self.low + 1)), shape)
        else:
            made = random.uniform(self.low, self.high, shape)
            if dtype.kind == "c":
                made = made + 1j * random.uniform(self.low, self.high, shape)
        if self.spd:
            made = made @ np.conj(np.swapaxes(made, -1, -2)) + np.eye(shape[-1])
        return self._lay_out(np.asarray(made, dtype))

    def _lay_out(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if self.layout == "transposed" and array.ndim > 1:
            return np.swapaxes(np.swapaxes(array, 0, -1).copy(), 0, -1)
        if self.layout == "strided" and array.ndim > 0:
            return np.repeat(array, 2, axis=-1)[..., ::2]
        if self.layout == "expanded" and array.ndim > 0:
            first = array[:1].copy()
            return np.lib.stride_tricks.as_strided(first, array.shape, (0, *first.strides[1:]))
        return array


@dataclass(frozen=True)
class G:
    """A recipe for a random generator.

    Args:
        seed: What it is seeded with.
    """

    seed: int = 0


@dataclass(frozen=True)
class Sample:
    """One call of an op.

    Args:
        args: Positional arguments; a ``T``, or a list or an index with ``T`` in it, becomes tensors, a ``G`` a generator.
            A string that names a dtype (``dtype="float32"``) becomes the dtype.
        kwargs: Keyword arguments, likewise.
        grad: Whether first-order gradients are checked.
        grad2: Whether second-order gradients are checked.
        derivative: Whether the gradient is the derivative at these values, so that finite differences can tell. It is not for an
            ``embedding`` with ``padding_idx``, and there are none at the edge of a domain.
        error: The call must fail, in torch with the same builtin exception and the same message.
        error_from_values: The failure depends on the elements of a tensor, so the shape rule cannot see it.
        rtol: Relative tolerance against torch, ``None`` for the dtype's own.
        same_error_text: Whether the message must equal torch's; the exception type always must.
        grad_fn: Whether the name of the grad_fn is compared with torch's.
        view: Whether being a view is compared with torch.
        inplace: Whether the in-place form, where there is one, is compared with torch too.
        output: Picks what is differentiated from the result; all floating outputs when ``None``.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    grad: bool = True
    grad2: bool = True
    derivative: bool = True
    error: bool = False
    error_from_values: bool = False
    rtol: float | None = None
    same_error_text: bool = True
    grad_fn: bool = True
    view: bool = True
    inplace: bool = True
    output: Callable[[Any], Sequence[Any]] | None = None

    def but(self, **changes: Any) -> Sample:
        """The same sample with some of its facts changed: ``S(T(3)).but(grad2=False)``."""
        return replace(self, **changes)


def S(*args: Any, **kwargs: Any) -> Sample:
    """A sample: the call ``op(*args, **kwargs)``."""
    return Sample(args, kwargs)


def E(*args: Any, **kwargs: Any) -> Sample:
    """A call that must fail as it does in torch."""
    return Sample(args, kwargs, error=True)


def unary(**facts: Any) -> list[Sample]:
    """What every elementwise function of one tensor is tried on; ``facts`` (``low``, ``high``) bound the values."""
    shapes: list[T] = [T((), **facts), T(3, **facts), T((2, 3), **facts), T((0,), **facts), T((2, 0, 3), **facts)]
    return [
        *[S(t) for t in shapes],
        S(T((3, 4), layout="transposed", **facts)),
        S(T((3, 4), layout="strided", **facts)),
        S(T((3, 4), layout="expanded", **facts)),
        S(T((2, 3), dtype="float32", **facts)),
        S(T((2, 3), grad=False, **facts)),
    ]


def binary(**facts: Any) -> list[Sample]:
    """What every elementwise function of two tensors is tried on."""
    a, b = facts.pop("a", {}), facts.pop("b", {})
    a, b = {**facts, **a}, {**facts, **b}
    return [
        S(T((2, 3), **a), T((2, 3), **b)),
        S(T((2, 3), **a), T((3,), **b)),
        S(T((2, 1), **a), T((1, 3), **b)),
        S(T((), **a), T((2, 3), **b)),
        S(T((), **a), T((), **b)),
        S(T((0, 3), **a), T((3,), **b)),
        S(T((3, 4), layout="transposed", **a), T((3, 4), **b)),
        S(T((2, 3), dtype="float32", **a), T((2, 3), **b)),
        S(T((2, 3), dtype="float32", **a), T((), **b)),
        S(T((2, 3), dtype="float32", **a), T((3,), dtype="int64", **{**b, "low": 1, "high": 4})),
        S(T((2, 3), grad=False, **a), T((3,), **b)),
        E(T((2, 3), **a), T((2,), **b)),
    ]
