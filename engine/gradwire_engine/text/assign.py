"""``x[index] = value`` without writing: the new value of ``x``, made of pure operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..errors import ProgramError
from ..op import REGISTRY
from .arguments import describe
from .source import NodePlaces
from .values import Tensor, is_tensor

if TYPE_CHECKING:
    from .expressions import Expressions

_WHOLE: Final = slice(None)


def assigned(expressions: Expressions, whole: Tensor, items: tuple[Any, ...], value: Any, at: NodePlaces) -> Tensor:
    """The tensor that ``whole`` is after ``whole[items] = value``.

    Args:
        expressions: What records the operations.
        whole: The tensor.
        items: What stands between the brackets.
        value: A number or a tensor.
        at: Where the assignment stands.

    Raises:
        ProgramError: The value is neither.
    """
    if not is_tensor(value) and (isinstance(value, str) or not isinstance(value, (bool, int, float, complex))):
        raise ProgramError(f"A number or a tensor can be assigned to a part of a tensor, not {describe(value)}.", code="argument_type")
    made = _Assignment(expressions, value, at)
    if all(_is_basic(item) for item in items) and sum(item is Ellipsis for item in items) <= 1:
        result = made.basic(whole, items, 0)
        # Where everything is replaced, the history still goes on from the tensor, to which no gradient flows.
        return made.copy(whole, result) if all(item in (Ellipsis, _WHOLE) for item in items) else result
    if all(is_tensor(item) or item == _WHOLE for item in items[:-1]) and is_tensor(items[-1]):
        return made.picked(whole, items)
    return made.by_position(whole, items)


def _is_basic(item: Any) -> bool:
    if isinstance(item, slice):
        return all(b is None or type(b) is int for b in (item.start, item.stop, item.step))
    return item is None or item is Ellipsis or type(item) is int


class _Assignment:
    def __init__(self, expressions: Expressions, value: Any, at: NodePlaces) -> None:
        self._expressions = expressions
        self._value = value
        self._at = at

    def _op(self, name: str, *args: Any, **kwargs: Any) -> Tensor:
        result = self._expressions.made(name, REGISTRY[name], args, kwargs, self._at)
        assert isinstance(result, Tensor)
        return result

    def copy(self, whole: Tensor, result: Tensor) -> Tensor:
        """The elements of ``result`` in the place of those of ``whole``."""
        return self._op("copy", whole, result)

    def _filling(self, part: Tensor, whole: Tensor) -> Tensor:
        """The value in the shape of ``part`` and the dtype of ``whole``."""
        if not is_tensor(self._value):
            return self._op("full_like", part, self._value)
        return self._op("expand_as", self._op("type_as", self._value, whole), part)

    def basic(self, part: Tensor, items: tuple[Any, ...], dim: int, from_end: bool = False) -> Tensor:
        """Goes down one index after another to the part that is replaced, and puts it back on the way up.

        Args:
            part: What the indices before made of the tensor.
            items: The indices that are left.
            dim: The dimension that the next one is for.
            from_end: Whether it counts from the end, as it does behind an ellipsis.
        """
        while items and items[0] in (Ellipsis, _WHOLE):
            from_end = from_end or items[0] is Ellipsis
            dim = -sum(i is not None for i in items[1:]) if items[0] is Ellipsis else dim + 1
            items = items[1:]
        if not items:
            return self._filling(part, part)
        item, rest = items[0], items[1:]
        if item is None:
            at = dim - from_end
            inner = self._op("unsqueeze", part, at)
            return self._op("squeeze", self.basic(inner, rest, at + 1, from_end), at)
        if isinstance(item, int):
            inner = self._op("select", part, dim, item)
            return self._op("select_scatter", part, self.basic(inner, rest, dim + from_end, from_end), dim, item)
        around = (_WHOLE,) * (-dim - 1 if from_end else dim)
        inner = self._op("getitem", part, (Ellipsis, item, *around) if from_end else (*around, item))
        step = 1 if item.step is None else item.step
        return self._op("slice_scatter", part, self.basic(inner, rest, dim + 1, from_end), dim, item.start, item.stop, step)

    def picked(self, whole: Tensor, items: tuple[Any, ...]) -> Tensor:
        """Tensors as indices, for the leading dimensions."""
        indices = [item if is_tensor(item) else None for item in items]
        value = self._value
        value = self._op("type_as", value, whole) if is_tensor(value) else self._op("new_full", whole, [], value)
        return self._op("index_put", whole, indices, value)

    def by_position(self, whole: Tensor, items: tuple[Any, ...]) -> Tensor:
        """Any index: the same index, read from a tensor of positions, says which elements are replaced."""
        from ..dtypes import int64

        ones = self._op("ones_like", whole, dtype=int64)
        counted = self._op("cumsum", self._op("reshape", ones, -1), 0)
        positions = self._op("reshape_as", self._op("sub", counted, 1), whole)
        chosen = self._op("getitem", positions, items)
        return self._op("put", whole, chosen, self._filling(self._op("getitem", whole, items), whole))
