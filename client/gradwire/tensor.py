"""The client's tensor: it lives in a session, and an operation on it is an instruction.

Shapes, dtypes, errors, versions, views and the graph are found here, by the same code that the engine's own tensors have; the
elements are found where the session is.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, ClassVar

import numpy as np

from gradwire_engine.creation import array_from, check_flag
from gradwire_engine.devices import check_device
from gradwire_engine.dtypes import Array, dtype_of, is_differentiable, scalar_dtype
from gradwire_engine.errors import TensorRuntimeError, TensorTypeError
from gradwire_engine.meta import dense, is_contiguous
from gradwire_engine.namespace import get_default_dtype
from gradwire_engine.node import Node
from gradwire_engine.op import ops
from gradwire_engine.tensor import Tensor as EagerTensor
from gradwire_engine.value import CREATOR, Value

from ._methods import OpMethods
from .address import address_of, start_of
from .announcing import instruction_of, lifted, lighten, reference, referrer, session_of
from .arguments import argument
from .connection import current_session
from .constructors import construct
from .hooks import HookHandle, hook_at, unnamed
from .reading import SMALL, Reading
from .recording import Recording
from .remote import Remote
from .session import Session
from .shadow import SHADOW, shadow

_NOT_A_LEAF = (
    "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be populated during "
    "autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf "
    "Tensor. If you access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead. "
    "See github.com/pytorch/pytorch/pull/30531 for more information."
)
_COPY = (
    "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
    "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor)."
)


class Tensor(Reading, Recording, OpMethods, Value):
    """A tensor that lives in a session.

    Args:
        data: One sequence of elements, which become numbers of the default dtype; or sizes.
    """

    precedence: ClassVar[int] = 2
    announces: ClassVar[bool] = True
    _data: Remote

    def __new__(cls, *data: Any) -> Any:
        """Makes a tensor of elements or of sizes, where :func:`gradwire.tensor` would leave no doubt."""
        return construct(data, get_default_dtype(), made)

    # The recorder: what an operation does.

    @classmethod
    def _lift(cls, value: Any) -> Value:
        if isinstance(value, EagerTensor):
            if value.requires_grad:
                raise TensorTypeError("A tensor of the engine that requires gradients cannot be moved to a session; detach it first.")
            value = value._data
        if isinstance(value, Value):
            raise TensorTypeError(f"Expected a tensor of this session, but got a {type(value).__name__}.")
        array = np.array(value) if isinstance(value, (np.ndarray, np.generic)) else np.asarray(value, scalar_dtype(value))
        return made(array)

    # Tensors with a relation to this one.

    def detach(self) -> Any:
        """The same data without history; it shares storage and version."""
        if SHADOW.get() is not None:
            return super().detach()
        result = self._wrap(self._data.alias(start_of(self)))
        result._version_counter = self._version_counter
        name = reference(self)
        self._name_as(result, {"do": "op", "op": "detach", "args": [name]}, name)
        return result

    @property
    def data(self) -> Any:
        """The same storage without history and with a version of its own."""
        if SHADOW.get() is not None:
            return self._wrap(self._data)
        result = self._wrap(self._data.alias(start_of(self)))
        self._name_part(result, ".data")
        return result

    @data.setter
    def data(self, value: Any) -> None:
        if not isinstance(value, Value):
            raise TensorTypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if self.requires_grad and not is_differentiable(value._data.dtype):
            raise TensorRuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
        value = lifted(Tensor, value)
        session = session_of(self, value)
        uses = [reference(self), reference(value)]
        session.emit({"do": "set", "name": uses[0], "data": uses[1]}, (), uses, loud=True)
        self._data.become(value._data.meta)
        self._data.storage, self._data.known = value._data.storage, value._data.known
        self._data.start = start_of(value)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Sets ``requires_grad`` and returns the tensor."""
        before = self._requires_grad
        super().requires_grad_(requires_grad)
        if before != requires_grad and SHADOW.get() is None:
            name = reference(self)
            session_of(self).emit({"do": "set", "name": name, "requires_grad": requires_grad}, (), (name,), loud=True)
        return self

    def detach_(self) -> Any:
        """Cuts this tensor off from its history."""
        super().detach_()
        name = reference(self)
        session_of(self).emit({"do": "op", "op": "detach_", "args": [name]}, (), (name,), loud=True)
        return self

    def retain_grad(self) -> None:
        """Keeps the gradient of a non-leaf in its ``grad``."""
        kept = self.retains_grad
        super().retain_grad()
        if self._made_by() is not None and not kept:
            name = reference(self)
            session_of(self).emit({"do": "set", "name": name, "retain_grad": True}, (), (name,), loud=True)

    @property
    def grad_fn(self) -> Any:
        """The node that made this tensor, ``None`` for a leaf."""
        node = super().grad_fn
        if node is not None and node.hooking is unnamed:
            node.hooking = self._hooking(self._data)
        return node

    @classmethod
    def _hooking(cls, payload: Remote) -> Callable[..., Any]:
        there = weakref.ref(payload)

        def take(node: Node, kind: str, hook: Callable[..., Any]) -> HookHandle:
            present = there()
            if present is None:
                raise TensorRuntimeError("The tensor that this node made is gone, and with it the way to the node.", code="hook_place")
            return hook_at(present, kind, hook, node.register_hook if kind == "node" else node.register_prehook)

        return take

    def register_hook(self, hook: Callable[..., Any]) -> Any:
        """Calls ``hook(grad)`` when the gradient of this tensor is known; what it returns replaces it."""
        return hook_at(self._data, "tensor", hook, super().register_hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[..., Any]) -> Any:
        """Calls ``hook(tensor)`` after the gradient of this leaf was accumulated."""
        return hook_at(self._data, "post_accumulate", hook, super().register_post_accumulate_grad_hook)

    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None) -> None:
        """Adds the gradient of this tensor to the leaves it was computed from (``torch.Tensor.backward``)."""
        from .autograd.passes import backward

        backward([self], gradient, retain_graph, create_graph, inputs)

    @classmethod
    def _differentiate(cls, outputs: Sequence[Any], inputs: Sequence[Any], cotangents: Sequence[Any], **options: bool) -> tuple[Any, ...]:
        from .autograd.passes import grad

        return grad(outputs, inputs, cotangents, **options)

    @property
    def grad(self) -> Any:
        """The accumulated gradient of a leaf (or of a tensor that retains it)."""
        g = self._grad
        if SHADOW.get() is not None:
            return g
        if g is None:
            if self._node is not None and not self.retains_grad:
                warnings.warn(_NOT_A_LEAF, UserWarning, stacklevel=2)
        elif g._data.name is None:
            if self._data.session is not None and self._data.session.is_doubtful(f"{self._data.name}.grad") and not self._has_gradient():
                self._grad = None
                return None
            self._name_part(g, ".grad")
        return g

    @grad.setter
    def grad(self, value: Any) -> None:
        Value.grad.fset(self, value)  # type: ignore[attr-defined]
        session, name = session_of(self) if value is None else session_of(self, value), reference(self)
        self._forget_gradient_failure()
        given = None if value is None else reference(value)
        session.emit({"do": "set", "name": name, "grad": given}, (), (name,) if given is None else (name, given), loud=True)

    def _has_gradient(self) -> bool:
        """Asks whether there is a gradient, after a backward that was to make one has failed."""
        name = reference(self)
        there = session_of(self).ask({"do": "read", "name": name, "what": ["grad"]}, (), (name, f"{name}.grad"))["grad"]
        self._forget_gradient_failure()
        return there is not None

    def _forget_gradient_failure(self) -> None:
        if self._data.session is not None:
            self._data.session.forget_failure(f"{self._data.name}.grad")

    def _name_part(self, result: Any, suffix: str) -> None:
        """Gives ``result``, which the session has as this tensor's ``.grad`` or ``.data``, a name of its own."""
        name = reference(self)
        part = name + suffix
        self._name_as(result, {"do": "create", "tensor": part}, name, part)

    def _name_as(self, result: Any, instruction: dict[str, Any], *uses: str) -> None:
        """Gives ``result``, which the instruction makes of this tensor, a name."""
        session = session_of(self)
        name = instruction["name"] = session.new_name()
        session.emit(instruction, (name,), uses)
        result._data.session, result._data.name = session, name

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """The tensor in another dtype, or in that of another tensor; itself where it has that already."""
        if args and isinstance(args[0], Value):
            args = (args[0].dtype, *args[1:])
        if isinstance(kwargs.get("other"), Value):
            kwargs = {("dtype" if k == "other" else k): (v.dtype if k == "other" else v) for k, v in kwargs.items()}
        return ops.to(self, *args, **kwargs)

    def __setitem__(self, index: Any, value: Any) -> None:
        from gradwire_engine.indexing import assign

        if SHADOW.get() is not None:
            assign(self, index, value)
            return
        index = tuple(lifted(Tensor, i) for i in index) if isinstance(index, tuple) else lifted(Tensor, index)
        value = value if isinstance(value, np.ndarray) else lifted(Tensor, value)
        session = session_of(self)
        uses: list[str] = []
        refer = referrer(Tensor, session, uses)
        with shadow():
            assign(self, index, value)
        lighten([self])
        self._data.storage.writes += 1
        item = argument(index, False, True, refer)
        written = argument(value, True, False, refer)
        session.emit(
            instruction_of("setitem", [refer(self), item, written], {}), (), uses, spoils=(reference(self),), loud=self._view is not None
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if not self.is_leaf:
            raise TensorRuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  If you were "
                "attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, see "
                "https://github.com/pytorch/pytorch/pull/103001"
            )
        copy = ops.clone(self.detach())
        if self._requires_grad:
            copy.requires_grad_()
        memo[id(self)] = copy
        if self._grad is not None:
            copy.grad = deepcopy(self.grad, memo)
        return copy

    def __copy__(self) -> Any:
        return self.detach().requires_grad_(self.requires_grad)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        # The elements travel, and are a leaf where they arrive; sessions and graphs stay.
        return (_unpickled, (self._elements(), self.requires_grad))

    def is_contiguous(self) -> bool:
        """Whether the elements lie in row-major order without gaps."""
        return is_contiguous(self._data.meta)

    def storage_offset(self) -> int:
        """The place of the first element in the storage, in elements."""
        return start_of(self) // self.itemsize

    def data_ptr(self) -> int:
        """A number in place of the address of the first element: that of another tensor where both start at one place of one storage."""
        return address_of(self)


