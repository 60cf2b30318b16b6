"""What the service can do, apart from HTTP: the same calls serve the routers and a client in the same process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from gradwire_engine.limits import Limits


class Evaluate(Protocol):
    """Runs one program and returns its outputs, and its gradients where asked for."""

    def __call__(self, document: Any, *, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
        """Evaluates ``document``.

        Args:
            document: The request, as decoded from JSON.
            limits: What the program may cost.
            check: Called before every node; what it raises ends the evaluation.

        Raises:
            GradwireError: The program is wrong, too large, or was stopped by ``check``.
        """
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """The calls that the routers are given.

    Attributes:
        evaluate: Runs one program.
        list_ops: Describes every operation.
        get_op: Describes one operation; raises ``ProgramError`` with code ``unknown_op``.
        table_hash: Identifies the set of operations and their signatures.
    """

    evaluate: Evaluate
    list_ops: Callable[[], list[dict[str, Any]]]
    get_op: Callable[[str], dict[str, Any]]
    table_hash: Callable[[], str]


def engine_services() -> Services:
    """The services over the engine of this process."""
    # Here, because the routers and the OpenAPI document need only the types above.
    from .evaluate import evaluate
    from .ops import get_op, list_ops, table_hash

    return Services(evaluate=evaluate, list_ops=list_ops, get_op=get_op, table_hash=table_hash)
