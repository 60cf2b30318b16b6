"""Telling a session of operations: instructions from calls, names for results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradwire_engine.errors import TensorRuntimeError
from gradwire_engine.meta import dense
from gradwire_engine.modes import GRAD_MODE
from gradwire_engine.node import OpNode
from gradwire_engine.op import Op
from gradwire_engine.tensor import Tensor as EagerTensor
from gradwire_engine.value import Value

from .arguments import arguments
from .connection import current_session
from .hooks import unnamed
from .remote import Remote
from .session import Session


def session_of(*tensors: Any) -> Session:
    """The session that all of them live in.

    Raises:
        TensorRuntimeError: They live in different ones.
    """
    found: Session | None = None
    for item in tensors:
        session = item._data.session
        if session is None or session is found:
            continue
        if found is not None:
            raise two_sessions()
        found = session
    return found or current_session()


def reference(value: Any) -> str:
    """The name by which a session knows a tensor."""
    name: str = value._data.reference()
    return name


def referrer(kind: type[Value], session: Session, uses: list[str]) -> Callable[[Any], str]:
    """A function that gives the names of tensors and notes them in ``uses``.

    Args:
        kind: The class of the session's tensors.
        session: Where the tensors have to live.
        uses: The names that were given so far.
    """

    def refer(value: Any) -> str:
        if not isinstance(value, kind):
            value = lifted(kind, value)
        if value._data.session is not session:
            raise two_sessions()
        name = reference(value)
        uses.append(name)
        return name

    return refer


def two_sessions() -> TensorRuntimeError:
    """The error for tensors that do not live together."""
    return TensorRuntimeError(
        "Expected all tensors to live in the same session, but found tensors of two connections. "
        "Move one of them by way of its elements: gradwire.tensor(x.numpy()).",
        code="two_sessions",
    )


def lifted(kind: type[Value], value: Any) -> Any:
    """Arrays, and tensors of the engine, as tensors of class ``kind``."""
    if isinstance(value, (tuple, list)):
        if any(isinstance(v, (np.ndarray, EagerTensor)) for v in value):
            return type(value)(lifted(kind, v) for v in value)
        return value
    if isinstance(value, (np.ndarray, EagerTensor)) or (isinstance(value, np.generic) and not isinstance(value, (int, float))):
        return kind._lift(value)
    return value


def lighten(results: Sequence[Any]) -> None:
    """Keeps of what nodes saved the shapes only: the elements are saved where the session is."""
    for result in results:
        node = result._node
        if node is not None and node.hooking is None:
            node.hooking = unnamed
        if isinstance(node, OpNode) and node.saved:
            node.saved = tuple([_as_shadow(p) for p in node.saved])
            versions = node.versions
            if any(isinstance(v, Remote) for v in versions):
                node.versions = tuple([_as_shadow(v) for v in versions])


def _as_shadow(payload: Any) -> Any:
    if isinstance(payload, Remote):
        return Remote(payload.meta)
    if isinstance(payload, tuple):
        return tuple([_as_shadow(p) for p in payload])
    return payload


def announce(op: Op, values: Sequence[Any], results: Sequence[Any], bounded: bool) -> None:
    """Tells the session of an operation; where its shapes depend on values, asks for them.

    Args:
        op: The op.
        values: One per parameter.
        results: Its outputs, which get names.
        bounded: Whether their shapes are upper bounds.
    """
    session: Session | None = None
    for slot in op.tensor_slots:
        value = values[slot]
        if isinstance(value, Value):
            session = value._data.session
            break
        if isinstance(value, tuple):
            session = next((v._data.session for v in value if isinstance(v, Value)), None)
            if session is not None:
                break
    if session is None:
        session = current_session()
    uses: list[str] = []
    args, kwargs = arguments(op, values, referrer(type(results[0])._recorder, session, uses))
    names = [session.new_name() for _ in results]
    instruction = instruction_of(op.name, args, kwargs)
    instruction["name"] = names[0] if len(names) == 1 and op.outputs is None and not op.variable_outputs and not op.composite else names
    session.emit_op(instruction, names, uses)
    for name, result in zip(names, results, strict=True):
        payload = result._data
        payload.session, payload.name = session, name
        if result._view is not None:
            payload.storage = result._view.base._data.storage
    if bounded:
        for name, result in zip(names, results, strict=True):
            _settle(session, name, result)


def _settle(session: Session, name: str, result: Any) -> None:
    """Takes over the shape that an operation turned out to have."""
    facts = session.ask({"do": "read", "name": name, "what": ["meta"]}, (), (name,))["meta"]
    shape = tuple(facts["shape"])
    result._data.become(dense(shape, result._data.dtype))
    node = result._node
    if node is not None:
        node.outs = tuple((shape if i == result._index else s, d) for i, (s, d) in enumerate(node.outs))


def instruction_of(name: str, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The instruction that calls an op, recorded there as it is here."""
    instruction: dict[str, Any] = {"do": "op", "op": name, "args": args}
    if kwargs:
        instruction["kwargs"] = kwargs
    if not GRAD_MODE.get():
        instruction["no_grad"] = True
    return instruction


def inplace_name(op: Op) -> str:
    """The name of the in-place form."""
    return op.inplace if isinstance(op.inplace, str) else op.short_name + "_"
