"""What a plan is made of while it is being compiled: terms, and the NumPy calls that compute them.

A term is assigned once. Nothing here is ever written in place; which steps share memory is decided when the plan is emitted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np

from ..dtypes import Array, NumpyDType
from ..meta import Meta, Shape, contiguous_strides

MOST_BYTES: Final = 1 << 16
"""The size of the largest array that a plan holds in place of the call that makes it; one element repeated takes none of it."""

Kind = Literal["elementwise", "reduce", "matmul", "view", "copy", "put", "add_at", "join", "kernel", "run"]
"""What a step does:

- ``elementwise``: a ufunc or ``numpy.where``;
- ``reduce``: ``ufunc.reduce``, with its axis as a tuple;
- ``matmul``: ``numpy.matmul``;
- ``view``: ``how`` of the one operand, without a copy;
- ``copy``: the operand's elements in the layout (and dtype) of the result;
- ``put``: the first operand with the region ``how`` replaced by the second;
- ``add_at``: the first operand with the second added to the region ``how``;
- ``join``: ``numpy.concatenate`` or ``numpy.stack`` of the operands;
- ``kernel``: the kernel of an op as it is;
- ``run``: a long elementwise run, done in blocks.
"""

View = tuple[str, Any]
"""How a view is taken: ``("getitem", key)``, ``("reshape", shape)``, ``("transpose", axes)``, ``("real", None)``, ``("imag", None)``,
``("dtype", dtype)`` or ``("strided", (shape, strides, offset, dtype))``, in bytes."""


class Term:
    """An array (or a number, where it has no dimensions) that a plan computes, takes or holds.

    Attributes:
        shape: Its sizes.
        dtype: Its element type.
        strides: Its steps in elements, which what is emitted keeps to.
        constant: Its elements, where they are known; with strides of 0 where all are the same.
        size: The number of its elements.
    """

    __slots__ = ("constant", "dtype", "shape", "size", "strides")

    def __init__(self, shape: Shape, dtype: NumpyDType, strides: Shape, constant: Array | None = None) -> None:
        self.shape = shape
        self.dtype = dtype
        self.strides = strides
        self.constant = constant
        self.size = math.prod(shape)

    def another(self) -> Term:
        """A new term of the same layout, which is not known."""
        made = Term.__new__(Term)
        made.shape, made.dtype, made.strides, made.constant, made.size = self.shape, self.dtype, self.strides, None, self.size
        return made

    @property
    def meta(self) -> Meta:
        """The same facts as a meta."""
        return Meta(self.shape, self.dtype, self.strides)

    @property
    def nbytes(self) -> int:
        """The bytes of its elements."""
        return self.size * self.dtype.itemsize

    def same_layout(self, other: Term) -> bool:
        """Whether shape, dtype and memory order are those of ``other``."""
        if self.shape != other.shape or self.dtype != other.dtype:
            return False
        return self.strides == other.strides or steps(self) == steps(other)

    def __repr__(self) -> str:
        return f"<{'constant' if self.constant is not None else 'term'} {self.dtype.name}{list(self.shape)}>"


class Step:
    """One call.

    Attributes:
        kind: What it does.
        function: What is called: a ufunc, a function of NumPy's, or an op; ``None`` for views, copies and regions.
        args: Terms, Python numbers, and for a kernel whatever its parameters take.
        how: A view, a region (a tuple of views), or the keyword arguments as a tuple of pairs.
        outs: What it computes.
        out: The first of that, and most often the only one.
        pure: Whether it may be dropped, merged and done ahead.
    """

    __slots__ = ("args", "function", "how", "kind", "out", "outs", "pure")

    def __init__(
        self, kind: Kind, function: Any, args: tuple[Any, ...], outs: tuple[Term, ...], how: Any = None, *, pure: bool = True
    ) -> None:
        self.kind: Kind = kind
        self.function = function
        self.args = args
        self.how = how
        self.outs = outs
        if outs:
            self.out = outs[0]
        self.pure = pure

    def operands(self) -> Iterable[Term]:
        """The terms that it reads, repeated where they are read twice."""
        if self.kind in ("join", "kernel"):
            return terms_in(self.args)  # which may have lists of them
        return [a for a in self.args if type(a) is Term]

    def with_args(self, args: tuple[Any, ...]) -> Step:
        """The same call of other arguments, for the same results."""
        return Step(self.kind, self.function, args, self.outs, self.how, pure=self.pure)

    def options(self) -> dict[str, Any]:
        """The keyword arguments of a call."""
        return dict(self.how or ())

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", self.function)
        return f"<{self.kind} {name} {self.args} {self.how} -> {self.outs}>"


class Graph:
    """A straight line of steps.

    Attributes:
        inputs: The terms that are given.
        steps: The calls in order.
        outputs: The terms that are asked for.
    """

    def __init__(self, inputs: Sequence[Term], steps: Sequence[Step], outputs: Sequence[Term]) -> None:
        self.inputs = list(inputs)
        self.steps = list(steps)
        self.outputs = list(outputs)

    def producers(self) -> dict[Term, Step]:
        """The step that computes each term."""
        return {out: step for step in self.steps for out in step.outs}

    def uses(self) -> dict[Term, int]:
        """How often each term is read, outputs included."""
        counts: dict[Term, int] = {}
        for step in self.steps:
            for term in step.operands():
                counts[term] = counts.get(term, 0) + 1
        for term in self.outputs:
            counts[term] = counts.get(term, 0) + 1
        return counts


def terms_in(args: Any) -> Iterator[Term]:
    """The terms in arguments, also inside tuples."""
    for item in args:
        if type(item) is Term:
            yield item
        elif type(item) is tuple:
            yield from terms_in(item)


def substitute(args: tuple[Any, ...], replaced: Mapping[Term, Term]) -> tuple[Any, ...]:
    """The arguments with terms replaced; the same object where none is."""
    made: list[Any] | None = None
    for i, item in enumerate(args):
        if type(item) is Term:
            new: Any = replaced.get(item, item)
        elif type(item) is tuple:
            new = substitute(item, replaced)
        else:
            continue
        if new is not item:
            if made is None:
                made = list(args)
            made[i] = new
    return args if made is None else tuple(made)


def dense_term(shape: Sequence[int], dtype: NumpyDType) -> Term:
    """A new row-major term."""
    return Term(tuple(shape), dtype, contiguous_strides(shape))


def constant_term(array: Array) -> Term:
    """A term whose elements are known."""
    itemsize = array.itemsize
    strides = tuple(s // itemsize for s in array.strides) if array.size else contiguous_strides(array.shape)
    return Term(array.shape, array.dtype, strides, array)


def splat(value: Array, shape: Shape) -> Term:
    """A constant all of whose elements are the one of ``value``."""
    return constant_term(np.broadcast_to(value, shape))


def known(array: Array) -> Term:
    """A constant with the elements of a new array, one of them where all are the same."""
    if array.size > 1:
        parts = np.ascontiguousarray(array).reshape(-1).view(np.uint8).reshape(array.size, array.itemsize)
        if bool((parts[1:] == parts[0]).all()):
            return splat(np.array(array[(0,) * array.ndim]), array.shape)
    array.flags.writeable = False
    return constant_term(array)


def is_splat(term: Term) -> bool:
    """Whether it is a constant all of whose elements are one and the same in memory."""
    return term.constant is not None and (not term.shape or (term.size > 0 and not any(steps(term))))


def splat_value(term: Term) -> Array:
    """The element of a splat as an array of no dimensions."""
    assert term.constant is not None
    found: Array = np.asarray(term.constant[(0,) * len(term.shape)])
    return found


def steps(term: Term) -> Shape:
    """The strides that matter: a dimension of size 1 is never stepped along, and an empty array not at all."""
    if 0 in term.shape:
        return ()
    return tuple(stride for size, stride in zip(term.shape, term.strides, strict=True) if size != 1)


def is_dense(term: Term) -> bool:
    """Whether the elements lie in row-major order without gaps."""
    expected = 1
    for size, stride in zip(reversed(term.shape), reversed(term.strides), strict=True):
        if size == 0:
            return True
        if size != 1:
            if stride != expected:
                return False
            expected *= size
    return True


def take(how: View, array: Any) -> Any:
    """The view of an array that ``how`` describes."""
    name, what = how
    if name == "getitem":
        return array[what]
    if name == "reshape":
        return array.reshape(what)
    if name == "transpose":
        return array.transpose(what)
    if name == "dtype":
        return array.view(what)
    if name == "strided":
        return strided(array, *what)
    return getattr(array, name)


def take_known(how: View, term: Term) -> Array:
    """The view of a constant; where one element is repeated the steps in memory that ``how`` may name are not those of the array."""
    assert term.constant is not None
    found: Array = take(how, np.array(term.constant, order="C") if is_splat(term) else term.constant)
    return found


class _Memory:
    """Memory of another array, described anew for NumPy, which keeps this and so that array alive."""

    def __init__(self, owner: Array, shape: Shape, strides: Shape, offset: int, dtype: NumpyDType) -> None:
        self.owner = owner
        place, read_only = owner.__array_interface__["data"]
        self.__array_interface__ = {
            "data": (place + offset, read_only),
            "shape": shape,
            "strides": strides,
            "typestr": dtype.str,
            "version": 3,
        }


def strided(array: Array, shape: Shape, strides: Shape, offset: int, dtype: NumpyDType) -> Array:
    """A view of an array's memory; steps and offset are in bytes.

    Args:
        array: The array.
        shape: The sizes of the view.
        strides: Its steps.
        offset: Where it begins, counted from the array's first element.
        dtype: Its element type.
    """
    if array.flags.c_contiguous and array.size and array.flags.writeable:
        return np.ndarray(shape, dtype, array, offset, strides)
    return np.asarray(_Memory(array, shape, strides, offset, dtype))
