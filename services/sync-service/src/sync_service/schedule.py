"""When a connection is brought up to date, and compared, by itself (S26).

Guarantees: with auto-update an import is started ``interval_hours`` after the last one ended, by one process of
several; the time stands in the database, so one that was missed while nothing ran is started at once; none is started
beside another run.
"""

from datetime import datetime, timedelta

from servicekit.db import Database, new_id, utc_now
from servicekit.telemetry import log
from sqlalchemy.ext.asyncio import AsyncSession

from sync_service import connections
from sync_service.connections import Connection
from sync_service.runs import leases
from sync_service.runs.models import ImportRun, RunKind

TRY_AGAIN = timedelta(minutes=15)
"""After an import that failed because a service was away."""
BY_ITSELF: dict[RunKind, str] = {"import": "auto-update", "check": "nightly check"}


def started(connection: Connection, run: ImportRun) -> None:
    """An import is started over the connection, by whomever: the next one is due some time after it has ended."""
    if run.kind == "import":
        connection.next_run_at = None


def ended(connection: Connection, run: ImportRun, *, transient: bool = False) -> None:
    """A run has ended. ``transient``: it failed, but may succeed soon.

    An import that became due while it ran, because auto-update was switched on, stays due.
    """
    followed = connection.auto_update and run.organization_id == connection.organization_id
    if run.kind == "import" and followed and connection.next_run_at is None:
        pause = timedelta(hours=connection.interval_hours)
        connection.next_run_at = utc_now() + (min(pause, TRY_AGAIN) if transient else pause)


class Schedule:
    """Starts what is due. ``check_hours``: how often CRM and Invoice are compared; 0: never."""

    def __init__(self, database: Database, *, check_hours: int) -> None:
        self._database = database
        self._check_hours = check_hours

    def next_check(self, connection: Connection) -> datetime | None:
        """When CRM and Invoice are compared next; None if they are not."""
        return connection.next_check_at if self._check_hours and connection.auto_update else None

    async def start_what_is_due(self) -> bool:
        """Queue an import or a check if it is time for one; whether one was queued."""
        async with self._database.reading() as session:
            if self._due(await connections.read(session)) is None or await leases.unfinished(session) is not None:
                return False
        async with self._database.transaction() as session:
            connection = await connections.lock(session)
            kind = self._due(connection)
            if kind == "check" and connection.next_check_at is None:
                connection.next_check_at = self._check_after()  # the first one is not due at once
                return False
            if kind is None or await leases.unfinished(session) is not None:
                return False
            return await self._start(session, connection, kind)

    async def _start(self, session: AsyncSession, connection: Connection, kind: RunKind) -> bool:
        correlation = new_id()
        run = ImportRun.over(connection, kind=kind, started_by=BY_ITSELF[kind], correlation_id=correlation)
        await leases.enqueue(session, run)
        started(connection, run)
        if kind == "check":
            connection.next_check_at = self._check_after()
        log.info("run_due", import_id=run.id, kind=kind)
        return True

    def _due(self, connection: Connection) -> RunKind | None:
        if connection.organization_id is None or not connection.auto_update:
            return None
        now = utc_now()
        if connection.next_run_at is None or connection.next_run_at <= now:
            return "import"
        if self._check_hours and (connection.next_check_at is None or connection.next_check_at <= now):
            return "check"
        return None

    def _check_after(self) -> datetime:
        return utc_now() + timedelta(hours=self._check_hours)
