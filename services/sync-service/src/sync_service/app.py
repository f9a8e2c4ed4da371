"""The sync service: the CRM's accounts and contacts become customers in Invoice."""

from collections.abc import Sequence

import httpx
from contracts.topology import SYNC_RECORDS
from fastapi import FastAPI
from servicekit.bus import Bus
from servicekit.bus.consumer import Subscription
from servicekit.jobs import Job
from servicekit.service import Service, create_service, run

from sync_service.handlers import create_handler
from sync_service.parts import Parts
from sync_service.routes import ROUTERS
from sync_service.settings import SyncSettings


def create_app(settings: SyncSettings, *, bus: Bus | None = None, http: httpx.AsyncClient | None = None) -> FastAPI:
    """Put the service together; see `servicekit.service.create_service`."""
    return create_service(
        settings,
        name="sync",
        title="Sync",
        package="sync_service",
        routers=ROUTERS,
        subscriptions=_subscriptions,
        jobs=_jobs,
        bus=bus,
        http=http,
    )


def _subscriptions(service: Service) -> Sequence[Subscription]:
    handler = create_handler(service.database, Parts.of(service).invoice)
    return [Subscription(SYNC_RECORDS, handle_batch=handler, batch_size=500)]


def _jobs(service: Service) -> Sequence[Job]:
    parts, settings = Parts.of(service), service.settings
    assert isinstance(settings, SyncSettings)
    return [Job("imports", 1, parts.worker.run), Job("what is due", settings.sync_look_seconds, parts.tick)]


def main() -> None:
    """Run this service by itself."""
    run(create_app, SyncSettings)
