"""aiosqlite with one visit to its thread per statement, instead of four (open cursor, execute, fetch, close).

Each visit costs two thread switches, which is a fifth of all that an embedded process does. SQLAlchemy reads all rows
of a statement at once anyway.
"""

import sqlite3
from collections.abc import Sequence
from functools import partial
from typing import Any

import aiosqlite


class _Cursor:
    """As much of a cursor as SQLAlchemy uses; everything it gives was brought along by the one visit."""

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
        return await self._visit("execute", operation, parameters)

    async def executemany(self, operation: str, parameters: Sequence[Sequence[Any]]) -> "_Cursor":
        return await self._visit("executemany", operation, parameters)

    async def _visit(self, method: str, operation: str, parameters: Any) -> "_Cursor":
        visit: Any = self._connection._execute  # untyped there
        brought = await visit(self._connection.run, method, operation, parameters)
        self.description, self._rows, self.rowcount, self.lastrowid = brought
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
        """In the connection's thread: all that a statement gives."""
        cursor = self._conn.cursor()
        try:
            getattr(cursor, method)(operation, parameters)
            rows = cursor.fetchall() if cursor.description else ()
            return cursor.description, rows, cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


async def connect(path: str, *, busy_seconds: float) -> Connection:
    """Open the database file. Whoever uses the connection begins its transactions."""
    opener = partial(sqlite3.connect, path, timeout=busy_seconds, isolation_level=None)
    connection = Connection(opener, iter_chunk_size=64)
    connection._thread.daemon = True  # as SQLAlchemy does: a forgotten connection must not keep the process
    await connection
    return connection
