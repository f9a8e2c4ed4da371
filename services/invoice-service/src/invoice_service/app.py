"""Puts invoice-service together."""

from collections.abc import Sequence

import httpx
from fastapi import FastAPI
from servicekit.bus import Bus
from servicekit.db import utc_now
from servicekit.jobs import Job
from servicekit.service import Service, create_service, run

from invoice_service.customers import crm_routes
from invoice_service.customers import routes as customers
from invoice_service.estimates import routes as estimates
from invoice_service.estimates.expiry import EVERY_SECONDS, expire_estimates
from invoice_service.organizations import routes as organizations
from invoice_service.organizations.service import ensure_default
from invoice_service.settings import InvoiceSettings


def create_app(settings: InvoiceSettings, *, bus: Bus | None = None, http: httpx.AsyncClient | None = None) -> FastAPI:
    """The service as an app. ``bus`` and ``http`` take the place of those that the settings name."""

    async def make_default_organization(service: Service) -> None:
        await ensure_default(
            service.database, name=settings.invoice_organization_name, currency_code=settings.invoice_currency
        )

    return create_service(
        settings,
        name="invoice",
        title="Invoice",
        package="invoice_service",
        routers=(organizations.router, customers.router, crm_routes.router, estimates.router),
        has_people=True,
        publishes=True,
        jobs=_jobs,
        on_start=make_default_organization,
        bus=bus,
        http=http,
    )


def _jobs(service: Service) -> Sequence[Job]:
    async def expire() -> None:
        await expire_estimates(service.database, utc_now().date())

    return [Job("expire estimates", EVERY_SECONDS, expire)]


def main() -> None:
    """Run the service until it is told to stop."""
    run(create_app, InvoiceSettings)
