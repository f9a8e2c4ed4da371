"""Runs, as JSON: imports, dry runs, retries, checks; what they list, and how far they are."""

from typing import Annotated, Literal

from contracts.customers import CrmRecordType, RecordOutcome
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from servicekit import streams
from servicekit.auth import Member, Viewer, require
from servicekit.idempotency import Idempotent
from servicekit.pagination import Page, PageQuery, PageRequest
from servicekit.service import service_of
from servicekit.sessions import ReadSession, ServiceDatabase
from servicekit.streams import Seen

from sync_service import starting
from sync_service.routes.needs import OrganizationId, Parts
from sync_service.runs import queries
from sync_service.runs.models import UNFINISHED, ImportRun, RunKind
from sync_service.runs.schemas import (
    FAILURES_SHOWN,
    ChangeOut,
    FailureOut,
    ImportDetails,
    ImportOut,
    StartCheck,
    StartImport,
)

router = APIRouter(tags=["imports"])

DryRun = Annotated[
    Literal["true", "false"], Query(description="`true`: tell what an import would do, and change nothing")
]


@router.post("/v1/imports", status_code=202, response_model=ImportOut)
async def start_import(
    body: StartImport,
    database: ServiceDatabase,
    parts: Parts,
    principal: Member,
    idempotency: Idempotent,
    dry_run: DryRun = "false",
    organization_id: OrganizationId = None,
) -> Response:
    """Import the CRM's accounts and contacts; with ``email`` and ``zsc_key`` over a new connection, else again.

    Connecting is for administrators; importing again over the connection is for members too. A dry run goes the same
    way, changes and connects nothing, and lists under ``/changes`` what the import would do.
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
        return _started(
            await starting.start(
                session,
                access,
                organization_id=organization_id,
                principal=principal,
                dry_run=dry_run == "true",
            )
        )

    async with database.transaction() as session:
        response = await idempotency.once(session, make)
    parts.worker.wake()
    return response


@router.post("/v1/imports/{import_id}/retry", status_code=202, response_model=ImportOut)
async def retry_import(
    import_id: str, database: ServiceDatabase, parts: Parts, principal: Member, idempotency: Idempotent
) -> Response:
    """Try just the records again that this import failed at, as they are in the CRM now."""

    async def make() -> Response:
        return _started(await starting.retry(session, import_id, principal=principal))

    async with database.transaction() as session:
        response = await idempotency.once(session, make)
    parts.worker.wake()
    return response


@router.post("/v1/checks", status_code=202, response_model=ImportOut)
async def start_check(
    body: StartCheck,
    database: ServiceDatabase,
    parts: Parts,
    principal: Member,
    idempotency: Idempotent,
    organization_id: OrganizationId = None,
) -> Response:
    """Compare CRM and Invoice record by record; ``/v1/imports/{id}/changes`` lists what differs, and why.

    With ``mend``, which is for administrators, each difference is mended: Invoice gets what the CRM has, even where
    someone has changed it in Invoice since.
    """
    if body.mend:
        require("admin", principal)

    async def make() -> Response:
        return _started(
            await starting.check(session, mend=body.mend, organization_id=organization_id, principal=principal)
        )

    async with database.transaction() as session:
        response = await idempotency.once(session, make)
    parts.worker.wake()
    return response


def _started(run: ImportRun) -> Response:
    location = {"Location": f"/v1/imports/{run.id}"}
    return JSONResponse(ImportOut.model_validate(run).model_dump(mode="json"), 202, headers=location)


@router.get("/v1/imports")
async def list_imports(
    session: ReadSession,
    page: PageQuery,
    _: Viewer,
    kind: Annotated[RunKind | None, Query(description="Only runs of this kind")] = None,
) -> Page[ImportOut]:
    """The runs of every kind, newest first."""
    found, cursor = await queries.page_of(session, page, kind)
    return Page(items=[ImportOut.model_validate(run) for run in found], next_cursor=cursor)


@router.get("/v1/imports/{import_id}")
async def get_import(import_id: str, session: ReadSession, _: Viewer) -> ImportDetails:
    """One run: how far it is, what it did, and the first failures."""
    run = await queries.get(session, import_id)
    failures, _more = await queries.failures(session, import_id, PageRequest(limit=FAILURES_SHOWN, after=None))
    told = [FailureOut.model_validate(failure) for failure in failures]
    return ImportDetails(**ImportOut.model_validate(run).model_dump(), failures=told)


@router.get("/v1/imports/{import_id}/failures")
async def list_failures(import_id: str, session: ReadSession, page: PageQuery, _: Viewer) -> Page[FailureOut]:
    """Every record that the run failed at, and why. Kept for the last 50 runs that have some."""
    found, cursor = await queries.failures(session, import_id, page)
    return Page(items=[FailureOut.model_validate(one) for one in found], next_cursor=cursor)


@router.get("/v1/imports/{import_id}/changes")
async def list_changes(
    import_id: str,
    session: ReadSession,
    page: PageQuery,
    _: Viewer,
    outcome: RecordOutcome | None = None,
    record_type: CrmRecordType | None = None,
) -> Page[ChangeOut]:
    """What the run did, or would do, record by record and field by field. Kept for the last 10 runs that have some."""
    found, cursor = await queries.changes(session, import_id, page, outcome=outcome, record_type=record_type)
    return Page(items=[ChangeOut.of(one) for one in found], next_cursor=cursor)


@router.get("/v1/imports/{import_id}/progress", response_class=StreamingResponse, responses=streams.DOCUMENTED)
async def follow_import(import_id: str, request: Request, database: ServiceDatabase, _: Viewer) -> Response:
    """How far the run is, as server-sent events: ``progress`` whenever it has changed, ``end`` when it has ended.

    The data of each is the run, as `GET /v1/imports/{id}` gives it without failures. A stream may end without ``end``,
    as when the service is stopped: then connect again.
    """

    async def look() -> Seen:
        async with database.reading() as session:
            run = await queries.get(session, import_id)
        return Seen(ImportOut.model_validate(run).model_dump_json(), ended=run.status not in UNFINISHED)

    await look()  # one that is not there is told so, not streamed
    return streams.follow(look, stopping=service_of(request).stopping)
