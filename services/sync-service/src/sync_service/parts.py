"""What this service is made of besides its database: made at start, and given to routes, handler and jobs."""

from dataclasses import dataclass

from servicekit.service import Service

from sync_service.clients import Crm, Invoice
from sync_service.importing import Importer


@dataclass(frozen=True)
class Parts:
    """The clients of the other services, and the worker that carries out imports."""

    crm: Crm
    invoice: Invoice
    importer: Importer

    @classmethod
    def of(cls, service: Service) -> "Parts":
        """The service's parts; the same ones at every call."""
        if "parts" not in service.state:
            crm, invoice = Crm(service.client("crm")), Invoice(service.client("invoice"))
            importer = Importer(service.database, crm, invoice, delays=service.settings.retry_delays)
            service.state["parts"] = cls(crm, invoice, importer)
        parts: Parts = service.state["parts"]
        return parts
