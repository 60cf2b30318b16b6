"""What stands for an array while the kernel of an op is followed: its layout, and what is noted down when it is viewed or copied."""

from __future__ import annotations

from typing import Any, NoReturn, Self, TypeVar

import numpy as np

from ..dtypes import Array, NumpyDType
from ..errors import TensorRuntimeError
from ..meta import broadcast, dense, ordered_like
from .ir import Step, Term, View, constant_term, dense_term, is_dense, is_splat, steps, take


class Untraceable(Exception):
    """A kernel does what tracers cannot note down."""


class Outline:
    """Stands for an array: its layout, its views and its copies.

    Args:
        term: What it is at present.
        steps: Where calls are noted down.
    """

    def __init__(self, term: Term, steps: list[Step]) -> None:
        self.term = term
        self.steps = steps
        # What it is a view of, and by which views: writing to it gives that another term.
        self.source: Self | None = None
        self.path: tuple[View, ...] = ()
        self.owned = False

    # What arrays know of themselves.

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes."""
        return self.term.shape

    @property
    def dtype(self) -> NumpyDType:
        """The element type."""
        return self.term.dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.term.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.term.size

    @property
    def itemsize(self) -> int:
        """The bytes of an element."""
        return self.term.dtype.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """The steps in bytes."""
        return tuple(s * self.term.dtype.itemsize for s in self.term.strides)

    def __len__(self) -> int:
        return self.term.shape[0]

    # Views.

    @property
    def T(self) -> Self:
        """The dimensions in reverse."""
        return self.transpose()

    @property
    def mT(self) -> Self:
        """Matrices transposed."""
        return self.swapaxes(-1, -2)

    @property
    def real(self) -> Self:
        """The real parts."""
        return self if self.dtype.kind != "c" else self._view(("real", None))

    @property
    def imag(self) -> Self:
        """The imaginary parts."""
        return refuse() if self.dtype.kind != "c" else self._view(("imag", None))

    def __getitem__(self, key: Any) -> Self:
        keys = key if isinstance(key, tuple) else (key,)
        if not all(k is None or k is Ellipsis or type(k) in (int, slice) for k in keys):
            refuse()
        if Ellipsis not in keys:
            keys = (*keys, ...)
        return self._view(("getitem", keys))

    def __iter__(self) -> Any:
        return iter([self[i] for i in range(len(self))])

    def __setitem__(self, key: Any, value: Any) -> None:
        target = self if key is Ellipsis else self[key]
        root = target if target.source is None else target.source
        if not root.owned:
            refuse()
        made = self.lift(value)
        if made.dtype != target.dtype or broadcast(made.shape, target.shape) != target.shape:
            refuse()
        if made.shape != target.shape:
            made = broadcast_to(made, target.shape)
        if target is root:
            root.term = made.term
            return
        out = dense_term(root.shape, root.dtype)
        self.steps.append(Step("put", None, (root.term, made.term), (out,), target.path))
        root.term = out

    def reshape(self, *shape: Any, copy: bool | None = None) -> Self:
        """Another shape, without a copy where there need be none."""
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return self._reshaped(tuple(int(s) for s in wanted), copy)

    def _reshaped(self, shape: tuple[int, ...], copy: bool | None) -> Self:
        if is_dense(self.term):
            if -1 not in shape:
                if dense(shape, self.dtype).numel != self.size:
                    raise ValueError(f"cannot reshape array of shape {self.shape} into shape {shape}")
                return self._view(("reshape", shape), dense_term(shape, self.dtype))
            return self._view(("reshape", shape))
        sample = stand_in(self.term)
        try:
            found = sample.reshape(shape, copy=False)
        except ValueError:
            if copy is False:
                raise
            return copied(self, dense_term(self.shape, self.dtype)).reshape(shape)
        return self._view(("reshape", found.shape), _term_like(found))

    def ravel(self) -> Self:
        """One dimension."""
        return self.reshape(-1)

    def transpose(self, *axes: Any) -> Self:
        """The dimensions in another order."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        if not order or order[0] is None:
            order = range(self.ndim)[::-1]
        chosen = tuple(int(a) % self.ndim for a in order)
        term = Term(tuple(self.shape[a] for a in chosen), self.dtype, tuple(self.term.strides[a] for a in chosen))
        return self._view(("transpose", chosen), term)

    def swapaxes(self, first: int, second: int) -> Self:
        """Two dimensions exchanged."""
        order = list(range(self.ndim))
        order[first], order[second] = order[second], order[first]
        return self.transpose(order)

    def squeeze(self, axis: Any = None) -> Self:
        """Without dimensions of size 1."""
        axes = tuple(range(self.ndim)) if axis is None else tuple(a % self.ndim for a in ((axis,) if isinstance(axis, int) else axis))
        if axis is not None and any(self.shape[a] != 1 for a in axes):
            raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
        return self.reshape(tuple(s for i, s in enumerate(self.shape) if s != 1 or i not in axes))

    def view(self, dtype: Any) -> Self:
        """The same bytes as elements of another dtype."""
        wanted: NumpyDType = np.dtype(dtype)
        if wanted.itemsize != self.itemsize:
            refuse()
        return self._view(("dtype", wanted), Term(self.shape, wanted, self.term.strides))

    def _view(self, how: View, term: Term | None = None) -> Self:
        made = type(self)(term if term is not None else _term_like(take(how, stand_in(self.term))), self.steps)
        if not self.term.strides and not made.term.strides and how[0] in ("getitem", "reshape"):
            made.term = self.term
        else:
            self.steps.append(Step("view", None, (self.term,), (made.term,), how))
        made.source, made.path = self if self.source is None else self.source, (*self.path, how)
        return made

    # Copies.

    def astype(self, dtype: Any, copy: bool = True, **options: Any) -> Self:
        """The elements as another dtype."""
        wanted: NumpyDType = np.dtype(dtype)
        if options:
            refuse()
        if wanted == self.dtype and not copy:
            return self
        return copied(self, Term(self.shape, wanted, ordered_like(self.shape, wanted, [self.term.meta]).strides))

    def copy(self, order: str = "C") -> Self:
        """A copy."""
        return self.astype(self.dtype) if order == "K" else copied(self, dense_term(self.shape, self.dtype))

    def lift(self, value: Any) -> Self:
        """An operand beside this: an array is a constant."""
        if isinstance(value, Outline):
            return value  # type: ignore[return-value]
        if isinstance(value, (np.ndarray, np.generic)):
            return type(self)(constant_term(np.asarray(value)), self.steps)
        refuse()

    def fresh(self, term: Term) -> Self:
        """What stands for a new array, which the kernel may write to."""
        made = type(self)(term, self.steps)
        made.owned = True
        return made


