"""Deleting a record, which may concern those of other features.

After any of these, no record that is not deleted refers to a deleted one: what might be referring to it just now waits
for the lock, and then finds it deleted.
"""

from servicekit.db import utc_now
from servicekit.etags import check_version
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service import records
from crm_service.accounts import events as account_events
from crm_service.accounts import service as accounts
from crm_service.contacts import events as contact_events
from crm_service.contacts import service as contacts
from crm_service.potentials import events as potential_events
from crm_service.potentials import service as potentials


async def delete_account(session: AsyncSession, account_id: str, expected_version: int | None) -> None:
    """Delete an account; its contacts stand alone from now on, its potentials go on without it (S25).

    Raises `AccountNotFound`, and `PreconditionFailed` if the version is another one.
    """
    account = await accounts.get(session, account_id, lock=True)
    check_version(expected_version, account.version)
    account.delete(utc_now())
    await records.save(session, account, account_events.deleted(account))
    await contacts.leave_account(session, account.id)
    await potentials.leave_account(session, account.id)


async def delete_contact(session: AsyncSession, contact_id: str, expected_version: int | None) -> None:
    """Delete a contact; its potentials go on without it.

    Raises `ContactNotFound`, and `PreconditionFailed` if the version is another one.
    """
    contact = await contacts.get(session, contact_id, lock=True)
    check_version(expected_version, contact.version)
    contact.delete(utc_now())
    await records.save(session, contact, contact_events.deleted(contact))
    await potentials.leave_contact(session, contact.id)


async def delete_potential(session: AsyncSession, potential_id: str, expected_version: int | None) -> None:
    """Delete a potential.

    Raises `PotentialNotFound`, and `PreconditionFailed` if the version is another one.
    """
    potential = await potentials.get(session, potential_id, lock=True)
    check_version(expected_version, potential.version)
    potential.delete(utc_now())
    await records.save(session, potential, potential_events.deleted(potential))
