"""The page of ZSC keys."""

from fastapi import APIRouter
from servicekit.auth import Member, Viewer
from servicekit.errors import Problem
from servicekit.pages import CurrentPage, Form, Page
from servicekit.pagination import PageQuery, PageRequest
from servicekit.sessions import ReadSession, ServiceDatabase, WriteSession
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from crm_service.zsc_keys import queries, service
from crm_service.zsc_keys.schemas import NewZscKey, ZscKeyOut

FIRST = PageRequest(limit=50, after=None)

router = APIRouter(prefix="/zsc-keys")


@router.get("")
async def list_zsc_keys(page: CurrentPage, session: ReadSession, _: Viewer, which: PageQuery) -> Response:
    return await _list(page, session, Form(), which)


@router.post("")
async def create_zsc_key(page: CurrentPage, database: ServiceDatabase, principal: Member) -> Response:
    form, secret = await page.form(), None
    try:
        new = form.parse(NewZscKey)
        async with database.transaction() as session:
            _, secret = await service.create(session, principal, new.name)
    except Problem as problem:
        form = form.refused(problem)
    async with database.reading() as session:
        return await _list(page, session, Form() if secret else form, FIRST, secret)


@router.post("/{key_id}/revoke")
async def revoke_zsc_key(key_id: str, page: CurrentPage, session: WriteSession, principal: Member) -> Response:
    await service.revoke(session, key_id, principal)
    return page.go("/zsc-keys", said="The key is revoked.")


async def _list(
    page: Page, session: AsyncSession, form: Form, which: PageRequest, secret: str | None = None
) -> Response:
    rows, cursor = await queries.page(session, page.principal, which)
    return page.render(
        "zsc_keys/list.html",
        status=form.problem.status if form.problem else 200,
        form=form,
        keys=[ZscKeyOut.of(key, email) for key, email in rows],
        next_cursor=cursor,
        secret=secret,
    )
