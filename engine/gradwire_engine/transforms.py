"""Derivatives of pure functions of named values: what ``torch.func`` has, for eager tensors, symbols and batches alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from .batching.rows import Chunks
from .batching.vmap import vmap as vmap
from .derivatives import Call as Call
from .derivatives import Derivatives, Named
from .errors import TensorValueError

WANTS: Final = ("value", "outputs", "grads", "vjp", "jvp", "jacobian", "hessian", "hvp")
"""What ``compute`` can be asked for."""

_ALONE: Final = frozenset({"value", "outputs"})


def floating(inputs: Named) -> tuple[str, ...]:
    """The names of the inputs that can be differentiated by."""
    return tuple(name for name, value in inputs.items() if value._data.dtype.kind in "fc")


def compute(
    call: Call,
    inputs: Named,
    want: Collection[str],
    *,
    wrt: Sequence[str] | None = None,
    output: str | None = None,
    outputs: Sequence[str] | None = None,
    grad_outputs: Named | None = None,
    tangents: Named | None = None,
    vectors: Named | None = None,
    batch: Collection[str] = (),
    randomness: str = "error",
    chunk_size: int | None = None,
    chunk_bytes: int | None = None,
) -> dict[str, Any]:
    """Computes several things of a function in one forward pass.

    Args:
        call: The function.
        inputs: Its arguments.
        want: What to compute, of ``WANTS``.
        wrt: The inputs to differentiate by; all of floating point by default.
        output: The scalar output that ``value``, ``grads``, ``hessian`` and ``hvp`` are of; the only one by default.
        outputs: The outputs that ``outputs`` and ``jacobian`` are of; all by default.
        grad_outputs: The cotangents of ``vjp``, by output.
        tangents: The tangents of ``jvp``, by input; zeros for those left out.
        vectors: The vectors of ``hvp``, by input, or stacks of them; zeros for those left out.
        batch: The inputs that have a leading axis to map all of this over. Tangents and vectors of these have it too, and all cotangents.
        randomness: What random operations do where there is a batch, as in ``torch.func.vmap``.
        chunk_size: How many rows of a Jacobian or Hessian, and products with how many vectors, are computed at once; all by default. It
            changes no result, but what they take in memory.
        chunk_bytes: What they may take together, of symbols; a smaller number of them is computed at once where they take more.

    Returns:
        For everything wanted its result: a value, values by name, or for ``jacobian`` and ``hessian`` values by two names.

    Raises:
        TensorValueError: Something that is wanted is unknown, or lacks its field, or ``chunk_size`` is not positive.
        TensorRuntimeError: Something has no such derivative.
    """
    for what, field, given in (("vjp", "grad_outputs", grad_outputs), ("jvp", "tangents", tangents), ("hvp", "vectors", vectors)):
        if what in want and given is None:
            raise TensorValueError(f"{what!r} needs {field!r}.", code="missing_field")
    unknown = [w for w in want if w not in WANTS]
    if unknown:
        raise TensorValueError(f"There is no {unknown[0]!r} to compute; there are {', '.join(WANTS)}.", code="unknown_want")
    if chunk_size is not None and chunk_size <= 0:
        raise TensorValueError("`chunk_size` should be greater than 0.", code="bad_chunk_size")
    chunks = Chunks(chunk_size, chunk_bytes)
    fields: dict[str, Named] = {
        "inputs": inputs,
        "grad_outputs": grad_outputs or {},
        "tangents": tangents or {},
        "vectors": vectors or {},
    }

    def one(parts: Mapping[str, Named]) -> dict[str, Any]:
        by = floating(parts["inputs"]) if wrt is None else wrt
        return _compute(Derivatives(call, parts["inputs"], () if _ALONE.issuperset(want) else by, chunks), parts, want, output, outputs)

    if not batch:
        return one(fields)
    arguments = {(field, name): value for field, values in fields.items() for name, value in values.items()}
    mapped = [key for key in arguments if key[0] == "grad_outputs" or key[1] in batch]
    mapped += [("inputs", name) for name in batch if name not in inputs]  # which vmap refuses by name
    result: dict[str, Any] = vmap(lambda given: one(_by_field(given)), arguments, mapped, randomness)
    return result


def _by_field(arguments: Mapping[Any, Any]) -> dict[str, dict[str, Any]]:
    parts: dict[str, dict[str, Any]] = {field: {} for field in ("inputs", "grad_outputs", "tangents", "vectors")}
    for (field, name), value in arguments.items():
        parts[field][name] = value
    return parts


def _compute(
    at: Derivatives, parts: Mapping[str, Named], want: Collection[str], output: str | None, outputs: Sequence[str] | None
) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for what in want:
        match what:
            case "value":
                made[what] = at.value(output)
            case "outputs":
                made[what] = at.outputs(outputs)
            case "grads":
                made[what] = at.grads(output)
            case "vjp":
                made[what] = at.vjp(parts["grad_outputs"])
            case "jvp":
                made[what] = at.jvp(parts["tangents"])
            case "jacobian":
                made[what] = at.jacobian(outputs)
            case "hessian":
                made[what] = at.hessian(output)
            case "hvp":
                made[what] = at.hvp(output, parts["vectors"])
    return made


def value_and_grad(call: Call, inputs: Named, wrt: Sequence[str] | None = None, output: str | None = None) -> tuple[Any, dict[str, Any]]:
    """A scalar output and its gradients (``torch.func.grad_and_value``)."""
    made = compute(call, inputs, ("grads", "value"), wrt=wrt, output=output)
    return made["value"], made["grads"]


def vjp(call: Call, inputs: Named, grad_outputs: Named, wrt: Sequence[str] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The outputs, and the gradients for cotangents of them (``torch.func.vjp``)."""
    made = compute(call, inputs, ("outputs", "vjp"), wrt=wrt, grad_outputs=grad_outputs)
    return made["outputs"], made["vjp"]


