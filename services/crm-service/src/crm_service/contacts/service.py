"""What one can do with contacts."""

from collections.abc import Mapping
from typing import Any

from servicekit.db import utc_now
from servicekit.etags import check_version
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service import records, restoring
from crm_service.accounts import service as accounts
from crm_service.contacts import events
from crm_service.contacts.models import Contact


class ContactNotFound(records.RecordNotFound):
    code = "contact_not_found"


async def get(session: AsyncSession, contact_id: str, *, lock: bool = False) -> Contact:
    """The contact. Raises `ContactNotFound`, also if it was deleted."""
    return await records.get(session, Contact, contact_id, ContactNotFound, lock=lock)


async def require(session: AsyncSession, contact_id: str | None) -> None:
    """Make sure that one may refer to this contact until the transaction ends; None refers to none.

    Raises `Invalid` with the field ``contact_id``.
    """
    if contact_id is not None and not await records.hold(session, Contact, [contact_id]):
        raise records.bad_reference("contact", contact_id)


async def create(session: AsyncSession, values: Mapping[str, Any]) -> Contact:
    """A new contact. Raises `Invalid` if its account is not there."""
    await accounts.require(session, values["account_id"])
    contact = Contact(**values)
    await records.add(session, [contact], events.created)
    return contact


async def edit(
    session: AsyncSession, contact_id: str, changes: Mapping[str, Any], expected_version: int | None
) -> Contact:
    """Change these fields. Raises `ContactNotFound`, `PreconditionFailed` if the version is another one, and
    `Invalid` if its new account is not there."""
    await accounts.require(session, changes.get("account_id"))
    contact = await get(session, contact_id, lock=True)
    check_version(expected_version, contact.version)
    if contact.change(changes, utc_now()):
        await records.save(session, contact, events.updated(contact))
    return contact


async def leave_account(session: AsyncSession, account_id: str) -> None:
    """All contacts of an account that is being deleted stand alone from now on (S25)."""
    await restoring.leave(session, Contact, "account_id", account_id, events.updated)


async def rejoin_account(session: AsyncSession, account_id: str) -> None:
    """The contacts that stand alone since their account was deleted belong to it again: it is being restored."""
    await restoring.rejoin(session, Contact, "account_id", account_id, events.updated)
