"""Listing contacts."""

from collections.abc import Collection, Mapping

from servicekit.pagination import PageRequest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service import records
from crm_service.contacts.models import Contact


async def page(
    session: AsyncSession,
    page: PageRequest,
    *,
    q: str | None,
    account_id: str | None,
    standalone: bool | None,
    deleted: bool,
) -> tuple[list[Contact], str | None]:
    """One page of the contacts for which all that is given holds, and the next cursor."""
    conditions = []
    if account_id is not None:
        conditions.append(Contact.account_id == account_id)
    if standalone is not None:
        conditions.append(Contact.account_id.is_(None) if standalone else Contact.account_id.is_not(None))
    return await records.page_of(session, Contact, page, q, *conditions, deleted=deleted)


async def names(session: AsyncSession, ids: Collection[str | None]) -> Mapping[str, str]:
    """The full names of these contacts, by their ids."""
    found = await session.scalars(select(Contact).where(Contact.id.in_({each for each in ids if each})))
    return {contact.id: contact.full_name for contact in found}


async def choices(session: AsyncSession, q: str | None = None, chosen: str = "") -> list[tuple[str, str]]:
    """Some contacts to choose, as (id, name): those that ``q`` finds, else the newest; ``chosen`` is among them."""
    found, _ = await records.page_of(session, Contact, PageRequest(limit=records.CHOICES, after=None), q)
    some = [(contact.id, contact.full_name) for contact in found]
    if chosen and chosen not in dict(some):
        some = [*(await names(session, [chosen])).items(), *some]
    return some
