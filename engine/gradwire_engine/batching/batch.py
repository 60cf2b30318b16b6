"""The recorder of batches: a value whose payload is another value with a leading axis."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, NoReturn

from ..dtypes import NumpyDType, dtype_of
from ..errors import TensorNotImplementedError, TensorRuntimeError, TensorTypeError, ValueNeeded
from ..meta import Meta, Shape
from ..op import Op, ops
from ..tensor import Tensor, return_type
from ..value import Value

_FIRST = 10  # above every recorder that is no batch


class Batch:
    """A value as the items of a batch see it.

    Args:
        value: The value; where it is mapped its leading axis is the batch.
        mapped: Whether it differs from item to item; otherwise it is the same for all.

    Attributes:
        shape: The shape of one item.
        dtype: The element type.
    """

    __slots__ = ("dtype", "mapped", "shape", "value")

    def __init__(self, value: Value, mapped: bool) -> None:
        data = value._data
        self.value = value
        self.mapped = mapped
        self.shape: Shape = data.shape[1:] if mapped else data.shape
        self.dtype: NumpyDType = data.dtype

    @property
    def meta(self) -> Meta:
        """The meta of one item."""
        meta = self.value._meta_of(self.value._data)
        return Meta(meta.shape[1:], meta.dtype, meta.strides[1:]) if self.mapped else meta

    def stacked(self, size: int) -> Value:
        """The value with the leading axis, of ``size`` items, also where it is the same for all."""
        return self.value if self.mapped else ops.expand(self.value, (size, *self.shape))


class Batched(Value):
    """A tensor of which there are many, each of the shape that this one has; made by ``level``."""

    _data: Batch
    depth: ClassVar[int] = 0

    @classmethod
    def _lift(cls, value: Any) -> Value:
        if isinstance(value, Value):
            if value.precedence >= cls.precedence:
                raise TensorTypeError("A tensor of an inner vmap was used outside of it; return it from the function that is mapped.")
        else:
            value = Tensor._lift(value)
        return cls._wrap(Batch(value, False))

    @classmethod
    def _execute(cls, op: Op, operands: Sequence[Any], payloads: Sequence[Any]) -> Sequence[Any]:
        from .apply import apply
        from .scope import below

        with below(cls.depth):
            return apply(cls.depth, op, operands)

    @classmethod
    def _promote(cls, payload: Any, dtype: NumpyDType) -> Any:
        if isinstance(payload, tuple):
            return tuple(cls._promote(p, dtype) for p in payload)
        if isinstance(payload, Batch):
            return payload if payload.dtype == dtype else Batch(ops.to(payload.value, dtype_of(dtype)), payload.mapped)
        return Tensor._promote(payload, dtype)

    @classmethod
    def _meta_of(cls, payload: Any) -> Meta:
        meta: Meta = payload.meta
        return meta

    @classmethod
    def _pack(cls, op: Op, results: list[Any]) -> Any:
        return return_type(op)(*results) if op.named_outputs else tuple(results)

    def _overwrite(self, payload: Any) -> None:
        raise TensorNotImplementedError(
            "Functions that are mapped over a batch are pure, so a tensor in them cannot be written in place. "
            "Use the out-of-place form of the operation."
        )

    def _snapshot(self) -> Any:
        return self._data

    def _accumulate(self, g: Value) -> None:
        self._grad = g if self._grad is None else self._grad + g

    def detach(self) -> Any:
        """The same data without history, on this level and on those below."""
        return self._wrap(Batch(self._data.value.detach(), self._data.mapped))

    def _no_number(self) -> NoReturn:
        raise TensorRuntimeError(
            "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling .item() on a Tensor, please try "
            "to rewrite what you're doing with other operations.",
            code="vmap_unsupported",
        )

    item = tolist = numpy = __float__ = __complex__ = _no_number

    def _no_integer(self) -> NoReturn:
        # An error of type, so that an op whose other overload takes a tensor in this place finds that.
        raise ValueNeeded("vmap: A Tensor that differs from item to item cannot be used as an integer.", code="vmap_unsupported")

    __int__ = __index__ = _no_integer

    def __bool__(self) -> bool:
        raise TensorRuntimeError(
            "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't support that yet; "
            "use where() in place of if.",
            code="vmap_unsupported",
        )

    def __repr__(self) -> str:
        return f"batched({list(self._data.shape)}, dtype={self.dtype!r}, of={self._data.value!r})"


@functools.cache
def level(depth: int) -> type[Batched]:
    """The class of the batched values of one level; a higher depth is further inside, and takes precedence."""
    made: type[Batched] = type(f"Batched{depth}", (Batched,), {"depth": depth, "precedence": _FIRST + depth, "__doc__": Batched.__doc__})
    made._recorder = made
    return made


def depth_of(values: Iterable[Any]) -> int:
    """The deepest level among values and the class of tensors that are made from none; 0 where nothing is batched."""
    kinds = [type(v) for v in values if isinstance(v, Batched)]
    creator = Value.for_creation()
    return max([kind.depth for kind in kinds] + [creator.depth if issubclass(creator, Batched) else 0])


def tracked(value: Any) -> bool:
    """Whether a value has a history, on its own level or on one below."""
    if not isinstance(value, Value):
        return False
    return value.requires_grad or (isinstance(value, Batched) and tracked(value._data.value))
