"""The connection, as JSON."""

from fastapi import APIRouter, Response
from servicekit.auth import Admin, Viewer
from servicekit.etags import IfMatch, check_version, set_etag
from servicekit.sessions import ReadSession, ServiceDatabase, WriteSession
from sqlalchemy.ext.asyncio import AsyncSession

from sync_service import connections, starting
from sync_service.connection_schemas import ConnectionEdit, ConnectionOut
from sync_service.connections import Connection
from sync_service.routes.needs import Parts
from sync_service.runs import queries
from sync_service.runs.schemas import ImportOut

router = APIRouter(tags=["connection"])


@router.get("/v1/connection")
async def get_connection(session: ReadSession, response: Response, parts: Parts, _: Viewer) -> ConnectionOut:
    """Which organization is connected, and how it is kept up to date."""
    return await _told(session, response, parts, await connections.require(session))


@router.patch("/v1/connection")
async def edit_connection(
    body: ConnectionEdit, database: ServiceDatabase, response: Response, parts: Parts, if_match: IfMatch, _: Admin
) -> ConnectionOut:
    """Switch auto-update on or off; set its interval in hours.

    Switched on, an import begins at once: what changed in the CRM before was not followed.
    """
    async with database.transaction() as session:
        connection = await connections.require(session, locked=True)
        check_version(if_match, connection.version)
        connection.edit(auto_update=body.auto_update, interval_hours=body.interval_hours)
        await session.flush()
        told = await _told(session, response, parts, connection)
    await parts.start_what_is_due()
    return told


@router.delete("/v1/connection", status_code=204)
async def delete_connection(session: WriteSession, if_match: IfMatch, _: Admin) -> None:
    """Disconnect. What was imported stays; connecting again later finds it, and makes no duplicates."""
    await starting.disconnect(session, expected_version=if_match)


async def _told(session: AsyncSession, response: Response, parts: Parts, connection: Connection) -> ConnectionOut:
    set_etag(response, connection.version)
    told = ConnectionOut.model_validate(connection)
    told.next_check_at = parts.schedule.next_check(connection)
    if (last := await queries.latest(session, ["import"])) is not None:
        told.last_import = ImportOut.model_validate(last)
    if (checked := await queries.latest(session, ["check"])) is not None:
        told.last_check = ImportOut.model_validate(checked)
    return told
