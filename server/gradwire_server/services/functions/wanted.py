"""What the calls of functions ask for, read from their documents.

Every call is a form of one, ``compute``. ``Wanted`` has what decides, with the shapes of the arrays, what is computed; ``Request`` has
the arrays beside it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gradwire_engine.brief import shown
from gradwire_engine.dtypes import Array, is_differentiable
from gradwire_engine.errors import GradwireError, ProgramError, TensorRuntimeError
from gradwire_engine.limits import Limits
from gradwire_engine.names import check_fields, join, kind_of, suggest

from ..seeds import read_seed
from .choosing import chosen_output, chosen_outputs, known_input, known_output, read_differentiated, read_names
from .definition import Definition


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a function, whatever the values.

    Attributes:
        parts: What is computed, of ``transforms.WANTS``.
        outputs: The outputs that are answered, and that a Jacobian is of.
        output: The one output that ``value`` is, and that gradients and second derivatives are of; ``None`` where none of these is wanted.
        wrt: The inputs that are differentiated by.
        grad_outputs: The outputs that a vector-Jacobian product starts from, and of each whether a gradient is given; otherwise it is 1.
        tangents: The inputs that have a tangent.
        vectors: The inputs that have a vector, or a stack of them, to multiply the Hessian with.
        batch: The inputs that have a leading axis to map all of this over.
        randomness: What random operations do then, as in ``torch.func.vmap``.
    """

    parts: tuple[str, ...]
    outputs: tuple[str, ...]
    output: str | None = None
    wrt: tuple[str, ...] = ()
    grad_outputs: tuple[tuple[str, bool], ...] = ()
    tangents: tuple[str, ...] = ()
    vectors: tuple[str, ...] = ()
    batch: tuple[str, ...] = ()
    randomness: str = "error"
    _hash: int = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Every call looks for its plan by it.
        facts = (
            self.parts,
            self.outputs,
            self.output,
            self.wrt,
            self.grad_outputs,
            self.tangents,
            self.vectors,
            self.batch,
            self.randomness,
        )
        object.__setattr__(self, "_hash", hash(facts))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class Request:
    """One call.

    Attributes:
        definition: The function, as the caller knows it; others may share what runs, but not its text.
        wanted: What is asked for.
        arrays: The inputs, as they are declared.
        directions: The tangents and then the vectors, in the order of ``wanted``.
        grad_outputs: The given gradients of outputs, still to be read: their shapes are those of the outputs.
        seed: Where random operations start; ``None`` for anywhere.
        first_mapped: The position of an array that has the axis of the batch; ``None`` without a batch.
    """

    definition: Definition
    wanted: Wanted
    arrays: list[Array]
    directions: list[Array]
    grad_outputs: Mapping[str, Any]
    seed: int | None
    first_mapped: int | None = None

    @property
    def batch_size(self) -> int | None:
        """How many items the batch has; ``None`` without one."""
        return None if self.first_mapped is None else len(self.arrays[self.first_mapped])

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of all arrays but the given gradients, whose shapes follow from these."""
        return tuple([array.shape for array in (*self.arrays, *self.directions)])


_COMMON: Final = frozenset({"inputs", "seed", "batch", "randomness"})
_SIMPLE: Final = frozenset({"inputs", "seed", "wrt", "output", "outputs"})
_MOST_KEPT: Final = 64
_SCALAR: Final = frozenset({"value", "grads", "hessian", "hvp"})
_DIFFERENTIATED: Final = frozenset({"grads", "vjp", "jvp", "jacobian", "hessian", "hvp"})
_ALL: Final = frozenset({"outputs", "vjp", "jvp", "jacobian"})
_GIVES: Final[Mapping[str, tuple[str, ...]]] = {
    "value": ("value",),
    "outputs": ("outputs",),
    "grads": ("grads",),
    "vjp": ("outputs", "vjp"),
    "jvp": ("outputs", "jvp"),
    "jacobian": ("outputs", "jacobian"),
    "hessian": ("value", "grads", "hessian"),
    "hvp": ("value", "grads", "hvp"),
}
"""What ``compute`` can be asked for, and the parts of its answer; every other call is one or two of these."""


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of call.

    Attributes:
        fields: What its documents may have.
        required: What they must have.
        wants: What it computes, as ``compute`` is asked for it; empty where the document says so.
    """

    fields: frozenset[str]
    required: tuple[str, ...]
    wants: tuple[str, ...]


