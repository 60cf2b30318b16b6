"""What a recorder defines that does not compute itself, but tells somebody of every operation: a client's remote tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from .op import Op


class Announcing:
    """The methods of such a recorder, which are called only where ``announces`` is set."""

    announces: ClassVar[bool] = False

    @classmethod
    def _announce(cls, op: Op, values: Sequence[Any], results: Sequence[Any]) -> None:
        """Called with an operation that was recorded."""
        raise NotImplementedError

    @classmethod
    def _call_again(cls, op: Op, args: tuple[Any, ...]) -> Any:
        """Calls an op; a chance to remember what follows from the shapes of its arguments."""
        raise NotImplementedError

    @classmethod
    def _call_composite(cls, op: Op, values: Sequence[Any]) -> Any:
        """Calls a composite op, announced as a whole."""
        raise NotImplementedError

    @classmethod
    def _announce_inplace(cls, op: Op, target: Any, values: list[Any]) -> Any:
        """Calls the in-place form of an op on one value per parameter, announced as a whole."""
        raise NotImplementedError

    @classmethod
    def _hooking(cls, payload: Any) -> Callable[..., Any]:
        """What takes the hooks of the node that made the tensor with this payload."""
        raise NotImplementedError

    @classmethod
    def _enter_function(cls, name: str) -> None:
        """Called before the forward of a custom function runs on such a tensor; it raises where there can be none."""

    @classmethod
    def _announce_function(cls, node: Any, inputs: Sequence[Any], outputs: list[Any], dirty: Sequence[Any]) -> list[Any]:
        """Called with the node of a custom function before its outputs get it; gives the outputs, or others in their place."""
        return outputs
