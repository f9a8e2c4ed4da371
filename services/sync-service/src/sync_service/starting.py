"""Starting runs: over a new connection, made with a ZSC key (S21), or over the one that exists."""

from servicekit.auth import Principal
from servicekit.db import Database
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.etags import check_version
from servicekit.http import Refused
from servicekit.telemetry import correlation_id
from sqlalchemy.ext.asyncio import AsyncSession

from sync_service import connections, schedule
from sync_service.clients.crm import Crm
from sync_service.clients.invoice import Invoice
from sync_service.connections import Access, Connection, NothingToImportOver
from sync_service.runs import leases, queries
from sync_service.runs.models import UNFINISHED, ImportRun, RunKind

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


class NothingToRetry(Conflict):
    """The run has no failed records that could be imported by trying again."""

    code = "nothing_to_retry"


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
    session: AsyncSession,
    access: Access | None,
    *,
    organization_id: str | None,
    principal: Principal,
    dry_run: bool = False,
) -> ImportRun:
    """Queue an import over the connection that ``access`` makes, or over the one that exists if it is None.

    ``dry_run``: queue a dry run, and connect nothing. Raises `NothingToImportOver`,
    `connections.OrganizationAlreadyConnected`, `leases.ImportRunning`; then nothing is changed.
    """
    connection = await connections.lock(session)
    if access is None:
        _require(connection, organization_id)
    elif dry_run:
        connection.refuse_other(access.organization_id)
    else:
        connection.connect(access)
    over = access if access is not None and dry_run else connection
    run = _run(over, "dry_run" if dry_run else "import", principal)
    await leases.enqueue(session, run)
    schedule.started(connection, run)
    return run


async def check(session: AsyncSession, *, mend: bool, organization_id: str | None, principal: Principal) -> ImportRun:
    """Queue a comparison of CRM and Invoice. Raises as `start` does."""
    connection = await connections.lock(session)
    _require(connection, organization_id)
    run = _run(connection, "mend" if mend else "check", principal)
    await leases.enqueue(session, run)
    return run


async def retry(session: AsyncSession, run_id: str, *, principal: Principal) -> ImportRun:
    """Queue a run that tries just the records again that another one failed at.

    Raises `queries.ImportNotFound`, `NothingToRetry`, and as `start` does.
    """
    connection = await connections.lock(session)
    before = await queries.get(session, run_id)
    _require(connection, before.organization_id)
    _refuse_retry(before)
    run = _run(connection, "retry", principal, retry_of=before.id)
    run.total = before.failures_listed
    await leases.enqueue(session, run)
    return run


def _refuse_retry(run: ImportRun) -> None:
    """Raise `NothingToRetry` if the run cannot be tried again."""
    if run.status in UNFINISHED:
        raise NothingToRetry(f"the import {run.id} is {run.status}; retry when it has ended", import_id=run.id)
    if run.kind in ("dry_run", "check"):
        raise NothingToRetry(f"the run {run.id} was to change nothing; start an import instead", import_id=run.id)
    if run.kind == "mend":  # a retry goes by versions, and would leave what was changed in Invoice
        raise NothingToRetry(
            f"the run {run.id} was to mend; start a check with mend=true, which takes its failures up again",
            import_id=run.id,
        )
    if run.failed == 0:
        raise NothingToRetry(f"the import {run.id} has no failures", import_id=run.id)
    if run.failures_listed == 0:
        raise NothingToRetry(f"the failures of {run.id} are no longer kept; start an import instead", import_id=run.id)


def _require(connection: Connection, organization_id: str | None) -> None:
    if connection.organization_id is None:
        raise NothingToImportOver
    if organization_id is not None:
        connection.refuse_other(organization_id)


def _run(over: Access | Connection, kind: RunKind, principal: Principal, retry_of: str | None = None) -> ImportRun:
    return ImportRun.over(
        over, kind=kind, started_by=principal.name, correlation_id=correlation_id.get(), retry_of=retry_of
    )


async def disconnect(session: AsyncSession, *, expected_version: int | None) -> None:
    """Disconnect; a run that is going on ends as failed. Raises `connections.NotConnected`, `PreconditionFailed`."""
    connection = await connections.require(session, locked=True)
    check_version(expected_version, connection.version)
    run = await leases.unfinished(session, locked=True)
    if run is not None and run.organization_id == connection.organization_id:
        run.end("failed", f"{connection.organization_name} was disconnected from the CRM meanwhile")
    connection.disconnect()