def read_request(definition: Definition, form: str, document: Any, limits: Limits) -> Request:
    """Reads the document of a call.

    Args:
        definition: The function that is called.
        form: The kind of call, a key of ``FORMS``.
        document: The document.
        limits: What a tensor may take.

    Raises:
        GradwireError: The document is wrong; ``pointer`` tells where.
    """
    known = FORMS[form]
    if not (type(document) is dict or isinstance(document, Mapping)):
        raise ProgramError(f"The request must be a JSON object, not {kind_of(document)}.", code="invalid_type", pointer="")
    check_fields(document, known.fields, known.required, "")
    seed = read_seed(document)
    key = _key(form, document)
    wanted = None if key is None else definition.wanted.get(key)
    if wanted is not None:
        return Request(definition, wanted, definition.signature.bind(document.get("inputs", {}), limits), [], {}, seed)
    wants = known.wants or ("value", "grads")
    if form == "compute":
        wants = _wants(document)
    elif form == "nan_check" and document.get("output") is None:
        wants = ("outputs",)
        if document.get("wrt") is not None:
            raise ProgramError(
                "'wrt' names what to differentiate by, but there is no 'output' that says what to differentiate.",
                code="missing_field",
                pointer="/wrt",
            )
    if form == "gradcheck":
        # What is compared is the function, evaluated many times.
        document = {name: value for name, value in document.items() if name != "wrt"}
    batch = _batch(definition, document)
    arrays = definition.signature.bind(document.get("inputs", {}), limits, batch)
    wanted = _read_wanted(definition, document, wants, batch)
    by_name = dict(zip(definition.signature.names, arrays, strict=True))
    directions = [
        _direction(definition, field, name, document[field][name], by_name, wanted, limits)
        for field, names in (("tangents", wanted.tangents), ("vectors", wanted.vectors))
        for name in names
    ]
    if key is not None and len(definition.wanted) < _MOST_KEPT:
        definition.wanted[key] = wanted
    first = definition.signature.names.index(batch[0]) if batch else None
    return Request(definition, wanted, arrays, directions, document.get("grad_outputs") or {}, seed, first)


