"""What the reverse walk itself computes: on arrays, or on values that record."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .dtypes import NumpyDType, dtype_of
from .errors import TensorRuntimeError
from .node import AccumulateGrad, Edge, OpNode
from .op import ops
from .value import Value
from .views import Link, transpose_chain


class Arithmetic:
    """What the walk itself computes, on arrays: the fast way, which records nothing."""

    kind: type[Value] | None = None

    def unpack(self, node: OpNode, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        """Saved payloads as operands of the rules."""
        return saved

    def lift(self, payload: Any) -> Any:
        """A payload as an operand."""
        return payload

    def conj(self, x: Any) -> Any:
        """The complex conjugate; a real array as it is."""
        return np.conjugate(x) if x.dtype.kind == "c" else x

    def cast(self, x: Any, dtype: NumpyDType) -> Any:
        """``x`` as ``dtype``; a Python number or ``None`` as it is."""
        if not isinstance(x, (np.ndarray, np.generic)) or x.dtype == dtype:
            return x
        return x.astype(dtype)

    def zeros(self, shape: tuple[int, ...], dtype: NumpyDType) -> Any:
        """A zero cotangent."""
        return np.zeros(shape, dtype)

    def settle(self, x: Any, shape: tuple[int, ...], dtype: NumpyDType) -> Any:
        """Reduces and casts a rule's result to what its edge records."""
        if x.shape != shape:
            x = sum_to_shape(x, shape)
        if x.dtype.kind == "c" and dtype.kind != "c":
            x = x.real
        return x if x.dtype == dtype else x.astype(dtype)

    def replace(self, g: Any, chain: Sequence[Link], part: Any) -> Any:
        """``g`` with the region that ``chain`` views replaced by ``part`` (zeros for ``None``)."""
        out = np.array(g)
        region = out
        for link in chain:
            region = link.replay(region)
        region[...] = 0 if part is None else part
        return out


class RecordedArithmetic(Arithmetic):
    """The same on values of one recorder: every step is an ordinary op call."""

    def __init__(self, kind: type[Value]) -> None:
        self.kind = kind

    def unpack(self, node: OpNode, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        """Saved payloads as values, with the history that they had."""
        first_edge = node.spec.first_edge
        values: list[Any] = []
        for code, item in zip(node.spec.saves, saved, strict=True):
            if code < 0:
                values.append(self._with_history(item, (node, ~code, *node.outs[~code])))
                continue
            # What has no rule has no edge, and so no history.
            first = first_edge.get(code)
            if type(item) is not tuple:
                values.append(self._with_history(item, None if first is None else node.edges[first]))
                continue
            values.append(tuple([self._with_history(x, None if first is None else node.edges[first + i]) for i, x in enumerate(item)]))
        return tuple(values)

    def _with_history(self, payload: Any, edge: Edge | None) -> Any:
        if payload is None or isinstance(payload, (bool, int, float, complex)):
            return payload
        if edge is None:
            return self.lift(payload)
        node = edge[0]
        if isinstance(node, AccumulateGrad):
            return node.variable
        value = self.lift(payload)
        if payload.dtype.kind in "fc":
            value._node, value._index, value._requires_grad = node, edge[1], True
        return value

    def lift(self, payload: Any) -> Any:
        """A payload as a value without history."""
        assert self.kind is not None
        return self.kind._wrap(payload)

    def conj(self, x: Any) -> Any:
        """The complex conjugate; a real value as it is."""
        return ops.conj(x) if x._data.dtype.kind == "c" else x

    def cast(self, x: Any, dtype: NumpyDType) -> Any:
        """``x`` as ``dtype``; a Python number or ``None`` as it is."""
        if not isinstance(x, Value) or x._data.dtype == dtype:
            return x
        return ops.to(x, dtype_of(dtype))

    def zeros(self, shape: tuple[int, ...], dtype: NumpyDType) -> Any:
        """A zero cotangent."""
        assert self.kind is not None
        return self.kind._lift(np.zeros(shape, dtype))

    def settle(self, x: Any, shape: tuple[int, ...], dtype: NumpyDType) -> Any:
        """Reduces and casts a rule's result to what its edge records."""
        if x._data.shape != shape:
            x = sum_to_shape(x, shape)
        if x._data.dtype.kind == "c" and dtype.kind != "c":
            x = ops.real(x)
        return self.cast(x, dtype)

    def replace(self, g: Any, chain: Sequence[Link], part: Any) -> Any:
        """``g`` with the region that ``chain`` views replaced by ``part`` (zeros for ``None``)."""
        assert self.kind is not None
        mask = np.zeros(g._data.shape, bool)
        region: Any = mask
        for link in chain:
            region = link.replay(region)
        region[...] = True
        kept = ops.masked_fill(g, self.kind._lift(mask), 0)
        return kept if part is None else kept + transpose_chain(chain, part, self)


ARRAYS = Arithmetic()


def sum_to_shape(x: Any, shape: tuple[int, ...]) -> Any:
    """Sums a broadcast gradient back to ``shape``."""
    have = tuple(x.shape)
    if not have and math.prod(shape) == 1:
        return ops.reshape(x, shape)
    lead = len(have) - len(shape)
    if lead < 0 or any(size not in (1, n) for size, n in zip(shape, have[lead:], strict=True)):
        raise TensorRuntimeError(
            f"A function returned an invalid gradient - got {list(have)} but expected shape compatible with {list(shape)}",
            code="shape_mismatch",
        )
    dims = tuple(range(lead)) + tuple(lead + i for i, size in enumerate(shape) if size == 1 and have[lead + i] != 1)
    if dims:
        x = ops.sum(x, dims, True)
    return ops.reshape(x, shape) if lead > 0 else x
