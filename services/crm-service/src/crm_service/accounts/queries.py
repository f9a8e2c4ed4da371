"""Finding accounts."""

from collections.abc import Collection, Mapping

from servicekit.pagination import PageRequest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service import records
from crm_service.accounts.models import Account
from crm_service.records import batches


async def ids_by_name(session: AsyncSession, names: Collection[str]) -> Mapping[str, str | None]:
    """Each of ``names`` that an account bears, to the letter → its id; None if several accounts bear it."""
    found: dict[str, str | None] = {}
    lowest, highest = func.min(Account.id), func.max(Account.id)
    for some in batches(sorted(names)):
        statement = select(Account.account_name, lowest, highest).group_by(Account.account_name)
        for name, first, last in await session.execute(statement.where(Account.account_name.in_(some), Account.live())):
            found[name] = first if first == last else None
    return found


async def names(session: AsyncSession, ids: Collection[str | None]) -> Mapping[str, str]:
    """The names of these accounts, by their ids."""
    statement = select(Account.id, Account.account_name).where(Account.id.in_({each for each in ids if each}))
    return {row.id: row.account_name for row in await session.execute(statement)}


async def choices(session: AsyncSession, q: str | None = None, chosen: str = "") -> list[tuple[str, str]]:
    """Some accounts to choose, as (id, name): those that ``q`` finds, else the newest; ``chosen`` is among them."""
    found, _ = await records.page_of(session, Account, PageRequest(limit=records.CHOICES, after=None), q)
    some = [(account.id, account.account_name) for account in found]
    if chosen and chosen not in dict(some):
        some = [*(await names(session, [chosen])).items(), *some]
    return some
