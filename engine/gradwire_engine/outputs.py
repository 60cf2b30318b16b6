"""How many outputs a call has, as far as that can be told from its arguments' kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from .errors import TensorTypeError
from .op import Op, Overloads


def several_outputs(target: Op | Overloads, args: Sequence[Any], kwargs: Mapping[str, Any], is_tensor: Callable[[Any], bool]) -> Op | None:
    """The op whose several outputs a call has; ``None`` where it has one.

    Args:
        target: What is called. The overloads of ``max`` differ: of a tensor alone it is a tensor, along a dimension it is two.
        args: The positional arguments; anything can stand for a tensor.
        kwargs: The arguments by name.
        is_tensor: What does.
    """
    candidates = target.overloads if isinstance(target, Overloads) else [target]
    if not any(o.outputs or o.variable_outputs for o in candidates):
        return None
    found = candidates[0]
    if isinstance(target, Overloads):
        # Whatever is wrong with the arguments is said where the program is run.
        with suppress(TensorTypeError):
            found, _ = target.resolve(tuple(args), kwargs, is_tensor)
    return found if found.outputs or found.variable_outputs else None
