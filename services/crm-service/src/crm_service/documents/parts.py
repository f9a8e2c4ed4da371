"""What the documents need besides the database: made once, and given to routes."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from servicekit.db import Database
from servicekit.service import Service, service_of

from crm_service.documents.clients import Invoice, Sync


@dataclass(frozen=True)
class Parts:
    """The CRM's database, and the services that it asks."""

    database: Database
    invoice: Invoice
    sync: Sync

    @classmethod
    def of(cls, service: Service) -> "Parts":
        """The service's parts; the same ones at every call."""
        if "documents" not in service.state:
            invoice, sync = Invoice(service.client("invoice")), Sync(service.client("sync"))
            service.state["documents"] = cls(service.database, invoice, sync)
        parts: Parts = service.state["documents"]
        return parts


async def _parts(request: Request) -> Parts:
    return Parts.of(service_of(request))


CurrentParts = Annotated[Parts, Depends(_parts)]
"""The running CRM's parts, for routes."""
