"""Random numbers inside a function that is mapped: the same for all items, or different ones for each."""

from __future__ import annotations

from typing import Any, Final

from ..errors import TensorRuntimeError
from ..op import Op, ops
from ..record import call_bound
from .apply import MappedCall, inner, listed, merged, size_of
from .axes import aligned
from .batch import Batch
from .scope import scope_of

RANDOMNESS: Final = ("error", "different", "same")
_SIZES: Final = frozenset({"size"})
# Whose numbers have nothing to do with the elements of the tensor that lends them its shape.
_SHAPED: Final = frozenset(
    {"rand_like", "randn_like", "randint_like", "_dropout_noise", "_uniform", "_normal", "_exponential", "_bernoulli.float"}
)


def check_randomness(randomness: str) -> None:
    """Refuses a word that says nothing about randomness.

    Raises:
        TensorRuntimeError: It is none of the three (torch's message).
    """
    if randomness not in RANDOMNESS:
        raise TensorRuntimeError(
            f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}", code="bad_randomness"
        )


def draw(depth: int, op: Op, values: list[Any]) -> list[Batch]:
    """Runs a random op for the items of a batch.

    Raises:
        TensorRuntimeError: Random numbers may not be drawn here, or are to be the same for items that are not (torch's messages).
    """
    scope = scope_of(depth)
    if scope is None or scope.randomness == "error":
        raise TensorRuntimeError(
            "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' randomness flags "
            "on vmap or perform the randomness operation out of vmap",
            code="vmap_randomness",
        )
    slots = op.tensor_slots
    size = size_of(op, values)
    shaped = op.name in _SHAPED or op.full_name in _SHAPED
    if scope.randomness == "same":
        if size is not None and not shaped:
            raise TensorRuntimeError("Vmap does not currently support same randomness with a batched tensor input.", code="vmap_randomness")
        one = [_first(v) if i in slots else v for i, v in enumerate(values)]
        return [Batch(r, False) for r in listed(call_bound(op, one))]
    call = MappedCall(op, values, scope.size)
    call.outs  # noqa: B018 - what is wrong with the items is said of the items
    if op.name == "randperm":
        return [Batch(ops.stack([call.run(values) for _ in range(scope.size)]), True)]
    if op.name == "multinomial" and len(values[0].shape) == 2:
        rows = call.run([merged(call.stacked(values[0])), *values[1:]])
        return [Batch(ops.reshape(rows, (scope.size, *call.outs[0].shape)), True)]
    made = [_for_all(call, i, v) for i, v in enumerate(values)]
    return [Batch(r, True) for r in listed(call.run(made))]


def _for_all(call: MappedCall, position: int, value: Any) -> Any:
    """An argument of one draw for all items, which takes from the stream what torch's takes."""
    param = call.op.params[position]
    if param.name in _SIZES:
        return (call.size, *value)
    if not param.is_tensor:
        return value
    rank = max(len(b.shape) for b in call.batches)
    return aligned(call.stacked(value), rank) if isinstance(value, Batch) else value


def _first(value: Any) -> Any:
    return value.value[0] if isinstance(value, Batch) and value.mapped else inner(value)
