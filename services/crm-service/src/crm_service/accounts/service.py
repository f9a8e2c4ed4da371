"""What one can do with accounts."""

from collections.abc import Mapping
from typing import Any

from servicekit.db import utc_now
from servicekit.etags import check_version
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service import records
from crm_service.accounts import events
from crm_service.accounts.models import Account


class AccountNotFound(records.RecordNotFound):
    code = "account_not_found"


async def get(session: AsyncSession, account_id: str, *, lock: bool = False) -> Account:
    """The account. Raises `AccountNotFound`, also if it was deleted."""
    return await records.get(session, Account, account_id, AccountNotFound, lock=lock)


async def require(session: AsyncSession, account_id: str | None) -> None:
    """Make sure that one may refer to this account until the transaction ends; None refers to none.

    Raises `Invalid` with the field ``account_id``.
    """
    if account_id is not None and not await records.hold(session, Account, [account_id]):
        raise records.bad_reference("account", account_id)


async def create(session: AsyncSession, values: Mapping[str, Any]) -> Account:
    """A new account."""
    account = Account(**values)
    await records.add(session, [account], events.created)
    return account


async def edit(
    session: AsyncSession, account_id: str, changes: Mapping[str, Any], expected_version: int | None
) -> Account:
    """Change these fields. Raises `AccountNotFound`, and `PreconditionFailed` if the version is another one."""
    account = await get(session, account_id, lock=True)
    check_version(expected_version, account.version)
    if account.change(changes, utc_now()):
        await records.save(session, account, events.updated(account))
    return account
