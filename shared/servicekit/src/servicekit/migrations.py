"""Migrations: one folder and one version table per service, run at start, under a lock.

Guarantee: of several processes starting at once, one migrates and the others wait; a migration that fails leaves the
database as it was.
"""

import asyncio
import importlib.util
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text

from servicekit.db import Database

_OPTIONS: dict[str, Any] = {"compare_type": True, "render_as_batch": True}


_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


def _alembic_is_one() -> asyncio.Lock:
    """Alembic keeps what it is doing in globals: services that share a process migrate one after another."""
    return _locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())


def _config(package: str) -> Config:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    config = Config()
    config.set_main_option("script_location", str(Path(spec.origin).parent / "migrations"))
    return config


async def migrate(database: Database, package: str) -> None:
    """Bring the database to the newest version of ``package``'s ``migrations`` folder."""
    config = _config(package)

    def upgrade(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            # SQLite needs none: our transactions there take the write lock when they begin.
            key = zlib.crc32(f"migrate {package}".encode())
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    async with _alembic_is_one(), database.engine.begin() as connection:
        await connection.run_sync(upgrade)


async def drift(database: Database, metadata: Sequence[MetaData]) -> list[Any]:
    """What the models declare and the migrated database does not have, or the other way round; empty if they agree."""

    def compare(connection: Connection) -> list[Any]:
        found = MigrationContext.configure(connection, opts=_OPTIONS)
        return list(compare_metadata(found, metadata))  # type: ignore[arg-type]

    async with database.engine.connect() as connection:
        return await connection.run_sync(compare)


async def generate(database: Database, package: str, message: str) -> None:
    """Write the next migration of ``package`` from the difference between its models and ``database``."""
    config = _config(package)

    def revision(connection: Connection) -> None:
        config.attributes["connection"] = connection
        number = len(list((Path(config.get_main_option("script_location") or "") / "versions").glob("*.py"))) + 1
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")

    async with database.engine.begin() as connection:
        await connection.run_sync(revision)


def run_in_env(metadata: Sequence[MetaData]) -> None:
    """What a service's ``migrations/env.py`` calls: run on the connection that `migrate` has opened and locked."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=list(metadata), **_OPTIONS)
    context.run_migrations()
