"""Who may read the feed."""

from dataclasses import dataclass

from servicekit.auth import Principal
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service.zsc_keys import service as zsc_keys


@dataclass(frozen=True)
class Shown:
    """What a request shows: the id of a key that was verified before, or a key and its owner's e-mail address."""

    key_id: str | None
    key: str | None
    email: str | None


async def check(session: AsyncSession, principal: Principal, shown: Shown) -> None:
    """Make sure that the caller may read. Only our own services may name a key by its id: the id is no secret.

    Raises `ZscKeyWrong`, `ZscKeyRevoked`, `ZscEmailUnknown` or `ZscUserInactive`.
    """
    if principal.service is not None and shown.key_id is not None:
        await zsc_keys.check(session, shown.key_id)
    elif shown.key is not None and shown.email is not None:
        await zsc_keys.verify(session, shown.email, shown.key)
    else:
        raise zsc_keys.ZscKeyWrong("no ZSC key was sent: send X-ZSC-Key, and its owner's e-mail address as X-ZSC-Email")
