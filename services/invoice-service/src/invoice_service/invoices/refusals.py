"""Why something cannot be done with an invoice."""

from servicekit.errors import Conflict, NotFound


class InvoiceNotFound(NotFound):
    code = "invoice_not_found"


class InvoiceTransitionRefused(Conflict):
    code = "invoice_transition_refused"


class InvoiceHasPayments(Conflict):
    code = "invoice_has_payments"


class InvoiceVoid(Conflict):
    code = "invoice_void"


class InvoiceAlreadyPaid(Conflict):
    code = "invoice_already_paid"


class InvoiceNotSent(Conflict):
    code = "invoice_not_sent"


class InvoiceNotDeletable(Conflict):
    code = "invoice_not_deletable"


class InvoiceNotLocked(Conflict):
    code = "invoice_not_locked"


class InvoiceLockedForWorkflow(Conflict):
    """S17: a person has changed its status; the workflow leaves it alone for good."""

    code = "invoice_locked_for_workflow"


class TotalBelowPaid(Conflict):
    code = "total_below_paid"


class NoCredit(Conflict):
    code = "no_credit"


class PaymentExceedsBalance(Conflict):
    code = "payment_exceeds_balance"
