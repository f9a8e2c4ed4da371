"""Counting what a page asks the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from servicekit.db import Database
from sqlalchemy import event

_counted: ContextVar[list[str] | None] = ContextVar("counted", default=None)


@contextmanager
def counted(*databases: Database) -> Iterator[list[str]]:
    """The statements that requests within the block run on ``databases``, as they come; not what happens by itself
    meanwhile, such as sending events."""
    statements: list[str] = []
    token = _counted.set(statements)

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if _counted.get() is statements and not statement.startswith("BEGIN"):
            statements.append(statement)

    engines = [database.engine.sync_engine for database in databases]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
        _counted.reset(token)
