"""The names in a document: fields, values and ops, with helpful errors for wrong ones."""

from __future__ import annotations

import difflib
import itertools
import keyword
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .brief import shown
from .errors import ProgramError
from .op import REGISTRY, Op, Overloads
from .program import Function
from .stopping import check

_MOST_COMPARED: Final = 1_000
_COMPARED_AT_ONCE: Final = 5
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def check_name(name: object, pointer: str) -> str:
    """A valid name.

    Raises:
        ProgramError: The name is none (code ``invalid_name``).
    """
    if not isinstance(name, str):
        raise ProgramError(f"A name must be a string, not {kind_of(name)}.", code="invalid_name", pointer=pointer)
    if not _NAME.fullmatch(name):
        raise ProgramError(
            f"The name {shown(name)} is not valid: a name starts with a letter or an underscore, "
            "goes on with letters, digits and underscores, and has at most 128 characters.",
            code="invalid_name",
            pointer=pointer,
        )
    if keyword.iskeyword(name) or name in ("NaN", "Infinity"):
        raise ProgramError(f"The name {name!r} is reserved; choose another one.", code="invalid_name", pointer=pointer)
    return name


def find_op(
    name: Any,
    functions: Mapping[str, Function],
    declared: Mapping[str, Any],
    pointer: str,
    inplace: Mapping[str, Op | Overloads] | None = None,
) -> Op | Overloads | Function:
    """The op or custom function of a node.

    Args:
        name: What the document says.
        functions: The custom functions that may be called.
        declared: All custom functions of the document.
        pointer: Where the name stands.
        inplace: The ops by the names of their in-place forms, where those may be used.

    Raises:
        ProgramError: There is none (``unknown_op``, with a suggestion), or it is not allowed in a program.
    """
    if not isinstance(name, str):
        raise ProgramError(f"'op' must be the name of an operation, not {kind_of(name)}.", code="invalid_type", pointer=pointer)
    if name.startswith("functions."):
        wanted = name.removeprefix("functions.")
        if wanted in functions:
            return functions[wanted]
        if wanted in declared:
            raise ProgramError(
                f"The function {wanted!r} is called before it is complete: functions "
                "may call those that stand before them, and never themselves.",
                code="recursion",
                pointer=pointer,
            )
        raise ProgramError(f"There is no function {shown(wanted)}.{suggest(wanted, functions)}", code="unknown_function", pointer=pointer)
    if name.startswith("torch."):
        name = name.removeprefix("torch.")
    found = REGISTRY.get(name)
    public = not any(part.startswith("_") for part in name.split("."))
    if found is not None and public:
        return found
    if inplace is not None:
        if name in inplace:
            return inplace[name]
    elif public and name.endswith("_") and name[:-1] in REGISTRY:
        raise ProgramError(
            f"Programs are pure, so the in-place operation {name!r} cannot be used in one; use {name[:-1]!r} and refer to its result.",
            code="inplace_in_program",
            pointer=pointer,
        )
    hint = f" Did you mean 'functions.{name}'?" if name in declared else suggest(name, {**REGISTRY, **(inplace or {})})
    raise ProgramError(f"There is no operation {shown(name)}.{hint}", code="unknown_op", pointer=pointer)


def suggest(name: str, among: Mapping[str, Any]) -> str:
    """A sentence that suggests the closest name, or nothing."""
    public = [n for n in itertools.islice(among, _MOST_COMPARED) if not n.startswith("_")]
    if len(name) > 128 or name.startswith("_"):
        return ""
    last = name.rpartition(".")[2].lower()
    # The right name at another place, as in 'gelu' for 'nn.functional.gelu', says more than a similar one.
    same = [n for n in public if n.rpartition(".")[2].lower() == last]
    if not same:
        # Names of the same letters take milliseconds each to compare.
        best = []
        for start in range(0, len(public), _COMPARED_AT_ONCE):
            check()
            best += difflib.get_close_matches(name, public[start : start + _COMPARED_AT_ONCE], n=1, cutoff=0.6)
        same = difflib.get_close_matches(name, best, n=1, cutoff=0.6)
    return f" Did you mean {min(same, key=len)!r}?" if same else ""


def check_fields(spec: Mapping[str, Any], allowed: frozenset[str], required: Sequence[str], pointer: str) -> None:
    """Refuses unknown fields and missing ones.

    Raises:
        ProgramError: Codes ``unknown_field`` and ``missing_field``.
    """
    for key in spec:
        if key not in allowed:
            close = difflib.get_close_matches(key, allowed, n=1) if len(key) <= 128 else []
            hint = f" Did you mean {close[0]!r}?" if close else f" Known are {', '.join(sorted(allowed))}."
            raise ProgramError(f"The field {shown(key)} is not known here.{hint}", code="unknown_field", pointer=join(pointer, key))
    for key in required:
        if key not in spec:
            raise ProgramError(f"The field {key!r} is missing.", code="missing_field", pointer=pointer)


def join(pointer: str, key: str) -> str:
    """``pointer`` with one more step, escaped as RFC 6901 says."""
    return pointer + "/" + key[:200].replace("~", "~0").replace("/", "~1")


def kind_of(value: Any) -> str:
    """The kind of a JSON value in words."""
    if value is None:
        return "null"
    names: dict[type, str] = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)
