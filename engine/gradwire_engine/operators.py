"""Python's operators on every recorder's tensors, written by hand because editors and type checkers look for them here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import TensorTypeError
from .op import ops

if TYPE_CHECKING:
    from .op import Op, Overloads
    from .value import Value


def _inplace(op: Op | Overloads, target: Any, other: Any) -> Any:
    from .inplace import call_inplace

    return call_inplace(op, target, (other,), {})


class Operators:
    """The dunder methods; each is the op that torch's has. What an op cannot take, the other operand may know how to handle."""

    # Arithmetic.
    def __add__(self, other: Any) -> Any:
        try:
            return ops.add.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __radd__(self, other: Any) -> Any:
        try:
            return ops.add.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __sub__(self, other: Any) -> Any:
        try:
            return ops.sub.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __rsub__(self, other: Any) -> Any:
        try:
            return ops.rsub.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __mul__(self, other: Any) -> Any:
        try:
            return ops.mul.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __rmul__(self, other: Any) -> Any:
        try:
            return ops.mul.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __truediv__(self, other: Any) -> Any:
        try:
            return ops.div.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __rtruediv__(self, other: Any) -> Any:
        # torch computes 1 / x as reciprocal(x) * 1, and grad_fn shows it.
        try:
            return ops.mul(ops.reciprocal(self), other)
        except TensorTypeError:
            return NotImplemented

    def __floordiv__(self, other: Any) -> Any:
        try:
            return ops.floor_divide.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __rfloordiv__(self, other: Any) -> Any:
        try:
            return ops.floor_divide.recorder(other, self)
        except TensorTypeError:
            return NotImplemented

    def __mod__(self, other: Any) -> Any:
        try:
            return ops.remainder.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __rmod__(self, other: Any) -> Any:
        try:
            return ops.remainder.recorder(other, self)
        except TensorTypeError:
            return NotImplemented

    def __pow__(self, other: Any) -> Any:
        try:
            return ops.pow.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __rpow__(self, other: Any) -> Any:
        try:
            return ops.pow.recorder(other, self)
        except TensorTypeError:
            return NotImplemented

    def __matmul__(self, other: Any) -> Any:
        try:
            return ops.matmul.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __rmatmul__(self, other: Any) -> Any:
        try:
            return ops.matmul.recorder(other, self)
        except TensorTypeError:
            return NotImplemented

    def __neg__(self) -> Any:
        return ops.neg.recorder(self)

    def __pos__(self) -> Any:
        return ops.positive.recorder(self)

    def __abs__(self) -> Any:
        return ops.abs.recorder(self)

    # Comparison.
    def __eq__(self, other: object) -> Any:
        try:
            return ops.eq.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __ne__(self, other: object) -> Any:
        try:
            return ops.ne.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __lt__(self, other: Any) -> Any:
        try:
            return ops.lt.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __le__(self, other: Any) -> Any:
        try:
            return ops.le.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __gt__(self, other: Any) -> Any:
        try:
            return ops.gt.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __ge__(self, other: Any) -> Any:
        try:
            return ops.ge.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __hash__(self) -> int:
        return id(self)

    # Bits.
    def __invert__(self: Value) -> Any:  # type: ignore[misc]
        if self._data.dtype.kind in "fc":
            raise TensorTypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
        return ops.bitwise_not.recorder(self)

    def __and__(self, other: Any) -> Any:
        try:
            return ops.bitwise_and.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __rand__(self, other: Any) -> Any:
        try:
            return ops.bitwise_and.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __or__(self, other: Any) -> Any:
        try:
            return ops.bitwise_or.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __ror__(self, other: Any) -> Any:
        try:
            return ops.bitwise_or.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __xor__(self, other: Any) -> Any:
        try:
            return ops.bitwise_xor.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    def __rxor__(self, other: Any) -> Any:
        try:
            return ops.bitwise_xor.recorder(self, other)
        except TensorTypeError:
            return NotImplemented

    # In place.
    def __iadd__(self, other: Any) -> Any:
        try:
            return _inplace(ops.add, self, other)
        except TensorTypeError:
            return NotImplemented

    def __isub__(self, other: Any) -> Any:
        try:
            return _inplace(ops.sub, self, other)
        except TensorTypeError:
            return NotImplemented

    def __imul__(self, other: Any) -> Any:
        try:
            return _inplace(ops.mul, self, other)
        except TensorTypeError:
            return NotImplemented

    def __itruediv__(self, other: Any) -> Any:
        try:
            return _inplace(ops.div, self, other)
        except TensorTypeError:
            return NotImplemented

    def __ifloordiv__(self, other: Any) -> Any:
        try:
            return _inplace(ops.floor_divide, self, other)
        except TensorTypeError:
            return NotImplemented

    def __imod__(self, other: Any) -> Any:
        try:
            return _inplace(ops.remainder, self, other)
        except TensorTypeError:
            return NotImplemented

    def __ipow__(self, other: Any) -> Any:
        try:
            return _inplace(ops.pow, self, other)
        except TensorTypeError:
            return NotImplemented

    def __iand__(self, other: Any) -> Any:
        try:
            return _inplace(ops.bitwise_and, self, other)
        except TensorTypeError:
            return NotImplemented

    def __ior__(self, other: Any) -> Any:
        try:
            return _inplace(ops.bitwise_or, self, other)
        except TensorTypeError:
            return NotImplemented

    def __ixor__(self, other: Any) -> Any:
        try:
            return _inplace(ops.bitwise_xor, self, other)
        except TensorTypeError:
            return NotImplemented

    # Transposes, which torch has as attributes.
    @property
    def T(self) -> Any:
        """The dimensions in reverse order."""
        return ops.T(self)

    @property
    def mT(self) -> Any:
        """Each matrix of a batch transposed."""
        return ops.mT(self)

    @property
    def H(self) -> Any:
        """A matrix transposed and conjugated."""
        return ops.H(self)

    @property
    def mH(self) -> Any:
        """Each matrix of a batch transposed and conjugated."""
        return ops.mH(self)

    # Indexing.
    def __getitem__(self, index: Any) -> Any:
        return ops.getitem.recorder(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        from .indexing import assign

        assign(self, index, value)


def add_methods(kind: type[Value]) -> None:
    """Gives ``kind`` a method for every op that has one, and its in-place form."""
    from .inplace import call_inplace
    from .op import REGISTRY, Overloads

    for name, found in REGISTRY.items():
        first = found.overloads[0] if isinstance(found, Overloads) else found
        if name != first.name and "." in name:
            continue
        short = name.rpartition(".")[2]
        if first.method:
            _set_method(kind, short, found, first)
        form = next((o.inplace for o in (found.overloads if isinstance(found, Overloads) else (found,)) if o.inplace), False)
        if form:
            target = form if isinstance(form, str) else short + "_"

            def inplace(self: Any, *args: Any, _op: Any = found, **kwargs: Any) -> Any:
                return call_inplace(_op, self, args, kwargs)

            inplace.__name__ = inplace.__qualname__ = target
            inplace.__doc__ = f"In-place form of ``{name}``."
            if target not in kind.__dict__:
                setattr(kind, target, inplace)


def _set_method(kind: type[Value], short: str, found: Op | Overloads, first: Op) -> None:
    if short in kind.__dict__:
        return
    # The tensor is the argument named input, which comes second in where(condition, input, other).
    position = first.names.index("input") if "input" in first.names else 0

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return found.recorder(self, *args, **kwargs)

    def method_of_later(self: Any, *args: Any, **kwargs: Any) -> Any:
        if len(args) < position:
            return found.recorder(*args, input=self, **kwargs)
        return found.recorder(*args[:position], self, *args[position:], **kwargs)

    if position:
        method = method_of_later

    method.__name__ = method.__qualname__ = short
    method.__doc__ = found.__doc__
    setattr(kind, short, method)
