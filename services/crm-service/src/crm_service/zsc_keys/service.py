"""Making, revoking and recognising ZSC keys (S21)."""

import secrets

from servicekit.auth import Principal
from servicekit.db import Database, utc_now
from servicekit.errors import Forbidden, NotFound
from servicekit.identity.models import User
from servicekit.identity.service import find_user, token_hash
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service.zsc_keys.models import ZscKey

PREFIX = "zsc_"


class ZscKeyNotFound(NotFound):
    code = "zsc_key_not_found"


class PeopleOnly(Forbidden):
    """A key belongs to a person; a service asked for one."""

    code = "people_only"


class ZscEmailUnknown(Forbidden):
    """No CRM user has this e-mail address."""

    code = "zsc_email_unknown"


class ZscUserInactive(Forbidden):
    """The key's owner is deactivated."""

    code = "zsc_user_inactive"


class ZscKeyWrong(Forbidden):
    """There is no such key, or it is another user's, or none was sent."""

    code = "zsc_key_wrong"


class ZscKeyRevoked(Forbidden):
    code = "zsc_key_revoked"


async def create(session: AsyncSession, principal: Principal, name: str) -> tuple[ZscKey, str]:
    """A new key of this person: what is kept of it, and the key itself, to be shown this once. Raises `PeopleOnly`."""
    if principal.service is not None:
        raise PeopleOnly("a ZSC key belongs to a person; sign in as one")
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ZscKey(user_id=principal.id, name=name, prefix=secret[:12], key_hash=token_hash(secret))
    session.add(key)
    await session.flush()
    return key, secret


async def revoke(session: AsyncSession, key_id: str, principal: Principal) -> None:
    """Revoke a key of one's own, or as an administrator anyone's; at once, and for good. Raises `ZscKeyNotFound`."""
    statement = select(ZscKey).where(ZscKey.id == key_id).with_for_update()
    key = (await session.execute(statement)).scalar_one_or_none()
    if key is None or (key.user_id != principal.id and principal.role != "admin"):
        raise ZscKeyNotFound(f"there is no ZSC key {key_id}", id=key_id)
    key.revoke(utc_now())


async def verify(session: AsyncSession, email: str, zsc_key: str) -> tuple[ZscKey, User]:
    """The key and its owner, if it is this user's and both are active.

    Raises `ZscEmailUnknown`, `ZscUserInactive`, `ZscKeyWrong` or `ZscKeyRevoked`.
    """
    user = await find_user(session, email)
    if user is None:
        raise ZscEmailUnknown(f"no CRM user has the e-mail address {email}")
    # Looked up by its hash: how long that takes tells nothing of the key.
    statement = select(ZscKey).where(ZscKey.key_hash == token_hash(zsc_key), ZscKey.user_id == user.id)
    return _active((await session.execute(statement)).scalar_one_or_none(), user), user


async def check(session: AsyncSession, key_id: str) -> ZscKey:
    """The key of this id, if it is still good. Raises `ZscUserInactive`, `ZscKeyWrong` or `ZscKeyRevoked`."""
    key = await session.get(ZscKey, key_id)
    return _active(key, await session.get(User, key.user_id) if key else None)


async def note_use(database: Database, key: ZscKey) -> None:
    """Write down that the key was used just now, in a transaction of its own, unless that was done some moments ago."""
    now = utc_now()
    if not key.is_use_noted(now):
        async with database.transaction() as session:
            await session.execute(update(ZscKey).where(ZscKey.id == key.id).values(last_used_at=now))


def _active(key: ZscKey | None, user: User | None) -> ZscKey:
    if user is not None and not user.is_active:
        raise ZscUserInactive(f"the CRM user {user.email} is deactivated")
    if key is None or user is None:
        raise ZscKeyWrong("this is no ZSC key of this CRM user; make one in the CRM with POST /v1/zsc-keys")
    if key.revoked_at is not None:
        raise ZscKeyRevoked(f"the ZSC key {key.prefix}… was revoked; make a new one in the CRM")
    return key