def jvp(call: Call, inputs: Named, tangents: Named) -> tuple[dict[str, Any], dict[str, Any]]:
    """The outputs, and their derivatives along tangents of the inputs (``torch.func.jvp``)."""
    made = compute(call, inputs, ("outputs", "jvp"), wrt=tuple(tangents), tangents=tangents)
    return made["outputs"], made["jvp"]


def jacobian(
    call: Call, inputs: Named, wrt: Sequence[str] | None = None, outputs: Sequence[str] | None = None, *, chunk_size: int | None = None
) -> dict[str, dict[str, Any]]:
    """The derivative of each output by each input (``torch.func.jacrev``): ``[y][x]``, of the shape of y followed by that of x."""
    made: dict[str, dict[str, Any]] = compute(call, inputs, ("jacobian",), wrt=wrt, outputs=outputs, chunk_size=chunk_size)["jacobian"]
    return made


def hessian(
    call: Call, inputs: Named, wrt: Sequence[str] | None = None, output: str | None = None, *, chunk_size: int | None = None
) -> dict[str, dict[str, Any]]:
    """The second derivatives of a scalar output by each pair of inputs (``torch.func.hessian``)."""
    made: dict[str, dict[str, Any]] = compute(call, inputs, ("hessian",), wrt=wrt, output=output, chunk_size=chunk_size)["hessian"]
    return made


def hvp(
    call: Call,
    inputs: Named,
    vectors: Named,
    wrt: Sequence[str] | None = None,
    output: str | None = None,
    *,
    chunk_size: int | None = None,
) -> dict[str, Any]:
    """The Hessian of a scalar output times vectors, or times each of a stack of vectors."""
    made: dict[str, Any] = compute(call, inputs, ("hvp",), wrt=wrt, output=output, vectors=vectors, chunk_size=chunk_size)["hvp"]
    return made
