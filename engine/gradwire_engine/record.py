"""Recording: from a call of an op to tensors and a node of the backward graph.

This is the general path, shared by every recorder. It knows no kernel: a ``Value`` class says how its payloads (arrays, or
instructions that stand for them) are computed, promoted and written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .dtypes import NumpyDType, wrap_integer
from .errors import GradwireError, LimitError, TensorRuntimeError, TensorTypeError
from .meta import Meta, meta_of_array
from .modes import GRAD_MODE
from .node import Edge, OpNode, edge_of, next_sequence
from .op import Op
from .params import type_name
from .promotion import compute_dtype, settled_dtype
from .quiet import quiet
from .rules import Spec, spec_for
from .stopping import check
from .value import Value
from .views import share

_NUMBERS = (bool, int, float, complex)


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor for the purposes of a tensor slot: a recorder's, or plain NumPy data."""
    return isinstance(value, (Value, np.ndarray, np.generic))


def decides_by_type(value: Any) -> bool:
    """Whether the type of an argument tells as much about the overload as the argument itself."""
    return value is None or type(value) in _NUMBERS or isinstance(value, Value)


def call_bound(op: Op, values: list[Any]) -> Any:
    """Runs or records ``op`` on one value per parameter.

    Symbolic values take precedence over remote ones, those over eager tensors, and those over plain arrays, whatever the
    order of the arguments.
    """
    kind: type[Value] | None = None
    plain = False
    for slot in op.tensor_slots:
        value = values[slot]
        for item in value if type(value) is tuple else (value,):
            if isinstance(item, Value):
                if kind is None or item.precedence > kind.precedence:
                    kind = item._recorder
            elif isinstance(item, (np.ndarray, np.generic)):
                plain = True
    if op.random and kind is not None:
        # In a trace or a batch, what is drawn belongs to that, also where the tensor that it is drawn for does not.
        kind = max(kind, Value.for_creation(), key=lambda k: k.precedence)
    if op.composite:
        if kind is None:
            if not plain:
                _refuse_number(op, values)
            elif not _alike(op, values):
                return _run_body_on_arrays(op, values)
        return kind._call_composite(op, values) if kind is not None and kind.announces else op.run(values)
    if kind is None:
        if plain:
            return run_arrays(op, values)
        kind = Value.for_creation()
        if op.numbers_alone:
            values[op.tensor_slots[0]] = kind._lift(values[op.tensor_slots[0]])
        elif not op.creation:
            _refuse_number(op, values)
            values = [tuple(v) if isinstance(v, list) else v for v in values]
    return record(op, values, kind)


def _alike(op: Op, values: Sequence[Any]) -> bool:
    """Whether all arrays have one floating or complex dtype, on which NumPy's operators promote as torch's do."""
    dtypes = {x.dtype for i in op.tensor_slots for x in _flat(values[i]) if isinstance(x, (np.ndarray, np.generic))}
    return len(dtypes) == 1 and dtypes.pop().kind in "fc"


