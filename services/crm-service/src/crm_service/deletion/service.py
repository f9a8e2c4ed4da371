"""Deleting and restoring a record, which may concern those of other features.

After any of these, no record that is not deleted refers to a deleted one: what might be referring to it just now waits
for the lock, and then finds it deleted.
"""

from servicekit.db import utc_now
from servicekit.etags import check_version
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service import records, restoring
from crm_service.accounts import events as account_events
from crm_service.accounts import service as accounts
from crm_service.accounts.models import Account
from crm_service.contacts import events as contact_events
from crm_service.contacts import service as contacts
from crm_service.contacts.models import Contact
from crm_service.potentials import events as potential_events
from crm_service.potentials import service as potentials
from crm_service.potentials.models import Potential


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


async def restore_account(session: AsyncSession, account_id: str, expected_version: int | None) -> Account:
    """Bring a deleted account back (S28), and to it the contacts and potentials that went on without it, unless they
    were given to another account or deleted meanwhile. One that is not deleted stays as it is.

    Raises `AccountNotFound`, and `PreconditionFailed` if the version of the deleted one is another one.
    """
    account, restored = await restoring.restore(
        session, Account, account_id, accounts.AccountNotFound, expected_version, account_events.updated
    )
    if restored:
        await contacts.rejoin_account(session, account.id)
        await potentials.rejoin_account(session, account.id)
    return account


async def restore_contact(session: AsyncSession, contact_id: str, expected_version: int | None) -> Contact:
    """Bring a deleted contact back (S28), to its account if that is there, and to it the potentials that went on
    without it, unless they were given to another contact or deleted meanwhile. One that is not deleted stays as it is.

    Raises `ContactNotFound`, and `PreconditionFailed` if the version of the deleted one is another one.
    """
    contact, restored = await restoring.restore(
        session, Contact, contact_id, contacts.ContactNotFound, expected_version, contact_events.updated
    )
    if restored:
        await potentials.rejoin_contact(session, contact.id)
    return contact


async def restore_potential(session: AsyncSession, potential_id: str, expected_version: int | None) -> Potential:
    """Bring a deleted potential back, in the stage it was in. One that is not deleted stays as it is.

    Raises `PotentialNotFound`, and `PreconditionFailed` if the version of the deleted one is another one.
    """
    potential, _ = await restoring.restore(
        session, Potential, potential_id, potentials.PotentialNotFound, expected_version, potential_events.updated
    )
    return potential
