"""Finding accounts."""

from collections.abc import Collection, Mapping

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

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
