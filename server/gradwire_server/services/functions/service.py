"""The functions of this process."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from gradwire_engine.brief import shown
from gradwire_engine.errors import LimitError
from gradwire_engine.limits import Limits
from gradwire_engine.names import check_name, suggest
from gradwire_engine.plan.cache import PlanCache

from ...store.functions import FunctionStore, NoRoom, Room, Version
from ...store.memory_functions import MemoryFunctions
from ..sessions.clock import stamp
from .building import Executable, build
from .condition import ALWAYS, Condition
from .definition import Definition, read_definition
from .dry_run import describe_run, describe_search
from .errors import CurrentVersion, TooManyFunctions, UnknownFunction
from .finding_nans import find_nan, read_nan_check
from .gradchecking import compare, read_gradcheck
from .limits import FunctionLimits
from .minimizing import Minimization, read_minimization
from .searching import Report, search
from .stored import to_json
from .wanted import Request, read_request

_COMPARED: Final = 1_000
_KEPT: Final = 4_096
# What a function takes in memory for each byte of its document (measured).
_BYTES_OF_ONE: Final = 20


@dataclass(frozen=True, slots=True)
class Prepared:
    """A function that was read and checked, and is yet to be registered.

    Attributes:
        definition: The function.
        text: Its document in JSON.
    """

    definition: Definition
    text: bytes


class EngineFunctions:
    """Functions over the engine; ``gradwire_server.services.Functions`` says what its methods do.

    Args:
        limits: What functions may take.
        store: Where they are kept; by default in memory.
        clock: Seconds since the epoch.
    """

    def __init__(self, limits: FunctionLimits, store: FunctionStore | None = None, clock: Callable[[], float] = time.time) -> None:
        self.limits = limits
        self._store: FunctionStore = MemoryFunctions() if store is None else store
        self._clock = clock
        self._executables: PlanCache[Executable] = PlanCache(limits.plans_bytes)
        self._definitions: PlanCache[Definition] = PlanCache(limits.definitions_bytes)
        # The documents that names stand for, by their hashes, in the generation of the store in which they were looked up.
        self._names: tuple[int, dict[tuple[str, str], bytes]] = (-1, {})

    def prepare(self, document: Any, *, check: Callable[[], None]) -> Prepared:
        """Reads a function and checks it; nothing is changed."""
        definition = read_definition(document, self.limits.program, check)
        text = to_json(document)
        if len(text) > self.limits.function_bytes:
            raise LimitError(
                f"The function takes {len(text):,} bytes in JSON, more than the {self.limits.function_bytes:,} that one may take.",
                code="function_too_large",
                pointer="",
            )
        return Prepared(definition, text)

    def put(self, name: str, prepared: Prepared, *, owner: str | None, condition: Condition = ALWAYS) -> tuple[dict[str, Any], bool]:
        """Registers a function."""
        check_name(name, "")
        limits = self.limits
        room = Room(limits.functions, limits.owner_functions, limits.functions_bytes)
        version = Version(owner or "", name, prepared.definition.hash, prepared.text, self._clock())
        try:
            before = self._store.put(version, room, condition.check)
        except NoRoom as full:
            raise TooManyFunctions(f"{full} Delete some first.") from None
        # What was read now, the first call need not read again. Of its document that is kept which the store has.
        definition = replace(prepared.definition, document=json.loads(prepared.text))
        self._definitions.get(_document_hash(version), lambda: _sized(definition, version))
        found = self._store.get(version.owner, name, version.hash) or version
        return self._describe(found, prepared.definition), before is None

    def get(self, name: str, *, owner: str | None) -> dict[str, Any]:
        """Describes a function, with its document."""
        plain, _, hash = name.partition("@")
        found = self._store.get(owner or "", plain, hash or None)
        if found is None:
            raise self._unknown(name, owner)
        versions = [{"hash": v.hash, "created_at": stamp(v.created_at)} for v in self._store.versions(owner or "", plain)]
        definition = self._definition(found)
        return {**self._describe(found, definition), "function": definition.document, "versions": versions}

    def list(self, *, owner: str | None, limit: int, cursor: str | None) -> dict[str, Any]:
        """Describes the functions of ``owner``."""
        found = self._store.page(owner or "", cursor or "", limit + 1)
        items = [self._describe(version, self._definition(version)) for version in found[:limit]]
        return {"items": items, "next": items[-1]["name"] if len(found) > limit else None}

    def delete(self, name: str, *, owner: str | None, condition: Condition = ALWAYS) -> None:
        """Forgets a function, or an old version of one."""
        plain, _, hash = name.partition("@")

        def check(current: str | None) -> None:
            # Nothing may be asked of the store while it is at work.
            if current is None:
                return
            condition.check(current)
            if hash == current:
                raise CurrentVersion(f"{name} is the current version. Put another one first, or delete {plain} with all its versions.")

        if not self._store.delete(owner or "", plain, hash or None, check):
            raise self._unknown(name, owner)

    def call(self, name: str, form: str, document: Any, *, owner: str | None, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
        """Calls a function."""
        definition = self._find(name, owner, check)
        request = read_request(definition, form, document, limits)
        return self._executable(definition, request, check).answer(request, limits, check)

    def dry_run(
        self, name: str, form: str, document: Any, *, owner: str | None, limits: Limits, check: Callable[[], None]
    ) -> dict[str, Any]:
        """Says what a call would give and take."""
        definition = self._find(name, owner, check)
        if form == "minimize":
            search = read_minimization(definition, document, limits)
            return describe_search(definition, search, *self._searched(definition, search, check), limits, check)
        request = read_request(definition, form, document, limits)
        executable = self._executable(definition, request, check)
        return describe_run(definition, request, executable, limits, check)

    def gradcheck(self, name: str, document: Any, *, owner: str | None, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
        """Compares the gradients of a function with central differences."""
        definition = self._find(name, owner, check)
        request = read_gradcheck(definition, document, limits)
        return compare(definition, request, self._executable(definition, request.call, check), limits, check)

    def nan_check(self, name: str, document: Any, *, owner: str | None, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
        """Finds the first node that makes a NaN."""
        definition = self._find(name, owner, check)
        request = read_nan_check(definition, document, limits)
        self._executable(definition, request, check).check(limits, check)
        return find_nan(definition, request, check)

    def minimize(
        self,
        name: str,
        document: Any,
        *,
        owner: str | None,
        limits: Limits,
        check: Callable[[], None],
        seconds: float,
        report: Report = lambda iteration: None,
    ) -> dict[str, Any]:
        """Looks for the inputs at which a function is smallest."""
        definition = self._find(name, owner, check)
        request = read_minimization(definition, document, limits)
        # A Hessian that is too large for a search is not even built.
        request.check(limits)
        gradients, second = self._searched(definition, request, check)
        return search(definition, request, gradients, second, limits=limits, check=check, seconds=seconds, report=report)

    def generation(self) -> int:
        """A number that is another one whenever functions may have changed."""
        return self._store.generation()

    def close(self) -> None:
        """Gives up what the store holds open."""
        self._store.close()

    def _searched(self, definition: Definition, request: Minimization, check: Callable[[], None]) -> tuple[Executable, Executable | None]:
        """What computes the value and gradients of a search, and the second derivatives if its method uses any."""
        gradients = self._executable(definition, request.call, check)
        return gradients, None if request.second is None else self._executable(definition, request.second, check)

    def _executable(self, definition: Definition, request: Request, check: Callable[[], None]) -> Executable:
        key = definition.hash, request.wanted, request.shapes
        # How much a call may take is looked at when it is made; the plan serves all.
        return self._executables.get(key, lambda: build(definition, request, limits=self.limits.program, check=check), check)

    def _find(self, name: str, owner: str | None, check: Callable[[], None]) -> Definition:
        generation = self._store.generation()
        if self._names[0] != generation or len(self._names[1]) > _KEPT:
            self._names = generation, {}
        names = self._names[1]
        key = owner or "", name
        known = names.get(key)
        definition = None if known is None else self._definitions.find(known)
        if definition is None:
            # By now the name may stand for another document, which is kept under its own hash.
            found = self._version(key)
            names[key] = _document_hash(found)
            definition = self._definition(found, check)
        return definition

    def _version(self, key: tuple[str, str]) -> Version:
        owner, name = key
        plain, _, hash = name.partition("@")
        found = self._store.get(owner, plain, hash or None)
        if found is None:
            raise self._unknown(name, owner)
        return found

    def _definition(self, version: Version, check: Callable[[], None] = lambda: None) -> Definition:
        """What a version was registered as, read once as long as there is room."""
        return self._definitions.get(_document_hash(version), lambda: self._read(version, check), check)

    def _read(self, version: Version, check: Callable[[], None]) -> Definition:
        document: Mapping[str, Any] = json.loads(version.document)
        # It was accepted once, whatever the limits are today.
        return _sized(read_definition(document, self.limits.program, check), version)

    def _describe(self, version: Version, definition: Definition) -> dict[str, Any]:
        return {
            "name": version.name,
            "hash": version.hash,
            "version": f"{version.name}@{version.hash}",
            "signature": definition.text(version.name),
            "description": definition.description,
            "inputs": definition.signature.describe(),
            "outputs": {name: output.describe() for name, output in definition.outputs.items()},
            "created_at": stamp(version.created_at),
        }

    def _unknown(self, name: str, owner: str | None) -> UnknownFunction:
        plain, _, hash = name.partition("@")
        if hash and (found := self._store.get(owner or "", plain)) is not None:
            return UnknownFunction(f"The function {plain!r} has no version {shown(hash)}; its current one is {found.hash}.")
        names = {version.name: None for version in self._store.page(owner or "", "", _COMPARED)}
        return UnknownFunction(f"There is no function {shown(name)}.{suggest(plain, names)}")


def _sized(definition: Definition, version: Version) -> Definition:
    return replace(definition, nbytes=_BYTES_OF_ONE * len(version.document))


def _document_hash(version: Version) -> bytes:
    return hashlib.blake2b(version.document, digest_size=16).digest()
