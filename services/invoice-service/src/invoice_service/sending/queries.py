"""Reading deliveries."""

from servicekit.errors import NotFound
from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.sending.models import Delivery, DeliveryStatus


class DeliveryNotFound(NotFound):
    code = "delivery_not_found"


async def find(session: AsyncSession, organization_id: str, delivery_id: str, *, lock: bool = False) -> Delivery:
    """One delivery; ``lock``: until the transaction ends. Raises `DeliveryNotFound`."""
    statement = select(Delivery).where(Delivery.organization_id == organization_id, Delivery.id == delivery_id)
    delivery = (await session.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()
    if delivery is None:
        raise DeliveryNotFound(f"there is no delivery {delivery_id} in this organization", delivery_id=delivery_id)
    return delivery


async def page(
    session: AsyncSession,
    organization_id: str,
    request: PageRequest,
    *,
    status: DeliveryStatus | None = None,
    document_id: str | None = None,
) -> tuple[list[Delivery], str | None]:
    """A page of deliveries, newest first."""
    statement = select(Delivery).where(Delivery.organization_id == organization_id)
    if status is not None:
        statement = statement.where(Delivery.status == status)
    if document_id is not None:
        statement = statement.where(Delivery.document_id == document_id)
    return await fetch_page(session, statement, keys=[Delivery.id], page=request, key_of=lambda delivery: [delivery.id])
