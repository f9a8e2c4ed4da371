"""The CRM, put together."""

import datetime
from collections.abc import Sequence

import httpx
from contracts.topology import CRM_DOCUMENTS
from fastapi import FastAPI
from servicekit.bus import Bus
from servicekit.bus.consumer import Subscription
from servicekit.db import utc_now
from servicekit.jobs import Job
from servicekit.service import Service, create_service, run

from crm_service.accounts.routes import router as accounts
from crm_service.contacts.routes import router as contacts
from crm_service.deletion.routes import router as deletion
from crm_service.documents import reflection
from crm_service.documents.handlers import create_handler
from crm_service.documents.parts import Parts
from crm_service.documents.routes import router as documents
from crm_service.export.routes import router as export
from crm_service.potentials.routes import router as potentials
from crm_service.settings import CrmSettings
from crm_service.setup.routes import router as setup
from crm_service.site import SITE
from crm_service.stages.routes import router as stages
from crm_service.zsc_keys.routes import router as zsc_keys

VERSIONS_KEPT = datetime.timedelta(days=90)
"""Of documents that are deleted or nobody's: longer than any event of theirs may be on its way."""


def create_app(settings: CrmSettings, *, bus: Bus | None = None, http: httpx.AsyncClient | None = None) -> FastAPI:
    """The CRM as an ASGI application; nothing connects before its lifespan begins."""
    return create_service(
        settings,
        name="crm",
        title="CRM",
        package="crm_service",
        routers=[accounts, contacts, potentials, stages, deletion, documents, zsc_keys, export, setup],
        has_people=True,
        site=SITE,
        publishes=True,
        subscriptions=_subscriptions,
        jobs=_jobs,
        bus=bus,
        http=http,
    )


def _subscriptions(service: Service) -> Sequence[Subscription]:
    return [Subscription(CRM_DOCUMENTS, handle_batch=create_handler(Parts.of(service)), batch_size=500)]


def _jobs(service: Service) -> Sequence[Job]:
    async def forget() -> None:
        async with service.database.transaction() as session:
            await reflection.forget_old(session, utc_now() - VERSIONS_KEPT)

    return [Job("forget versions of documents", 86400, forget)]


def main() -> None:
    """Run the CRM by itself."""
    run(create_app, CrmSettings)
