"""What the service can do, apart from HTTP: the same calls serve the routers and a client in the same process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from gradwire_engine.limits import Limits

if TYPE_CHECKING:
    from pathlib import Path

    from .functions.condition import Condition
    from .functions.limits import FunctionLimits
    from .functions.searching import Report
    from .functions.service import Prepared
    from .sessions.answer import Answer
    from .sessions.brief import Brief
    from .sessions.limits import SessionLimits
    from .sessions.service import BatchWork
    from .sessions.turns import Turn

T = TypeVar("T")


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


class Sessions(Protocol):
    """Tensors that live between calls.

    A session belongs to its ``owner`` (whatever identifies the caller, ``None`` where callers are not told apart); to anyone else
    it is not there. All calls may be made from any thread; a session does one thing at a time, and callers wait for their turn.
    Documents are the requests and answers of the HTTP interface, with an array as the ``data`` of every tensor, which an answer
    may share with the session.
    """

    def create(self, document: Any, *, owner: str | None) -> dict[str, Any]:
        """Makes a session.

        Args:
            document: ``{"ttl_seconds", "default_dtype", "seed"}``, each of which may be left out.
            owner: Who may use it.

        Returns:
            ``{"id", "expires_at", "seq", "version", "api", "ops"}``.

        Raises:
            GradwireError: The document is wrong, or there are too many sessions.
        """
        ...

    def get(self, session: str, *, owner: str | None) -> dict[str, Any]:
        """Describes a session, which counts as a use of it."""
        ...

    def list(self, *, owner: str | None, limit: int, cursor: str | None) -> dict[str, Any]:
        """Describes the sessions of ``owner``, as ``{"items", "next"}``.

        Raises:
            ListingNeedsKeys: There is no owner.
        """
        ...

    def delete(self, session: str, *, owner: str | None) -> None:
        """Ends a session and everything in it; what is running still gets its answer."""
        ...

    def turn(self, session: str, *, owner: str | None) -> Turn:
        """Joins the queue of a session.

        For callers who may not block: they wait for the turn's ``future``, hand the turn over to one of the calls below, and
        release it.

        Raises:
            UnknownSession: There is no such session for ``owner``.
            SessionBusy: The queue is full.
        """
        ...

    def batch(
        self,
        session: str,
        document: Any,
        *,
        owner: str | None,
        check: Callable[[], None],
        finish: Callable[[Answer], T],
        turn: Turn | None = None,
    ) -> T:
        """Carries out ``{"seq", "instructions"}``, or gives the last answer once more.

        Args:
            session: The session's id.
            document: The batch.
            owner: Who asks.
            check: Called between operations; the instruction under way fails with what it raises, and is the last one.
            finish: Turns the answer into what is kept and returned. It is called before anything else happens in the session, so
                it may read arrays that a later batch will write.
            turn: The caller's turn, which has come; otherwise the call waits for one.

        Returns:
            What ``finish`` made: now, or when the same ``seq`` came with the same instructions before.

        Raises:
            GradwireError: The batch was not accepted; its ``seq`` is not used up. An instruction that fails is no exception but an
                answer.
        """
        ...

    def begin(
        self, session: str, document: Any, *, owner: str | None, check: Callable[[], None], finish: Callable[[Answer], T], turn: Turn
    ) -> BatchWork[T]:
        """Accepts a batch as ``batch`` does, for callers who would rather carry it out a part at a time.

        Its ``advance`` goes on to the end, or with a ``Brief`` only as long as that takes no time to speak of, and says whether it
        came to the end; then ``result`` is what ``batch`` would return.
        """
        ...

    def is_small(self, session: str, *, owner: str | None, brief: Brief) -> bool:
        """Whether looking at a session takes no time to speak of, whatever is looked at."""
        ...

    def tensor(self, session: str, name: str, *, owner: str | None, turn: Turn | None = None) -> dict[str, Any]:
        """One tensor, as a batch would read its value. Without a turn the call waits for one, and the arrays are copies."""
        ...

    def grad(self, session: str, name: str, *, owner: str | None, turn: Turn | None = None) -> dict[str, Any] | None:
        """The gradient of one tensor, likewise; ``None`` where there is none."""
        ...

    def graph(self, session: str, name: str, *, owner: str | None, turn: Turn | None = None) -> dict[str, Any]:
        """The backward graph behind one tensor, as ``{"nodes", "edges"}``."""
        ...

    def sweep(self) -> None:
        """Ends what has expired; calls do so too for what they name."""
        ...


class Functions(Protocol):
    """Programs that are registered once, under a name, and called many times.

    A function belongs to its ``owner``, as sessions do. All calls may be made from any thread. ``name`` is a function's, or
    ``name@hash`` for one of its versions. Documents are those of the HTTP interface, with arrays as the ``data`` of tensors.
    """

    def prepare(self, document: Any, *, check: Callable[[], None]) -> Prepared:
        """Reads a function and checks all that can be known of it before it is called; nothing is changed.

        Raises:
            GradwireError: The function is wrong; ``pointer`` tells where.
        """
        ...

    def put(self, name: str, prepared: Prepared, *, owner: str | None, condition: Condition) -> tuple[dict[str, Any], bool]:
        """Makes what was prepared the current version of a function.

        Returns:
            The description of the function, and whether there was none of this name before.

        Raises:
            PreconditionFailed: The condition does not hold.
            TooManyFunctions: There is no room.
        """
        ...

    def get(self, name: str, *, owner: str | None) -> dict[str, Any]:
        """Describes a function, with its document and all its versions."""
        ...

    def list(self, *, owner: str | None, limit: int, cursor: str | None) -> dict[str, Any]:
        """Describes the functions of ``owner``, as ``{"items", "next"}``."""
        ...

    def delete(self, name: str, *, owner: str | None, condition: Condition) -> None:
        """Forgets a function with all its versions, or an old version of it; calls under way still get their answers."""
        ...

    def call(self, name: str, form: str, document: Any, *, owner: str | None, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
        """Calls a function.

        Args:
            name: The function.
            form: The kind of call: ``"evaluate"``, ``"value_and_grad"``, ``"vjp"``.
            document: The inputs, and what is wanted.
            owner: Who asks.
            limits: What the call may cost.
            check: Called between operations; what it raises ends the call.

        Raises:
            UnknownFunction: There is no such function for ``owner``.
            GradwireError: The call is wrong, too large, or was stopped by ``check``.
        """
        ...

    def dry_run(
        self, name: str, form: str, document: Any, *, owner: str | None, limits: Limits, check: Callable[[], None]
    ) -> dict[str, Any]:
        """Says what ``call``, or ``minimize`` for that form, would give and take, and whether that is within the limits."""
        ...

    def gradcheck(self, name: str, document: Any, *, owner: str | None, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
        """Compares the gradients of a function with central differences."""
        ...

    def nan_check(self, name: str, document: Any, *, owner: str | None, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
        """Finds the first node of a function that makes a NaN, in its value or in its gradients."""
        ...

    def minimize(
        self,
        name: str,
        document: Any,
        *,
        owner: str | None,
        limits: Limits,
        check: Callable[[], None],
        seconds: float,
        report: Report = ...,
    ) -> dict[str, Any]:
        """Looks for the inputs at which a scalar output of a function is smallest.

        Args:
            name: The function.
            document: The inputs to start from, and how to go on.
            owner: Who asks.
            limits: What one evaluation may cost, and what the work of all may come to.
            check: Called between operations; what it raises ends the search without a result.
            seconds: The time after which the best point so far is the result.
            report: Called with every iteration.
        """
        ...

    def generation(self) -> int:
        """A number that is another one whenever functions may have changed."""
        ...

    def close(self) -> None:
        """Gives up what is held open."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """The calls that the routers are given.

    Attributes:
        evaluate: Runs one program.
        list_ops: Describes every operation.
        get_op: Describes one operation; raises ``ProgramError`` with code ``unknown_op``.
        table_hash: Identifies the set of operations and their signatures.
        sessions: Tensors that live between calls.
        functions: Programs that are registered once and called many times.
    """

    evaluate: Evaluate
    list_ops: Callable[[], list[dict[str, Any]]]
    get_op: Callable[[str], dict[str, Any]]
    table_hash: Callable[[], str]
    sessions: Sessions
    functions: Functions


def engine_services(
    limits: SessionLimits | None = None, function_limits: FunctionLimits | None = None, data_dir: Path | None = None
) -> Services:
    """The services over the engine of this process.

    Args:
        limits: What sessions may ask of it; by default what a server allows.
        function_limits: What functions may take; likewise.
        data_dir: Where functions are kept; without one they end with the process.

    Raises:
        UnusableStore: What is in the directory cannot be used.
    """
    # Here, because the routers and the OpenAPI document need only the types above.
    from .functions.limits import FunctionLimits
    from .functions.service import EngineFunctions
    from .ops import get_op, list_ops, table_hash
    from .repeated import EvaluateRepeated
    from .sessions.limits import SessionLimits
    from .sessions.service import EngineSessions

    store = None
    if data_dir is not None:
        from ..store.sqlite_functions import SqliteFunctions

        data_dir.mkdir(parents=True, exist_ok=True)
        store = SqliteFunctions(data_dir / "functions.sqlite3")
    sessions = EngineSessions(limits or SessionLimits())
    functions = EngineFunctions(function_limits or FunctionLimits(), store)
    return Services(
        evaluate=EvaluateRepeated(), list_ops=list_ops, get_op=get_op, table_hash=table_hash, sessions=sessions, functions=functions
    )
