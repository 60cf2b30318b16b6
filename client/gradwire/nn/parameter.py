"""Parameters and buffers: tensors that a module registers when they are assigned to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradwire_engine.dtypes import is_differentiable
from gradwire_engine.value import Value

from . import _create

if TYPE_CHECKING:
    _Tensor = Value
else:
    _Tensor = object

_classes: dict[tuple[type, type], type] = {}


class Parameter(_Tensor):
    """A tensor that becomes a parameter of the module it is assigned to (``torch.nn.Parameter``).

    It shares the storage of ``data``. Its class derives from the class of the tensor, whichever recorder that is of: what holds
    for the tensor's methods, operators and gradient holds for the parameter.

    Args:
        data: The tensor; an empty one when left out.
        requires_grad: Whether operations on it are recorded, which ``no_grad`` does not change.

    Raises:
        RuntimeError: The tensor holds whole numbers, which cannot require gradients (torch's message).
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        """Makes a parameter of ``data``."""
        if data is None:
            data = _create.empty(0)
        result = data.detach()
        if requires_grad and not is_differentiable(result.dtype.numpy):
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        # The detached handle becomes the parameter, so that no recorder has to know how to make one.
        result.__class__ = _class_for(cls.__dict__.get("_public", cls), type(result)._recorder)
        if requires_grad:
            result.requires_grad_(True)
        return result  # type: ignore[no-any-return]

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        # __new__ has done it all; a recorder's own __init__ must not run on the finished tensor.
        pass

    @classmethod
    def _wrap(cls, payload: Any) -> Value:
        # What is computed from a parameter is no parameter.
        return cls._recorder._wrap(payload)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.data.clone(), self.requires_grad)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        # The class is made at run time, so it cannot be found by its name.
        return (type(self).__dict__["_public"], (self.data, self.requires_grad))


def _class_for(public: type, kind: type[Value]) -> type:
    """The class of parameters that are tensors of ``kind``."""
    found = _classes.get((public, kind))
    if found is None:
        namespace = {"__module__": public.__module__, "__qualname__": public.__qualname__, "__doc__": public.__doc__, "_public": public}
        found = _classes.setdefault((public, kind), type(public.__name__, (public, kind), namespace))
    return found


class _BufferMeta(type):
    """Tensors that ``Buffer`` made are its instances, though their class is the tensor's."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Value) and getattr(instance, "_is_buffer", False)


class Buffer(_Tensor, metaclass=_BufferMeta):
    """A tensor that becomes a buffer of the module it is assigned to (``torch.nn.Buffer``).

    Args:
        data: The tensor; an empty one when left out.
        persistent: Whether ``state_dict`` holds it.
    """

    persistent: bool

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        """Makes a buffer of ``data``."""
        if data is None:
            data = _create.empty(0)
        result = data.detach()
        result.requires_grad_(data.requires_grad)
        result.persistent = persistent
        result._is_buffer = True
        return result
