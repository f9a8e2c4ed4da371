"""``POST /v1/{accounts,contacts,potentials}/import``."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from servicekit.auth import Member
from servicekit.errors import UnsupportedMediaType
from servicekit.idempotency import Idempotent
from servicekit.sessions import ServiceDatabase

from crm_service.csv_import.kinds import Kind
from crm_service.csv_import.report import ImportReport
from crm_service.csv_import.service import Import
from crm_service.settings import CurrentSettings

DryRun = Annotated[bool, Query(description="Only check, and tell what would happen")]


def add_route(router: APIRouter, kind: Kind) -> None:
    """Give the kind's router its import."""
    columns = ", ".join(f"`{name}`{'*' if name in kind.required else ''}" for name in kind.columns)

    @router.post(
        "/import",
        response_model=ImportReport,
        response_model_exclude_none=True,
        summary=f"Import {kind.noun}",
        operation_id=f"import_{kind.noun}",
        description=f"All or nothing, up to 100,000 rows. Columns (* required): {columns}.",
        openapi_extra={"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}},
    )
    async def import_csv(
        request: Request,
        database: ServiceDatabase,
        idempotency: Idempotent,
        settings: CurrentSettings,
        _: Member,
        dry_run: DryRun = False,
    ) -> Response:
        _check_content_type(request)
        incoming = await Import.read(kind, await request.body())
        async with database.transaction() as session:

            async def make() -> Response:
                report = await incoming.run(session, settings, dry_run=dry_run)
                return Response(report.model_dump_json(exclude_none=True), media_type="application/json")

            return await make() if dry_run else await idempotency.once(session, make)


def _check_content_type(request: Request) -> None:
    header = request.headers.get("content-type", "")
    media_type, _, parameters = header.partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if media_type.strip().lower() != "text/csv":
        raise UnsupportedMediaType(f"send the file with Content-Type: text/csv, not {media_type.strip() or 'nothing'}")
    if parameters.strip().lower().startswith("charset=") and charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType(f"the file must be encoded in UTF-8, not {charset}")
