"""Contacts from CSV."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm_service import records
from crm_service.accounts.models import Account
from crm_service.accounts.queries import ids_by_name
from crm_service.contacts import events
from crm_service.contacts.models import Contact
from crm_service.contacts.schemas import NewContact
from crm_service.csv_import import Kind, Row, RowErrors
from crm_service.csv_import.references import check_ids, resolve_names
from crm_service.settings import CrmSettings


async def _resolve(session: AsyncSession, rows: Sequence[Row], errors: RowErrors, settings: CrmSettings) -> None:
    await resolve_names(rows, errors, noun="account", find=partial(ids_by_name, session))
    await check_ids(rows, errors, noun="account", hold=partial(records.hold, session, Account))


async def _insert(session: AsyncSession, values: Sequence[dict[str, Any]]) -> list[str]:
    contacts = [Contact(**each) for each in values]
    await records.add(session, contacts, events.created)
    return [contact.id for contact in contacts]


CONTACTS = Kind("contacts", NewContact, _resolve, _insert, lookups=("account_name",))
