"""The client's recorder: what an operation on tensors that live in a session does here, and what the session is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from gradwire_engine.custom_node import CustomNode
from gradwire_engine.errors import ValueNeeded
from gradwire_engine.inplace import run_inplace
from gradwire_engine.meta import dense
from gradwire_engine.modes import GRAD_MODE
from gradwire_engine.op import Op
from gradwire_engine.record import call_bound, is_tensor
from gradwire_engine.tensor import copied
from gradwire_engine.value import Value

from . import again
from .address import start_of
from .announcing import announce, inplace_name, instruction_of, lifted, lighten, reference, referrer, session_of, two_sessions
from .arguments import arguments
from .hooks import unnamed
from .remote import Remote
from .session import Session
from .shadow import SHADOW, shadow
from .shapes import ShapesOnly


class Recording(ShapesOnly):
    """The part of the tensor that the engine calls."""

    _data: Remote
    payload_type: ClassVar[Any] = Remote

    @classmethod
    def _execute(cls, op: Op, operands: Sequence[Any], payloads: Sequence[Any]) -> Sequence[Any]:
        if op.data_dependent and (notes := SHADOW.get()) is not None:
            notes.bounded = True
        return super()._execute(op, operands, payloads)

    def _overwrite(self, payload: Any) -> None:
        """Nothing: where the elements are, the in-place instruction overwrites them."""

    def _written(self) -> None:
        super()._written()
        self._data.storage.writes += 1

    def _snapshot(self) -> Remote:
        return Remote(self._data.meta)

    def _accumulate(self, g: Value) -> None:
        present = self._grad
        if present is None:
            fresh = GRAD_MODE.get() and g.requires_grad
            self._grad = copied(g) if fresh else self._wrap(Remote(dense(self._data.shape, self._data.dtype)))
        elif GRAD_MODE.get():
            self._grad = present + g
        else:
            present._written()

    # Announcing: what the session is told.

    @classmethod
    def _announce(cls, op: Op, values: Sequence[Any], results: Sequence[Any]) -> None:
        lighten(results)
        if SHADOW.get() is None:
            announce(op, values, results, op.data_dependent)

    @classmethod
    def _call_again(cls, op: Op, args: tuple[Any, ...]) -> Any:
        key = None if op.composite else again.key_of(op, args)
        plan = None if key is None else again.plan_for(key)
        if plan is None:
            values = op.bind(args, {}, is_tensor)
            result = call_bound(op, values)
            if key is not None:
                again.remember(key, op, args, result if isinstance(result, tuple) else (result,), values)
            return result
        single = op.outputs is None and not op.variable_outputs
        if SHADOW.get() is not None:
            results = [cls._wrap(Remote(meta)) for meta in plan.metas]
            again.attach(plan, args, results)
            return results[0] if single else cls._pack(op, results)
        given = plan.literals.copy()
        uses: list[str] = []
        session: Session = args[plan.tensors[0]]._data.session
        for i in plan.tensors:
            payload = args[i]._data
            if payload.session is not session or payload.name is None:
                reference(args[i])
                raise two_sessions()
            given[i] = payload.name
            uses.append(payload.name)
        for i in plan.numbers:
            given[i] = args[i]
        names = [session.new_name() for _ in plan.metas]
        instruction: dict[str, Any] = {"do": "op", "name": names[0] if single else names, "op": op.name, "args": given}
        if not GRAD_MODE.get():
            instruction["no_grad"] = True
        session.emit_op(instruction, names, uses)
        # Only now: a call that is refused makes nothing.
        results = [cls._wrap(Remote(meta, session, name)) for meta, name in zip(plan.metas, names, strict=True)]
        again.attach(plan, args, results)
        if op.view:
            for result in results:
                result._data.storage = args[0]._data.storage
        return results[0] if single else cls._pack(op, results)

    @classmethod
    def _call_composite(cls, op: Op, values: Sequence[Any]) -> Any:
        if SHADOW.get() is not None:
            return op.run(values)
        values = [lifted(cls, v) if i in op.tensor_slots else v for i, v in enumerate(values)]
        try:
            with shadow() as notes:
                result = op.run(values)
        except ValueNeeded:
            return op.run(values)  # it looks at values, so its parts travel one by one
        results = list(result) if isinstance(result, (tuple, list)) else [result]
        if all(isinstance(r, cls) and r._data.name is None for r in results):
            announce(op, values, results, notes.bounded)
        elif any(not isinstance(r, cls) or r._data.name is None for r in results):
            return op.run(values)
        return result

    @classmethod
    def _announce_inplace(cls, op: Op, target: Any, values: list[Any]) -> Any:
        if SHADOW.get() is not None:
            return run_inplace(op, target, values)
        values = [lifted(cls, v) if i in op.tensor_slots else v for i, v in enumerate(values)]
        payload = target._data
        with shadow():
            run_inplace(op, target, values)
        if target._data is not payload:
            # A change of shape: the handle keeps its name.
            payload.become(target._data.meta)
            target._data = payload
        lighten([target])
        payload.storage.writes += 1
        session = session_of(target)
        uses: list[str] = []
        args, kwargs = arguments(op, values, referrer(cls, session, uses))
        session.emit(instruction_of(inplace_name(op), args, kwargs), (), uses, spoils=(payload.name,), loud=target._view is not None)
        return target

    @classmethod
    def _announce_function(cls, node: Any, inputs: Sequence[Any], outputs: list[Any], dirty: Sequence[Any]) -> list[Any]:
        assert isinstance(node, CustomNode)
        node.suspends = True
        node.hooking = unnamed
        session = session_of(*[o for o in outputs if isinstance(o, cls)])
        uses: list[str] = []
        refer = referrer(cls, session, uses)
        tensors = [o for o in outputs if isinstance(o, cls)]
        apart = [t for t, d in zip(tensors, node.differentiable, strict=True) if not d]
        saved = [entry[0] for entry in node._saved or () if entry is not None]
        written = {id(t) for t in dirty}
        names = [None if id(t) in written else session.new_name() for t in tensors]
        instruction = {
            "do": "function",
            "name": names,
            "function": node.title,
            "inputs": [refer(v) if isinstance(v, cls) else None for v in inputs],
            "outputs": [refer(t) for t in tensors],
            "saved": [refer(t) for t in saved],
            "non_differentiable": [refer(t) for t in apart],
            "dirty": [refer(t) for t in dirty],
            "materialize_grads": node.materialize,
        }
        session.emit(instruction, [n for n in names if n is not None], uses, spoils=[reference(t) for t in dirty])
        for name, tensor in zip(names, tensors, strict=True):
            if name is not None:
                tensor._data = tensor._data.alias(start_of(tensor), session, name)
        for entry in node._saved or ():
            if entry is not None and isinstance(entry[3], int):
                entry[0]._data = tensors[~entry[3]]._data
        return outputs
