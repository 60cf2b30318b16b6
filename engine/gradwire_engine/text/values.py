"""What an expression of a text stands for, before its values have names.

Numbers, strings, ``None``, ``...``, dtypes, and lists and tuples of all these stand for themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .source import NodePlaces


@dataclass(frozen=True, slots=True)
class DottedName:
    """The way to something of torch's, such as ``torch.nn.functional``."""

    name: str


@dataclass(slots=True, eq=False)
class Call:
    """A node in the making.

    Attributes:
        op: What is called, as the node will say.
        args: The arguments in their JSON form, with ``Tensor`` in place of names.
        kwargs: Likewise.
        no_grad: Whether the call is not recorded.
        places: Where it stands.
        wish: The variable that it was first assigned to.
        outputs: The variables that the outputs were unpacked to, ``None`` for one that is dropped; without this, one name for all.
        name: The name, or the names, that the node has in the end.
    """

    op: str
    args: list[Any]
    kwargs: dict[str, Any]
    no_grad: bool
    places: NodePlaces
    wish: str | None = None
    outputs: list[str | None] | None = None
    name: str | list[str | None] = ""


@dataclass(slots=True, eq=False)
class Storage:
    """What tensors that share elements have in common."""


@dataclass(slots=True, eq=False)
class Tensor:
    """One tensor: an input, or an output of a call.

    Attributes:
        input: The name of the input, if it is one.
        call: The call that makes it, if it is none.
        output: Which of the outputs of the call it is; ``None`` where there is one.
        storage: Whom it may share its elements with.
    """

    input: str = ""
    call: Call | None = None
    output: int | None = None
    storage: Storage = field(default_factory=Storage)

    @property
    def key(self) -> tuple[Any, ...]:
        """The same for the same tensor."""
        return (self.input, self.call, self.output)

    def spelled(self) -> str:
        """The name by which nodes refer to it, once the call has its name."""
        if self.call is None:
            return self.input
        name = self.call.name
        if isinstance(name, list):
            return name[self.output or 0] or ""
        return name if self.output is None else f"{name}.{self.output}"


@dataclass(slots=True, eq=False)
class Several:
    """The outputs of a call that has several.

    Attributes:
        call: The call.
        count: How many there are; ``None`` where that depends on shapes.
        fields: Their names, where they have any.
        storage: Whom they may share their elements with.
    """

    call: Call
    count: int | None
    fields: tuple[str, ...]
    storage: Storage

    def pick(self, output: int) -> Tensor:
        """One of the outputs."""
        return Tensor(call=self.call, output=output, storage=self.storage)


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A tensor written out inside an expression, as in ``x * torch.tensor([1.0, 2.0])``.

    Attributes:
        data: Its elements: a number, or a nested list.
        document: Its form in JSON.
        args: The arguments of ``torch.tensor``, which is called where the literal is assigned to a variable.
        kwargs: Likewise.
    """

    data: Any
    document: dict[str, Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def is_tensor(value: Any) -> bool:
    """Whether an expression stands for a tensor."""
    return isinstance(value, (Tensor, Literal))


def spell(value: Any) -> Any:
    """The JSON form with the names in their places."""
    if isinstance(value, Tensor):
        return value.spelled()
    if isinstance(value, list):
        return [spell(v) for v in value]
    return value
