"""Events of documents, as they happen in Invoice (S2)."""

from collections.abc import Sequence

from servicekit.bus.consumer import BatchHandler, Received
from servicekit.db import Database

from crm_service.documents import reflection
from crm_service.documents.models import Told


def create_handler(database: Database) -> BatchHandler:
    """The handler of document events: of each document the newest one is taken in, all in one transaction."""

    async def handle(received: Sequence[Received]) -> Sequence[Exception | None]:
        async with database.transaction() as session:
            await reflection.take_in(session, [Told.by_event(one.event.data) for one in received])
        return [None] * len(received)

    return handle
