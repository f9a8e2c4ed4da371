"""Database sessions for routes.

Guarantee: what a route wrote is committed before its answer is sent; if the commit fails, the caller gets an error and
never a success. (With FastAPI's default dependency scope a failing commit still answered 201: decision record 1.)
"""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.db import Database


async def _database(request: Request) -> Database:
    return database_of(request)


def database_of(request: Request) -> Database:
    """The service's database: for routes that call other services and so must not hold a transaction meanwhile."""
    database: Database = request.app.state.service.database
    return database


async def _writing(request: Request) -> AsyncIterator[AsyncSession]:
    async with database_of(request).transaction() as session:
        yield session


async def _reading(request: Request) -> AsyncIterator[AsyncSession]:
    async with database_of(request).reading() as session:
        yield session


WriteSession = Annotated[AsyncSession, Depends(_writing, scope="function")]
"""Committed after the route, before the answer."""
ReadSession = Annotated[AsyncSession, Depends(_reading, scope="function")]
"""Reads only; never waits for a writer on SQLite."""
ServiceDatabase = Annotated[Database, Depends(_database)]
