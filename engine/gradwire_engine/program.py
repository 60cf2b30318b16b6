"""Programs: graphs as data. ``parse`` reads them, ``execute`` runs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from .dtypes import Array
from .op import Op, Overloads
from .stopping import watched

if TYPE_CHECKING:
    from .text.source import Source

PLAIN: Final = frozenset({bool, int, float, type(None)})
"""The types of arguments that are the same in a document and in a call; of lists of them only the whole has to be looked at."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The value of an input or of a node, by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A tensor written into the program."""

    array: Array


@dataclass(frozen=True, slots=True)
class Node:
    """One call.

    Attributes:
        names: A single name, or one per output (``None`` drops one).
        op: What is called.
        args: Positional arguments, with ``Reference`` and ``Constant`` in place of tensors.
        kwargs: Keyword arguments, likewise.
        no_grad: Whether the call is not recorded.
        pointer: Where the node stands in the document.
    """

    names: str | tuple[str | None, ...]
    op: Op | Overloads | Function
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    no_grad: bool
    pointer: str

    def references(self) -> Iterator[str]:
        """The names that the node uses."""
        for value in (*self.args, *self.kwargs.values()):
            yield from _references(value)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Reference):
        yield value.name
    elif isinstance(value, (tuple, list)):
        for item in watched(() if PLAIN.issuperset(map(type, value)) else value):
            yield from _references(item)


@dataclass(frozen=True, slots=True)
class Body:
    """Nodes in order between named inputs and outputs."""

    inputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]

    def cost(self) -> int:
        """How many nodes a run takes, those of functions included."""
        return sum(node.op.cost if isinstance(node.op, Function) else 1 for node in self.nodes)

    def depth(self) -> int:
        """How deeply the functions that the body calls call each other."""
        return max((node.op.depth for node in self.nodes if isinstance(node.op, Function)), default=0)


@dataclass(frozen=True, slots=True)
class Function:
    """A custom function: a forward program and the backward program that belongs to it.

    Attributes:
        name: Its name, without ``functions.``.
        forward: The forward program.
        save: The inputs and outputs of ``forward`` that ``backward`` receives.
        backward: Takes ``grad_<output>`` and what is saved.
        gradients: For each input of ``forward`` the name in ``backward`` of its gradient, or ``None``.
        jvp: Takes ``tangent_<input>`` and what is saved; ``None`` where there is no forward mode.
        tangents: For each output of ``forward`` the name in ``jvp`` of its tangent, or ``None``.
        cost: Nodes of one run of each of its programs.
        depth: How deeply it calls other functions, itself counted.
    """

    name: str
    forward: Body
    save: tuple[str, ...]
    backward: Body
    gradients: tuple[str | None, ...]
    cost: int
    depth: int
    jvp: Body | None = None
    tangents: tuple[str | None, ...] = ()

    @property
    def grad_fn(self) -> str:
        """The name of the backward node."""
        return f"{self.name}Backward"


@dataclass(frozen=True, slots=True)
class Program:
    """A program and its custom functions.

    Attributes:
        body: What is computed.
        functions: The custom functions by name.
        source: The text that the program was read from, if it was; it tells where in it errors arise.
        labels: The outputs as callers name them, in order, each with its name in ``body``; of a text alone, where the two may differ.
        variables: The variables of a text whose last values have another name in ``body``, each with that name.
        texts: The texts that bodies of the custom functions were read from.
    """

    body: Body
    functions: dict[str, Function] = field(default_factory=dict)
    source: Source | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    texts: Sequence[Source] = ()

    def outputs(self) -> Mapping[str, str]:
        """The outputs as callers name them, in order, each with its name in ``body``."""
        return self.labels or {name: name for name in self.body.outputs}

    def name_of(self, variable: str) -> str:
        """The name in ``body`` of what a caller names: of a variable of a text, its last value."""
        base, dot, picked = variable.partition(".")
        return self.variables.get(base, base) + dot + picked

    def explained(self) -> AbstractContextManager[None]:
        """Errors that arise inside and point at a node of a text get their place in it."""
        from .text.source import explained

        return explained(self.sources) if self.source is not None or self.texts else nullcontext()

    @property
    def sources(self) -> Sequence[Source]:
        """The texts of the program and of bodies of its functions."""
        return self.texts if self.source is None else [self.source, *self.texts]