def refuse() -> NoReturn:
    """Gives up following a kernel.

    Raises:
        Untraceable: Always.
    """
    raise Untraceable


def stand_in(term: Term) -> Array:
    """An array of the same layout whose elements mean nothing, and which takes almost no memory."""
    if term.size <= 4096 and is_dense(term):
        return np.empty(term.shape, term.dtype)
    itemsize = term.dtype.itemsize
    return np.lib.stride_tricks.as_strided(np.empty(1, term.dtype), term.shape, [s * itemsize for s in term.strides])


def _term_like(array: Array) -> Term:
    made = constant_term(array)
    made.constant = None
    return made


Followed = TypeVar("Followed", bound=Outline)


def copied(source: Followed, out: Term) -> Followed:
    """A copy in the layout and dtype of ``out``."""
    source.steps.append(Step("copy", None, (source.term,), (out,)))
    return source.fresh(out)


def broadcast_to(x: Followed, shape: Any) -> Followed:
    """The same elements repeated along new dimensions and those of size 1, without a copy."""
    wanted = (shape,) if isinstance(shape, int) else tuple(shape)
    if wanted == x.shape:
        return x
    lead = len(wanted) - x.ndim
    if lead < 0 or broadcast(x.shape, wanted) != wanted:
        raise ValueError(f"The shape {x.shape} cannot be broadcast to {wanted}.")
    strides = (0,) * lead + tuple(
        0 if have != size else step for have, size, step in zip(x.shape, wanted[lead:], x.term.strides, strict=True)
    )
    itemsize = x.dtype.itemsize
    return x._view(("strided", (wanted, tuple(s * itemsize for s in strides), 0, x.dtype)), Term(wanted, x.dtype, strides))


def own(x: Outline, wanted: Term) -> Term:
    """What a kernel gave, in the layout that the shape rule promises.

    Raises:
        TensorRuntimeError: The kernel and its shape rule disagree.
    """
    term = x.term
    if term.shape != wanted.shape or term.dtype != wanted.dtype:
        raise TensorRuntimeError(f"A kernel gave {term!r} where its shape rule says {wanted!r}.", code="shape_mismatch")
    # What repeats one element has no order.
    return term if is_splat(term) or steps(term) == steps(wanted) else copied(x, wanted).term
