"""The page where one begins."""

from fastapi import APIRouter
from servicekit.auth import Viewer
from servicekit.pages import CurrentPage
from servicekit.sessions import ReadSession
from starlette.responses import Response

from invoice_service.organizations.current import CurrentOrganization

router = APIRouter(prefix="/home")


@router.get("")
async def show_home(page: CurrentPage, session: ReadSession, _: Viewer, organization: CurrentOrganization) -> Response:
    return page.render("home/home.html", organization=organization)
