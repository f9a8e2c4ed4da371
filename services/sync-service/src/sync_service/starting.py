"""Starting an import: over a new connection, made with a ZSC key (S21), or again over the one that exists."""

from servicekit.auth import Principal
from servicekit.db import Database
from servicekit.errors import Invalid, NotFound
from servicekit.etags import check_version
from servicekit.http import Refused
from servicekit.telemetry import correlation_id
from sqlalchemy.ext.asyncio import AsyncSession

from sync_service import connections, runs
from sync_service.clients import Crm, Invoice
from sync_service.connections import Access, NothingToImportOver
from sync_service.runs import ImportRun

# The CRM's code → the field of ours that is wrong.
_WRONG_FIELD = {
    "zsc_email_unknown": "email",
    "zsc_user_inactive": "email",
    "zsc_key_wrong": "zsc_key",
    "zsc_key_revoked": "zsc_key",
}


class ZscRefused(Invalid):
    """The CRM does not accept e-mail address and key; the code is the CRM's."""


class OrganizationNotFound(NotFound):
    """Invoice has no such organization."""

    code = "organization_not_found"


async def verify(
    database: Database,
    crm: Crm,
    invoice: Invoice,
    *,
    email: str,
    zsc_key: str,
    auto_update: bool,
    organization_id: str | None,
    principal: Principal,
) -> Access:
    """Have Invoice name the organization and the CRM check the key; nothing is changed.

    Raises `OrganizationNotFound`, `connections.OrganizationAlreadyConnected`, `ZscRefused`, and
    `servicekit.errors.Unavailable`.
    """
    try:
        organization = await invoice.organization(organization_id, on_behalf_of=principal)
    except Refused as refused:
        if refused.status != 404:
            raise refused.as_problem() from refused
        raise OrganizationNotFound(f"X-Organization-Id: Invoice has no organization {organization_id}") from refused
    async with database.reading() as session:
        (await connections.read(session)).refuse_other(organization.id)
    try:
        verified = await crm.verify_key(email, zsc_key)
    except Refused as refused:
        if (field := _WRONG_FIELD.get(refused.code)) is None:
            raise refused.as_problem() from refused
        message = str(refused.problem.get("detail") or refused)
        raise ZscRefused(
            f"{field}: {message}", code=refused.code, errors=[{"field": field, "message": message}]
        ) from refused
    return Access(
        organization_id=organization.id,
        organization_name=organization.name,
        email=verified.email,
        zsc_key_id=verified.zsc_key_id,
        auto_update=auto_update,
    )


async def start(
    session: AsyncSession, access: Access | None, *, organization_id: str | None, principal: Principal
) -> ImportRun:
    """Connect with ``access``, or keep the connection if it is None, and queue a run.

    Raises `NothingToImportOver`, `connections.OrganizationAlreadyConnected`, `runs.ImportRunning`; then nothing is
    changed.
    """
    connection = await connections.lock(session)
    if access is not None:
        connection.connect(access)
    elif connection.organization_id is None:
        raise NothingToImportOver
    elif organization_id is not None:
        connection.refuse_other(organization_id)
    run = ImportRun.over(connection, started_by=principal.name, correlation_id=correlation_id.get())
    await runs.enqueue(session, run)
    return run


async def disconnect(session: AsyncSession, *, expected_version: int | None) -> None:
    """Disconnect; an import that runs ends as failed. Raises `connections.NotConnected`, `PreconditionFailed`."""
    connection = await connections.require(session, locked=True)
    check_version(expected_version, connection.version)
    if (run := await runs.unfinished(session, locked=True)) is not None:
        run.end("failed", f"{connection.organization_name} was disconnected from the CRM meanwhile")
    connection.disconnect()
