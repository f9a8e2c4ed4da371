"""The workflow service: potentials in the CRM become estimates or invoices in Invoice."""

from collections.abc import Sequence

import httpx
from contracts.topology import WORKFLOW_POTENTIALS
from fastapi import FastAPI
from servicekit.bus import Bus
from servicekit.bus.consumer import Subscription
from servicekit.service import Service, create_service, run

from workflow_service import runs
from workflow_service.routes import router, workflow_of
from workflow_service.settings import WorkflowSettings


def create_app(settings: WorkflowSettings, *, bus: Bus | None = None, http: httpx.AsyncClient | None = None) -> FastAPI:
    """Put the service together; see `servicekit.service.create_service`."""
    return create_service(
        settings,
        name="workflow",
        title="Workflow",
        package="workflow_service",
        routers=[router],
        subscriptions=_subscriptions,
        bus=bus,
        http=http,
    )


def _subscriptions(service: Service) -> Sequence[Subscription]:
    return [
        Subscription(WORKFLOW_POTENTIALS, handle=workflow_of(service).handle, concurrency=8, given_up=runs.given_up)
    ]


def main() -> None:
    """Run this service by itself."""
    run(create_app, WorkflowSettings)
