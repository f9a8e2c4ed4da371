"""What is told of payments."""

from collections.abc import Sequence

from contracts.customers import CrmLink
from contracts.payments import PaymentAllocationSnapshot, PaymentDeleted, PaymentSnapshot
from contracts.values import check_amount

from invoice_service.payments.models import Payment
from invoice_service.payments.queries import Allocated


def snapshot(payment: Payment, allocations: Sequence[Allocated], crm_links: tuple[CrmLink, ...]) -> PaymentSnapshot:
    """The payment as others see it."""
    currency = payment.currency_code
    return PaymentSnapshot(
        id=payment.id,
        version=payment.version,
        organization_id=payment.organization_id,
        customer_id=payment.customer_id,
        date=payment.date,
        amount=check_amount(payment.amount, currency),
        unused_amount=check_amount(payment.unused_amount, currency),
        currency_code=currency,
        payment_mode=payment.payment_mode,
        reference_number=payment.reference_number,
        allocations=tuple(
            PaymentAllocationSnapshot(invoice_id=one.invoice_id, amount=check_amount(one.amount, currency))
            for one in allocations
        ),
        crm_links=crm_links,
        updated_at=payment.updated_at,
    )


def deleted(last: PaymentSnapshot) -> PaymentDeleted:
    """A payment is gone; ``last`` is how it was."""
    return PaymentDeleted(data=last.model_copy(update={"deleted": True, "version": last.version + 1}))
