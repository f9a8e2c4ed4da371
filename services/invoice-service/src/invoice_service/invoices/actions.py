"""What may be done with an invoice now, and why not."""

import datetime

from contracts.documents import InvoiceStatus
from servicekit.auth import Principal
from servicekit.errors import Problem

from invoice_service.allowed_actions import AllowedAction, listed
from invoice_service.documents.queries import WholeDocument
from invoice_service.invoices.models import Invoice

STATUS_ACTIONS: tuple[InvoiceStatus, ...] = ("sent", "void", "draft")


def allowed_actions(whole: WholeDocument[Invoice], principal: Principal, today: datetime.date) -> list[AllowedAction]:
    """Every action, with whether it is possible now for this principal.

    What no document knows of is said when it is tried, as a mail server that is not set up.
    """
    invoice = whole.document
    refusals: dict[str, Problem | None] = {
        "edit": invoice.refuse_edit(),
        "delete": invoice.refuse_delete(whole.newest_number),
    }
    refusals |= {status: invoice.refuse_status(status, today) for status in STATUS_ACTIONS}
    refusals |= {
        "send": invoice.refuse_send(today),
        "record_payment": invoice.refuse_payment(),
        "apply_credits": invoice.refuse_credit(has_credit=whole.has_credit),
        "unlock": invoice.refuse_unlock(),
    }
    return listed(refusals, principal, needing={"unlock": "admin"})
