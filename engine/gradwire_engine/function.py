"""Functions with a backward of their own (``torch.autograd.Function``), in Python or elsewhere.

The node of a call knows its edges and what was saved; what runs its backward is either the ``backward`` of a Python class, or
somebody outside to whom the walk hands the gradients (``attach_external``). See "Extending torch.autograd" in torch's notes.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .custom_node import CustomNode
from .dtypes import is_differentiable
from .errors import TensorNotImplementedError, TensorRuntimeError, TensorTypeError
from .modes import GRAD_MODE, no_grad
from .value import Value
from .walk_arithmetic import ARRAYS, Arithmetic


class Context(CustomNode):
    """The node of a Python function, and the ``ctx`` that its ``forward`` and ``backward`` receive.

    Whatever attributes a function sets on it stay there.
    """

    # Set before the node knows its edges: ``forward`` runs in between.
    _to_save: Sequence[Any] = ()
    _dirty: Sequence[Value] = ()
    _apart: Sequence[Value] = ()
    materialize = True
    needs_input_grad: tuple[bool, ...] = ()
    function: type[Function]

    def __init__(self) -> None:
        """Waits for ``complete``; until then it only takes notes."""

    def complete(self, inputs: Sequence[Any], outputs: Sequence[Any], returned: Mapping[int, Any]) -> Context:
        """Becomes the node of a call, and returns it.

        Args:
            inputs: The arguments of the call.
            outputs: Its outputs.
            returned: The outputs by the ``id`` of what ``forward`` made.
        """
        apart = [returned.get(id(v), v) for v in self._apart]
        super().__init__(self.function.__name__, inputs, outputs, apart, self.materialize)
        return self

    def save_for_backward(self, *tensors: Value | None) -> None:
        """Keeps tensors, inputs or outputs or others, for ``saved_tensors``."""
        self._to_save = tensors

    def mark_dirty(self, *tensors: Value) -> None:
        """Says which inputs ``forward`` wrote in place."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Value) -> None:
        """Says which outputs have no gradient."""
        self._apart = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether ``backward`` gets zeros, rather than ``None``, for outputs that no gradient reached."""
        self.materialize = value

    def apply(self, grads: list[Any], arithmetic: Arithmetic) -> Sequence[Any]:
        """Runs the function's ``backward``."""
        arrays = arithmetic is ARRAYS
        received = [self.kind._wrap(np.asarray(g)) if arrays and g is not None else g for g in self.receives(grads, arithmetic)]
        results = self.answers(self.call_backward(received))
        return [r._data if arrays and r is not None else r for r in results]

    def call_backward(self, received: Sequence[Any]) -> Any:
        """What ``backward`` returns for these gradients."""
        cls = self.function
        rule = cls.backward if cls.backward is not Function.backward else cls.vjp
        return rule(self, *received)

    def __repr__(self) -> str:
        return f"<torch.autograd.function.{self.name()} object at {id(self):#x}>"


