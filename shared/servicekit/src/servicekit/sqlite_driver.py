"""aiosqlite, but short statements run where they are called, without a visit to the connection's thread.

A visit costs two switches between threads, and SQLAlchemy pays four visits a statement: far more than the statement
itself, which takes microseconds. What may wait for a lock or for the disk (beginning a write, committing), and what may
take long (a statement for many rows), still goes to the thread, so that the event loop never waits for it.

The connection is never used by two threads at once: each call is awaited before the next, and SQLite itself serialises
what a cancelled caller has left behind (`sqlite3.threadsafety` 3).
"""

import sqlite3
from collections.abc import Sequence
from functools import partial
from typing import Any

import aiosqlite

MAY_WAIT = ("BEGIN IMMEDIATE", "COMMIT")
MANY = 100
"""From how many rows, or parameters, on a statement goes to the thread."""


class _Cursor:
    """As much of a cursor as SQLAlchemy uses: it reads all rows of a statement at once anyway."""

    arraysize = 1

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._rows: Sequence[Any] = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> "_Cursor":
        return self

    async def execute(self, operation: str, parameters: Sequence[Any] = ()) -> "_Cursor":
        return await self._run("execute", operation, parameters)

    async def executemany(self, operation: str, parameters: Sequence[Sequence[Any]]) -> "_Cursor":
        return await self._run("executemany", operation, parameters)

    async def _run(self, method: str, operation: str, parameters: Any) -> "_Cursor":
        if operation in MAY_WAIT or len(parameters) >= MANY:
            visit: Any = self._connection._execute  # untyped there
            found = await visit(self._connection.run, method, operation, parameters)
        else:
            found = self._connection.run(method, operation, parameters)
        self.description, self._rows, self.rowcount, self.lastrowid = found
        return self

    async def fetchall(self) -> Sequence[Any]:
        rows, self._rows = self._rows, ()
        return rows

    async def close(self) -> None:
        self._rows = ()


class Connection(aiosqlite.Connection):
    """A connection whose cursors work so."""

    def cursor(self) -> _Cursor:  # type: ignore[override]
        return _Cursor(self)

    def run(self, method: str, operation: str, parameters: Any) -> tuple[Any, Sequence[Any], int, int | None]:
        """All that a statement gives."""
        cursor = self._conn.cursor()
        try:
            getattr(cursor, method)(operation, parameters)
            rows = cursor.fetchall() if cursor.description else ()
            return cursor.description, rows, cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()

    async def rollback(self) -> None:
        """Ends most reading transactions, too; never waits."""
        self._conn.rollback()


async def connect(path: str, *, busy_seconds: float) -> Connection:
    """Open the database file. Whoever uses the connection begins its transactions."""
    opener = partial(sqlite3.connect, path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    connection = Connection(opener, iter_chunk_size=64)
    connection._thread.daemon = True  # as SQLAlchemy does: a forgotten connection must not keep the process
    await connection
    return connection
