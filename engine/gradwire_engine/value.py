"""The handle that every recorder's tensors share: version, view, gradient and graph, but no way to compute.

``Tensor`` (eager) and ``Symbol`` (symbolic) derive from ``Value``; a client's remote tensor does the same. A subclass says
what its payload is, how an op runs on payloads, and how a payload is overwritten. A payload has ``shape`` and ``dtype``.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar

from . import views
from .announcing import Announcing
from .dtypes import DType, NumpyDType, dtype_of, is_differentiable
from .errors import TensorRuntimeError, TensorTypeError
from .hooks import RemovableHandle
from .meta import Meta, Shape, wrap_dim
from .node import AccumulateGrad, Node, Version, as_seen
from .op import ops
from .operators import Operators
from .placement import Placement
from .size import Size as Size

if TYPE_CHECKING:
    from .op import Op


class Value(Placement, Operators, Announcing):
    """A mutable handle on a payload, with its place in the backward graph.

    Its in-place operations move the handle to a new node and bump the version, which all views of the same storage share.
    """

    # The class directly under ``Value`` that a tensor's class derives from: results are of it, whatever the operands derive.
    _recorder: ClassVar[type[Value]]
    precedence: ClassVar[int] = 0
    computes_on_arrays: ClassVar[bool] = False
    # NumPy operators give way to ours: ndarray * Value calls Value.__rmul__.
    __array_ufunc__: ClassVar[Any] = None

    # Instances set only what differs from these, which keeps recording cheap.
    _data: Any
    _version_counter: Version
    _node: Node | None = None
    _index = 0
    _requires_grad = False
    _view: views.ViewOf | None = None
    _grad: Value | None = None
    _accumulator: weakref.ref[AccumulateGrad] | None = None
    _hooks: list[Callable[..., Any]] | None = None
    _post_accumulate_hooks: list[Callable[..., Any]] | None = None

    if TYPE_CHECKING:
        # Methods that come from the op table.
        def __getattr__(self, name: str) -> Any: ...

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if Value in cls.__bases__:
            cls._recorder = cls

    # What a recorder defines.

    @classmethod
    def for_creation(cls) -> type[Value]:
        """The class of tensors that ops make from no tensor."""
        from .tensor import Tensor

        return CREATOR.get(Tensor)

    @classmethod
    def _lift(cls, value: Any) -> Value:
        """Makes a value of this class from another class's value, an array or a number."""
        raise NotImplementedError

    @classmethod
    def _execute(cls, op: Op, operands: Sequence[Any], payloads: Sequence[Any]) -> Sequence[Any]:
        """Runs ``op`` and gives its output payloads; ``operands`` are ``payloads`` after promotion."""
        raise NotImplementedError

    @classmethod
    def _promote(cls, payload: Any, dtype: NumpyDType) -> Any:
        """The payload cast to ``dtype``, or itself if it already has it."""
        raise NotImplementedError

    @classmethod
    def _meta_of(cls, payload: Any) -> Meta:
        """The meta of a payload."""
        raise NotImplementedError

    @classmethod
    def _pack(cls, op: Op, results: list[Any]) -> Any:
        """Several outputs as the caller sees them."""
        return tuple(results)

    @classmethod
    def _wrap(cls, payload: Any) -> Value:
        """A new handle on a payload, without history."""
        self = object.__new__(cls)
        self._data = payload
        self._version_counter = Version()
        return self

    def _overwrite(self, payload: Any) -> None:
        """Writes ``payload`` (same shape) over this value's elements."""
        raise NotImplementedError

    def _accumulate(self, g: Value) -> None:
        """Adds a gradient to ``grad``."""
        raise NotImplementedError

    def _written(self) -> None:
        """Notes a write to the storage, which whatever saved a tensor of it notices."""
        self._version_counter.bump()

    def _retain(self, g: Value) -> None:
        """Adds a gradient to the ``grad`` of a tensor that is no leaf: always by making a new tensor."""
        self._grad = None if self._grad is None else self._grad + g
        if self._grad is None:
            self._accumulate(g)

    def _snapshot(self) -> Any:
        """A payload with the present elements that a later overwrite does not touch."""
        raise NotImplementedError

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        return Size(self._data.shape)

    @property
    def dtype(self) -> DType:
        """The element type."""
        return dtype_of(self._data.dtype)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._data.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self.shape[wrap_dim(dim, self.ndim)]

    def dim(self) -> int:
        """The number of dimensions."""
        return len(self._data.shape)

    def numel(self) -> int:
        """The number of elements."""
        return self.shape.numel()

    nelement = numel

    def stride(self, dim: int | None = None) -> Any:
        """The steps in elements along all dimensions, or along one."""
        strides = self._meta_of(self._data).strides
        return strides if dim is None else strides[dim]

    @property
    def real(self) -> Any:
        """The real parts, a view; a real tensor itself."""
        return ops.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary parts of a complex tensor, a view."""
        return ops.imag(self)

    # The graph.

    def _refresh_view(self) -> None:
        views.refresh(self)

    def _move_to(self, node: Node, index: int) -> None:
        """Makes output ``index`` of ``node`` the history of this tensor; a gradient that is kept is from now on that of it."""
        old = self._node
        if old is not None and old.retained is not None and self.retains_grad:
            kept = old.retained.pop(self._index)
            if node.retained is None:
                node.retained = {}
            node.retained[index] = kept
            node.simple = False
        self._node, self._index, self._requires_grad = node, index, True

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded."""
        if self._view is None or self._requires_grad:
            return self._requires_grad
        return self._view.base.requires_grad and is_differentiable(self._data.dtype)

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if type(wanted) is not bool:
            raise TensorRuntimeError("requires_grad must be a bool")
        if not self.is_leaf and wanted:
            raise TensorRuntimeError("you can only change requires_grad flags of leaf variables.")
        if wanted and not is_differentiable(self._data.dtype):
            raise TensorRuntimeError("only Tensors of floating point and complex dtype can require gradients")
        self.requires_grad_(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Value:
        """Sets ``requires_grad`` and returns the tensor.

        Raises:
            TensorRuntimeError: It is turned off on a tensor that an operation made, or on for one of whole numbers.
        """
        if type(requires_grad) is not bool:
            raise TensorTypeError.of_argument("requires_grad_", "requires_grad", 1, "bool", type(requires_grad).__name__)
        if not self.is_leaf and not requires_grad:
            raise TensorRuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that "
                "doesn't require differentiation use var_no_grad = var.detach()."
            )
        if requires_grad and not is_differentiable(self._data.dtype):
            raise TensorRuntimeError("only Tensors of floating point dtype can require gradients")
        self._requires_grad = requires_grad
        return self

    @property
    def grad_fn(self) -> Node | None:
        """The node that made this tensor, ``None`` for a leaf."""
        node = self._made_by()
        return None if node is None else as_seen(node)

    def _made_by(self) -> Node | None:
        """``grad_fn``, for those who do not mind of which class it is."""
        if self._view is not None:
            views.refresh(self)
        return self._node

    @property
    def output_nr(self) -> int:
        """Which output of ``grad_fn`` this is."""
        return self._index

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor was made by the user rather than by a recorded operation."""
        return self._made_by() is None

    @property
    def _version(self) -> int:
        """How often the storage was written in place."""
        return self._version_counter.count

    @property
    def _base(self) -> Value | None:
        """The tensor that this is a view of."""
        return None if self._view is None else self._view.base

    def _is_view(self) -> bool:
        """Whether this is a view of another tensor."""
        return self._view is not None

    @property
    def grad(self) -> Any:
        """The accumulated gradient of a leaf (or of a tensor that retains it)."""
        return self._grad

    @grad.setter
    def grad(self, value: Value | None) -> None:
        if value is not None:
            if not isinstance(value, Value):
                raise TensorTypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
            if value._data.shape != self._data.shape:
                raise TensorRuntimeError(
                    f"attempting to assign a gradient of size '{list(value._data.shape)}' to a tensor of size '{list(self._data.shape)}'. "
                    "Please ensure that the gradient and the tensor are the same size",
                    code="shape_mismatch",
                )
            if value._data.dtype != self._data.dtype:
                from .ops.supported import cpp_name

                raise TensorRuntimeError(
                    f"attempting to assign a gradient with dtype '{cpp_name(value._data.dtype)}' to a tensor with grad_dtype "
                    f"'{self.dtype.torch_name}'. The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). You can "
                    "set the tensor's grad_dtype attribute with a specific dtype, or None to allow any dtype. Set grad_dtype with caution. "
                    "Diverging the dtypes of a tensor and its gradient may break downstream systems that assume they match.",
                    code="dtype_mismatch",
                )
            if value is self:
                raise TensorRuntimeError("can't assign Variable as its own grad")
        self._grad = value

    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None) -> None:
        """Adds the gradient of this tensor to the leaves it was computed from (``torch.Tensor.backward``).

        Args:
            gradient: The cotangent, of this tensor's shape; ones when left out, which only a one-element tensor allows.
            retain_graph: Whether saved tensors are kept for another backward; defaults to ``create_graph``.
            create_graph: Whether the gradients are themselves recorded.
            inputs: The tensors to accumulate into; all leaves when left out.

        Raises:
            TensorRuntimeError: The tensor has no graph, was freed, or has more than one element and no ``gradient``.
        """
        from .autograd import backward

        backward([self], gradient, retain_graph, create_graph, inputs)

    @classmethod
    def _differentiate(cls, outputs: Sequence[Any], inputs: Sequence[Any], cotangents: Sequence[Any], **options: bool) -> tuple[Any, ...]:
        """``torch.autograd.grad`` of tensors of this class."""
        from .autograd import grad

        return grad(outputs, inputs, cotangents, **options)

    def retain_grad(self) -> None:
        """Keeps the gradient of a non-leaf in its ``grad``."""
        if not self.requires_grad:
            raise TensorRuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        node = self._made_by()
        if node is not None:
            if node.retained is None:
                node.retained = {}
            node.retained[self._index] = weakref.ref(self)
            node.simple = False

    @property
    def retains_grad(self) -> bool:
        """Whether this is a non-leaf whose gradient is kept."""
        node = self._node
        if node is None or node.retained is None:
            return False
        kept = node.retained.get(self._index)
        return kept is not None and kept() is self

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(grad)`` when the gradient of this tensor is known; what it returns replaces it."""
        if not self.requires_grad:
            raise TensorRuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        node = self._made_by()
        if node is not None:
            return node.add_tensor_hook(self._index, hook)
        if self._hooks is None:
            self._hooks = []
        self._hooks.append(hook)
        return RemovableHandle(self._hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(tensor)`` after the gradient of this leaf was accumulated."""
        if not self.requires_grad:
            raise TensorRuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._made_by() is not None:
            raise TensorRuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if self._post_accumulate_hooks is None:
            self._post_accumulate_hooks = []
        self._post_accumulate_hooks.append(hook)
        return RemovableHandle(self._post_accumulate_hooks, hook)

    def detach(self) -> Any:
        """The same data without history; it shares storage and version."""
        result = self._recorder._wrap(self._data)
        result._version_counter = self._version_counter
        return result

    def detach_(self) -> Any:
        """Cuts this tensor off from its history."""
        if self._view is not None:
            raise TensorRuntimeError(
                "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and "
                "gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be called on these "
                "gradients. To fix this error, please refer to the Optimizer.zero_grad() function in torch/optim/optimizer.py as the "
                "solution."
            )
        self._node, self._index, self._requires_grad = None, 0, False
        return self

    @property
    def data(self) -> Any:
        """The same storage without history and with a version of its own."""
        return self._recorder._wrap(self._data)

    @data.setter
    def data(self, value: Value) -> None:
        if not isinstance(value, Value):
            raise TensorTypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if self.requires_grad and not is_differentiable(value._data.dtype):
            raise TensorRuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
        self._data = value._data

    def __len__(self) -> int:
        shape: Shape = self._data.shape
        if not shape:
            raise TensorTypeError("len() of a 0-d tensor")
        return shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self._data.shape:
            raise TensorTypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))


CREATOR: ContextVar[type[Value]] = ContextVar("gradwire_creator")
"""The class of tensors that are made from no tensor: the eager one, or a symbol while a trace is being recorded."""
