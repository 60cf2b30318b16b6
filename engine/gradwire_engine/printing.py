"""The text of tensors, shapes and values, character for character as torch writes it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any, Final, Literal

import numpy as np

from .dtypes import Array, NumpyDType, bool_, dtype_of, int64, to_complex
from .errors import TensorTypeError, TensorValueError

_LARGEST_PLAIN: Final = 1e8
_SMALLEST_PLAIN: Final = 1e-4
_WIDEST_PLAIN_RATIO: Final = 1000.0


@dataclass(frozen=True, slots=True)
class PrintOptions:
    """How tensors are printed; each field is the argument of the same name of :func:`set_printoptions`.

    Raises:
        TensorTypeError: A field is not of the type that is declared here.
        TensorValueError: ``precision`` or ``edgeitems`` is negative, or ``threshold`` is NaN.
    """

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None

    def __post_init__(self) -> None:
        for name in ("precision", "edgeitems", "linewidth"):
            if not _is_number(getattr(self, name), Integral):
                raise TensorTypeError(f"set_printoptions() got {getattr(self, name)!r} for '{name}', expected an integer.")
        if not _is_number(self.threshold, Real):
            raise TensorTypeError(f"set_printoptions() got {self.threshold!r} for 'threshold', expected a number.")
        if not isinstance(self.sci_mode, bool | None):
            raise TensorTypeError(f"set_printoptions() got {self.sci_mode!r} for 'sci_mode', expected True, False or None.")
        for name in ("precision", "edgeitems"):
            if getattr(self, name) < 0:
                raise TensorValueError(f"set_printoptions() got {getattr(self, name)} for '{name}', expected 0 or more.")
        if math.isnan(self.threshold):
            raise TensorValueError("set_printoptions() got nan for 'threshold', expected a number to compare sizes with.")


def _is_number(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


_PROFILES: Final = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=math.inf),
}
_options: ContextVar[PrintOptions] = ContextVar("gradwire_print_options", default=_PROFILES["default"])


def print_options() -> PrintOptions:
    """The options that hold in this context."""
    return _options.get()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: Literal["default", "short", "full"] | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Sets how tensors are printed in this context (``torch.set_printoptions``).

    What is left out keeps its value, except ``sci_mode``: as in torch, every call sets it anew.

    Args:
        precision: Digits after the point of floating point numbers.
        threshold: Tensors with more elements than this are summarised.
        edgeitems: How many items a summary keeps at either end of each dimension.
        linewidth: The column after which lines are broken.
        profile: A set of values to start from; the other arguments override it.
        sci_mode: Whether floating point numbers are always, or never, in scientific notation; None leaves it to their sizes.

    Raises:
        TensorTypeError: An argument is of the wrong type.
        TensorValueError: An argument is out of its range, or there is no such profile.
    """
    options = _options.get()
    if profile is not None:
        if profile not in _PROFILES:
            raise TensorValueError(f"set_printoptions() got {profile!r} for 'profile', expected one of {', '.join(_PROFILES)}.")
        options = _PROFILES[profile]
    given: dict[str, Any] = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    changes = {name: value for name, value in given.items() if value is not None}
    _options.set(replace(options, sci_mode=sci_mode, **changes))


def format_tensor(array: Array, *, suffixes: Sequence[str] = (), indent: int = 0, name: str = "tensor", default_dtype: NumpyDType) -> str:
    """What ``repr`` of a tensor gives: ``tensor([1., 2.], dtype=torch.float64, grad_fn=<MulBackward0>)``.

    Args:
        array: The tensor's value.
        suffixes: What follows the value, its size and its dtype, such as ``"requires_grad=True"``.
        indent: How many columns the caller's text takes in front of the first line; later lines move right by as many.
        name: What stands in front of the parenthesis, the name of the class in torch.
        default_dtype: The default floating point dtype, which is not mentioned; nor is the complex dtype that goes with it.
    """
    options = _options.get()
    opening = f"{name}("
    column = indent + len(opening)
    text = opening + (_format_data(array, column, options) if array.size else "[]")
    parts = [*_own_suffixes(array, options, default_dtype), *suffixes]
    return _append_suffixes(text, parts, indent, column, options) + ")"


def format_size(shape: Sequence[int]) -> str:
    """What ``repr`` of a tensor's shape gives: ``torch.Size([2, 3])``."""
    return f"torch.Size([{', '.join(str(n) for n in shape)}])"


def format_value(array: Array, spec: str, representation: Callable[[], str]) -> str:
    """What ``format`` of a tensor gives: a zero-dimensional one is formatted as the Python number it holds.

    Args:
        array: The tensor's value.
        spec: The format specification, ``".2f"`` in ``f"{x:.2f}"``.
        representation: Gives the tensor's ``repr``; called only where that is the answer.

    Raises:
        TensorTypeError: ``spec`` is not empty and the tensor has dimensions.
        TensorValueError: Python cannot format the number by ``spec``.
    """
    if array.ndim == 0:
        try:
            return format(array.item(), spec)
        except ValueError as error:
            raise TensorValueError(str(error)) from None
    if spec:
        raise TensorTypeError("unsupported format string passed to Tensor.__format__")
    return representation()


