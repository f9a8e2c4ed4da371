"""``/v1/plans``."""

from urllib.parse import quote

from fastapi import APIRouter, Response
from servicekit.answers import answer
from servicekit.auth import Admin, Viewer
from servicekit.etags import IfMatch
from servicekit.idempotency import Idempotent
from servicekit.pagination import Page, PageQuery
from servicekit.sessions import ReadSession, WriteSession

from invoice_service.plans import queries, service
from invoice_service.plans.schemas import PlanBody, PlanEdit, PlanOut

router = APIRouter(prefix="/v1/plans", tags=["plans"])


@router.get("")
async def list_plans(_: Viewer, session: ReadSession, page: PageQuery) -> Page[PlanOut]:
    """All plans, newest first."""
    found, cursor = await queries.page(session, page)
    return Page(items=[PlanOut.of(plan) for plan in found], next_cursor=cursor)


@router.post("", status_code=201, response_model=PlanOut)
async def create_plan(_: Admin, session: WriteSession, idempotency: Idempotent, body: PlanBody) -> Response:
    """A new plan."""

    async def make() -> Response:
        plan = await service.create(session, body)
        return answer(PlanOut.of(plan), plan.version, created_at_path=f"/v1/plans/{quote(plan.name)}")

    return await idempotency.once(session, make)


@router.get("/{name}", response_model=PlanOut)
async def get_plan(_: Viewer, session: ReadSession, name: str) -> Response:
    """One plan."""
    plan = await queries.get(session, name)
    return answer(PlanOut.of(plan), plan.version)


@router.patch("/{name}", response_model=PlanOut)
async def edit_plan(_: Admin, session: WriteSession, name: str, if_match: IfMatch, body: PlanEdit) -> Response:
    """Change the fields sent; what an organization has beyond a lowered cap stays."""
    plan = await service.edit(session, name, body, expected_version=if_match)
    return answer(PlanOut.of(plan), plan.version)
