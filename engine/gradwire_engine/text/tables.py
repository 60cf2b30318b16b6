"""What the names and signs of a text mean."""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from .. import dtypes
from ..dtypes import DType
from ..errors import GradwireError, ProgramError
from ..names import suggest
from ..op import REGISTRY, Overloads
from ..operators import inplace_forms
from .arguments import describe, several
from .values import Several, is_tensor

ATTRIBUTES: Final = frozenset({"T", "mT", "H", "mH", "real", "imag"})
"""The operations that tensors have as attributes."""

BINARY: Final[Mapping[type[ast.operator], tuple[str, bool]]] = {
    ast.Add: ("add", False),
    ast.Sub: ("sub", False),
    ast.Mult: ("mul", False),
    ast.Div: ("div", False),
    ast.FloorDiv: ("floor_divide", True),
    ast.Mod: ("remainder", True),
    ast.Pow: ("pow", True),
    ast.MatMult: ("matmul", True),
    ast.BitAnd: ("bitwise_and", False),
    ast.BitOr: ("bitwise_or", False),
    ast.BitXor: ("bitwise_xor", False),
}
"""The op of each operator, and whether a number on the left is its first argument; otherwise the tensor is, as in torch."""

UNARY: Final[Mapping[type[ast.unaryop], str]] = {ast.USub: "neg", ast.UAdd: "positive", ast.Invert: "bitwise_not"}
"""The op of each sign."""

COMPARE: Final[Mapping[type[ast.cmpop], tuple[str, str]]] = {
    ast.Eq: ("eq", "eq"),
    ast.NotEq: ("ne", "ne"),
    ast.Lt: ("lt", "gt"),
    ast.LtE: ("le", "ge"),
    ast.Gt: ("gt", "lt"),
    ast.GtE: ("ge", "le"),
}
"""The op of each comparison, and that with the sides exchanged."""

AMBIGUOUS: Final = frozenset({"all", "any", "bool", "int", "max", "min", "round", "sum"})
"""Functions of Python that do something else to tensors than torch's of the same name."""

_SHAPE: Final = (
    "The shapes of tensors are not known when a program is read. Use what needs no number: mean() in place of dividing by a size, -1 in "
    "reshape, flatten, reshape_as, expand_as, ones_like."
)
_VALUE: Final = "The elements of tensors are not known when a program is read; compute with the tensor itself."
_BACKWARD: Final = "Gradients are asked for beside the program: 'backward' names what is differentiated, 'wrt' by what."

ADVICE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("shape", "size", "numel", "nelement", "ndim", "dim", "stride", "is_contiguous"), _SHAPE),
    **dict.fromkeys(("item", "tolist", "numpy", "equal", "allclose", "is_nonzero"), _VALUE),
    **dict.fromkeys(("backward", "grad", "requires_grad", "requires_grad_", "retain_grad", "autograd.grad", "grad_fn"), _BACKWARD),
    "data": "Use detach().",
    "dtype": "The dtypes of tensors are not known when a program is read; use type_as(), or write the dtype out.",
    "device": "There is one device, so that it need not be named.",
    "cpu": "There is one device, so that nothing has to be moved.",
    "cuda": "There is one device, so that nothing has to be moved.",
    "manual_seed": "Random numbers start from the 'seed' beside the program.",
    "no_grad": "no_grad is a block of its own: with torch.no_grad():",
}
"""What to do instead of what torch has and programs do not."""

_CONSTANTS: Final = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan, "newaxis": None}
_DTYPE_NAMES: Final = {
    "half": "float16",
    "float": "float32",
    "double": "float64",
    "short": "int16",
    "int": "int32",
    "long": "int64",
    "cfloat": "complex64",
    "cdouble": "complex128",
}
_SYNTAX: Final = {
    "JoinedStr": "Strings have no prefix in programs, and nothing is put into them.",
    "Starred": "Arguments and targets are written out one by one; * is not part of programs.",
    "Slice": "A slice stands between brackets, as in x[1:3].",
    "LShift": "There are no shifts of bits.",
    "AnnAssign": "Annotations are not part of programs.",
    "Expr": "The result of this expression is not used; assign it to a name.",
}
# Composite operations whose result may be the tensor itself or a view of it; of the others, the declaration tells.
_SHARING: Final = frozenset(
    {
        *("H", "T", "adjoint", "atleast_1d", "atleast_2d", "atleast_3d", "bool", "broadcast_tensors", "broadcast_to", "byte", "cdouble"),
        *("cfloat", "char", "chunk", "conj", "contiguous", "detach", "double", "dropout", "dsplit", "expand_as", "flatten", "float"),
        *("half", "hsplit", "imag", "int", "long", "mH", "mT", "meshgrid", "moveaxis", "movedim", "narrow", "positive", "ravel", "real"),
        *("reshape", "reshape_as", "resolve_conj", "short", "sum_to_size", "tensor_split", "to", "type_as", "unflatten", "view_as"),
        *("vsplit", "nn.functional.dropout", "nn.functional.dropout1d", "nn.functional.dropout2d", "nn.functional.dropout3d"),
    }
)


