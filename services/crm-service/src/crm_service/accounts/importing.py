"""Accounts from CSV."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm_service import records
from crm_service.accounts import events
from crm_service.accounts.models import Account
from crm_service.accounts.schemas import NewAccount
from crm_service.csv_import import Kind, Row, RowErrors
from crm_service.settings import CrmSettings


async def _resolve(session: AsyncSession, rows: Sequence[Row], errors: RowErrors, settings: CrmSettings) -> None:
    """An account refers to nothing."""


async def _insert(session: AsyncSession, values: Sequence[dict[str, Any]]) -> list[str]:
    accounts = [Account(**each) for each in values]
    await records.add(session, accounts, events.created)
    return [account.id for account in accounts]


ACCOUNTS = Kind("accounts", NewAccount, _resolve, _insert)
