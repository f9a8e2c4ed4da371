"""The pages of a service, put into its app."""

from collections.abc import Sequence

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import RedirectResponse
from starlette.routing import Route

from servicekit.pages.assets import PREFIX, assets_of
from servicekit.pages.csrf import SAFE, Signer, check_origin, check_token
from servicekit.pages.live import Live
from servicekit.pages.live import router as live_router
from servicekit.pages.page import Page
from servicekit.pages.site import Site
from servicekit.routing import routes_of


async def _guard(request: Request) -> None:
    """What every request that may change something goes through."""
    if request.method not in SAFE:
        check_origin(request)
        await check_token(request, request.app.state.signer, Page(request).bound_to)


_GUARDED = [Depends(_guard)]


def add_pages(app: FastAPI, site: Site, *, package: str, secret: str, live: Live, more: Sequence[APIRouter]) -> None:
    """Serve the pages of ``site``, whose templates and assets are in ``package``, and those of ``more``."""
    app.state.site = site
    app.state.package = package
    app.state.live = live
    app.state.signer = Signer(secret)

    async def home(_: Request) -> RedirectResponse:
        return RedirectResponse(site.home, 303)

    app.router.routes[:0] = [
        Route("/", home, include_in_schema=False),
        Route(f"{PREFIX}/{{name}}", assets_of(package).serve, include_in_schema=False),
    ]
    app.router.routes.extend(routes_of([*site.routers, *more, live_router], _GUARDED, in_schema=False))