def made(array: Array, *, requires_grad: bool = False, session: Session | None = None) -> Tensor:
    """A tensor with the elements of an array that nobody else will write."""
    session = session or current_session()
    name = session.new_name()
    result: Any = Tensor._wrap(Remote(dense(array.shape, array.dtype), session, name))
    dtype = dtype_of(array.dtype).name
    spec = {"data": array, "dtype": dtype, "shape": list(array.shape)}
    if requires_grad:
        spec["requires_grad"] = True
        result._requires_grad = True
    session.emit({"do": "create", "name": name, "tensor": spec}, (name,), nbytes=array.nbytes)
    if array.size <= SMALL:
        result._data.known = (array, 0)
    return result  # type: ignore[no-any-return]


def _unpickled(array: Array, requires_grad: bool) -> Tensor:
    return made(array, requires_grad=requires_grad)


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Makes a tensor by copying ``data`` (``torch.tensor``).

    Args:
        data: A number, a nested list, an array, or a tensor.
        dtype: The element type; inferred when left out (floats take the default dtype, whole numbers int64).
        device: Where it is: the CPU.
        requires_grad: Whether operations on it are recorded.

    Raises:
        ValueError: The lists are ragged.
        TypeError: An item is no number, or the dtype cannot require gradients.
    """
    if isinstance(data, Value):
        warnings.warn(_COPY, UserWarning, stacklevel=2)
    check_device(device)
    check_flag("tensor", "requires_grad", requires_grad)
    wanted = None if dtype is None else dtype_of(dtype).numpy
    array = array_from(data, wanted)
    if requires_grad and array.dtype.kind not in "fc":
        raise TensorRuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    result: Tensor = created(array, requires_grad=requires_grad)
    return result


def created(array: Array, *, requires_grad: bool = False) -> Any:
    """What a caller makes of an array that nobody else will write: a tensor of the session or, while a function is traced, a constant."""
    kind = CREATOR.get(Tensor)
    if kind is Tensor:
        return made(array, requires_grad=requires_grad)
    constant = kind._lift(array)
    return constant.requires_grad_() if requires_grad else constant
