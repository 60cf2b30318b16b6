"""Writes the client's stubs: the op table in the words of type checkers and editors.

Run ``python -m scripts.stubs`` after the table has changed; a test compares what is there with what this would write.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np

import gradwire_engine  # noqa: F401 - registers the ops
from gradwire_engine.op import REGISTRY, Op, Overloads
from gradwire_engine.params import MISSING, Param
from gradwire_engine.value import Value
from tests.samples import all_samples
from tests.samples.build import GRADWIRE, build

CLIENT = Path(__file__).parents[1] / "client" / "gradwire"
_HEADER = (
    '"""Made from the op table by scripts/stubs.py; changes to it are lost."""\n'
    # A number is an integer, a real and a complex one at once, so forms overlap as they do in torch.
    '# mypy: disable-error-code="overload-overlap,overload-cannot-match"\n'
)
_UNARY = frozenset({"__neg__", "__pos__", "__abs__", "__invert__"})
_NOT_TENSORS = frozenset({"__hash__", "__setitem__", "__module__", "__doc__"})
_OVERRIDES = "  # type: ignore[override]"
_KINDS = {
    "Tensor": "Tensor",
    "Scalar": "builtins.complex",
    "Dims": "builtins.int | Sequence[builtins.int]",
    "Size": "Sequence[builtins.int]",
    "int": "builtins.int",
    "float": "builtins.float",
    "bool": "builtins.bool",
    "Dtype": "DType",
    "Device": "Device | str",
    "Index": "Any",
    "Data": "Any",
    "Array": "Tensor",
    "list[Tensor]": "Sequence[Tensor]",
    "Tensors": "Sequence[Tensor]",
    "list[Tensor | None]": "Sequence[Tensor | None]",
    "Generator": "Generator",
    "Real": "builtins.float",
}


def stubs() -> dict[Path, str]:
    """The stubs by file."""
    return {CLIENT / "__init__.pyi": _top(), CLIENT / "_methods.pyi": _methods()}


def _forms(op: Op | Overloads) -> list[Op]:
    return op.overloads if isinstance(op, Overloads) else [op]


def _type(param: Param) -> str:
    known = _KINDS.get(param.kind, param.kind)
    if param.kind == "Tensor" and param.name not in ("input", "self", "tensor"):
        known = "Tensor | builtins.complex"
    return f"{known} | None" if param.optional or param.default is None else known


def _default(param: Param) -> str:
    value = param.default
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value) if not isinstance(value, float) or np.isfinite(value) else "..."
    return "..."


def _parameters(op: Op, *, receiver: int | None) -> str:
    """The parameters of a call; ``receiver`` is the position of the one that a method is called on."""
    parts: list[str] = [] if receiver is None else ["self"]
    for i, param in enumerate(op.params):
        if i == op.first_keyword:
            parts.append("*")
        if i == receiver:
            continue
        if param.kind == "Tensors" or (param.kind == "Size" and i == op.first_keyword - 1 and param.default is MISSING):
            inner = "Tensor | Sequence[Tensor]" if param.kind == "Tensors" else "builtins.int | Sequence[builtins.int]"
            parts.append(f"*{param.name}: {inner}")
            if i + 1 == op.first_keyword:
                parts += [_parameter(p) for p in op.params[i + 1 :]]
                break
            continue
        parts.append(_parameter(param))
    return ", ".join(parts)


def _parameter(param: Param) -> str:
    return f"{param.name}: {_type(param)}" + ("" if param.default is MISSING else f" = {_default(param)}")


def _result(op: Op) -> str:
    if op.outputs is not None or op.variable_outputs:
        return "tuple[Tensor, ...]" if not op.named_outputs else "Any"
    return _observed().get(op.name, "Any") if op.composite else "Tensor"


@cache
def _observed() -> dict[str, str]:
    """What composite ops, whose bodies say nothing of it, return for their samples."""
    found: dict[str, set[str]] = {}
    for name, _, sample in all_samples():
        op = _forms(REGISTRY[name])[0] if name in REGISTRY else None
        if op is None or not op.composite or sample.error:
            continue
        result = build(name, sample, GRADWIRE).run()
        kind = "Tensor" if isinstance(result, Value) else "tuple[Tensor, ...]" if type(result) is tuple else "Any"
        found.setdefault(op.name, set()).add(kind)
    return {name: kinds.pop() if len(kinds) == 1 else "Any" for name, kinds in found.items()}


def _definitions(name: str, op: Op | Overloads, indent: str, receiver: Callable[[Op], int | None]) -> Iterator[str]:
    forms = _forms(op)
    # Forms that look alike to a type checker are one.
    seen: dict[str, str] = {}
    for form in forms:
        seen.setdefault(_parameters(form, receiver=receiver(form)), _result(form))
    overload = f"{indent}@overload\n" if len(seen) > 1 else ""
    for parameters, result in seen.items():
        yield f"{overload}{indent}def {name}({parameters}) -> {result}: ..."


def _top() -> str:
    """The stub of the package: what it imports, and the functions of the table."""
    source = (CLIENT / "__init__.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    kept = [ast.get_source_segment(source, node) or "" for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    exported = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
    )
    lines = [_HEADER, "import builtins", *[k for k in kept if "_Names" not in k and "__future__" not in k]]
    lines += [
        "from collections.abc import Sequence",
        "from typing import overload",
        "from gradwire_engine.devices import Device",
        "from gradwire_engine.dtypes import DType",
    ]
    lines += ["from gradwire_engine.errors import LinAlgError as _LinAlgError", ""]
    lines += ["__version__: str", "half: DType", "float: DType", "double: DType", "short: DType", "int: DType", "long: DType"]
    lines += ["cfloat: DType", "cdouble: DType", "", f"__all__ = {exported!r}", ""]
    taken = set(exported)
    places: dict[str, list[str]] = {}
    for name in sorted(REGISTRY):
        path, _, short = name.rpartition(".")
        if short.startswith("_") or path.startswith("nn"):
            continue
        if path:
            places.setdefault(path, []).append(name)
        elif name not in taken:
            lines += _definitions(name, REGISTRY[name], "", lambda _: None)
    for path, names in places.items():
        lines += ["", f"class _{path}:", *(["    LinAlgError = _LinAlgError"] if path == "linalg" else [])]
        for name in names:
            for line in _definitions(name.rpartition(".")[2], REGISTRY[name], "    ", lambda _: None):
                lines += ["    @staticmethod", line]
        lines += ["", f"{path}: _{path}"]
    return "\n".join(lines) + "\n"


def _methods() -> str:
    """The stub of the methods."""
    from gradwire.reading import Reading
    from gradwire.tensor import Tensor
    from gradwire_engine.operators import Operators

    written = {n for kind in (Tensor, Reading) for n in vars(kind)} | _written_out(Value)
    lines = [_HEADER, "import builtins", "from collections.abc import Sequence", "from typing import Any, overload", ""]
    lines += [
        "from gradwire_engine.devices import Device",
        "from gradwire_engine.dtypes import DType",
        "from gradwire_engine.random import Generator",
        "",
        "from .tensor import Tensor",
        "",
    ]
    lines += ["class OpMethods:"]
    for name, member in vars(Operators).items():
        if isinstance(member, property):
            lines += ["    @property", f"    def {name}(self) -> Tensor: ..."]
        elif name == "__iter__" or (callable(member) and name.startswith("__") and name not in _NOT_TENSORS):
            other = "" if name in _UNARY else ", other: Any"
            lines.append(f"    def {name}(self{other}) -> Tensor: ...{_OVERRIDES if name in ('__eq__', '__ne__') else ''}")
    for name in sorted(REGISTRY):
        forms = _forms(REGISTRY[name])
        if name != forms[0].name and "." in name:
            continue
        short = name.rpartition(".")[2]
        if forms[0].method and short not in written:
            written.add(short)
            lines += _definitions(short, REGISTRY[name], "    ", _receiver)
        form = next((f.inplace for f in forms if f.inplace), False)
        target = form if isinstance(form, str) else short + "_"
        if form and target not in written:
            written.add(target)
            lines.append(f"    def {target}(self, *args: Any, **kwargs: Any) -> Tensor: ...")
    return "\n".join(lines) + "\n"


def _receiver(op: Op) -> int | None:
    return op.names.index("input") if "input" in op.names else 0


def _written_out(kind: type) -> set[str]:
    """The methods that stand in the source of a class, as opposed to those that were added to it."""
    return {
        n
        for k in kind.__mro__
        for n, v in vars(k).items()
        if getattr(v, "__qualname__", "").startswith(k.__name__ + ".") or isinstance(v, property)
    }


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {text.count(chr(10))} lines")
