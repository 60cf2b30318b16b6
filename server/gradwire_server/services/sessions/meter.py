"""What an instruction would cost, found on shapes before anything is allocated, against the memory of its session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradwire_engine.errors import LimitError
from gradwire_engine.execute import Guard
from gradwire_engine.limits import Limits
from gradwire_engine.meta import Meta, meta_of_array
from gradwire_engine.meter import Cost, Meter
from gradwire_engine.modes import no_grad
from gradwire_engine.op import Op
from gradwire_engine.program import Node
from gradwire_engine.promotion import compute_dtype
from gradwire_engine.record import payload_of
from gradwire_engine.shapes import infer
from gradwire_engine.tensor import Tensor

from .brief import Brief, Heavy
from .errors import SessionMemory
from .memory import Account


class SessionMeter(Meter):
    """Measures the operations of one batch.

    Args:
        limits: The bounds on each tensor, and on the tensors and the work of the batch; its memory is the session's.
        check: Called before every operation that is made of others; it raises to stop.
        account: The memory of the session.
        brief: What is more than this raises ``Heavy``.
    """

    def __init__(self, limits: Limits, check: Callable[[], None], account: Account, brief: Brief | None = None) -> None:
        super().__init__(limits if brief is None else limits.within(brief.limits), check, backward=False)
        self._account = account
        self._brief = brief

    def operation(self, op: Op, values: Sequence[Any]) -> None:
        """Measures a call of an op that is not composite.

        Args:
            op: The op.
            values: One per parameter.

        Raises:
            LimitError: It is too large.
            GradwireError: The op cannot run on these shapes.
        """
        payloads = [payload_of(values[i]) for i in op.tensor_slots]
        if self._is_simple(op, payloads):
            return
        if op.tensor_slots and not (op.creation or op.numbers_alone) and not any(isinstance(p, (np.ndarray, tuple)) for p in payloads):
            return  # the call itself refuses numbers in place of all tensors
        metas = [_metas(payload_of(v)) if i in op.tensor_slots else v for i, v in enumerate(values)]
        self._add_cost(op, Cost(op, metas, infer(op, metas)))
        mixed = {m.dtype for i in op.promoted for m in _flat(metas[i]) if isinstance(m, Meta)}
        if len(mixed) > 1 or (op.promotion == "float" and any(dtype.kind in "bui" for dtype in mixed)):
            dtype = compute_dtype(op, metas)
            for meta in [m for i in op.promoted for m in _flat(metas[i]) if isinstance(m, Meta) and m.dtype != dtype]:
                nbytes = meta.numel * dtype.itemsize
                self._bound(nbytes, f"An argument of {op.full_name}, cast to {dtype.name},", meta.shape)
                self._add(nbytes, f"An argument of {op.full_name}, cast to {dtype.name},")

    def _is_simple(self, op: Op, payloads: Sequence[Any]) -> bool:
        """Measures most calls the short way: the result is as large as the one array among the operands, or several alike."""
        if not op.elementwise or op.outputs is not None or op.result not in (None, "bool", "real"):
            return False
        if op.work is not None or op.scratch is not None:
            return False
        first: Any = None
        count = 1
        for payload in payloads:
            if isinstance(payload, np.ndarray):
                if first is None:
                    first = payload
                    if payload.dtype.kind not in "fc":
                        return False
                elif payload.shape != first.shape or payload.dtype is not first.dtype:
                    return False
                count += 1
            elif not isinstance(payload, (int, float)):
                return False
        if first is None:
            return False
        self.outputs += 1
        self.work += count * first.size
        if self.outputs > self._limits.nodes or self.work > self._limits.work:
            self.outputs -= 1
            self.work -= count * first.size
            return False
        self._add(first.size * first.itemsize, f"The result of {op.full_name}")
        return True

    def composite(self, node: Node) -> Guard | None:
        """Measures a call of an op that is made of others.

        Args:
            node: The call, with tensors as its arguments.

        Returns:
            A guard for its parts, if they look at values and so can only be measured one by one.

        Raises:
            LimitError: It is too large.
            GradwireError: The op cannot run on these shapes.
        """
        args = tuple(self._symbolic(value) for value in node.args)
        kwargs = {key: self._symbolic(value) for key, value in node.kwargs.items()}
        with no_grad(), self._trace.recording():
            return None if self._count(Node(node.names, node.op, args, kwargs, node.no_grad, node.pointer), {}) else self._guard

    def add(self, nbytes: int, what: str) -> None:
        """Adds memory that is needed beside the results of operations.

        Raises:
            SessionMemory: The session may not have so much.
        """
        self._add(nbytes, what)

    def _add(self, nbytes: int, what: str) -> None:
        self._account.reserve(nbytes, what)

    def _add_cost(self, op: Op, cost: Cost) -> None:
        try:
            super()._add_cost(op, cost)
        except LimitError as error:
            raise self._refusal(error) from None

    def _bound(self, nbytes: int, what: str, shape: Sequence[int]) -> None:
        try:
            super()._bound(nbytes, what, shape)
        except LimitError as error:
            raise self._refusal(error) from None

    def _refusal(self, error: LimitError) -> Exception:
        # No other error may be taken for this one: only here it is known that nothing was done yet.
        return error if self._brief is None or isinstance(error, SessionMemory) else Heavy()

    def _symbolic(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self._trace.input(meta_of_array(value._data))
        if isinstance(value, (list, tuple)):
            return type(value)(self._symbolic(item) for item in value)
        return value


def _metas(payload: Any) -> Any:
    if isinstance(payload, tuple):
        return tuple(_metas(item) for item in payload)
    return meta_of_array(payload) if isinstance(payload, np.ndarray) else payload


def _flat(value: Any) -> Sequence[Any]:
    # A Meta is a tuple too.
    return value if type(value) is tuple else (value,)
