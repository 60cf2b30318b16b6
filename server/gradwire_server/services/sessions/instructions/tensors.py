"""Instructions that make, change, read and delete tensors."""

from __future__ import annotations

from typing import Any, Final

from gradwire_engine.brief import shown
from gradwire_engine.errors import GradwireError, ProgramError
from gradwire_engine.names import check_name, kind_of

from ..memory import NAME_BYTES
from .table import NUMBERS, Run, Spec, encode, flag, instruction, listed

_PARTS: Final = ("value", "grad", "meta")


def create(run: Run, spec: Spec, at: str) -> None:
    """Gives a name to a new tensor or, where ``tensor`` is a reference, another one to that tensor."""
    names = run.session.names
    run.meter.add(NAME_BYTES, "Another name")
    names.check(check_name(spec["name"], at + "/name"), at + "/name")
    given = spec["tensor"]
    if isinstance(given, str) and given not in NUMBERS:
        tensor = run.look(given, at + "/tensor")
    else:
        tensor = run.literal(given, at + "/tensor")
    names.bind(spec["name"], tensor, at + "/name")
    run.made(tensor)


def change(run: Run, spec: Spec, at: str) -> None:
    """Sets what a tensor has beside its values."""
    tensor = run.look(spec["name"], at + "/name")
    if not spec.keys() & {"requires_grad", "grad", "retain_grad", "data"}:
        raise ProgramError(
            "There is nothing to set; expected 'requires_grad', 'grad', 'retain_grad' or 'data'.", code="missing_field", pointer=at
        )
    requires_grad = flag(spec, "requires_grad", at, None)
    retain_grad = flag(spec, "retain_grad", at)
    grad = None if spec.get("grad") is None else run.look(spec["grad"], at + "/grad")
    data = run.look(spec["data"], at + "/data") if "data" in spec else None
    field = ""
    before = tensor._data, tensor._requires_grad, tensor._grad
    try:
        if data is not None:
            field = "/data"
            tensor.data = data
        if requires_grad is not None:
            field = "/requires_grad"
            tensor.requires_grad_(requires_grad)
        if "grad" in spec:
            field = "/grad"
            tensor.grad = grad
        if retain_grad:
            field = "/retain_grad"
            tensor.retain_grad()
    except GradwireError as error:
        # Each field is checked against what the ones before it set, so what they set is taken back.
        tensor._data, tensor._requires_grad, tensor._grad = before
        raise error.at(at + field) from None


def read(run: Run, spec: Spec, at: str) -> dict[str, Any]:
    """Gives the value of a tensor, its gradient, or what is known of it without looking at its elements."""
    tensor = run.look(spec["name"], at + "/name")
    what = listed(spec.get("what", ["value"]), "'what'", at + "/what")
    if len(what) > len(_PARTS):
        raise ProgramError(
            f"'what' has {len(what):,} items, more than the {len(_PARTS)} things that can be read of a tensor: {', '.join(_PARTS)}.",
            code="invalid_value",
            pointer=at + "/what",
        )
    result: dict[str, Any] = {}
    for i, part in enumerate(what):
        if part in what[:i]:
            raise ProgramError(f"{shown(part)} stands in 'what' more than once.", code="invalid_value", pointer=f"{at}/what/{i}")
        if part == "value":
            result[part] = run.answer(tensor)
        elif part == "grad":
            result[part] = None if tensor.grad is None else run.answer(tensor.grad)
        elif part == "meta":
            result[part] = encode(tensor, tensor._data)
            del result[part]["data"]
        else:
            got = shown(part) if isinstance(part, str) else kind_of(part)
            raise ProgramError(
                f"What can be read of a tensor is one of {', '.join(_PARTS)}; got {got}.", code="invalid_value", pointer=f"{at}/what/{i}"
            )
    return result


def delete(run: Run, spec: Spec, at: str) -> None:
    """Takes names away; what nothing else needs is given back."""
    names = listed(spec["names"], "'names'", at + "/names")
    for i, name in enumerate(names):
        if not isinstance(name, str) or name not in run.session.names:
            # The right message is that of a look at it; of an output alone there is no deleting.
            run.look(name, f"{at}/names/{i}")
            raise ProgramError(
                f"{shown(name)} is no name of its own; delete all outputs by their common name.",
                code="undefined_name",
                pointer=f"{at}/names/{i}",
            )
    for name in dict.fromkeys(names):
        run.session.names.forget(name)


INSTRUCTIONS: Final = {
    "create": instruction(create, "name tensor"),
    "set": instruction(change, "name", "requires_grad grad retain_grad data"),
    "read": instruction(read, "name", "what"),
    "delete": instruction(delete, "names"),
}
"""The instructions of this module."""
