"""``/v1/zsc-keys``."""

from fastapi import APIRouter, Response
from servicekit.auth import Member, ServiceOnly, Viewer
from servicekit.pagination import Page, PageQuery
from servicekit.sessions import ReadSession, ServiceDatabase, WriteSession

from crm_service.zsc_keys import queries, service
from crm_service.zsc_keys.schemas import NewZscKey, ZscKeyCheck, ZscKeyCreated, ZscKeyOut, ZscKeyVerified

router = APIRouter(prefix="/v1/zsc-keys", tags=["ZSC keys"])


# No Idempotency-Key here: it would keep the answer, and with it the key.
@router.post("", status_code=201)
async def create_zsc_key(
    session: WriteSession, principal: Member, response: Response, body: NewZscKey | None = None
) -> ZscKeyCreated:
    """A new ZSC key of yours. The key is in this answer alone."""
    key, secret = await service.create(session, principal, body.name if body else "")
    response.headers["Cache-Control"] = "no-store"
    return ZscKeyCreated(**ZscKeyOut.of(key, principal.name).model_dump(), key=secret)


@router.get("")
async def list_zsc_keys(session: ReadSession, principal: Viewer, page: PageQuery) -> Page[ZscKeyOut]:
    """Your own keys, newest first, revoked ones too; administrators see all."""
    rows, cursor = await queries.page(session, principal, page)
    return Page(items=[ZscKeyOut.of(key, email) for key, email in rows], next_cursor=cursor)


@router.delete("/{key_id}", status_code=204)
async def revoke_zsc_key(key_id: str, session: WriteSession, principal: Member) -> None:
    """Revoke a key: it stops working at once."""
    await service.revoke(session, key_id, principal)


@router.post("/verify")
async def verify_zsc_key(body: ZscKeyCheck, database: ServiceDatabase, _: ServiceOnly) -> ZscKeyVerified:
    """Whether this key is this user's, and both are active; services only. What is wrong is a 403 with its code."""
    async with database.reading() as session:
        key, user = await service.verify(session, body.email, body.zsc_key)
    await service.note_use(database, key)
    return ZscKeyVerified(zsc_key_id=key.id, email=user.email)
