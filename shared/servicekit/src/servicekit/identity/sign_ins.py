"""Browsers that someone is signed in with.

Guarantee: a cookie counts only while its row is there, so signing out, being deactivated and a new password end it at
once. It ends by itself when it was not used for `IDLE`, and `LONGEST` after signing in.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Principal
from servicekit.db import Database, utc_now
from servicekit.identity.models import SignIn, User, token_hash

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=14)
_NOTED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class Visitor:
    """Who is signed in with a browser. ``name``: as they are called, or their e-mail address."""

    principal: Principal
    name: str


async def begin(session: AsyncSession, user: User) -> str:
    """Sign a browser in; gives the secret for its cookie."""
    secret = secrets.token_urlsafe(32)
    session.add(SignIn(secret_hash=token_hash(secret), user_id=user.id))
    await session.flush()
    return secret


async def end(session: AsyncSession, secret: str) -> None:
    """Sign a browser out; its cookie is worth nothing any more."""
    await session.execute(delete(SignIn).where(SignIn.secret_hash == token_hash(secret)))


async def end_all(session: AsyncSession, user_id: str) -> None:
    """Sign a user out everywhere."""
    await session.execute(delete(SignIn).where(SignIn.user_id == user_id))


async def recognise(database: Database, secret: str) -> Visitor | None:
    """Who is signed in with the browser whose cookie bears ``secret``; None if nobody is, or not any more."""
    now = utc_now()
    async with database.reading() as session:
        statement = (
            select(SignIn, User)
            .join(User, User.id == SignIn.user_id)
            .where(SignIn.secret_hash == token_hash(secret), *_counting(now))
        )
        row = (await session.execute(statement)).first()
    if row is None:
        return None
    found, user = row
    if now - found.seen_at > _NOTED_EVERY:
        async with database.transaction() as session:
            seen = update(SignIn).where(SignIn.secret_hash == found.secret_hash).values(seen_at=now)
            await session.execute(seen)
    return Visitor(Principal(id=user.id, name=user.email, role=user.role), user.name or user.email)


async def still_signed_in(session: AsyncSession, secrets_: set[str]) -> set[str]:
    """Those of the secrets whose cookies still count, found by one statement."""
    by_hash = {token_hash(secret): secret for secret in secrets_}
    statement = select(SignIn.secret_hash).join(User, User.id == SignIn.user_id)
    found = await session.scalars(statement.where(SignIn.secret_hash.in_(by_hash), *_counting(utc_now())))
    return {by_hash[secret_hash] for secret_hash in found}


def _counting(now: datetime) -> list[ColumnElement[bool]]:
    return [SignIn.seen_at > now - IDLE, SignIn.created_at > now - LONGEST, User.is_active.is_(True)]


async def forget_ended(database: Database) -> None:
    """Remove the rows that count no more."""
    now = utc_now()
    async with database.transaction() as session:
        ended = (SignIn.seen_at <= now - IDLE) | (SignIn.created_at <= now - LONGEST)
        await session.execute(delete(SignIn).where(ended))
