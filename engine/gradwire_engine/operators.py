"""Python's operators on every recorder's tensors, each on a line of its own because editors and type checkers look for them here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from .errors import TensorTypeError
from .op import ops

if TYPE_CHECKING:
    from .op import Op, Overloads
    from .value import Value

Method = Callable[[Any, Any], Any]


def _refused(error: TensorTypeError) -> Any:
    """Lets the other operand have its turn where the op does not take it; what else the engine refuses, it says itself."""
    if error.code != "argument_type":
        raise error
    return NotImplemented


def _binary(name: str) -> Method:
    def operator(self: Any, other: Any) -> Any:
        try:
            return getattr(ops, name).recorder(self, other)
        except TensorTypeError as error:
            return _refused(error)

    return operator


def _reflected(name: str) -> Method:
    def operator(self: Any, other: Any) -> Any:
        try:
            return getattr(ops, name).recorder(other, self)
        except TensorTypeError as error:
            return _refused(error)

    return operator


def _in_place(name: str) -> Method:
    def operator(self: Any, other: Any) -> Any:
        from .inplace import call_inplace

        try:
            return call_inplace(getattr(ops, name), self, (other,), {})
        except TensorTypeError as error:
            return _refused(error)

    return operator


class Operators:
    """The dunder methods; each is the op that torch's has. What an op cannot take, the other operand may know how to handle."""

    # Arithmetic.
    __add__ = _binary("add")
    __radd__ = _binary("add")
    __sub__ = _binary("sub")
    __rsub__ = _binary("rsub")
    __mul__ = _binary("mul")
    __rmul__ = _binary("mul")
    __truediv__ = _binary("div")

    def __rtruediv__(self, other: Any) -> Any:
        # torch computes 1 / x as reciprocal(x) * 1, and grad_fn shows it.
        try:
            return ops.mul(ops.reciprocal(self), other)
        except TensorTypeError as error:
            return _refused(error)

    __floordiv__ = _binary("floor_divide")
    __rfloordiv__ = _reflected("floor_divide")
    __mod__ = _binary("remainder")
    __rmod__ = _reflected("remainder")
    __pow__ = _binary("pow")
    __rpow__ = _reflected("pow")
    __matmul__ = _binary("matmul")
    __rmatmul__ = _reflected("matmul")

    def __neg__(self) -> Any:
        return ops.neg.recorder(self)

    def __pos__(self) -> Any:
        return ops.positive.recorder(self)

    def __abs__(self) -> Any:
        return ops.abs.recorder(self)

    # Comparison.
    __eq__ = _binary("eq")
    __ne__ = _binary("ne")
    __lt__ = _binary("lt")
    __le__ = _binary("le")
    __gt__ = _binary("gt")
    __ge__ = _binary("ge")

    def __hash__(self) -> int:
        return id(self)

    # Bits.
    def __invert__(self: Value) -> Any:  # type: ignore[misc]
        if self._data.dtype.kind in "fc":
            raise TensorTypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
        return ops.bitwise_not.recorder(self)

    __and__ = _binary("bitwise_and")
    __rand__ = _binary("bitwise_and")
    __or__ = _binary("bitwise_or")
    __ror__ = _binary("bitwise_or")
    __xor__ = _binary("bitwise_xor")
    __rxor__ = _binary("bitwise_xor")

    # In place.
    __iadd__ = _in_place("add")
    __isub__ = _in_place("sub")
    __imul__ = _in_place("mul")
    __itruediv__ = _in_place("div")
    __ifloordiv__ = _in_place("floor_divide")
    __imod__ = _in_place("remainder")
    __ipow__ = _in_place("pow")
    __iand__ = _in_place("bitwise_and")
    __ior__ = _in_place("bitwise_or")
    __ixor__ = _in_place("bitwise_xor")

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


def inplace_forms() -> dict[str, Op | Overloads]:
    """Every op that has an in-place form, by the name of that as a method, such as ``add_``."""
    from .op import REGISTRY, Overloads

    forms: dict[str, Op | Overloads] = {}
    for name, found in REGISTRY.items():
        overloads = found.overloads if isinstance(found, Overloads) else [found]
        form = next((o.inplace for o in overloads if o.inplace), False)
        if form and not ("." in name and name != overloads[0].name):
            forms.setdefault(form if isinstance(form, str) else name.rpartition(".")[2] + "_", found)
    return forms


def add_methods(kind: type[Value]) -> None:
    """Gives ``kind`` a method for every op that has one, and its in-place form."""
    from .inplace import call_inplace
    from .op import REGISTRY, Overloads

    for name, found in REGISTRY.items():
        first = found.overloads[0] if isinstance(found, Overloads) else found
        if first.method and not ("." in name and name != first.name):
            _set_method(kind, name.rpartition(".")[2], found, first)
    for target, found in inplace_forms().items():

        def inplace(self: Any, *args: Any, _op: Any = found, _name: str = target, **kwargs: Any) -> Any:
            try:
                return call_inplace(_op, self, args, kwargs)
            except TensorTypeError as error:
                _raise_of_method(error, _op, _name, 0)

        inplace.__name__ = inplace.__qualname__ = target
        inplace.__doc__ = f"In-place form of ``{found.name}``."
        if target not in kind.__dict__:
            setattr(kind, target, inplace)


def _raise_of_method(error: TensorTypeError, op: Op | Overloads, name: str, position: int) -> NoReturn:
    """Raises an error as the method ``name`` has it, whose tensor is the argument at ``position``."""
    counted = error.of_method(op.short_name, name, position + 1)
    if counted is error:
        raise error
    raise counted from None


def _set_method(kind: type[Value], short: str, found: Op | Overloads, first: Op) -> None:
    if short in kind.__dict__:
        return
    # The tensor is the argument named input, which comes second in where(condition, input, other).
    position = first.names.index("input") if "input" in first.names else 0

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return found.recorder(self, *args, **kwargs)
        except TensorTypeError as error:
            _raise_of_method(error, found, short, 0)

    def method_of_later(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            if len(args) < position:
                return found.recorder(*args, input=self, **kwargs)
            return found.recorder(*args[:position], self, *args[position:], **kwargs)
        except TensorTypeError as error:
            _raise_of_method(error, found, short, position)

    if position:
        method = method_of_later

    method.__name__ = method.__qualname__ = short
    method.__doc__ = found.__doc__
    setattr(kind, short, method)
