"""Who may read the feed."""

from dataclasses import dataclass

from servicekit.auth import Principal
from servicekit.db import Database
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service.zsc_keys import service as zsc_keys
from crm_service.zsc_keys.models import ZscKey


@dataclass(frozen=True)
class Shown:
    """What a request shows: the id of a key that was verified before, or a key and its owner's e-mail address."""

    key_id: str | None
    key: str | None
    email: str | None


async def admit(database: Database, principal: Principal, shown: Shown) -> None:
    """Make sure that the caller may read, and note that their key was used.

    Only our own services may name a key by its id: the id is no secret. Raises `ZscKeyWrong`, `ZscKeyRevoked`,
    `ZscEmailUnknown` or `ZscUserInactive`.
    """
    async with database.reading() as session:
        key = await _key(session, principal, shown)
    await zsc_keys.note_use(database, key)


async def _key(session: AsyncSession, principal: Principal, shown: Shown) -> ZscKey:
    if principal.service is not None and shown.key_id is not None:
        return await zsc_keys.check(session, shown.key_id)
    if shown.key is not None and shown.email is not None:
        key, _ = await zsc_keys.verify(session, shown.email, shown.key)
        return key
    raise zsc_keys.ZscKeyWrong("no ZSC key was sent: send X-ZSC-Key, and its owner's e-mail address as X-ZSC-Email")