def op_path(name: str) -> str:
    """The path in the op table that a dotted name of the text leads to."""
    name = name.removeprefix("torch.")
    return f"nn.functional.{name.removeprefix('F.')}" if name.startswith("F.") else name


def torch_value(name: str) -> Any:
    """The number or dtype that a dotted name stands for; ``None`` if it stands for something else."""
    if not name.startswith("torch."):
        return None
    short = name.removeprefix("torch.")
    found = getattr(dtypes, _DTYPE_NAMES.get(short, short) if short != "bool" else "bool_", None)
    return found if isinstance(found, DType) else _CONSTANTS.get(short)


@functools.cache
def roots() -> frozenset[str]:
    """Where dotted names begin."""
    return frozenset({"torch", "F", "functions", *(name.partition(".")[0] for name in REGISTRY if "." in name)})


@functools.cache
def methods() -> dict[str, str]:
    """The op of every method of tensors."""
    found: dict[str, str] = {}
    for name, target in REGISTRY.items():
        first = target.overloads[0] if isinstance(target, Overloads) else target
        if first.method and not ("." in name and name != first.name) and not name.startswith("_"):
            found.setdefault(name.rpartition(".")[2], name)
    return found


@functools.cache
def last_names() -> frozenset[str]:
    """The names of all ops without the way to them, for suggestions."""
    return frozenset(name for name in REGISTRY if "." not in name and not name.startswith("_"))


def no_attribute(base: Any, name: str, called: bool) -> GradwireError:
    """The error where a value has no such method or attribute."""
    if isinstance(base, Several):
        return several(base)
    if not is_tensor(base):
        return ProgramError(f"{describe(base).capitalize()} has no part {name[:100]!r} in programs.", code="unsupported_attribute")
    if name in ADVICE:
        return ProgramError(f"{name!r} is not part of programs. {ADVICE[name]}", code="unsupported_attribute")
    if not called and name in methods():
        return ProgramError(f"{name!r} is a method of tensors: it is called, as in x.{name}().", code="unsupported_attribute")
    if name in inplace_forms():
        plain = name.removesuffix("_")
        return ProgramError(
            f"Programs are pure, so the in-place operation {name!r} cannot be used in one; write x = x.{plain}(...).",
            code="inplace_in_program",
        )
    hint = suggest(name, methods()) if called else ""
    return ProgramError(f"Tensors have no {'method' if called else 'attribute'} {name[:100]!r} in programs.{hint}", code="unknown_op")


def shares(path: str, args: list[Any]) -> bool:
    """Whether the result of a call may share elements with its first tensor."""
    target = REGISTRY[path]
    if path == "getitem":
        # Tensors and lists in an index pick elements, which are copied.
        return not any(isinstance(i, list) or is_tensor(i) or (isinstance(i, dict) and "slice" not in i) for i in args[1])
    overloads = target.overloads if isinstance(target, Overloads) else [target]
    return overloads[0].name in _SHARING or any(o.view for o in overloads)


def refusal(node: ast.AST) -> str:
    """Why a piece of syntax is no part of programs."""
    return _SYNTAX.get(type(node).__name__, "This is not part of programs, which are assignments of operations to names.")


def _float(args: list[Any], kwargs: dict[str, Any]) -> float:
    """Python's ``float`` of a number or of its text."""
    if kwargs or len(args) != 1 or isinstance(args[0], complex) or not isinstance(args[0], (int, float, str)):
        raise ProgramError("float() takes a number or a string here; tensors are converted by x.float().", code="argument_type")
    try:
        return float(args[0])
    except ValueError as error:
        raise ProgramError(f"Python cannot compute this: {error}.", code="value_error") from None


def _complex(args: list[Any], kwargs: dict[str, Any]) -> complex:
    """Python's ``complex`` of two numbers."""
    if kwargs or not 1 <= len(args) <= 2 or not all(isinstance(a, (int, float)) for a in args):
        raise ProgramError("complex() takes two numbers here; tensors are joined by torch.complex().", code="argument_type")
    return complex(*args)


NUMBERS: Final[Mapping[str, Callable[[list[Any], dict[str, Any]], Any]]] = {"float": _float, "complex": _complex}
"""The functions of Python that make numbers."""
