"""Who carries out a run, and for how long.

Guarantees: one run at a time, of whatever kind; a run is carried out by the worker named in its row and by no other;
that worker renews its lease while it works, and only when the lease has run out another one goes on. So of several
processes one carries out a run, and one that was killed is replaced within the time of a lease.
"""

from datetime import timedelta

from servicekit.db import Database, utc_now
from servicekit.errors import Conflict
from sqlalchemy import CursorResult, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sync_service.runs.models import UNFINISHED, ImportRun


class ImportRunning(Conflict):
    """A run is going on already."""

    code = "import_running"

    def __init__(self, run: ImportRun) -> None:
        what = {"import": "import", "dry_run": "dry run", "retry": "retry", "check": "check", "mend": "mending"}
        super().__init__(
            f"the {what[run.kind]} {run.id} is {run.status}; wait until it has ended: GET /v1/imports/{run.id}",
            import_id=run.id,
        )


class Overtaken(Exception):
    """The run has ended, or another worker goes on with it."""


async def unfinished(session: AsyncSession, *, locked: bool = False) -> ImportRun | None:
    """The run that is queued or running, if there is one."""
    statement = select(ImportRun).where(ImportRun.status.in_(UNFINISHED))
    return (await session.execute(statement.with_for_update() if locked else statement)).scalars().first()


async def enqueue(session: AsyncSession, run: ImportRun) -> None:
    """Have the run carried out. The caller holds the connection's lock; raises `ImportRunning`."""
    if (other := await unfinished(session)) is not None:
        raise ImportRunning(other)
    session.add(run)
    await session.flush()


async def take(database: Database, worker: str, *, seconds: float) -> ImportRun | None:
    """The run that is to be carried out now, if there is one, leased to ``worker`` for so many seconds."""
    async with database.reading() as session:
        if not _free(await unfinished(session), worker):
            return None
    async with database.transaction() as session:
        run = await unfinished(session, locked=True)
        if run is None or not _free(run, worker):
            return None
        run.claim(worker, utc_now() + timedelta(seconds=seconds))
    return run


def _free(run: ImportRun | None, worker: str) -> bool:
    if run is None:
        return False
    return run.worker in (None, worker) or run.leased_until is None or run.leased_until <= utc_now()


async def renew(database: Database, run_id: str, worker: str, *, seconds: float) -> bool:
    """Lease the run for so many seconds from now; False if it is not this worker's any more. 0 gives it back."""
    async with database.transaction() as session:
        result = await session.execute(
            update(ImportRun)
            .where(ImportRun.id == run_id, ImportRun.worker == worker, ImportRun.status == "running")
            .values(leased_until=utc_now() + timedelta(seconds=seconds))
        )
        assert isinstance(result, CursorResult)
        return result.rowcount == 1


async def tell(database: Database, run_id: str, worker: str, reason: str) -> None:
    """Have the run say what it is waiting for, until its next page is done."""
    async with database.transaction() as session:
        await session.execute(
            update(ImportRun)
            .where(ImportRun.id == run_id, ImportRun.worker == worker, ImportRun.status == "running")
            .values(reason=reason)
        )


async def mine(session: AsyncSession, run_id: str, worker: str) -> ImportRun:
    """The run, locked; raises `Overtaken` if it is not this worker's any more."""
    run = await session.get(ImportRun, run_id, with_for_update=True)
    if run is None or run.status != "running" or run.worker != worker:
        raise Overtaken
    return run
