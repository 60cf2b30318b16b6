"""From the kernel of an op to the NumPy calls it makes: the kernel is run once on tracers, which note down what is done to them.

So an op is declared once, and nothing is repeated here. A kernel that looks at elements, or calls what tracers do not know,
raises ``Untraceable`` and stays one call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..dtypes import NumpyDType
from ..meta import broadcast, ordered_like
from .ir import Kind, Step, Term, constant_term, dense_term, is_dense, splat
from .outline import Outline, broadcast_to, copied, refuse

_NUMBERS = (bool, int, float, complex)
_ALL = object()


class Traced(Outline, NDArrayOperatorsMixin):
    """Stands for an array in a kernel, and follows NumPy's protocols."""

    def conj(self) -> Any:
        """The complex conjugate."""
        return np.conjugate(self)

    conjugate = conj

    # Reductions.

    def sum(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """The sum."""
        return np.sum(self, axis=axis, dtype=dtype, keepdims=keepdims)

    def prod(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """The product."""
        return np.prod(self, axis=axis, dtype=dtype, keepdims=keepdims)

    def max(self, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """The largest."""
        return np.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """The smallest."""
        return np.min(self, axis=axis, keepdims=keepdims)

    # NumPy's protocols.

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        target = options.pop("out", None)
        if method == "reduce" and target is None:
            return reduction(ufunc, _lifted(inputs[0], self.steps), *inputs[1:], **options)
        if method != "__call__" or set(options) - {"dtype", "casting"} or (ufunc.signature and ufunc is not np.matmul):
            refuse()
        named = tuple((key, np.dtype(value) if key == "dtype" else value) for key, value in sorted(options.items()))
        results = _called(ufunc, inputs, named, self.steps)
        if target is not None:
            (place,) = target
            if not isinstance(place, Traced) or len(results) > 1:
                refuse()
            place[...] = results[0]
            return place
        return results if len(results) > 1 else results[0]

    def __array_function__(self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        handler = _FUNCTIONS.get(function)
        if handler is None:
            refuse()
        return handler(self.steps, *args, **options)

    def _no_elements(self, *args: Any, **options: Any) -> NoReturn:
        refuse()

    __array__ = __bool__ = __int__ = __float__ = __complex__ = __index__ = __contains__ = item = tolist = _no_elements
    any = all = argmax = argmin = sort = argsort = cumsum = cumprod = flatten = nonzero = repeat = fill = mean = _no_elements
    flags = base = ctypes = data = property(_no_elements)


def _lifted(value: Any, noted: list[Step]) -> Traced:
    """An operand as a tracer; arrays are constants."""
    if isinstance(value, Traced):
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        return Traced(constant_term(np.asarray(value)), noted)
    refuse()


def _operand(value: Any, noted: list[Step]) -> Any:
    return value if type(value) in _NUMBERS else _lifted(value, noted).term


def _fresh(term: Term, noted: list[Step]) -> Traced:
    made = Traced(term, noted)
    made.owned = True
    return made


_DTYPES: dict[Any, tuple[NumpyDType, ...]] = {}


def result_dtypes(ufunc: np.ufunc, operands: Sequence[Any], options: tuple[Any, ...]) -> tuple[NumpyDType, ...]:
    """The dtypes of the results, found by calling it on no elements; refuses numbers that do not fit as NumPy does."""
    key = (ufunc, tuple(o.dtype if type(o) is Term else type(o) for o in operands), options)
    found = _DTYPES.get(key)
    if found is None or any(type(o) is int for o in operands):
        with np.errstate(all="ignore"):
            made = ufunc(*[np.empty(0, o.dtype) if type(o) is Term else o for o in operands], **dict(options))
        found = tuple(m.dtype for m in made) if isinstance(made, tuple) else (made.dtype,)
        _DTYPES[key] = found
    return found


def _called(ufunc: np.ufunc, inputs: Sequence[Any], options: tuple[Any, ...], noted: list[Step]) -> tuple[Traced, ...]:
    """Notes down a call of a ufunc."""
    operands = tuple(_operand(v, noted) for v in inputs)
    terms = [o for o in operands if type(o) is Term]
    kind: Kind = "elementwise"
    if ufunc is np.matmul:
        kind = "matmul"
        outs: tuple[Term, ...] = (
            dense_term(_product_shape(terms[0].shape, terms[1].shape), np.result_type(terms[0].dtype, terms[1].dtype)),
        )
    else:
        outs = tuple(elementwise_term(terms, dtype) for dtype in result_dtypes(ufunc, operands, options))
    noted.append(Step(kind, ufunc, operands, outs, options))
    return tuple(_fresh(out, noted) for out in outs)


def elementwise_term(operands: Sequence[Term], dtype: NumpyDType) -> Term:
    """The result of an elementwise call, in the memory order that NumPy gives it."""
    first = operands[0].shape
    shape = first if all(o.shape == first for o in operands) else broadcast(*[o.shape for o in operands])
    if len(shape) < 2 or all(is_dense(o) for o in operands):
        return dense_term(shape, dtype)
    return Term(shape, dtype, ordered_like(shape, dtype, [o.meta for o in operands]).strides)


def _product_shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    left, right = (1, *a) if len(a) == 1 else a, (*b, 1) if len(b) == 1 else b
    if not a or not b or left[-1] != right[-2]:
        raise ValueError(f"matmul: the shapes {a} and {b} do not fit.")
    return (*broadcast(left[:-2], right[:-2]), *left[-2:-1][: len(a) - 1 or 0], *right[-1:][: len(b) - 1 or 0])


def reduction(ufunc: np.ufunc, x: Traced, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False, **rest: Any) -> Traced:
    """Notes down a reduction."""
    rest = {key: value for key, value in rest.items() if value is not np._NoValue}
    keepdims = False if keepdims is np._NoValue else bool(keepdims)
    if out is not None or set(rest) - {"initial"} or not isinstance(rest.get("initial", 0), (int, float)):
        refuse()
    axes = tuple(range(x.ndim)) if axis is None else tuple((a + x.ndim) % x.ndim for a in ((axis,) if isinstance(axis, int) else axis))
    wanted = None if dtype is None else np.dtype(dtype)
    options: dict[str, Any] = {"axis": axes, "dtype": wanted, **rest}
    if "initial" not in options and ufunc.identity is None and any(x.shape[a] == 0 for a in axes):
        raise ValueError(f"zero-size array to reduction operation {ufunc.__name__} which has no identity")
    result = ufunc.reduce(np.zeros(1, x.dtype), dtype=wanted, **rest).dtype
    if keepdims:
        shape = tuple(1 if i in axes else s for i, s in enumerate(x.shape))
    else:
        shape = tuple(s for i, s in enumerate(x.shape) if i not in axes)
    made = dense_term(shape, result)
    options["keepdims"] = keepdims
    x.steps.append(Step("reduce", ufunc, (x.term,), (made,), tuple(options.items())))
    return _fresh(made, x.steps)


def _reducer(ufunc: np.ufunc) -> Callable[..., Any]:
    def handle(noted: list[Step], a: Any, axis: Any = None, **options: Any) -> Any:
        return reduction(ufunc, _lifted(a, noted), axis, **{k: v for k, v in options.items() if v is not np._NoValue})

    return handle


def _where(noted: list[Step], condition: Any, x: Any = _ALL, y: Any = _ALL) -> Traced:
    if x is _ALL or y is _ALL:
        refuse()
    operands = tuple(_operand(v, noted) for v in (condition, x, y))
    terms = [o for o in operands if type(o) is Term]
    dtype = np.where(True, *[np.empty(0, o.dtype) if type(o) is Term else o for o in operands[1:]]).dtype
    # numpy.where copies operands that repeat elements in ways of its own, so the layout is what the shape rule says.
    out = elementwise_term(terms, dtype)
    noted.append(Step("elementwise", np.where, operands, (out,)))
    return _fresh(out, noted)


def _filled(value: Any) -> Callable[..., Any]:
    def handle(noted: list[Step], like: Any, fill_value: Any = value, dtype: Any = None, **options: Any) -> Traced:
        if options:
            refuse()
        wanted: NumpyDType = like.dtype if dtype is None else np.dtype(dtype)
        shape = like.shape
        if isinstance(fill_value, Traced):
            return copied(broadcast_to(fill_value, shape), dense_term(shape, wanted))
        return _fresh(splat(np.asarray(fill_value).astype(wanted), shape), noted)

    return handle


def _made(value: int) -> Callable[..., Any]:
    def handle(noted: list[Step], shape: Any, dtype: Any = float) -> Traced:
        return _fresh(splat(np.asarray(value, dtype), (shape,) if isinstance(shape, int) else tuple(shape)), noted)

    return handle


def _asarray(noted: list[Step], a: Any, dtype: Any = None) -> Any:
    return a if dtype is None or a.dtype == np.dtype(dtype) else a.astype(dtype)


def _array(noted: list[Step], a: Any, dtype: Any = None, order: str = "K") -> Any:
    return a.astype(dtype or a.dtype) if order == "K" else copied(a, dense_term(a.shape, np.dtype(dtype or a.dtype)))


def _joined(name: str) -> Callable[..., Any]:
    def handle(noted: list[Step], arrays: Any, axis: int = 0) -> Traced:
        parts = tuple(_lifted(a, noted).term for a in arrays)
        first = parts[0]
        place = axis % (len(first.shape) + (name == "stack"))
        shapes = {tuple(s for i, s in enumerate(p.shape) if i != place or name == "stack") for p in parts}
        if len({p.dtype for p in parts}) != 1 or len(shapes) != 1 or not (first.shape or name == "stack"):
            refuse()
        along = len(parts) if name == "stack" else sum(p.shape[place] for p in parts)
        rest = first.shape[place:] if name == "stack" else first.shape[place + 1 :]
        out = dense_term((*first.shape[:place], along, *rest), first.dtype)
        noted.append(Step("join", getattr(np, name), (parts,), (out,), (("axis", place),)))
        return _fresh(out, noted)

    return handle


def _method(name: str) -> Callable[..., Any]:
    return lambda noted, a, *args, **options: getattr(_lifted(a, noted), name)(*args, **options)


def _expand_dims(noted: list[Step], a: Any, axis: int) -> Traced:
    place = axis % (a.ndim + 1)
    made: Traced = a.reshape((*a.shape[:place], 1, *a.shape[place:]))
    return made


def _moveaxis(noted: list[Step], a: Any, source: int, destination: int) -> Traced:
    order = [i for i in range(a.ndim) if i != source % a.ndim]
    order.insert(destination % a.ndim, source % a.ndim)
    made: Traced = a.transpose(order)
    return made


_FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.sum: _reducer(np.add),
    np.prod: _reducer(np.multiply),
    np.max: _reducer(np.maximum),
    np.min: _reducer(np.minimum),
    np.amax: _reducer(np.maximum),
    np.amin: _reducer(np.minimum),
    np.all: _reducer(np.logical_and),
    np.any: _reducer(np.logical_or),
    np.where: _where,
    np.zeros_like: _filled(0),
    np.ones_like: _filled(1),
    np.full_like: _filled(0),
    np.zeros: _made(0),
    np.asarray: _asarray,
    np.array: _array,
    np.ascontiguousarray: lambda noted, a: a if is_dense(a.term) else copied(a, dense_term(a.shape, a.dtype)),
    np.broadcast_to: lambda noted, a, shape: broadcast_to(_lifted(a, noted), shape),
    np.concatenate: _joined("concatenate"),
    np.stack: _joined("stack"),
    np.reshape: _method("reshape"),
    np.transpose: _method("transpose"),
    np.swapaxes: _method("swapaxes"),
    np.squeeze: _method("squeeze"),
    np.ravel: _method("ravel"),
    np.real: lambda noted, a: a.real,
    np.imag: lambda noted, a: a.imag,
    np.expand_dims: _expand_dims,
    np.moveaxis: _moveaxis,
    np.size: lambda noted, a: a.size,
    np.ndim: lambda noted, a: a.ndim,
    np.shape: lambda noted, a: a.shape,
}
