"""What may be done with an estimate now, and why not: by the same rules that refuse it when it is tried."""

import datetime

from contracts.documents import EstimateStatus
from pydantic import BaseModel
from servicekit.errors import Conflict

from invoice_service.estimates.models import Estimate

STATUS_ACTIONS: tuple[EstimateStatus, ...] = ("sent", "accepted", "declined")


class AllowedAction(BaseModel):
    """``reason``: why not, if it is not allowed."""

    action: str
    allowed: bool
    reason: str | None = None


def allowed_actions(estimate: Estimate, today: datetime.date, newest_number: int) -> list[AllowedAction]:
    """Every action, with whether it is possible now."""
    refusals: dict[str, Conflict | None] = {
        "edit": estimate.refuse_edit(),
        "delete": estimate.refuse_delete(newest_number),
    }
    refusals |= {status: estimate.refuse_status(status, today) for status in STATUS_ACTIONS}
    return [
        AllowedAction(action=action, allowed=refusal is None, reason=refusal.detail if refusal else None)
        for action, refusal in refusals.items()
    ]
