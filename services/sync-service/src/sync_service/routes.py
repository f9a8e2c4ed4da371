"""Imports and the connection, as JSON."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from servicekit.auth import Admin, Member, Viewer, require
from servicekit.errors import Invalid
from servicekit.etags import IfMatch, check_version, set_etag
from servicekit.idempotency import Idempotent
from servicekit.pagination import Page, PageQuery
from servicekit.service import service_of
from servicekit.sessions import ReadSession, ServiceDatabase, WriteSession
from sqlalchemy.ext.asyncio import AsyncSession

from sync_service import connections, queries, starting
from sync_service.connections import Connection
from sync_service.parts import Parts
from sync_service.runs import ImportRun
from sync_service.schemas import ConnectionEdit, ConnectionOut, FailureOut, ImportDetails, ImportOut, StartImport

router = APIRouter(tags=["sync"])


async def _parts(request: Request) -> Parts:
    return Parts.of(service_of(request))


async def _no_dry_run(dry_run: Annotated[str | None, Query(include_in_schema=False)] = None) -> None:
    """Never import for real because a word was not understood."""
    if dry_run is not None:
        raise Invalid("dry_run: a dry run is not available; leave it out to import", code="dry_run_not_available")


OrganizationId = Annotated[str | None, Header(alias="X-Organization-Id", pattern="^[0-9A-Za-z-]{1,64}$")]


@router.post("/v1/imports", status_code=202, response_model=ImportOut, dependencies=[Depends(_no_dry_run)])
async def start_import(
    body: StartImport,
    database: ServiceDatabase,
    parts: Annotated[Parts, Depends(_parts)],
    principal: Member,
    idempotency: Idempotent,
    organization_id: OrganizationId = None,
) -> Response:
    """Import the CRM's accounts and contacts; with ``email`` and ``zsc_key`` over a new connection, else again.

    Connecting is for administrators; importing again over the connection is for members too.
    """
    access = None
    if body.with_key:
        require("admin", principal)
        access = await starting.verify(
            database,
            parts.crm,
            parts.invoice,
            email=body.email,
            zsc_key=body.zsc_key.get_secret_value(),
            auto_update=bool(body.auto_update),
            organization_id=organization_id,
            principal=principal,
        )

    async def make() -> Response:
        run = await starting.start(session, access, organization_id=organization_id, principal=principal)
        location = {"Location": f"/v1/imports/{run.id}"}
        return JSONResponse(ImportOut.model_validate(run).model_dump(mode="json"), 202, headers=location)

    async with database.transaction() as session:
        response = await idempotency.once(session, make)
    parts.importer.wake()
    return response


@router.get("/v1/imports")
async def list_imports(session: ReadSession, page: PageQuery, _: Viewer) -> Page[ImportOut]:
    """The imports, newest first."""
    found, cursor = await queries.page_of(session, page)
    return Page(items=[ImportOut.model_validate(run) for run in found], next_cursor=cursor)


@router.get("/v1/imports/{import_id}")
async def get_import(import_id: str, session: ReadSession, _: Viewer) -> ImportDetails:
    """One import: how far it is, what it did, and what it failed at."""
    run, failures = await queries.get(session, import_id)
    told = [FailureOut.model_validate(failure) for failure in failures]
    return ImportDetails(**ImportOut.model_validate(run).model_dump(), failures=told)


@router.get("/v1/connection")
async def get_connection(session: ReadSession, response: Response, _: Viewer) -> ConnectionOut:
    """Which organization is connected, and how it is kept up to date."""
    return await _told(session, response, await connections.require(session))


@router.patch("/v1/connection")
async def edit_connection(
    body: ConnectionEdit, session: WriteSession, response: Response, if_match: IfMatch, _: Admin
) -> ConnectionOut:
    """Switch auto-update on or off; set its interval in hours."""
    connection = await connections.require(session, locked=True)
    check_version(if_match, connection.version)
    connection.edit(auto_update=body.auto_update, interval_hours=body.interval_hours)
    return await _told(session, response, connection)


@router.delete("/v1/connection", status_code=204)
async def delete_connection(session: WriteSession, if_match: IfMatch, _: Admin) -> None:
    """Disconnect. What was imported stays; connecting again later finds it, and makes no duplicates."""
    await starting.disconnect(session, expected_version=if_match)


async def _told(session: AsyncSession, response: Response, connection: Connection) -> ConnectionOut:
    set_etag(response, connection.version)
    last: ImportRun | None = await queries.latest(session)
    told = ConnectionOut.model_validate(connection)
    told.last_import = ImportOut.model_validate(last) if last else None
    return told
