"""What may be done with an invoice now, and why not."""

import datetime

from contracts.documents import InvoiceStatus
from servicekit.auth import Principal
from servicekit.errors import Problem

from invoice_service.allowed_actions import AllowedAction, listed
from invoice_service.invoices.models import Invoice

STATUS_ACTIONS: tuple[InvoiceStatus, ...] = ("sent", "void", "draft")


def allowed_actions(
    invoice: Invoice, principal: Principal, today: datetime.date, newest_number: int
) -> list[AllowedAction]:
    """Every action, with whether it is possible now for this principal."""
    refusals: dict[str, Problem | None] = {
        "edit": invoice.refuse_edit(),
        "delete": invoice.refuse_delete(newest_number),
    }
    refusals |= {status: invoice.refuse_status(status, today) for status in STATUS_ACTIONS}
    refusals |= {
        "send": invoice.refuse_send(today),
        "record_payment": invoice.refuse_payment(),
        "apply_credits": invoice.refuse_payment(),
        "unlock": invoice.refuse_unlock(),
    }
    return listed(refusals, principal, needing={"unlock": "admin"})
