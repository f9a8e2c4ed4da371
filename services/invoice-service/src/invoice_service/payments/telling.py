"""Payments as events tell of them."""

from collections.abc import Iterable, Sequence
from typing import Any

from contracts.payments import PaymentUpdated
from servicekit import outbox
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import queries as customers
from invoice_service.payments import events, queries
from invoice_service.payments.models import Payment
from invoice_service.payments.queries import WholePayment


async def snapshots(session: AsyncSession, found: Sequence[WholePayment]) -> list[Any]:
    """The payments as events tell of them; in one statement for all."""
    keys: dict[str, tuple[str, str | None]] = {whole.payment.id: (whole.payment.customer_id, None) for whole in found}
    links = await customers.links_of_documents(session, keys.values())
    return [events.snapshot(whole.payment, whole.allocations, links[keys[whole.payment.id]]) for whole in found]


async def updated(session: AsyncSession, found: Sequence[WholePayment]) -> None:
    """Tell of payments that changed."""
    outbox.record_all(session, [PaymentUpdated(data=one) for one in await snapshots(session, found)])


async def updated_by_id(session: AsyncSession, payment_ids: Iterable[str]) -> None:
    """Tell of payments that changed, read anew; a fixed number of statements."""
    found = select(Payment).where(Payment.id.in_(list(payment_ids))).order_by(Payment.id)
    payments = (await session.execute(found, execution_options={"populate_existing": True})).scalars().all()
    allocations = await queries.allocations_of(session, [payment.id for payment in payments])
    await updated(session, [WholePayment(payment, allocations[payment.id]) for payment in payments])
