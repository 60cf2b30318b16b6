"""``torch.func.vmap`` for functions of named values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ..errors import TensorRuntimeError, TensorTypeError, TensorValueError
from ..value import Value
from .batch import Batch, Batched, depth_of, level
from .randomness import check_randomness
from .scope import running

Named = Mapping[Any, Value]


def vmap(function: Callable[[Named], Any], inputs: Named, mapped: Collection[Any], randomness: str = "error") -> Any:
    """Runs ``function`` for every item of a batch at once.

    Args:
        function: Takes values by name; gives a value, or mappings, lists and tuples of values, nested as it likes. It must be pure.
        inputs: Its arguments.
        mapped: The names of those that have a leading axis to map over; the others are the same for all items.
        randomness: What random operations do: ``"error"`` refuses them, ``"different"`` draws for each item, ``"same"`` once for all.

    Returns:
        What ``function`` gives, every value with the leading axis.

    Raises:
        TensorValueError: Nothing is mapped, an input has no axis to map over, or the axes differ (torch's messages).
        TensorRuntimeError: ``randomness`` is none of the three words, or something cannot be done for a batch.
        TensorTypeError: ``function`` gives something that is no value.
    """
    check_randomness(randomness)
    size = _batch_size(inputs, mapped)
    depth = depth_of(inputs.values()) + 1
    kind = level(depth)
    # What is not mapped goes in as a value of this level too, so that it can be differentiated by for each item.
    arguments = {name: kind._wrap(Batch(value, name in mapped)) for name, value in inputs.items()}
    with running(depth, size, randomness):
        result = function(arguments)
    return _unwrapped(result, kind, size)


def _batch_size(inputs: Named, mapped: Collection[Any]) -> int:
    if not mapped:
        raise TensorValueError("vmap: Expected at least one Tensor to vmap over", code="bad_batch")
    unknown = [name for name in mapped if name not in inputs]
    if unknown:
        raise TensorValueError(
            f"There is no input {unknown[0]!r} to map over; the inputs are {', '.join(map(str, inputs))}.", code="bad_batch"
        )
    for name in mapped:
        if not inputs[name]._data.shape:
            raise TensorValueError(
                f"vmap: Got in_dim=0 for the input {name!r}, but that input is a Tensor of dimensionality 0 and has no axis to map over.",
                code="bad_batch",
            )
    sizes = [int(value._data.shape[0]) for name, value in inputs.items() if name in mapped]
    if len(set(sizes)) > 1:
        raise TensorValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the mapped dimension",
            code="bad_batch",
        )
    return sizes[0]


def _unwrapped(result: Any, kind: type[Batched], size: int) -> Any:
    if isinstance(result, Mapping):
        return {name: _unwrapped(value, kind, size) for name, value in result.items()}
    if isinstance(result, (list, tuple)):
        return tuple(_unwrapped(value, kind, size) for value in result)
    if result is None:
        return None
    if not isinstance(result, Value):
        raise TensorTypeError(f"A function that is mapped over a batch returns tensors, but this one returned a {type(result).__name__}.")
    return unstacked(result, kind, size)


def unstacked(result: Value, kind: type[Batched], size: int) -> Value:
    """A value of the level ``kind`` (or below) as one of the level below, with the leading axis of the batch.

    Raises:
        TensorRuntimeError: It belongs to a level further inside, which has ended.
    """
    if isinstance(result, kind):
        return result._data.stacked(size)
    if isinstance(result, Batched) and result.precedence > kind.precedence:
        raise TensorRuntimeError("A tensor of an inner vmap was used outside of it; return it from the function that is mapped.")
    return Batch(result, False).stacked(size)
