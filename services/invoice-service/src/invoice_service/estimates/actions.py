"""What may be done with an estimate now, and why not."""

import datetime

from contracts.documents import EstimateStatus
from servicekit.auth import Principal
from servicekit.errors import Problem

from invoice_service.allowed_actions import AllowedAction, listed
from invoice_service.documents.queries import WholeDocument
from invoice_service.estimates.models import Estimate

STATUS_ACTIONS: tuple[EstimateStatus, ...] = ("sent", "accepted", "declined")


def allowed_actions(whole: WholeDocument[Estimate], principal: Principal, today: datetime.date) -> list[AllowedAction]:
    """Every action, with whether it is possible now for this principal.

    What no document knows of is said when it is tried: a plan that is used up, a mail server that is not set up.
    """
    estimate = whole.document
    refusals: dict[str, Problem | None] = {
        "edit": estimate.refuse_edit(),
        "delete": estimate.refuse_delete(whole.newest_number),
    }
    refusals |= {status: estimate.refuse_status(status, today) for status in STATUS_ACTIONS}
    refusals |= {
        "send": estimate.refuse_send(today),
        "convert": estimate.refuse_convert(today) or whole.customer.refuse_use(),
    }
    return listed(refusals, principal, needing={})