class Function:
    """A function with a derivative of its own (``torch.autograd.Function``): subclass it and call ``apply``."""

    _context: type[Context]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should invoke them on the "
            "class itself. Instantiating an autograd function will raise an error in a future version of PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Of its name, because users print ``type(y.grad_fn).__name__``.
        cls._context = type(f"{cls.__name__}Backward", (Context,), {"__module__": "torch.autograd.function", "function": cls})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refuses, as torch does: functions are called by ``apply``."""
        raise TensorRuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd function with static "
            "forward method. (Example: https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Computes the outputs; takes ``ctx`` first, unless there is a ``setup_context``."""
        raise TensorNotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Notes on ``ctx`` what ``backward`` needs."""
        raise TensorNotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Maps the gradients of the outputs to those of the arguments."""
        raise TensorNotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD."
        )

    # torch lets a function define either.
    vjp = backward

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Calls the function.

        Raises:
            TensorRuntimeError: An input was marked as written that may not be, or is not returned.
        """
        ctx = cls._context()
        parted = cls.setup_context is not Function.setup_context
        if parted:
            args = _with_defaults(cls.forward, args, kwargs)
            kwargs = {}
        for given in args:
            if isinstance(given, Value) and given.announces:
                given._enter_function(cls.__name__)
        ctx.needs_input_grad = tuple(isinstance(a, Value) and a.requires_grad for a in args)
        recorded = GRAD_MODE.get() and any(ctx.needs_input_grad)
        with no_grad():
            if parted:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
            else:
                result = cls.forward(ctx, *args, **kwargs)
        for i, saved in enumerate(ctx._to_save):
            if saved is not None and not isinstance(saved, Value):
                raise TensorTypeError(
                    f"save_for_backward can only save variables, but argument {i} is of type {type(saved).__name__}", code="argument_type"
                )
        outputs = list(result) if isinstance(result, tuple) else [result]
        tensors = [o for o in outputs if isinstance(o, Value)]
        if not tensors:
            return result
        finished = attach(functools.partial(ctx.complete, args) if recorded else None, args, outputs, ctx._to_save, ctx._dirty)
        return tuple(finished) if isinstance(result, tuple) else finished[0]


def _with_defaults(forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    bound = inspect.signature(forward).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args


def attach(
    make: Callable[[list[Any], Mapping[int, Any]], CustomNode] | None,
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    saved: Sequence[Any],
    dirty: Sequence[Value],
) -> list[Any]:
    """The outputs of a call with their history; without a node, only apart from the inputs they may be.

    Args:
        make: Makes the node of the outputs as they are returned, and those by the ``id`` of what forward made; ``None`` where nothing
            is recorded.
        inputs: The arguments of the call.
        outputs: What forward made.
        saved: What backward needs.
        dirty: The inputs that were written in place.
    """
    given = {id(v) for v in inputs if isinstance(v, Value)}
    written = {id(v) for v in dirty}
    if written - {id(o) for o in outputs}:
        raise TensorRuntimeError(
            "Some elements marked as dirty during the forward method were not returned as output. "
            "The inputs that are modified inplace must all be outputs of the Function.",
            code="dirty_not_returned",
        )
    if make is not None:
        for value in dirty:
            if value.requires_grad and value.is_leaf:
                raise TensorRuntimeError(
                    "a leaf Variable that requires grad has been used in an in-place operation.", code="inplace_on_leaf"
                )
    for value in dirty:
        value._written()
    # An input that is handed through is another tensor on the same storage.
    own = [o.detach() if id(o) in given - written else o for o in outputs]
    if make is None:
        return own
    returned = {id(o): n for o, n in zip(outputs, own, strict=True)}
    node = make(own, returned)
    node.save([returned.get(id(s), s) for s in saved], own)
    finished = node.kind._announce_function(node, inputs, own, dirty)
    for index, place in enumerate(node.tensor_outputs):
        if node.differentiable[index]:
            finished[place]._move_to(node, index)
    return list(finished)


def attach_external(
    name: str,
    inputs: Sequence[Value | None],
    outputs: Sequence[Value],
    *,
    saved: Sequence[Value | None] = (),
    non_differentiable: Sequence[Value] = (),
    dirty: Sequence[Value] = (),
    materialize_grads: bool = True,
    owner: Any = None,
) -> list[Value]:
    """The outputs of a call whose forward ran somewhere else, where its backward will run too: the walk suspends at its node.

    Args:
        name: The name of the function.
        inputs: One per argument, ``None`` for what was no tensor.
        outputs: What forward made; they have no history yet.
        saved: What backward needs: it is watched for overwriting, and kept until backward is done.
        non_differentiable: The outputs that have no gradient.
        dirty: The inputs that were written in place; they must be outputs too.
        materialize_grads: Whether backward gets zeros for outputs that no gradient reached.
        owner: Whatever the caller wants to find at the node again.

    Returns:
        One tensor per output; without history where nothing is recorded.

    Raises:
        TensorRuntimeError: Nothing was returned, or a tensor was marked as written that may not be.
    """
    if not outputs:
        raise TensorRuntimeError(f"The function {name} has no output.", code="output_count")
    recorded = GRAD_MODE.get() and any(v is not None and v.requires_grad for v in inputs)
    if not recorded:
        return attach(None, inputs, outputs, (), dirty)

    def make(own: list[Any], returned: Mapping[int, Any]) -> CustomNode:
        node = ExternalNode(name, inputs, own, [returned.get(id(v), v) for v in non_differentiable], materialize_grads)
        node.owner = owner
        return node

    return attach(make, inputs, outputs, saved, dirty)


class ExternalNode(CustomNode):
    """A node whose backward runs elsewhere.

    Attributes:
        owner: Whatever ``attach_external`` was given.
    """

    suspends = True
    owner: Any = None


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates a ``backward`` that cannot itself be differentiated (``torch.autograd.function.once_differentiable``)."""

    @functools.wraps(backward)
    def wrapped(ctx: Any, *grad_outputs: Any) -> Any:
        with no_grad():
            outputs = backward(ctx, *grad_outputs)
        if not GRAD_MODE.get() or not any(isinstance(g, Value) and g.requires_grad for g in grad_outputs):
            return outputs
        listed = outputs if isinstance(outputs, tuple) else (outputs,)
        kept = [isinstance(o, Value) and is_differentiable(o._data.dtype) for o in listed]
        if not any(kept):
            return outputs
        node = _Once("", grad_outputs, [o for o, k in zip(listed, kept, strict=True) if k], (), True)
        made: list[Any] = []
        for o, k in zip(listed, kept, strict=True):
            made.append(o)
            if k:
                made[-1] = o.detach()
                made[-1]._move_to(node, sum(kept[: len(made) - 1]))
        return tuple(made) if isinstance(outputs, tuple) else made[0]

    return wrapped


class _Once(CustomNode):
    """The end of what ``once_differentiable`` lets through."""

    def name(self) -> str:
        """torch's name of the node."""
        return "Error"

    def apply(self, grads: list[Any], arithmetic: Arithmetic) -> Sequence[Any]:
        """Refuses."""
        raise TensorRuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable", code="once_differentiable"
        )
