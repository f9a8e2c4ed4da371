"""Events of documents and customers, as they happen in Invoice (S2)."""

from collections.abc import Sequence

from contracts.customers import CustomerSnapshot
from servicekit.bus.consumer import BatchHandler, Received

from crm_service.documents import fetching, reflection
from crm_service.documents.models import Told, ToldCustomer
from crm_service.documents.parts import Parts


def create_handler(parts: Parts) -> BatchHandler:
    """The handler of Invoice's events: of each document and customer the newest one counts, all in one transaction.

    The documents of customers who became somebody in the CRM are fetched after it; where Invoice is away, their events
    are to be tried again.
    """

    async def handle(received: Sequence[Received]) -> Sequence[Exception | None]:
        told = [one.event.data for one in received]
        customers = [ToldCustomer.by(data) for data in told if isinstance(data, CustomerSnapshot)]
        documents = [Told.by_event(data) for data in told if not isinstance(data, CustomerSnapshot)]
        async with parts.database.transaction() as session:
            await reflection.take_in_customers(session, customers)
            await reflection.take_in(session, documents)
        failed = await fetching.fetch_customers(parts, {one.id for one in customers})
        return [failed.get(data.id) for data in told]

    return handle
