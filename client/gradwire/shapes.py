"""What the two recorders of the client share: an operation makes payloads of which the shapes are known, and nothing is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from gradwire_engine.dtypes import NumpyDType, wrap_integer
from gradwire_engine.meta import Meta
from gradwire_engine.op import Op
from gradwire_engine.shapes import infer
from gradwire_engine.tensor import return_type
from gradwire_engine.value import Value

if TYPE_CHECKING:
    _Value = Value
else:
    _Value = object


class ShapesOnly(_Value):
    """The part of a recorder that follows the shapes.

    Attributes:
        payload_type: Makes a payload of a meta; payloads have it as ``meta``.
    """

    payload_type: ClassVar[Any]

    @classmethod
    def _execute(cls, op: Op, operands: Sequence[Any], payloads: Sequence[Any]) -> Sequence[Any]:
        make = cls.payload_type
        return [make(meta) for meta in infer(op, [cls._as_meta(v) if i in op.tensor_slots else v for i, v in enumerate(operands)])]

    @classmethod
    def _promote(cls, payload: Any, dtype: NumpyDType) -> Any:
        if isinstance(payload, tuple):
            return tuple(cls._promote(p, dtype) for p in payload)
        if isinstance(payload, cls.payload_type):
            return payload if payload.dtype is dtype else cls.payload_type(Meta(payload.shape, dtype, payload.meta.strides))
        return wrap_integer(payload, dtype)

    @classmethod
    def _meta_of(cls, payload: Any) -> Meta:
        meta: Meta = payload.meta
        return meta

    @classmethod
    def _pack(cls, op: Op, results: list[Any]) -> Any:
        return return_type(op)(*results) if op.named_outputs else tuple(results)

    @classmethod
    def _as_meta(cls, payload: Any) -> Any:
        if isinstance(payload, cls.payload_type):
            return payload.meta
        return tuple(cls._as_meta(p) for p in payload) if isinstance(payload, tuple) else payload
