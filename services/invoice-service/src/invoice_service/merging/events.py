"""What is told of merges."""

from contracts.customers import CustomerMerged, MergedCustomerSnapshot

from invoice_service.customers import events
from invoice_service.customers.queries import WholeCustomer


def merged(gone: WholeCustomer, into_id: str) -> CustomerMerged:
    """A customer was merged into another one; ``gone`` is what is left of it."""
    snapshot = events.updated(gone).data
    return CustomerMerged(data=MergedCustomerSnapshot(**dict(snapshot), merged_into=into_id))
