"""Runs: what the workflow did for each event of a potential, skipped or failed at, and why (S18).

Guarantee: one run per event; an event that comes again goes on with its run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.potentials import PotentialSnapshot, PotentialUpdated
from servicekit.bus.dead_letters import DeadLetter
from servicekit.db import new_id, utc_now
from servicekit.errors import Conflict, NotFound
from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import Index, String, Text, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from workflow_service.base import Base
from workflow_service.policy import Trigger
from workflow_service.results import Outcome, Result, moved_a_document

HANDLED: tuple[Outcome, ...] = ("done", "skipped")


class RunNotFound(NotFound):
    """There is no such run."""

    code = "run_not_found"


class RunNotRetriable(Conflict):
    """The run ended well, or had nothing to do: there is nothing to try again."""

    code = "run_not_retriable"


@dataclass(frozen=True)
class Occurrence:
    """One event of a potential, as a run remembers it."""

    event_id: str
    event_type: str
    event_time: datetime | None
    correlation_id: str | None
    potential: PotentialSnapshot

    @property
    def new_status(self) -> bool:
        """Whether the potential came to its status by it; otherwise it was only edited."""
        return self.event_type != PotentialUpdated.wire_type


class WorkflowRun(Base):
    """One event of a potential, and what came of it. ``snapshot`` is the potential as the event told of it.

    ``event_time``: when it happened in the CRM; ``started_at``: the first attempt, ``attempted_at``: the last one;
    ``finished_at``: when it was done with. ``trigger``, ``decision`` and ``reason`` are those of the last attempt.
    """

    __tablename__ = "workflow_runs"
    __table_args__ = (
        Index("ix_workflow_runs_potential", "potential_id", "id"),
        Index("ix_workflow_runs_outcome", "outcome", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    event_id: Mapped[str] = mapped_column(String(64), unique=True)
    event_type: Mapped[str] = mapped_column(String(128))
    event_time: Mapped[datetime | None]
    correlation_id: Mapped[str | None] = mapped_column(String(128))
    potential_id: Mapped[str] = mapped_column(String(36))
    potential_version: Mapped[int]
    snapshot: Mapped[dict[str, Any]]
    trigger: Mapped[Trigger] = mapped_column(String(16))
    outcome: Mapped[Outcome] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    decision: Mapped[str | None] = mapped_column(Text)
    commands: Mapped[list[dict[str, Any]]]
    attempts: Mapped[int]
    started_at: Mapped[datetime]
    attempted_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @classmethod
    def of(cls, occurrence: Occurrence, *, started_at: datetime) -> "WorkflowRun":
        """The run of an event that was not attempted yet."""
        return cls(
            id=new_id(),
            event_id=occurrence.event_id,
            event_type=occurrence.event_type,
            event_time=occurrence.event_time,
            correlation_id=occurrence.correlation_id,
            potential_id=occurrence.potential.id,
            potential_version=occurrence.potential.version,
            snapshot=occurrence.potential.model_dump(mode="json"),
            commands=[],
            attempts=0,
            started_at=started_at,
        )

    def attempted(self, trigger: Trigger, result: Result) -> None:
        """Note an attempt. What earlier ones got done stays in the list of commands."""
        switched = None if self.trigger in (None, trigger) else self.trigger
        self.trigger = trigger
        self.attempts += 1
        before = [one for one in self.commands if one["outcome"] == "done"]
        if result.outcome == "skipped" and not result.commands:
            before += result.found_done(self.commands)
        self.commands = [*before, *result.commands]
        self.outcome = "done" if self._did_something(result) else result.outcome
        self.reason = None if self.outcome != result.outcome else result.reason
        if switched is not None and self.outcome == "skipped":
            self.reason = f"{self.reason}; the trigger was switched from {switched} to {trigger} before it got to this"
        self.decision = result.decision or self.decision
        self.attempted_at = result.started_at
        self.finished_at = None if result.outcome == "waiting" else utc_now()

    def _did_something(self, result: Result) -> bool:
        """Finding all done at the second attempt, because the first one got that far, is no skipping."""
        return result.outcome == "skipped" and any(moved_a_document(command) for command in self.commands)

    @property
    def occurrence(self) -> Occurrence:
        """The event, to be carried out again."""
        potential = PotentialSnapshot.model_validate(self.snapshot)
        return Occurrence(self.event_id, self.event_type, self.event_time, self.correlation_id, potential)


async def of_event(session: AsyncSession, event_id: str, *, locked: bool = False) -> WorkflowRun | None:
    """The run of an event, if it was attempted before."""
    statement = select(WorkflowRun).where(WorkflowRun.event_id == event_id)
    return (await session.execute(statement.with_for_update() if locked else statement)).scalar_one_or_none()


async def given_up(session: AsyncSession, letters: Sequence[DeadLetter]) -> None:
    """The runs of these events wait no longer: only a person has them tried again from now on."""
    attempts = {letter.event_id: letter.attempts for letter in letters if letter.event_id is not None}
    waiting = select(WorkflowRun).where(WorkflowRun.event_id.in_(attempts), WorkflowRun.outcome == "waiting")
    for run in (await session.execute(waiting.with_for_update())).scalars():
        run.outcome = "failed"
        run.reason = f"given up after {attempts[run.event_id]} attempts: {run.reason}"
        run.finished_at = utc_now()


async def get(session: AsyncSession, run_id: str) -> WorkflowRun:
    """A run; raises `RunNotFound`."""
    run = await session.get(WorkflowRun, run_id)
    if run is None:
        raise RunNotFound(f"there is no run {run_id}")
    return run


async def page_of(
    session: AsyncSession, page: PageRequest, *, potential_id: str | None, outcome: Outcome | None
) -> tuple[list[WorkflowRun], str | None]:
    """Runs, newest first."""
    statement = select(WorkflowRun)
    if potential_id is not None:
        statement = statement.where(WorkflowRun.potential_id == potential_id)
    if outcome is not None:
        statement = statement.where(WorkflowRun.outcome == outcome)
    return await fetch_page(session, statement, keys=[WorkflowRun.id], page=page, key_of=lambda run: [run.id])