def _own_suffixes(array: Array, options: PrintOptions, default_dtype: NumpyDType) -> list[str]:
    """The size where the brackets don't show it, and the dtype where the numbers don't."""
    suffixes = []
    shows_nothing = array.size > 0 and options.edgeitems == 0
    if shows_nothing or (array.size == 0 and array.ndim != 1):
        suffixes.append(f"size={array.shape!r}")
    evident = {default_dtype}
    if array.size:
        evident |= {to_complex(default_dtype), int64.numpy, bool_.numpy}
    if array.dtype not in evident:
        suffixes.append(f"dtype={dtype_of(array.dtype)!r}")
    return suffixes


def _append_suffixes(text: str, suffixes: Sequence[str], indent: int, column: int, options: PrintOptions) -> str:
    """Appends ``suffixes`` on the last line of ``text``, or on new ones at ``column`` where they don't fit."""
    # torch allows two columns more than are needed, but only until the first break: which suffix wraps depends on it.
    _, newline, last_line = text.rpartition("\n")
    used = len(last_line) + 2 + (0 if newline else indent)
    for suffix in suffixes:
        if used + len(suffix) + 2 > options.linewidth:
            text += ",\n" + " " * column + suffix
            used = column + len(suffix)
        else:
            text += ", " + suffix
            used += len(suffix) + 2
    return text


def _format_data(array: Array, column: int, options: PrintOptions) -> str:
    """The numbers of an array that is not empty, in nested brackets of which the first stands at ``column``."""
    summarised = array.ndim > 0 and array.size > options.threshold
    edge = options.edgeitems
    if summarised and edge == 0:
        return "[...]"
    gaps = [summarised and n > 2 * edge for n in array.shape]
    if summarised:
        # Widths and notation follow from the numbers that are shown, so the others are dropped beforehand.
        kept = [[*range(edge), *range(n - edge, n)] if gap else range(n) for n, gap in zip(array.shape, gaps, strict=True)]
        array = array[np.ix_(*kept)]
    texts, width = _element_texts(array.ravel(), options)
    return _nest(texts, array.shape, gaps, column, width, options)


def _nest(texts: list[str], shape: Sequence[int], gaps: Sequence[bool], column: int, width: int, options: PrintOptions) -> str:
    """Sets the texts of the elements, in row-major order, into the brackets of ``shape``."""
    if not shape:
        return texts[0]
    if len(shape) == 1:
        items = [*texts[: options.edgeitems], " ...", *texts[-options.edgeitems :]] if gaps[0] else texts
        per_line = max(1, (options.linewidth - column) // (width + len(", ")))
        parts = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
        newlines = 1
    else:
        step = len(texts) // shape[0]
        parts = [_nest(texts[i : i + step], shape[1:], gaps[1:], column + 1, width, options) for i in range(0, len(texts), step)]
        if gaps[0]:
            parts.insert(options.edgeitems, "...")
        newlines = len(shape) - 1
    return "[" + ("," + "\n" * newlines + " " * (column + 1)).join(parts) + "]"


def _element_texts(values: Array, options: PrintOptions) -> tuple[list[str], int]:
    """The aligned texts of a flat array's elements, and the width that counts for breaking lines."""
    if values.dtype.kind != "c":
        texts, width = _real_texts(values, options)
        return [text.rjust(width) for text in texts], width
    real, real_width = _real_texts(values.real, options)
    imag, imag_width = _real_texts(values.imag, options)
    pairs = zip(real, imag, strict=True)
    texts = [f"{re.rjust(real_width)}{im if im.startswith('-') else '+' + im}j" for re, im in pairs]
    return texts, real_width + imag_width + 1


def _real_texts(values: Array, options: PrintOptions) -> tuple[list[str], int]:
    """The texts of a flat array's elements as they are before alignment, and the width to align them to."""
    if values.dtype.kind != "f":
        texts = [str(value) for value in values.tolist()]
        return texts, max(len(text) for text in texts)
    numbers = values.astype(np.float64)
    # Zero, NaN and the infinities decide nothing: neither the notation nor, as in torch, the width.
    telling = np.isfinite(numbers) & (numbers != 0)
    write = _number_writer(numbers[telling], options)
    texts = [write(number) for number in numbers.tolist()]
    width = max((len(text) for text, tells in zip(texts, telling.tolist(), strict=True) if tells), default=1)
    return texts, width


def _number_writer(numbers: Array, options: PrintOptions) -> Callable[[float], str]:
    """The one notation in which all elements are written, chosen by those that are finite and not zero."""
    whole = not numbers.size or bool(np.all(numbers == np.ceil(numbers)))
    if _is_scientific(np.abs(numbers), whole, options):
        spec = f".{options.precision}e"
    elif whole:
        return lambda number: f"{number:.0f}." if math.isfinite(number) else str(number)
    else:
        spec = f".{options.precision}f"
    return lambda number: format(number, spec)


def _is_scientific(sizes: Array, whole: bool, options: PrintOptions) -> bool:
    """Whether absolute values that differ so much, or are so large or small, take scientific notation."""
    if not sizes.size:
        return False
    if options.sci_mode is not None:
        return options.sci_mode
    smallest, largest = float(sizes.min()), float(sizes.max())
    if largest / smallest > _WIDEST_PLAIN_RATIO or largest > _LARGEST_PLAIN:
        return True
    return not whole and smallest < _SMALLEST_PLAIN