def _run_body_on_arrays(op: Op, values: Sequence[Any]) -> Any:
    """Runs a composite op's body on tensors in place of arrays, because of the operators in it, and gives arrays again."""
    kind = Value.for_creation()

    def lifted(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(lifted(v) for v in value)
        return kind._lift(value) if isinstance(value, (np.ndarray, np.generic)) else value

    def plain(result: Any) -> Any:
        if isinstance(result, (tuple, list)):
            return tuple(plain(r) for r in result)
        return result._data if isinstance(result, Value) else result

    return plain(op.run([lifted(v) if i in op.tensor_slots else v for i, v in enumerate(values)]))


def _refuse_number(op: Op, values: Sequence[Any]) -> None:
    """Refuses a call that has a number in place of its first tensor and no tensor at all."""
    for slot in op.tensor_slots[:1]:
        if isinstance(values[slot], _NUMBERS):
            raise TensorTypeError.of_argument(op.short_name, op.names[slot], slot + 1, "Tensor", type_name(values[slot]))


def run_arrays(op: Op, values: Sequence[Any]) -> Any:
    """Runs the kernel on plain arrays, promoted by torch's rules; nothing is recorded."""
    if op.promoted and settled_dtype(op, values) is None:
        dtype = compute_dtype(op, values)
        values = [_cast_array(v, dtype) if i in op.promoted else v for i, v in enumerate(values)]
    return run_kernel(op, values)


def run_kernel(op: Op, values: Sequence[Any]) -> Any:
    """Runs the kernel on arrays that are promoted already.

    Raises:
        GradwireError: The shapes do not fit, or a Python number does not fit the dtype.
        LimitError: There is not enough memory.
    """
    # Some ask the context for its default dtype and its generator.
    return call_kernel(op, values, _directly if op.creation or op.random else quiet.run)


def _directly(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


def call_kernel(op: Op, values: Sequence[Any], call: Callable[..., Any] = _directly) -> Any:
    """Runs the kernel on arrays that are promoted already, where floating point warnings are off.

    Args:
        op: The op.
        values: One per parameter.
        call: What calls a function with its arguments.

    Raises:
        GradwireError: The shapes do not fit, or a Python number does not fit the dtype.
        LimitError: There is not enough memory.
    """
    if op.work is not None:
        check()
    try:
        return call(op.run, values)
    except GradwireError:
        raise
    except OverflowError as error:
        raise TensorRuntimeError(f"value cannot be converted without overflow: {error}", code="integer_out_of_range") from None
    except MemoryError:
        raise LimitError(f"There is not enough memory for {op.full_name} on these arguments.", code="out_of_memory") from None
    except (ValueError, IndexError, RuntimeError):
        _explain(op, values)
        raise


_MOST_DIMENSIONS = 32
"""To how many dimensions much of NumPy is limited: products, decompositions, index arrays."""


def _explain(op: Op, values: Sequence[Any]) -> None:
    """Raises the error of ours for the shapes at which a kernel failed, if it is they that are wrong."""
    from .shapes import infer

    outs = infer(op, [_array_metas(v) if i in op.tensor_slots else v for i, v in enumerate(values)])
    arrays = [v.ndim for i in op.tensor_slots for v in _flat(values[i]) if isinstance(v, np.ndarray)]
    most = max(*arrays, *[out.ndim for out in outs], 0)
    if most > _MOST_DIMENSIONS:
        raise LimitError(
            f"{op.full_name} takes tensors of at most {_MOST_DIMENSIONS} dimensions here, but there is one of {most}.",
            code="too_many_dimensions",
        )


def _array_metas(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_array_metas(v) for v in value)
    return meta_of_array(np.asarray(value)) if isinstance(value, (np.ndarray, np.generic)) else value


def _cast_array(value: Any, dtype: NumpyDType) -> Any:
    if isinstance(value, tuple):
        return tuple(_cast_array(v, dtype) for v in value)
    if isinstance(value, (np.ndarray, np.generic)):
        return value.astype(dtype) if value.dtype != dtype else value
    return wrap_integer(value, dtype)


def payload_of(value: Any) -> Any:
    """What a value computes with; numbers and ``None`` are themselves."""
    if isinstance(value, Value):
        return value._data
    if isinstance(value, tuple):
        return tuple(payload_of(v) for v in value)
    return value


def record(op: Op, values: list[Any], kind: type[Value]) -> Any:
    """Runs ``op`` as ``kind`` does and, if gradients are needed, attaches a node."""
    payloads = values.copy()
    for slot in op.tensor_slots:
        value = values[slot]
        if isinstance(value, kind):
            payloads[slot] = value._data
            continue
        if type(value) is float or value is None:
            continue
        if isinstance(value, tuple):
            values[slot] = tuple(v if v is None or isinstance(v, kind) else kind._lift(v) for v in value)
        elif not isinstance(value, _NUMBERS) or isinstance(value, np.generic):
            values[slot] = kind._lift(value)
        payloads[slot] = payload_of(values[slot])
    operands = payloads
    compute: NumpyDType | None = None
    if op.promoted and settled_dtype(op, payloads) is None:
        dtype = compute_dtype(op, payloads)
        operands = [kind._promote(p, dtype) if i in op.promoted else p for i, p in enumerate(payloads)]
        if any(a is not b for i in op.promoted for a, b in zip(_flat(operands[i]), _flat(payloads[i]), strict=True)):
            compute = dtype
    outs = kind._execute(op, operands, payloads)
    results = [kind._wrap(o) for o in outs]
    if op.view:
        share(values[op.tensor_slots[0]], results, op, values)
    attach(op, values, payloads, results, compute)
    if op.leaf_flag is not None and values[op.leaf_flag]:
        results[0]._requires_grad = True
    if kind.announces:
        kind._announce(op, values, results)
    if op.outputs is None and not op.variable_outputs:
        return results[0]
    return kind._pack(op, results)


def _flat(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def attach(op: Op, values: Sequence[Any], payloads: Sequence[Any], results: list[Value], compute: NumpyDType | None) -> None:
    """Gives ``results`` a node if any argument needs a gradient, the op has a rule for it, and recording is on."""
    if not op.differentiable or not GRAD_MODE.get():
        return
    needed = False
    needs: list[Any] = []
    for slot, has_rule in op.ruled_slots:
        value = values[slot]
        if type(value) is tuple:
            need: Any = tuple([has_rule and isinstance(v, Value) and v.requires_grad for v in value])
            needed = needed or any(need)
        else:
            need = has_rule and isinstance(value, Value) and (value._requires_grad or (value._view is not None and value.requires_grad))
            needed = needed or need
        needs.append(need)
    kinds = [r._data.dtype.kind for r in results]
    if not needed or not ("f" in kinds or "c" in kinds):
        return
    spec = spec_for(op, tuple(needs))
    node = OpNode()
    node.spec = spec
    node.outs = tuple([(r._data.shape, r._data.dtype) for r in results])
    edges: list[Edge | None] = []
    for (slot, has_rule), need in zip(op.ruled_slots, needs, strict=True):
        if not has_rule:
            continue
        if type(need) is tuple:
            edges.extend([edge_of(v) if n else None for v, n in zip(values[slot], need, strict=True)])
        else:
            edges.append(edge_of(values[slot]) if need else None)
    node.edges = tuple(edges)
    # After its edges: looking at a view may give it a new node, which has to come before this one.
    node.sequence = next_sequence()
    if spec.saves:
        _save(node, spec, values, payloads, results)
    if spec.uses_static:
        # Without the tensors: what a rule does not save must not be kept alive.
        node.static = tuple([None if i in op.tensor_slots else v for i, v in enumerate(values)])
    if spec.metas:
        kind = type(results[0])
        node.metas = tuple([_metas(kind, payloads[i]) for i in spec.metas])
    node.conjugate = op.holomorphic and "c" in kinds
    if compute is not None or node.conjugate or not spec.single:
        node.compute = compute
        node.single = len(results) == 1
        node.simple = False
    for index, result in enumerate(results):
        if kinds[index] in "fc":
            result._node = node
            result._index = index
            result._requires_grad = True


def _metas(kind: type[Value], payload: Any) -> Any:
    if isinstance(payload, tuple):
        return tuple(_metas(kind, p) for p in payload)
    if payload is None or isinstance(payload, _NUMBERS):
        return payload
    meta: Meta = kind._meta_of(payload)
    return meta


def _save(node: OpNode, spec: Spec, values: Sequence[Any], payloads: Sequence[Any], results: list[Value]) -> None:
    first_edge = spec.first_edge
    saved: list[Any] = []
    versions: list[Any] = []
    for code in spec.saves:
        if code < 0:
            result = results[~code]
            saved.append(result._data)
            versions += (result._version_counter, result._version_counter.count, code)
            continue
        value = values[code]
        saved.append(payloads[code])
        for i, item in enumerate(value if type(value) is tuple else (value,)):
            if isinstance(item, Value):
                counter = item._version_counter
                edge = first_edge[code] + i if code in first_edge else -1
                versions += (counter, counter.count, edge if edge >= 0 and node.edges[edge] is not None else item._data)
    node.saved = tuple(saved)
    node.versions = tuple(versions)


Recorder = Callable[..., Any]


def general_recorder(op: Op) -> Recorder:
    """A recorder that binds its arguments and takes the general path."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if not kwargs and args and isinstance(args[0], Value) and args[0].announces:
            return args[0]._call_again(op, args)
        return call_bound(op, op.bind(args, kwargs, is_tensor))

    return call
