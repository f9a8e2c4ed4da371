"""Import runs: what each one read, did and failed at (S30), and how far it got.

Guarantees: one run at a time; a run is carried out by the worker named in its row and by no other, so that a worker
that was overtaken stops at its next page; its cursor moves in the transaction of its counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

from contracts.customers import CrmRecordType, RecordOutcome
from servicekit.db import Database, new_id, utc_now
from servicekit.errors import Conflict
from sqlalchemy import ForeignKey, Index, String, Text, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from sync_service.base import Base
from sync_service.connections import Connection

RunStatus = Literal["queued", "running", "completed", "failed"]
UNFINISHED: tuple[RunStatus, ...] = ("queued", "running")
COUNTED = ("read", "created", "updated", "unchanged", "deleted", "made_inactive", "failed")
FAILURES_KEPT = 200
ABANDONED_AFTER = timedelta(minutes=2)
"""A run whose worker has given no sign for so long may be taken over by another."""


class ImportRunning(Conflict):
    """An import runs already."""

    code = "import_running"

    def __init__(self, run: "ImportRun") -> None:
        super().__init__(f"the import {run.id} is {run.status}; wait until it has ended", import_id=run.id)


class Overtaken(Exception):
    """The run has ended, or another worker goes on with it."""


@dataclass(frozen=True)
class Failure:
    """One record that was not imported, and why."""

    record_type: CrmRecordType
    record_id: str
    reason: str


class ImportRun(Base):
    """One import. ``record_type`` and ``cursor`` say which page of the CRM's feed comes next."""

    __tablename__ = "import_runs"
    __table_args__ = (Index("ix_import_runs_status", "status"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    organization_id: Mapped[str] = mapped_column(String(36))
    zsc_key_id: Mapped[str] = mapped_column(String(36))
    started_by: Mapped[str] = mapped_column(String(254))
    correlation_id: Mapped[str | None] = mapped_column(String(128))
    status: Mapped[RunStatus] = mapped_column(String(16), default="queued")
    reason: Mapped[str | None] = mapped_column(Text)
    record_type: Mapped[CrmRecordType] = mapped_column(String(16), default="account")
    cursor: Mapped[str | None] = mapped_column(Text)
    worker: Mapped[str | None] = mapped_column(String(36))
    read: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    deleted: Mapped[int] = mapped_column(default=0)
    made_inactive: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    touched_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]

    @classmethod
    def over(cls, connection: Connection, *, started_by: str, correlation_id: str | None) -> "ImportRun":
        """A queued run over a connection that names an organization."""
        if connection.organization_id is None or connection.zsc_key_id is None:
            raise ValueError("an import needs a connected organization")
        return cls(
            id=new_id(),
            organization_id=connection.organization_id,
            zsc_key_id=connection.zsc_key_id,
            started_by=started_by,
            correlation_id=correlation_id,
        )

    @property
    def counts(self) -> dict[str, int]:
        """What was done so far."""
        return {name: getattr(self, name) for name in COUNTED}

    def claim(self, worker: str) -> None:
        """Have this worker carry it out, from where it stands."""
        self.status = "running"
        self.worker = worker
        self.touched_at = utc_now()

    def page_applied(self, read: int, outcomes: Mapping[RecordOutcome, int], next_cursor: str | None) -> None:
        """Count a page, and go to the next one: contacts come after the last page of accounts."""
        self.read += read
        for outcome, count in outcomes.items():
            name = "failed" if outcome == "account_missing" else outcome
            setattr(self, name, getattr(self, name) + count)
        self.cursor = next_cursor
        self.touched_at = utc_now()
        if next_cursor is None:
            if self.record_type == "account":
                self.record_type = "contact"
            else:
                self.end("completed")

    def end(self, status: Literal["completed", "failed"], reason: str | None = None) -> None:
        """It is over; ``reason`` tells a person why it failed."""
        self.status = status
        self.reason = reason
        self.worker = None
        self.finished_at = self.touched_at = utc_now()


class ImportFailure(Base):
    """A record that a run could not import; the first `FAILURES_KEPT` of each run are kept."""

    __tablename__ = "import_failures"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    run_id: Mapped[str] = mapped_column(ForeignKey("import_runs.id", ondelete="CASCADE"), index=True)
    record_type: Mapped[CrmRecordType] = mapped_column(String(16))
    record_id: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)


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


async def take(database: Database, worker: str, *, at_start: bool) -> ImportRun | None:
    """The run that is to be carried out now, if there is one, claimed for ``worker``.

    ``at_start``: the worker has just started, and takes what any other was at: that one was most likely the same
    process before, and if it still lives it stops at its next page.
    """
    async with database.reading() as session:
        if await unfinished(session) is None:
            return None
    async with database.transaction() as session:
        run = await unfinished(session, locked=True)
        if run is None or not (
            at_start or run.status == "queued" or run.worker == worker or run.touched_at < utc_now() - ABANDONED_AFTER
        ):
            return None
        run.claim(worker)
    return run


async def mine(session: AsyncSession, run_id: str, worker: str) -> ImportRun:
    """The run, locked; raises `Overtaken` if it is not this worker's any more."""
    run = await session.get(ImportRun, run_id, with_for_update=True)
    if run is None or run.status != "running" or run.worker != worker:
        raise Overtaken
    return run


async def keep_failures(session: AsyncSession, run_id: str, failures: Sequence[Failure]) -> None:
    """Keep them, as far as there is room."""
    if not failures:
        return
    kept = select(func.count()).select_from(ImportFailure).where(ImportFailure.run_id == run_id)
    room = FAILURES_KEPT - (await session.execute(kept)).scalar_one()
    rows = [{"id": new_id(), "run_id": run_id, **asdict(one)} for one in failures[: max(room, 0)]]
    if rows:
        await session.execute(insert(ImportFailure), rows)
