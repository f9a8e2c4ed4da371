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
from invoice_service.invoices import routes as invoices
from invoice_service.invoices.overdue import write_overdue
from invoice_service.items import routes as items
from invoice_service.merging import routes as merging
from invoice_service.organizations import routes as organizations
from invoice_service.organizations.service import ensure_default
from invoice_service.payments import routes as payments
from invoice_service.plans import routes as plans
from invoice_service.sending import routes as sending
from invoice_service.sending.courier import FAULT_PAUSE_SECONDS
from invoice_service.sending.ways_out import courier_of
from invoice_service.settings import InvoiceSettings
from invoice_service.site import SITE
from invoice_service.statements import routes as statements


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
        routers=(
            plans.router,
            organizations.router,
            items.router,
            customers.router,
            merging.router,
            crm_routes.router,
            estimates.router,
            invoices.router,
            payments.router,
            statements.router,
            sending.router,
        ),
        has_people=True,
        site=SITE,
        publishes=True,
        jobs=_jobs,
        on_start=make_default_organization,
        bus=bus,
        http=http,
    )


def _jobs(service: Service) -> Sequence[Job]:
    async def expire() -> None:
        await expire_estimates(service.database, utc_now().date())

    async def fall_overdue() -> None:
        await write_overdue(service.database, utc_now().date())

    jobs = [Job("expire estimates", EVERY_SECONDS, expire), Job("overdue invoices", EVERY_SECONDS, fall_overdue)]
    if (courier := courier_of(service)) is not None:
        jobs.append(Job("send e-mails", FAULT_PAUSE_SECONDS, courier.run))
    return jobs


def main() -> None:
    """Run the service until it is told to stop."""
    run(create_app, InvoiceSettings)