def _key(form: str, document: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """What decides about what is wanted, in calls that are made again and again; ``None`` for others."""
    if len(document) == 1 and "inputs" in document:
        return (form,)
    if not document.keys() <= _SIMPLE:
        return None
    key: list[Any] = [form]
    for field in ("wrt", "output", "outputs"):
        given = document.get(field)
        if type(given) is list:
            if not all(type(name) is str for name in given):
                return None
            given = tuple(given)
        elif given is not None and type(given) is not str:
            return None
        key.append(given)
    return tuple(key)


def _wants(document: Mapping[str, Any]) -> tuple[str, ...]:
    """What ``compute`` is asked for."""
    given = document["want"]
    if not isinstance(given, list) or not given:
        raise ProgramError(f"'want' must be a list of some of {', '.join(_GIVES)}.", code="invalid_type", pointer="/want")
    for i, want in enumerate(given):
        if not isinstance(want, str) or want not in _GIVES:
            hint = suggest(want, _GIVES) if isinstance(want, str) else ""
            raise ProgramError(
                f"There is no {shown(want)} to compute.{hint or ' There are ' + ', '.join(_GIVES) + '.'}",
                code="unknown_want",
                pointer=f"/want/{i}",
            )
    wants = tuple(dict.fromkeys(given))
    if "vjp" in wants and not {"grads", "hessian", "hvp"}.isdisjoint(wants):
        raise ProgramError(
            "The gradients of 'vjp' and those of one output would have the same place in the answer; ask for them in two calls.",
            code="conflicting_wants",
            pointer="/want",
        )
    return wants


def _read_wanted(definition: Definition, document: Mapping[str, Any], wants: tuple[str, ...], batch: tuple[str, ...]) -> Wanted:
    parts = tuple(dict.fromkeys(part for want in wants for part in _GIVES[want]))
    for want, field in (("vjp", "grad_outputs"), ("jvp", "tangents"), ("hvp", "vectors")):
        if want in wants and field not in document:
            raise ProgramError(f"The field {field!r} is missing, which {want!r} needs.", code="missing_field", pointer="")
        if want not in wants and document.get(field) is not None:
            raise ProgramError(f"{field!r} is given, but {want!r} is not asked for.", code="unused_field", pointer=f"/{field}")
    output = chosen_output(definition, document) if _SCALAR.intersection(parts) else None
    differentiated = not _DIFFERENTIATED.isdisjoint(parts)
    if not differentiated and document.get("wrt") is not None:
        raise ProgramError("'wrt' names what to differentiate by, but no derivative is asked for.", code="unused_field", pointer="/wrt")
    tangents = _chosen_inputs(definition, document, "tangents") if "jvp" in wants else ()
    vectors = _chosen_inputs(definition, document, "vectors") if "hvp" in wants else ()
    if wants == ("jvp",) and document.get("wrt") is None:
        wrt = tangents
    else:
        wrt = read_differentiated(definition, document) if differentiated else ()
    if output is not None and not is_differentiable(definition.outputs[output].dtype) and "grads" in parts:
        raise TensorRuntimeError(
            f"element 0 of tensors does not require grad and does not have a grad_fn: the output {output!r} is "
            f"{definition.outputs[output].dtype.name}.",
            code="no_grad_fn",
            pointer="/output",
        )
    for field, names in (("tangents", tangents), ("vectors", vectors)):
        for name in names:
            if name not in wrt:
                raise ProgramError(
                    f"The input {name!r} has one of the {field!r}, but is none of those that are differentiated by: {', '.join(wrt)}.",
                    code="not_differentiated",
                    pointer=join(f"/{field}", name),
                )
    return Wanted(
        parts,
        chosen_outputs(definition, document) if not _ALL.isdisjoint(parts) else (),
        output,
        wrt,
        _starts(definition, document) if "vjp" in wants else (),
        tangents,
        vectors,
        batch,
        _randomness(document, batch),
    )


def _batch(definition: Definition, document: Mapping[str, Any]) -> tuple[str, ...]:
    given = document.get("batch")
    if given is None:
        return ()
    for i, name in enumerate(read_names(given, "batch")):
        known_input(definition, name, f"/batch/{i}")
    return tuple(dict.fromkeys(given))


def _randomness(document: Mapping[str, Any], batch: tuple[str, ...]) -> str:
    given = document.get("randomness")
    if given is None:
        return "error"
    if given not in ("error", "same", "different"):
        raise ProgramError(
            f'\'randomness\' must be "error", "same" or "different"; got {shown(given)}.', code="invalid_value", pointer="/randomness"
        )
    if not batch:
        raise ProgramError("'randomness' is about a batch, but 'batch' names no input.", code="unused_field", pointer="/randomness")
    return str(given)


def _chosen_inputs(definition: Definition, document: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """The inputs that a field has tensors for, in their own order."""
    given = document[field]
    if not isinstance(given, Mapping):
        raise ProgramError(
            f"{field!r} must be an object of tensors by the names of inputs, not {kind_of(given)}.",
            code="invalid_type",
            pointer=f"/{field}",
        )
    for name in given:
        known_input(definition, name, join(f"/{field}", str(name)))
    if not given:
        raise ProgramError(f"{field!r} names no input.", code="invalid_type", pointer=f"/{field}")
    return tuple(name for name in definition.signature.names if name in given)


def _direction(
    definition: Definition, field: str, name: str, value: Any, arrays: Mapping[str, Array], wanted: Wanted, limits: Limits
) -> Array:
    """A tangent, of the shape of its input, or vectors, which may have one axis more: behind that of a batch, before those of the input."""
    pointer = join(f"/{field}", name)
    try:
        array = definition.signature[name].read(value, limits, mapped=name in wanted.batch)
    except GradwireError as error:
        raise error.at(pointer) from None
    shape, lead = arrays[name].shape, 1 if name in wanted.batch else 0
    stacked = field == "vectors" and array.ndim == len(shape) + 1 and (*array.shape[:lead], *array.shape[lead + 1 :]) == shape
    if array.shape != shape and not stacked:
        more = ""
        if field == "vectors":
            more = f", or one dimension more {'behind that of the batch' if lead else 'in front'} for a stack of vectors"
        raise TensorRuntimeError(
            f"The input {name!r} has the shape {list(shape)}, so what belongs to it in {field!r} must have that shape{more}; "
            f"got {list(array.shape)}.",
            code="shape_mismatch",
            pointer=pointer,
        )
    return array


def _starts(definition: Definition, document: Mapping[str, Any]) -> tuple[tuple[str, bool], ...]:
    given = document["grad_outputs"]
    if not isinstance(given, Mapping):
        raise ProgramError(
            f"'grad_outputs' must be an object of gradients by the names of outputs, not {kind_of(given)}.",
            code="invalid_type",
            pointer="/grad_outputs",
        )
    for name in given:
        known_output(definition, name, join("/grad_outputs", str(name)))
    if not given:
        raise ProgramError("'grad_outputs' names nothing to start from.", code="invalid_type", pointer="/grad_outputs")
    return tuple((name, given[name] is not None) for name in definition.outputs if name in given)


FORMS: Final[Mapping[str, Form]] = {
    "evaluate": Form(_COMMON | {"outputs"}, (), ("outputs",)),
    "value_and_grad": Form(_COMMON | {"wrt", "output"}, (), ("value", "grads")),
    "vjp": Form(_COMMON | {"wrt", "outputs", "grad_outputs"}, ("grad_outputs",), ("vjp",)),
    "jvp": Form(_COMMON | {"outputs", "tangents"}, ("tangents",), ("jvp",)),
    "jacobian": Form(_COMMON | {"wrt", "outputs"}, (), ("jacobian",)),
    "hessian": Form(_COMMON | {"wrt", "output"}, (), ("hessian",)),
    "hvp": Form(_COMMON | {"wrt", "output", "vectors"}, ("vectors",), ("hvp",)),
    "compute": Form(_COMMON | {"want", "wrt", "output", "outputs", "grad_outputs", "tangents", "vectors"}, ("want",), ()),
    "minimize": Form(frozenset({"inputs", "seed", "wrt", "output", "method", "bounds", "options"}), (), ("value", "grads")),
    "gradcheck": Form(frozenset({"inputs", "seed", "wrt", "outputs", "eps", "atol", "rtol"}), (), ("outputs",)),
    "nan_check": Form(frozenset({"inputs", "seed", "wrt", "output"}), (), ()),
}
"""The kinds of calls, by the last segment of their paths."""
