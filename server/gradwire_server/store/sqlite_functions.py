"""Functions in a file: they outlive the process, however it ends, and processes that have the same file share them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from .functions import Condition, Room, Version
from .memory_functions import check_room

_SCHEMA: Final = 1
_TABLES: Final = """
CREATE TABLE version (
    owner TEXT NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL, document BLOB NOT NULL, created_at REAL NOT NULL,
    PRIMARY KEY (owner, name, hash)
);
CREATE TABLE current (owner TEXT NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (owner, name)) WITHOUT ROWID;
"""
_COLUMNS: Final = "version.owner, version.name, version.hash, version.document, version.created_at"
_CURRENT: Final = f"SELECT {_COLUMNS} FROM current JOIN version USING (owner, name, hash)"
# How long a process waits for another one that writes.
_BUSY_SECONDS: Final = 10.0


class UnusableStore(Exception):
    """A file that is no store of functions, or one of a later version of Gradwire."""


class SqliteFunctions:
    """Keeps functions in an SQLite database; ``FunctionStore`` says what its methods do.

    One connection reads and another one writes, each used by one thread at a time, so that what is read is never held up by what is
    being written. A change that was acknowledged is on the disk.

    Args:
        path: The file; it is made if it is not there.

    Raises:
        UnusableStore: The file is something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_lock, self._write_lock = threading.Lock(), threading.Lock()
        try:
            self._writer = _connect(path)
            self._prepare()
            self._reader = _connect(path)
        except sqlite3.DatabaseError as error:
            raise UnusableStore(f"The file {path} cannot be used as the store of functions: {error}.") from None

    def _prepare(self) -> None:
        with self._writing() as database:
            (found,) = database.execute("PRAGMA user_version").fetchone()
            if found > _SCHEMA:
                raise UnusableStore(
                    f"The functions in {self._path} were stored by a later version of Gradwire, "
                    f"in schema {found}; this one knows up to {_SCHEMA}."
                )
            if not found:
                for statement in _TABLES.split(";"):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {_SCHEMA}")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; nothing of it stays if the block raises."""
        with self._write_lock:
            # From the start as a writer, so that what is read in it is still so when it ends.
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    def _read(self, query: str, *parameters: Any) -> list[Any]:
        with self._read_lock:
            return self._reader.execute(query, parameters).fetchall()

    def put(self, version: Version, room: Room, condition: Condition) -> str | None:
        """Makes a version the current one."""
        key = version.owner, version.name
        with self._writing() as database:
            before = _hash(database, *key)
            condition(before)
            known = database.execute(
                "SELECT document FROM version WHERE owner = ? AND name = ? AND hash = ?", (*key, version.hash)
            ).fetchone()
            if known is None:
                count, size = database.execute("SELECT count(*), coalesce(sum(length(document)), 0) FROM version").fetchone()
                (of_owner,) = database.execute("SELECT count(*) FROM version WHERE owner = ?", (version.owner,)).fetchone()
                check_room(count, of_owner, size + len(version.document), room)
                row = (*key, version.hash, version.document, version.created_at)
                database.execute("INSERT INTO version VALUES (?, ?, ?, ?, ?)", row)
            elif known[0] != version.document:
                query = "UPDATE version SET document = ? WHERE owner = ? AND name = ? AND hash = ?"
                database.execute(query, (version.document, *key, version.hash))
            if before != version.hash:
                database.execute("INSERT OR REPLACE INTO current VALUES (?, ?, ?)", (*key, version.hash))
            return before

    def delete(self, owner: str, name: str, hash: str | None, condition: Condition) -> bool:
        """Forgets a function, or one version of it."""
        with self._writing() as database:
            condition(_hash(database, owner, name))
            if hash is not None:
                query = "DELETE FROM version WHERE owner = ? AND name = ? AND hash = ?"
                return database.execute(query, (owner, name, hash)).rowcount > 0
            database.execute("DELETE FROM current WHERE owner = ? AND name = ?", (owner, name))
            return database.execute("DELETE FROM version WHERE owner = ? AND name = ?", (owner, name)).rowcount > 0

    def get(self, owner: str, name: str, hash: str | None = None) -> Version | None:
        """The current version of a function, or another one."""
        if hash is None:
            rows = self._read(f"{_CURRENT} WHERE owner = ? AND name = ?", owner, name)
        else:
            rows = self._read(f"SELECT {_COLUMNS} FROM version WHERE owner = ? AND name = ? AND hash = ?", owner, name, hash)
        return Version(*rows[0]) if rows else None

    def versions(self, owner: str, name: str) -> Sequence[Version]:
        """All versions of a function."""
        rows = self._read(f"SELECT {_COLUMNS} FROM version WHERE owner = ? AND name = ? ORDER BY created_at, rowid", owner, name)
        return [Version(*row) for row in rows]

    def page(self, owner: str, after: str, limit: int) -> Sequence[Version]:
        """The current versions of some functions of an owner."""
        rows = self._read(f"{_CURRENT} WHERE owner = ? AND name > ? ORDER BY name LIMIT ?", owner, after, limit)
        return [Version(*row) for row in rows]

    def generation(self) -> int:
        """A number that is another one whenever a connection has changed the file, of this process or of another one."""
        # It counts what others than the connection that asks have done, and the one that reads does nothing.
        number: int = self._read("PRAGMA data_version")[0][0]
        return number

    def close(self) -> None:
        """Closes the file."""
        with self._read_lock, self._write_lock:
            self._reader.close()
            self._writer.close()


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    # Readers and a writer at a time; and a commit is on the disk before it is acknowledged.
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    return database


def _hash(database: sqlite3.Connection, owner: str, name: str) -> str | None:
    row = database.execute("SELECT hash FROM current WHERE owner = ? AND name = ?", (owner, name)).fetchone()
    return row[0] if row else None
