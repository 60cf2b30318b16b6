"""Recorders specialised per op: the short way for the calls that programs are made of.

An elementwise op on one or two eager tensors of the same real floating dtype (or a tensor and a Python number) needs no
binding, promotion or view handling. Everything else takes the general path, ``record.call_bound``. Both ways give the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .modes import GRAD_MODE
from .node import OpNode, Version, accumulator, next_sequence
from .op import Op
from .params import MISSING
from .quiet import quiet
from .record import Recorder, general_recorder
from .rules import Spec, spec_for
from .tensor import Tensor

_ndarray = np.ndarray
_new_tensor = Tensor.__new__
_new_node = OpNode.__new__
_grad_mode = GRAD_MODE.get
_LARGE = 1 << 63  # integers beyond it are refused, or need care
_ABSENT: Any = object()
_NEEDS: dict[int, tuple[tuple[bool, ...], ...]] = {1: ((True,),), 2: ((True, True), (True, False), (False, True))}


def make_recorder(op: Op) -> Recorder:
    """The recorder of an op, made on its first call."""
    general = general_recorder(op)
    tensors = len(op.tensor_slots)
    # A leading number without a default, as in pow.Tensor_Scalar.
    number = tensors == 1 and len(op.params) > 1 and op.params[1].annotation == "Scalar" and op.params[1].default is MISSING
    leading = tensors + number
    simple = (
        op.elementwise
        and op.promotion in ("same", "float")
        and op.outputs is None
        and not op.variable_outputs
        and not op.random
        and op.tensor_slots == tuple(range(tensors))
        and all(op.params[i].annotation == "Tensor" for i in op.tensor_slots)
        and op.promoted == frozenset(range(leading))
        and all(p.default is not MISSING for p in op.params[leading:])
        # The short way leaves out the check: an op with a derivative has nothing against real floating point.
        and (op.check is None or bool(op.vjp))
        and op.result in (None, "real")
    )
    if not simple or tensors not in _NEEDS or any(spec_for(op, needs).metas for needs in _NEEDS[tensors] if op.vjp):
        return general
    if number:
        return _with_number(op, general)
    if tensors == 1:
        return _unary(op, general)
    return _binary(op, general)


def _defaults(op: Op) -> tuple[Any, ...]:
    return tuple(None if p.default is MISSING else p.default for p in op.params)


def _unary(op: Op, general: Recorder) -> Recorder:
    kernel = op.kernel
    direct = "fd" if op.opmath else "fde"
    static = _defaults(op)
    spec = spec_for(op, (True,)) if op.vjp else None
    uses_static = spec is not None and spec.uses_static
    saves_input = spec is not None and 0 in spec.saves
    saves_output = spec is not None and -1 in spec.saves
    output_first = spec is not None and spec.saves[:1] == (-1,)

    def call(x: Any = _ABSENT, /, *rest: Any, **kwargs: Any) -> Any:
        if rest or kwargs or type(x) is not Tensor or x._view is not None:
            if type(x) is _ndarray and x.dtype.char in direct and not rest and not kwargs:
                return quiet.run(kernel, x)  # a rule at work on arrays
            return general(*(() if x is _ABSENT else (x,)), *rest, **kwargs)
        a = x._data
        if a.dtype.char not in direct:
            return general(x)
        out = quiet.run(kernel, a)
        if type(out) is not _ndarray:
            out = np.asarray(out)
        elif out is a:
            out = a.copy()
        y = _new_tensor(Tensor)
        y._data = out
        y._version_counter = counter = Version()
        if spec is not None and x._requires_grad and _grad_mode():
            node = _new_node(OpNode)
            node.spec = spec
            node.sequence = next_sequence()
            node.edges = ((x._node or accumulator(x), x._index, a.shape, a.dtype),)
            node.outs = ((out.shape, out.dtype),)
            if saves_input:
                version = x._version_counter
                if saves_output:
                    node.saved = (out, a) if output_first else (a, out)
                    node.versions = (counter, 0, -1, version, version.count, 0)
                else:
                    node.saved = (a,)
                    node.versions = (version, version.count, 0)
            elif saves_output:
                node.saved = (out,)
                node.versions = (counter, 0, -1)
            if uses_static:
                node.static = static
            y._node = node
            y._requires_grad = True
        return y

    return call


def _with_number(op: Op, general: Recorder) -> Recorder:
    kernel = op.kernel
    direct = "fd" if op.opmath else "fde"
    later = _defaults(op)[2:]
    saver = _Saver(op, (True,))
    differentiable = bool(op.vjp)

    def call(x: Any = _ABSENT, y: Any = _ABSENT, /, *rest: Any, **kwargs: Any) -> Any:
        plain = (type(y) is float or (type(y) is int and -_LARGE <= y < _LARGE)) and not rest and not kwargs
        if not plain or type(x) is not Tensor or x._view is not None or x._data.dtype.char not in direct:
            if plain and type(x) is _ndarray and x.dtype.char in direct:
                return quiet.run(kernel, x, y)  # a rule at work on arrays
            if y is _ABSENT or rest or kwargs:
                return general(*(a for a in (x, y) if a is not _ABSENT), *rest, **kwargs)
            return general(x, y)
        a = x._data
        try:
            out = quiet.run(kernel, a, y)
        except OverflowError:
            return general(x, y)  # which says so in a sentence
        if type(out) is not _ndarray:
            out = np.asarray(out)
        elif out is a:
            out = out.copy()
        z = _new_tensor(Tensor)
        z._data = out
        z._version_counter = counter = Version()
        if differentiable and x._requires_grad and _grad_mode():
            node = _new_node(OpNode)
            node.spec = saver.spec
            node.sequence = next_sequence()
            node.edges = ((x._node or accumulator(x), x._index, a.shape, a.dtype),)
            node.outs = ((out.shape, out.dtype),)
            if saver.saves:
                saver.save(node, (a, y, out), (x._version_counter, None, counter))
            if saver.spec.uses_static:
                node.static = (None, y, *later)
            z._node = node
            z._requires_grad = True
        return z

    return call


def _binary(op: Op, general: Recorder) -> Recorder:
    kernel = op.kernel
    direct = "fd" if op.opmath else "fde"
    static = _defaults(op)
    both = _Saver(op, (True, True))
    left = _Saver(op, (True, False))
    right = _Saver(op, (False, True))
    if len(op.differentiable) < 2:
        return general

    def call(x: Any = _ABSENT, y: Any = _ABSENT, /, *rest: Any, **kwargs: Any) -> Any:
        if rest or kwargs or type(x) is not Tensor or x._view is not None:
            if (
                type(x) is _ndarray
                and x.dtype.char in direct
                and type(y) is _ndarray
                and y.dtype is x.dtype
                and x.shape == y.shape
                and not rest
                and not kwargs
            ):
                return quiet.run(kernel, x, y)  # a rule at work on arrays
            if y is _ABSENT or rest or kwargs:
                return general(*(a for a in (x, y) if a is not _ABSENT), *rest, **kwargs)
            return general(x, y)
        a = x._data
        if a.dtype.char not in direct:
            return general(x, y)
        b: Any
        if type(y) is Tensor:
            b = y._data
            if b.dtype is not a.dtype or y._view is not None:
                return general(x, y)
            try:
                out = quiet.run(kernel, a, b)
            except ValueError:
                return general(x, y)  # which raises torch's message about the shapes
            need_x, need_y = x._requires_grad, y._requires_grad
        elif type(y) is float or (type(y) is int and -_LARGE <= y < _LARGE):
            b = y
            try:
                out = quiet.run(kernel, a, b)
            except OverflowError:
                return general(x, y)  # which says so in a sentence
            need_x, need_y = x._requires_grad, False
        else:
            return general(*(a for a in (x, y) if a is not _ABSENT))
        if type(out) is not _ndarray:
            out = np.asarray(out)
        elif out is a or out is b:
            out = out.copy()
        z = _new_tensor(Tensor)
        z._data = out
        z._version_counter = counter = Version()
        if (need_x or need_y) and _grad_mode():
            node = _new_node(OpNode)
            saver = (both if need_y else left) if need_x else right
            node.spec = saver.spec
            node.sequence = next_sequence()
            node.edges = (
                (x._node or accumulator(x), x._index, a.shape, a.dtype) if need_x else None,
                (y._node or accumulator(y), y._index, b.shape, b.dtype) if need_y else None,
            )
            node.outs = ((out.shape, out.dtype),)
            if saver.saves:
                saver.save(node, (a, b, out), (x._version_counter, None if b is y else y._version_counter, counter))
            if saver.spec.uses_static:
                node.static = static
            z._node = node
            z._requires_grad = True
        return z

    return call


class _Saver:
    """What a binary op saves for one combination of needs, as positions in (first, second, output)."""

    def __init__(self, op: Op, needs: tuple[bool, ...]) -> None:
        self.spec: Spec = spec_for(op, needs)
        self._needs = needs
        self.saves = tuple(2 if code < 0 else code for code in self.spec.saves)

    def save(self, node: OpNode, payloads: tuple[Any, ...], counters: tuple[Version | None, ...]) -> None:
        """Saves the payloads that the rules name, with their versions."""
        versions: tuple[Any, ...] = ()
        for code in self.saves:
            counter = counters[code]
            if counter is not None:
                versions += (counter, counter.count, -1 if code == 2 else code if self._needs[code] else payloads[code])
        node.saved = tuple([payloads[code] for code in self.saves])
        node.versions = versions
