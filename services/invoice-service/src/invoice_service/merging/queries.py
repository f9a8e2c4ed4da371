"""Reading the journal of merges."""

from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import queries as customers
from invoice_service.customers.models import Customer
from invoice_service.merging.models import Merge, MergeNotFound


async def find(session: AsyncSession, organization_id: str, merge_id: str) -> Merge:
    """One merge. Raises `MergeNotFound`."""
    statement = select(Merge).where(Merge.organization_id == organization_id, Merge.id == merge_id)
    merge = (await session.execute(statement)).scalar_one_or_none()
    if merge is None:
        raise MergeNotFound(f"there is no merge {merge_id} in this organization", merge_id=merge_id)
    return merge


async def page(
    session: AsyncSession, organization_id: str, customer_id: str, request: PageRequest
) -> tuple[list[Merge], str | None]:
    """A page of the merges that the customer, or one that was merged into it, was part of, the newest first.

    Raises `CustomerNotFound`.
    """
    customer = await customers.find(session, organization_id, customer_id)
    part_of_it = select(Customer.id).where(Customer.merged_into == customer.id)
    statement = select(Merge).where(
        Merge.organization_id == organization_id,
        or_(Merge.into_id == customer.id, Merge.from_id == customer.id, Merge.into_id.in_(part_of_it)),
    )
    return await fetch_page(session, statement, keys=[Merge.id], page=request, key_of=lambda merge: [merge.id])
