"""What this service is made of besides its database: made at start, and given to routes, handler and jobs."""

from dataclasses import dataclass

from prometheus_client import Gauge
from servicekit.db import Database
from servicekit.service import Service

from sync_service.clients.crm import Crm
from sync_service.clients.invoice import Invoice
from sync_service.importing.worker import Worker
from sync_service.runs import queries
from sync_service.schedule import Schedule
from sync_service.settings import SyncSettings


@dataclass(frozen=True)
class Parts:
    """The clients of the other services, the worker that carries out runs, and the schedule that starts some."""

    database: Database
    crm: Crm
    invoice: Invoice
    worker: Worker
    schedule: Schedule
    differences: Gauge

    @classmethod
    def of(cls, service: Service) -> "Parts":
        """The service's parts; the same ones at every call."""
        if "parts" not in service.state:
            service.state["parts"] = cls._made(service)
        parts: Parts = service.state["parts"]
        return parts

    @classmethod
    def _made(cls, service: Service) -> "Parts":
        settings = service.settings
        assert isinstance(settings, SyncSettings)
        crm, invoice = Crm(service.client("crm")), Invoice(service.client("invoice"))
        worker = Worker(
            service.database,
            crm,
            invoice,
            delays=settings.retry_delays,
            lease_seconds=settings.sync_lease_seconds,
        )
        gauge = Gauge(
            "sync_differences",
            "Records that differ between CRM and Invoice, as of the last check or mending",
            registry=service.metrics.registry,
        )
        schedule = Schedule(service.database, check_hours=settings.sync_check_hours)
        return cls(service.database, crm, invoice, worker, schedule, gauge)

    async def start_what_is_due(self) -> None:
        """Have an import or a check carried out, if it is time for one."""
        if await self.schedule.start_what_is_due():
            self.worker.wake()

    async def tick(self) -> None:
        """What is done every few seconds: start what is due, and show what the last check found."""
        await self.start_what_is_due()
        async with self.database.reading() as session:
            last = await queries.latest(session, ["check", "mend"], completed=True)
        if last is not None:
            self.differences.set(last.failed + (last.changes if last.kind == "check" else 0))
