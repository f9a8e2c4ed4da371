"""``/v1/stages``."""

from fastapi import APIRouter
from servicekit.auth import Viewer
from servicekit.pagination import Page
from servicekit.sessions import ReadSession

from crm_service.stages import queries
from crm_service.stages.schemas import StageOut

router = APIRouter(tags=["potentials"])


@router.get("/v1/stages")
async def list_stages(session: ReadSession, _: Viewer) -> Page[StageOut]:
    """The pipeline, in order; there is only one page."""
    pipeline = await queries.pipeline(session)
    return Page(items=[StageOut.model_validate(stage) for stage in pipeline.stages])
