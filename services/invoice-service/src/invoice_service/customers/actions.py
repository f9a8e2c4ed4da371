"""What may be done with a customer now, and why not: by the same rules that refuse it when it is tried."""

from servicekit.auth import Principal
from servicekit.errors import Problem

from invoice_service.allowed_actions import AllowedAction, listed
from invoice_service.customers.queries import WholeCustomer


def allowed_actions(whole: WholeCustomer, principal: Principal) -> list[AllowedAction]:
    """Every action, with whether it is possible now; whether a merge is depends on the customer to merge into, too."""
    refusals: dict[str, Problem | None] = {
        "edit": None,
        "delete": whole.customer.refuse_delete(imported=bool(whole.links)),
        "active": None,
        "inactive": None,
        "merge": None,
    }
    return listed(refusals, principal, {})
