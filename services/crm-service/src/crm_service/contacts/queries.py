"""Listing contacts."""

from servicekit.pagination import PageRequest
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
