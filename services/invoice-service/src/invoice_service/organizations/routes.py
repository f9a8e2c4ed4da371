"""``/v1/organizations``."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response
from servicekit.answers import answer
from servicekit.auth import Admin, Viewer
from servicekit.db import utc_now
from servicekit.etags import IfMatch
from servicekit.idempotency import Idempotent
from servicekit.pagination import Page, PageQuery
from servicekit.sessions import ReadSession, WriteSession

from invoice_service.organizations import logos, queries, service
from invoice_service.organizations.logos import Logo
from invoice_service.organizations.schemas import OrganizationBody, OrganizationEdit, OrganizationOut, UseOut
from invoice_service.plans import queries as plans

router = APIRouter(prefix="/v1/organizations", tags=["organizations"])


async def _new(body: OrganizationBody) -> tuple[OrganizationBody, Logo | None]:
    return body, await _logo(body.logo)


async def _changes(body: OrganizationEdit) -> tuple[OrganizationEdit, Logo | None]:
    return body, await _logo(body.logo)


async def _logo(data_uri: str | None) -> Logo | None:
    return None if data_uri is None else await logos.read(data_uri)


# With the logo, looked at before the route has a session: these stand before the session in its signature.
New = Annotated[tuple[OrganizationBody, Logo | None], Depends(_new)]
Changes = Annotated[tuple[OrganizationEdit, Logo | None], Depends(_changes)]


@router.get("")
async def list_organizations(_: Viewer, session: ReadSession, page: PageQuery) -> Page[OrganizationOut]:
    """All organizations, newest first."""
    found, cursor = await queries.page(session, page)
    return Page(items=[OrganizationOut.of(organization) for organization in found], next_cursor=cursor)


@router.post("", status_code=201, response_model=OrganizationOut)
async def create_organization(_: Admin, sent: New, session: WriteSession, idempotency: Idempotent) -> Response:
    """A new organization."""

    async def make() -> Response:
        created = await service.create(session, *sent)
        path = f"/v1/organizations/{created.id}"
        return answer(OrganizationOut.of(created), created.version, created_at_path=path)

    return await idempotency.once(session, make)


@router.get("/{organization_id}", response_model=OrganizationOut)
async def get_organization(_: Viewer, session: ReadSession, organization_id: str) -> Response:
    """One organization."""
    organization = await queries.get(session, organization_id)
    return answer(OrganizationOut.of(organization), organization.version)


@router.patch("/{organization_id}", response_model=OrganizationOut)
async def edit_organization(
    _: Admin, sent: Changes, session: WriteSession, organization_id: str, if_match: IfMatch
) -> Response:
    """Change the fields sent."""
    organization = await service.edit(session, organization_id, *sent, expected_version=if_match)
    return answer(OrganizationOut.of(organization), organization.version)


@router.get("/{organization_id}/use")
async def get_use(_: Viewer, session: ReadSession, organization_id: str) -> UseOut:
    """What it has used of its plan (S13)."""
    organization = await queries.get(session, organization_id)
    return UseOut.of(await plans.use_of(session, organization, utc_now().date()))


@router.get(
    "/{organization_id}/logo",
    response_class=Response,
    responses={200: {"content": {"image/png": {}, "image/jpeg": {}}}, 304: {"description": "Not changed"}},
)
async def get_logo(
    _: Viewer,
    session: ReadSession,
    organization_id: str,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Its logo."""
    logo = await queries.whole_logo(session, organization_id)
    headers = {"ETag": f'"{logo.digest}"', "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    if if_none_match is not None and headers["ETag"] in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(logo.content, media_type=logo.content_type, headers=headers)
