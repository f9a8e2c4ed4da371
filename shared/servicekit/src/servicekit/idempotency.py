"""Creating twice: a POST repeated with the same ``Idempotency-Key`` gives the first answer again and does nothing.

Guarantee: the key is stored in the transaction of the effect, so there is never one without the other. Two requests
with one key at once: the second waits for the first, on both databases.
"""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Row, String, Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import CurrentPrincipal
from servicekit.db import UtcDateTime, utc_now
from servicekit.errors import Conflict

metadata = MetaData()

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", String(300), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("status", Integer),
    Column("location", String(300)),
    Column("etag", String(64)),
    Column("body", LargeBinary),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)

LIFETIME = timedelta(days=30)


class IdempotencyKeyReused(Conflict):
    """The key was used before, for a request that said something else."""

    code = "idempotency_key_reused"


class Idempotency:
    """The request's ``Idempotency-Key``, if it has one, and what came of it."""

    def __init__(self, request: Request, scope: str, key: str | None) -> None:
        self._request = request
        self._scope = scope
        self._key = key

    async def once(self, session: AsyncSession, make: Callable[[], Awaitable[Response]]) -> Response:
        """Run ``make`` in ``session``, or give the answer that it gave the first time.

        Raises `IdempotencyKeyReused` if the key came with another body before.
        """
        if self._key is None:
            return await make()
        digest = hashlib.sha256(await self._request.body()).hexdigest()
        if (first := await claim(session, self._scope, self._key, digest)) is not None:
            return self._again(first, digest)
        response = await make()
        await session.execute(
            update(idempotency_keys)
            .where(idempotency_keys.c.scope == self._scope, idempotency_keys.c.key == self._key)
            .values(
                status=response.status_code,
                location=response.headers.get("location"),
                etag=response.headers.get("etag"),
                body=bytes(response.body),
            )
        )
        return response

    def _again(self, row: Row[Any], digest: str) -> Response:
        if row.request_hash != digest:
            raise IdempotencyKeyReused(
                f"Idempotency-Key {self._key!r} was used before for a different request; use a new key"
            )
        headers = {"Idempotency-Replayed": "true"}
        headers |= {name: value for name, value in (("Location", row.location), ("ETag", row.etag)) if value}
        return Response(row.body, row.status, headers=headers, media_type="application/json")


async def claim(session: AsyncSession, scope: str, key: str, digest: str) -> Row[Any] | None:
    """Take the key, and give None; or give what came of it, if it was taken before."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    # On PostgreSQL this waits for a transaction that is just inserting the same key.
    taken = await session.execute(
        insert(idempotency_keys)
        .values(scope=scope, key=key, request_hash=digest, created_at=utc_now())
        .on_conflict_do_nothing()
        .returning(idempotency_keys.c.key)
    )
    if taken.first() is not None:
        return None
    columns = idempotency_keys.c
    return (await session.execute(select(idempotency_keys).where(columns.scope == scope, columns.key == key))).one()


async def _idempotency(
    request: Request,
    principal: CurrentPrincipal,
    key: Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)] = None,
) -> Idempotency:
    # The same path means another collection in another organization, and another thing with `dry_run`.
    tenant = request.headers.get("x-organization-id", "")
    asked = "\n".join((principal.id, request.method, request.url.path, request.url.query, tenant))
    return Idempotency(request, hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest(), key)


Idempotent = Annotated[Idempotency, Depends(_idempotency)]


async def forget_old(session: AsyncSession) -> None:
    """Delete keys past their lifetime."""
    await session.execute(delete(idempotency_keys).where(idempotency_keys.c.created_at < utc_now() - LIFETIME))
