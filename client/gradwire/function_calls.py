"""The calls of a registered function, as conversations: what the waiting and the awaiting client have in common.

Inputs are given in the order in which they are declared, by name, or as one mapping of names; an input that has the name of an option
cannot be given as a keyword. Every call takes these options beside its own: ``batch``, the inputs that have a leading axis to map over,
``randomness``, what random operations do then (``"error"``, ``"same"`` or ``"different"``), ``seed``, where they start, and ``seconds``,
the time that it may take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np

from gradwire_engine.errors import TensorTypeError
from gradwire_engine.value import Value

from . import conversations
from .conversations import Conversation, Document, Retries
from .function_results import Arrays, Gradcheck, Hessian, Hvp, Jacobian, Jvp, Minimum, ValueAndGrad, Vjp

R = TypeVar("R", bound=tuple[Any, ...])
Names: TypeAlias = str | Sequence[str] | None

_OPTIONS: Final = ("batch", "randomness", "seed")
# What a call may be told beside its inputs, and where it takes that all together.
_TOLD: Final = frozenset({"wrt", "output", "outputs", "grad_outputs", "tangents", "vectors"})


class FunctionCalls:
    """The calls of one function.

    Args:
        name: Its name, perhaps with the hash of a version.
        description: What the server says of it.
        retries: How often to ask.
    """

    def __init__(self, name: str, description: Document, retries: Retries) -> None:
        self.name = name
        self.description = description
        self._retries = retries

    def call(self, /, *args: Any, **given: Any) -> Conversation[Any]:
        """Calls the function; it takes inputs and the options of all calls.

        Returns:
            Its output, or a dict of them if it has several.
        """
        outputs = (yield from self.ask("evaluate", args, given, {}))["outputs"]
        return next(iter(outputs.values())) if len(self.description["outputs"]) == 1 else outputs

    def evaluate(self, /, *args: Any, outputs: Names = None, **given: Any) -> Conversation[Arrays]:
        """Evaluates the function.

        Args:
            args: The inputs in order, or one mapping of them.
            outputs: The outputs that are wanted; all by default.
            given: The inputs by name, and the options of all calls.

        Returns:
            The outputs by name.
        """
        found: Arrays = (yield from self.ask("evaluate", args, given, {"outputs": names(outputs)}))["outputs"]
        return found

    def value_and_grad(self, /, *args: Any, wrt: Names = None, output: str | None = None, **given: Any) -> Conversation[ValueAndGrad]:
        """A scalar output and its gradients.

        Args:
            args: The inputs in order, or one mapping of them.
            wrt: The inputs to differentiate by; all of floating point by default.
            output: The output; the only one by default.
            given: The inputs by name, and the options of all calls.
        """
        return _as(ValueAndGrad, (yield from self.ask("value_and_grad", args, given, {"wrt": names(wrt), "output": output})))

    def vjp(
        self, /, *args: Any, grad_outputs: Mapping[str, Any], wrt: Names = None, outputs: Names = None, **given: Any
    ) -> Conversation[Vjp]:
        """The outputs, and the gradients of the inputs for given ones of outputs.

        Args:
            args: The inputs in order, or one mapping of them.
            grad_outputs: The gradients of outputs by name; ``None`` stands for the 1 of a scalar.
            wrt: The inputs to differentiate by; all of floating point by default.
            outputs: The outputs that are wanted; all by default.
            given: The inputs by name, and the options of all calls.
        """
        fields = {"grad_outputs": grad_outputs, "wrt": names(wrt), "outputs": names(outputs)}
        return _as(Vjp, (yield from self.ask("vjp", args, given, fields)))

    def jvp(self, /, *args: Any, tangents: Mapping[str, Any], outputs: Names = None, **given: Any) -> Conversation[Jvp]:
        """The outputs, and their derivatives along tangents of the inputs.

        Args:
            args: The inputs in order, or one mapping of them.
            tangents: The tangents by the names of inputs.
            outputs: The outputs that are wanted; all by default.
            given: The inputs by name, and the options of all calls.
        """
        return _as(Jvp, (yield from self.ask("jvp", args, given, {"tangents": tangents, "outputs": names(outputs)})))

    def jacobian(self, /, *args: Any, wrt: Names = None, outputs: Names = None, **given: Any) -> Conversation[Jacobian]:
        """The outputs and their Jacobians.

        Args:
            args: The inputs in order, or one mapping of them.
            wrt: The inputs to differentiate by; all of floating point by default.
            outputs: The outputs to differentiate; all by default.
            given: The inputs by name, and the options of all calls.
        """
        return _as(Jacobian, (yield from self.ask("jacobian", args, given, {"wrt": names(wrt), "outputs": names(outputs)})))

    def hessian(self, /, *args: Any, wrt: Names = None, output: str | None = None, **given: Any) -> Conversation[Hessian]:
        """A scalar output with its first and second derivatives.

        Args:
            args: The inputs in order, or one mapping of them.
            wrt: The inputs to differentiate by; all of floating point by default.
            output: The output; the only one by default.
            given: The inputs by name, and the options of all calls.
        """
        return _as(Hessian, (yield from self.ask("hessian", args, given, {"wrt": names(wrt), "output": output})))

    def hvp(
        self, /, *args: Any, vectors: Mapping[str, Any], wrt: Names = None, output: str | None = None, **given: Any
    ) -> Conversation[Hvp]:
        """A scalar output with its gradients, and its Hessian times vectors.

        Args:
            args: The inputs in order, or one mapping of them.
            vectors: The vectors by the names of inputs, or stacks of them, which have one more axis: in front or, for an input in
                ``batch``, behind the axis of the batch.
            wrt: The inputs to differentiate by; all of floating point by default.
            output: The output; the only one by default.
            given: The inputs by name, and the options of all calls.
        """
        fields = {"vectors": vectors, "wrt": names(wrt), "output": output}
        return _as(Hvp, (yield from self.ask("hvp", args, given, fields)))

    def compute(self, /, *args: Any, want: Sequence[str], fields: Mapping[str, Any] | None = None, **given: Any) -> Conversation[Document]:
        """Several things from one forward pass.

        What has an argument of its own in other calls stands in ``fields`` here:
        ``f.compute(X, y, w, want=["value", "hvp"], fields={"wrt": "w", "vectors": {"w": v}})``.

        Args:
            args: The inputs in order, or one mapping of them.
            want: What is wanted: ``"value"``, ``"outputs"``, ``"grads"``, ``"vjp"``, ``"jvp"``, ``"jacobian"``, ``"hessian"``, ``"hvp"``;
                ``"vjp"`` not together with ``"grads"``, ``"hessian"`` or ``"hvp"``.
            fields: What these need to be told: ``wrt``, ``output``, ``outputs``, ``grad_outputs``, ``tangents``, ``vectors``.
            given: The inputs by name, and the options of all calls.

        Returns:
            The answer, with arrays in place of tensors.
        """
        return (yield from self.ask("compute", args, given, {**self._told("compute", fields, given), "want": list(want)}))

    def minimize(
        self,
        /,
        *args: Any,
        wrt: Names = None,
        output: str | None = None,
        method: str | None = None,
        bounds: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        **given: Any,
    ) -> Conversation[Minimum]:
        """Looks for a minimum, beside the function and without a request for every step.

        Args:
            args: Where to start: the inputs in order, or one mapping of them.
            wrt: The inputs to vary; all of floating point by default.
            output: The output; the only one by default.
            method: One of SciPy's methods.
            bounds: The least and the greatest value by input.
            options: SciPy's options for the method.
            given: The inputs by name, and the options of all calls.
        """
        fields = {"wrt": names(wrt), "output": output, "method": method, "bounds": bounds, "options": options}
        return _as(Minimum, (yield from self.ask("minimize", args, given, fields)))

    def gradcheck(
        self,
        /,
        *args: Any,
        wrt: Names = None,
        outputs: Names = None,
        eps: float | None = None,
        atol: float | None = None,
        rtol: float | None = None,
        **given: Any,
    ) -> Conversation[Gradcheck]:
        """Compares the gradients with central differences.

        Args:
            args: The inputs in order, or one mapping of them.
            wrt: The inputs to differentiate by; all of floating point by default.
            outputs: The outputs to differentiate; all by default.
            eps: The step.
            atol: The absolute tolerance.
            rtol: The relative tolerance.
            given: The inputs by name, and the options of all calls.
        """
        fields = {"wrt": names(wrt), "outputs": names(outputs), "eps": eps, "atol": atol, "rtol": rtol}
        return _as(Gradcheck, (yield from self.ask("gradcheck", args, given, fields)))

    def nan_check(self, /, *args: Any, wrt: Names = None, output: str | None = None, **given: Any) -> Conversation[Document | None]:
        """Finds the first node that makes a NaN.

        Args:
            args: The inputs in order, or one mapping of them.
            wrt: The inputs to differentiate by; all of floating point by default.
            output: The output whose gradients are looked at too; none by default.
            given: The inputs by name, and the options of all calls.

        Returns:
            Where it was found; ``None`` if there is none.
        """
        found: Document | None = (yield from self.ask("nan_check", args, given, {"wrt": names(wrt), "output": output}))["found"]
        return found

    def dry_run(
        self, /, *args: Any, form: str = "evaluate", fields: Mapping[str, Any] | None = None, **given: Any
    ) -> Conversation[Document]:
        """What a call would give and take; nothing is computed.

        What the call itself has as arguments stands in ``fields`` here: ``f.dry_run(x, form="jvp", fields={"tangents": {"x": v}})``.

        Args:
            args: The inputs in order, or one mapping of them.
            form: The kind of call, such as ``"value_and_grad"``.
            fields: What such a call is told beside its inputs.
            given: The inputs by name, and the options of all calls.

        Returns:
            Dtypes and shapes, operations, bytes, and whether it ``fits`` the limits.
        """
        return (yield from self.ask(form, args, given, self._told("dry_run", fields, given), dry_run=True))

    def delete(self) -> Conversation[None]:
        """Forgets the function with all its versions, or the version that was asked for by its hash."""
        return conversations.delete_function(self.name, retries=self._retries)

    def ask(
        self, form: str, args: Sequence[Any], given: Mapping[str, Any], fields: Mapping[str, Any], *, dry_run: bool = False
    ) -> Conversation[Document]:
        """Makes a call.

        Args:
            form: The kind of call.
            args: The inputs in order, or one mapping of them.
            given: The inputs by name, and the options of all calls.
            fields: What is wanted; what is ``None`` is left out.
            dry_run: Whether to say what the call would give and take.

        Returns:
            The answer, with arrays in place of tensors.
        """
        inputs = {name: value for name, value in given.items() if name not in _OPTIONS and name != "seconds"}
        told = {**fields, **{option: given.get(option) for option in _OPTIONS}, "batch": names(given.get("batch"))}
        document = {"inputs": self._bind(args, inputs), **{name: value for name, value in told.items() if value is not None}}
        answer = yield from conversations.call_function(
            self.name, form, document, dry_run=dry_run, seconds=given.get("seconds"), retries=self._retries
        )
        found: Document = _arrays(answer)
        return found

    def _told(self, call: str, fields: Mapping[str, Any] | None, given: Mapping[str, Any]) -> dict[str, Any]:
        """What is given as ``fields``, with lists of names where a document has lists."""
        for name in given:
            if name in _TOLD and name not in self.description["inputs"]:
                raise TensorTypeError(
                    f"{self.name}() has no input {name!r}; {call}() takes what it is told beside the inputs as fields={{{name!r}: ...}}.",
                    code="unknown_input",
                )
        return {name: names(value) if name in ("wrt", "outputs") else value for name, value in (fields or {}).items()}

    def _bind(self, args: Sequence[Any], inputs: dict[str, Any]) -> dict[str, Any]:
        """The inputs by name."""
        if len(args) == 1 and isinstance(args[0], Mapping):
            inputs = {**args[0], **inputs}
            args = []
        declared = list(self.description["inputs"])
        if len(args) > len(declared):
            raise TensorTypeError(
                f"{self.name}() takes {len(declared)} inputs ({', '.join(declared)}), but {len(args)} were given.", code="argument_count"
            )
        by_place = dict(zip(declared, args, strict=False))
        twice = by_place.keys() & inputs.keys()
        if twice:
            raise TensorTypeError(f"{self.name}() got multiple values for the input {min(twice)!r}.", code="argument_count")
        # Lists travel as they are: they take the declared dtype.
        return {name: _tensor(value) for name, value in {**by_place, **inputs}.items()}


def names(given: Names) -> list[str] | None:
    """One name or several, as a list."""
    return None if given is None else [given] if isinstance(given, str) else list(given)


def _tensor(value: Any) -> Any:
    return value.detach().numpy() if isinstance(value, Value) else value


def _as(kind: type[R], answer: Document) -> R:
    """The members of an answer that are known here; a newer server may answer more."""
    members: Callable[..., R] = kind
    return members(*[answer[field] for field in kind.__annotations__])


def _arrays(value: Any) -> Any:
    """An answer with arrays in place of tensors."""
    if isinstance(value, dict):
        data = value.get("data")
        return data if isinstance(data, np.ndarray) else {key: _arrays(item) for key, item in value.items()}
    return value
