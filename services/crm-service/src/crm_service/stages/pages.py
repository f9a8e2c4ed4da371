"""The page of stages."""

from fastapi import APIRouter
from servicekit.auth import Viewer
from servicekit.pages import CurrentPage
from servicekit.sessions import ReadSession
from starlette.responses import Response

from crm_service.stages import queries

router = APIRouter()


@router.get("/stages")
async def list_stages(page: CurrentPage, session: ReadSession, _: Viewer) -> Response:
    return page.render("stages/list.html", stages=(await queries.pipeline(session)).stages)
