"""What can be known of a function whose sizes are only known when it is called: it is tried on symbols of some sizes.

Sizes that differ from each other show where two of them are mixed up. But there are programs that only take some sizes, such as
even ones, so that a function is only refused if it takes none of those that are tried; the first ones, being the smallest, make the
best messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

from gradwire_engine.declaration import Signature
from gradwire_engine.dtypes import NumpyDType
from gradwire_engine.errors import GradwireError, LimitError, Stopped
from gradwire_engine.execute import Runner, value_of
from gradwire_engine.limits import Limits
from gradwire_engine.meta import Meta
from gradwire_engine.program import Program
from gradwire_engine.symbolic import Trace
from gradwire_engine.tracing import DataDependentShape, record


@dataclass(frozen=True, slots=True)
class Output:
    """What is known of an output.

    Attributes:
        dtype: Its element type.
        shape: Its sizes: numbers, names of sizes, or ``None`` where it depends on those in another way.
    """

    dtype: NumpyDType
    shape: tuple[int | str | None, ...]

    def text(self) -> str:
        """As a signature has it: ``float64[n, 3]``."""
        return f"{self.dtype.name}[{', '.join('?' if size is None else str(size) for size in self.shape)}]"

    def describe(self) -> dict[str, Any]:
        """As a document."""
        return {"dtype": self.dtype.name, "shape": list(self.shape)}


def probe(signature: Signature, program: Program, limits: Limits, check: Callable[[], None]) -> dict[str, Output]:
    """Follows a function's shapes for some sizes of its inputs.

    Args:
        signature: The inputs.
        program: The program.
        limits: The number of operations; how large tensors would be is for a call to find out.
        check: Called before every node.

    Returns:
        What is known of the outputs, by name.

    Raises:
        GradwireError: A node cannot run on any of these sizes; ``pointer`` leads to it.
    """
    found: list[tuple[Mapping[str, int], list[Meta]]] = []
    first: GradwireError | None = None
    for sizes in _tries(signature.sizes):
        try:
            found.append((sizes, _metas(signature, program, sizes, limits, check)))
        except (LimitError, Stopped, DataDependentShape):
            raise
        except GradwireError as error:
            first = first or _with_sizes(error, sizes)
    if not found:
        assert first is not None
        raise first
    return {name: _output(i, found) for i, name in enumerate(program.outputs())}


def _tries(names: tuple[str, ...]) -> list[dict[str, int]]:
    if not names:
        return [{}]
    # Primes, of which none divides another; then sizes that most numbers divide and that reach further.
    composites = [720 * i for i in range(1, len(names) + 1)]
    return [dict(zip(names, islice(_primes(), len(names)), strict=True)), dict(zip(names, composites, strict=True))]


def _primes() -> Any:
    return (n for n in count(7, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2)))


def _metas(signature: Signature, program: Program, sizes: Mapping[str, int], limits: Limits, check: Callable[[], None]) -> list[Meta]:
    def steps(trace: Trace, runner: Runner) -> list[Any]:
        values = runner.run(program.body, {name: trace.input(meta) for name, meta in signature.metas(sizes).items()})
        return [value_of(values, name, f"/outputs/{i}") for i, name in enumerate(program.outputs().values())]

    trace = record(steps, nodes=limits.nodes, check=check)
    return [variable.meta for variable in trace.outputs]


def _with_sizes(error: GradwireError, sizes: Mapping[str, int]) -> GradwireError:
    """The error, which says what sizes were tried."""
    if sizes:
        tried = ", ".join(f"{name} = {size}" for name, size in islice(sizes.items(), 8))
        error.detail = f"{error.detail.removesuffix('.')} (tried with {tried})."
        error.args = (error.detail,)
    return error


def _output(i: int, found: list[tuple[Mapping[str, int], list[Meta]]]) -> Output:
    shapes = [metas[i].shape for _, metas in found]
    dtype = found[0][1][i].dtype
    if len({len(shape) for shape in shapes}) > 1:
        # As many dimensions as it takes; there is no program known to do so without looking at values.
        return Output(dtype, tuple(None for _ in shapes[0]))
    tried = [sizes for sizes, _ in found]
    return Output(dtype, tuple(_size(column, tried) for column in zip(*shapes, strict=True)))


def _size(column: tuple[int, ...], tried: list[Mapping[str, int]]) -> int | str | None:
    for name in tried[0]:
        if all(sizes[name] == size for sizes, size in zip(tried, column, strict=True)):
            return name
    return column[0] if len(set(column)) == 1 else None
