"""Is it alive, can it work, and how is it doing: ``/health/live``, ``/health/ready``, ``/metrics``."""

import asyncio
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

if TYPE_CHECKING:
    from servicekit.service import Service

SLOW_RELAY_SECONDS = 60


router = APIRouter(tags=["operations"])


@router.get("/", include_in_schema=False)
async def root() -> RedirectResponse:
    return RedirectResponse("/docs")


@router.get("/health/live")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/health/ready")
async def ready(request: Request) -> JSONResponse:
    """Whether requests can be served: 503 if the database does not answer.

    A bus that is away, or a relay that lags, is told as ``degraded`` with 200: the service goes on taking
    requests meanwhile, events wait in the outbox.
    """
    service: Service = request.app.state.service
    checks: dict[str, Any] = {"database": await _database(service)}
    if checks["database"] == "ok":
        lag = await service.relay.lag() if service.relay else 0.0
        checks["bus"] = await service.bus.healthy() or "ok"
        checks["relay_lag_seconds"] = round(lag, 3)
    degraded = checks.get("bus") != "ok" or checks["relay_lag_seconds"] > SLOW_RELAY_SECONDS
    if checks["database"] != "ok":
        return JSONResponse({"status": "unavailable", "checks": checks}, 503)
    return JSONResponse({"status": "degraded" if degraded else "ok", "checks": checks})


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Prometheus metrics; asks for METRICS_TOKEN or any token of this service."""
    service: Service = request.app.state.service
    if service.relay:
        service.metrics.outbox_age.set(await service.relay.lag())
    return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _database(service: "Service") -> str:
    try:
        async with asyncio.timeout(3), service.database.reading() as session:
            await session.execute(text("SELECT 1"))
    except Exception as error:
        return f"does not answer ({type(error).__name__})"
    return "ok"
