"""Python callables as registered functions: traced when they are called, and run where the connection leads to."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, overload

from gradwire_engine.errors import LimitError

from . import conversations
from .connection import Connection, current
from .conversations import DEFAULT_RETRIES, Conversation, Document
from .drivers import run
from .errors import NotFound
from .function_calls import FunctionCalls
from .function_results import Gradcheck, Minimum
from .functions import Function
from .scipy_functions import ScipyFunctions
from .specialisation import Specialisation
from .structure import free_name
from .traced_call import TracedCall, Wrt

_ONE_FOR_EACH: Final = (
    "gradwire.function registers a function for each combination of shapes and dtypes that it is called with. Client.list_functions says "
    "which there are, and Client.delete_function deletes one; a function that Client.put_function registers with names for its sizes "
    "serves all shapes."
)


class TracedFunction:
    """A Python callable that is traced and registered. Made by :func:`function`.

    Its arguments are tensors, arrays, floats, and tuples, lists and dicts of them. Whatever else there is (integers, strings) is part of
    the program, which is traced again for other values, and for other shapes and dtypes. NumPy goes in and comes out; where an argument
    is a tensor, tensors come out, without history. What the callable takes from around it is taken as it is when it is traced.

    Every trace is a function of its own on the server, called by the callable's name and a hash, and stays there until it is deleted; a
    caller may have ``functions_per_key`` of them, and all callers without a key together have as many. For arguments of ever new shapes
    put one function whose sizes have names (``Client.put_function``), and call that by :func:`get_function`. What is not needed any more,
    ``f.registered(x).delete()`` or ``Client.delete_function`` deletes.

    Every call takes ``batch``, ``randomness``, ``seed`` and ``seconds`` beside the callable's own arguments. ``wrt`` names parameters, or
    gives their positions: by one of them a derivative is alone, by several a tuple; by default it is by all parameters that hold floating
    point numbers. The derivative by a parameter is structured like its argument.
    """

    def __init__(self, callable: Callable[..., Any], name: str | None = None, description: str | None = None) -> None:
        functools.update_wrapper(self, callable)
        self._callable = callable
        self._signature = inspect.signature(callable)
        self._name = name
        self._description = description or inspect.getdoc(callable)
        self._known: dict[Any, Specialisation] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the callable returns."""
        call = self._call(args, kwargs)
        return call.by_output(self._ask(call, "evaluate", {})["outputs"])

    def value_and_grad(self, *args: Any, wrt: Wrt = None, **kwargs: Any) -> tuple[Any, Any]:
        """The scalar that the callable returns, and its gradient."""
        call = self._call(args, kwargs, wrt)
        answer = self._ask(call, "value_and_grad", {"wrt": call.wrt})
        return call.by_output(_of_one(call, answer["value"])), call.by_input(answer["grads"])

    def grad(self, *args: Any, wrt: Wrt = None, **kwargs: Any) -> Any:
        """The gradient of the scalar that the callable returns."""
        return self.value_and_grad(*args, wrt=wrt, **kwargs)[1]

    def vjp(self, *args: Any, grad_outputs: Any, wrt: Wrt = None, **kwargs: Any) -> tuple[Any, Any]:
        """What the callable returns, and the gradient for given gradients of that, structured like it, with ``None`` for none."""
        call = self._call(args, kwargs, wrt)
        answer = self._ask(call, "vjp", {"grad_outputs": call.given_for_outputs(grad_outputs), "wrt": call.wrt})
        return call.by_output(answer["outputs"]), call.by_input(answer["grads"])

    def jvp(self, *args: Any, tangents: Any, **kwargs: Any) -> tuple[Any, Any]:
        """What the callable returns, and its derivative along tangents: one, a tuple of them, or a dict by the names of parameters."""
        call = self._call(args, kwargs)
        answer = self._ask(call, "jvp", {"tangents": call.given_for_inputs(tangents)})
        return call.by_output(answer["outputs"]), call.by_output(answer["tangents"])

    def jacobian(self, *args: Any, wrt: Wrt = None, **kwargs: Any) -> Any:
        """The Jacobian: structured like what the callable returns, and inside like the arguments."""
        call = self._call(args, kwargs, wrt)
        return call.by_output(self._ask(call, "jacobian", {"wrt": call.wrt})["jacobian"], call.by_input)

    def hessian(self, *args: Any, wrt: Wrt = None, **kwargs: Any) -> Any:
        """The second derivatives of the scalar that the callable returns: structured like the arguments, twice."""
        call = self._call(args, kwargs, wrt)
        return call.by_input(self._ask(call, "hessian", {"wrt": call.wrt})["hessian"], call.by_input)

    def hvp(self, *args: Any, vectors: Any, wrt: Wrt = None, **kwargs: Any) -> Any:
        """The Hessian times vectors: one, a tuple of them, or a dict by the names of parameters; or stacks of vectors."""
        call = self._call(args, kwargs, wrt)
        return call.by_input(self._ask(call, "hvp", {"vectors": call.given_for_inputs(vectors), "wrt": call.wrt})["hvps"])

    def minimize(
        self,
        *args: Any,
        wrt: Wrt = None,
        method: str | None = None,
        bounds: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Minimum:
        """Looks for a minimum from these arguments on, beside the function and without a request for every step.

        Args:
            args: Where to start.
            wrt: The parameters to vary.
            method: One of SciPy's methods.
            bounds: The least and the greatest value by the name of a tensor.
            options: SciPy's options for the method.
            kwargs: Arguments by name, and the options of all calls.
        """
        call = self._call(args, kwargs, wrt)
        told = {"wrt": call.wrt, "method": method, "bounds": bounds, "options": options}
        answer = self._ask(call, "minimize", {field: value for field, value in told.items() if value is not None})
        return Minimum(
            call.by_parameter(answer["inputs"]),
            call.tensor(answer["value"]),
            call.by_parameter(answer["grads"]),
            *[answer[field] for field in Minimum._fields[3:]],
        )

    def gradcheck(self, *args: Any, wrt: Wrt = None, **kwargs: Any) -> Gradcheck:
        """Compares the gradients with central differences."""
        call = self._call(args, kwargs, wrt)
        answer = self._ask(call, "gradcheck", {"wrt": call.wrt})
        return Gradcheck(answer["ok"], answer["detail"])

    def registered(self, *args: Any, **kwargs: Any) -> Function:
        """The registered function for arguments of these shapes and dtypes, for what this class has no method for."""
        connection = current()
        return Function(
            run(self._put(connection, self._call(args, kwargs).specialised(self._known)), connection.transport), connection.transport
        )

    @property
    def scipy(self) -> ScipyFunctions:
        """Callables for SciPy's optimisers."""
        return ScipyFunctions(self)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """A method, where a function of a class was decorated: its ``self`` is part of the program."""
        return self if instance is None else TracedFunction(self._callable.__get__(instance, owner), self._name, self._description)

    def __repr__(self) -> str:
        return f"<traced function {getattr(self._callable, '__name__', self._callable)}({', '.join(self._signature.parameters)})>"

    def _call(self, args: Sequence[Any], kwargs: Mapping[str, Any], wrt: Wrt = None) -> TracedCall:
        call = TracedCall(self._callable, self._signature, args, kwargs, wrt)
        call.specialised(self._known)
        return call

    def _ask(self, call: TracedCall, form: str, fields: Mapping[str, Any]) -> Document:
        connection = current()
        return run(self._asking(connection, call, form, fields), connection.transport)

    def _asking(self, connection: Connection, call: TracedCall, form: str, fields: Mapping[str, Any]) -> Conversation[Document]:
        """Makes a call, of a function that is registered where it is not yet."""
        program = call.specialised(self._known)
        calls = yield from self._put(connection, program)
        try:
            return (yield from calls.ask(form, [call.arrays], call.options, fields))
        except NotFound as error:
            if error.code != "unknown_function":
                raise
        # It was there: somebody has deleted it, or the server has forgotten it with its process.
        connection.functions.pop((calls.name.partition("@")[0], program.hash), None)
        calls = yield from self._put(connection, program)
        return (yield from calls.ask(form, [call.arrays], call.options, fields))

    def _put(self, connection: Connection, program: Specialisation) -> Conversation[FunctionCalls]:
        called = getattr(self._callable, "__name__", "function")
        name = self._name or f"{free_name(called, ())}_{program.hash[:12]}"
        found = connection.functions.get((name, program.hash))
        if found is None:
            document = {**program.document, **({"description": self._description} if self._description else {})}
            try:
                described = yield from conversations.put_function(name, document)
            except LimitError as error:
                if error.code == "too_many_functions":
                    error.add_note(_ONE_FOR_EACH)
                raise
            # Programs for other shapes may have the same name; each is called by its hash.
            found = FunctionCalls(f"{name}@{described['hash']}", described, DEFAULT_RETRIES)
            connection.functions[name, program.hash] = found
        return found


def _of_one(call: TracedCall, value: Any) -> Mapping[str, Any]:
    """The value of the only output."""
    return dict.fromkeys(call.output_names, value)


@overload
def function(callable: Callable[..., Any], *, name: str | None = None, description: str | None = None) -> TracedFunction: ...
@overload
def function(
    callable: None = None, *, name: str | None = None, description: str | None = None
) -> Callable[[Callable[..., Any]], TracedFunction]: ...
def function(callable: Any = None, *, name: str | None = None, description: str | None = None) -> Any:
    """Makes a registered function, a :class:`TracedFunction`, of a Python callable; also a decorator.

    The callable is written in gradwire's functions. It is traced when it is first called with arguments of some shapes and dtypes,
    registered where the connection leads to, and called there from then on; ``help(gradwire.TracedFunction)`` says how.

    Args:
        callable: What is traced.
        name: What it is registered as; by default its own name and a hash of what it computes.
        description: What it is for; by default its docstring.
    """
    if callable is None:
        return lambda decorated: TracedFunction(decorated, name, description)
    return TracedFunction(callable, name, description)


def get_function(name: str) -> Function:
    """The registered function of this name, or ``name@hash`` for one of its versions, where the connection leads to.

    Raises:
        NotFound: There is none.
    """
    transport = current().transport
    described = run(conversations.get_function(name), transport)
    return Function(FunctionCalls(name, described, DEFAULT_RETRIES), transport)
