"""Runs: what each one read, did and failed at (S30), and how far it got.

Guarantee: what a run counts, lists and reads next changes together, a page at a time, and
``read = created + updated + unchanged + deleted + made_inactive + failed`` always.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from contracts.customers import CrmRecordType, RecordOutcome
from servicekit.db import new_id, utc_now
from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from sync_service.base import Base
from sync_service.connections import Access, Connection

RunKind = Literal["import", "dry_run", "retry", "check", "mend"]
"""``retry``: the failed records of another run, once more. ``mend``: carry out what a check would list."""
RunStatus = Literal["queued", "running", "completed", "failed"]
UNFINISHED: tuple[RunStatus, ...] = ("queued", "running")
COUNTED = ("read", "created", "updated", "unchanged", "deleted", "made_inactive", "failed")

Stage = Literal["account", "contact", "held"]
"""What a run reads: accounts, then contacts, then perhaps the records that Invoice holds and the CRM may not have."""
Case = Literal["account_with_contacts", "account", "contact"]
"""What the customer is made of: cases 1 to 3 (S22, S23, S24)."""
Difference = Literal["missing_in_invoice", "update_not_arrived", "edited_in_invoice", "crm_set_back", "not_in_crm"]


@dataclass(frozen=True)
class Position:
    """Which page of which stage comes next; no cursor: the first one."""

    stage: Stage
    cursor: str | None = None


@dataclass(frozen=True)
class PageDone:
    """What became of a page. ``then``: the next one; None if it was the last.

    ``changes``: how many are listed. ``places``: customers that a planned page would make, less those it would delete.
    """

    read: int
    outcomes: Mapping[RecordOutcome, int]
    then: Position | None
    changes: int = 0
    failures: int = 0
    places: int = 0


class ImportRun(Base):
    """One run, of whatever kind. ``stage`` and ``cursor`` say which page comes next.

    ``worker`` carries it out, as long as ``leased_until`` is not over. ``total``: how many records it will read; None
    while that is not known. ``reason``: why it failed, or what it waits for. ``changes`` and ``failures_listed``: how
    many of them are kept.
    """

    __tablename__ = "import_runs"
    __table_args__ = (Index("ix_import_runs_status", "status"), Index("ix_import_runs_kind", "kind", "id"))

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    kind: Mapped[RunKind] = mapped_column(String(16), default="import")
    retry_of: Mapped[str | None] = mapped_column(String(36))
    organization_id: Mapped[str] = mapped_column(String(36))
    zsc_key_id: Mapped[str] = mapped_column(String(36))
    started_by: Mapped[str] = mapped_column(String(254))
    correlation_id: Mapped[str | None] = mapped_column(String(128))
    status: Mapped[RunStatus] = mapped_column(String(16), default="queued")
    reason: Mapped[str | None] = mapped_column(Text)
    stage: Mapped[Stage] = mapped_column(String(16), default="account")
    cursor: Mapped[str | None] = mapped_column(Text)
    worker: Mapped[str | None] = mapped_column(String(36))
    leased_until: Mapped[datetime | None]
    total: Mapped[int | None]
    read: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    deleted: Mapped[int] = mapped_column(default=0)
    made_inactive: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    changes: Mapped[int] = mapped_column(default=0)
    failures_listed: Mapped[int] = mapped_column(default=0)
    places_taken: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    touched_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]

    @classmethod
    def over(
        cls,
        access: Access | Connection,
        *,
        kind: RunKind,
        started_by: str,
        correlation_id: str | None,
        retry_of: str | None = None,
    ) -> "ImportRun":
        """A queued run over a connection that names an organization, or with leave to read alone."""
        if access.organization_id is None or access.zsc_key_id is None:
            raise ValueError("a run needs an organization")
        return cls(
            id=new_id(),
            kind=kind,
            retry_of=retry_of,
            organization_id=access.organization_id,
            zsc_key_id=access.zsc_key_id,
            started_by=started_by,
            correlation_id=correlation_id,
        )

    @property
    def counts(self) -> dict[str, int]:
        """What was done so far."""
        return {name: getattr(self, name) for name in COUNTED}

    @property
    def position(self) -> Position:
        """Which page comes next."""
        return Position(self.stage, self.cursor)

    def claim(self, worker: str, until: datetime) -> None:
        """Have this worker carry it out, from where it stands, as long as it renews its lease."""
        self.status = "running"
        self.worker = worker
        self.leased_until = until
        self.touched_at = utc_now()
        self.started_at = self.started_at or self.touched_at

    def page_done(self, page: PageDone) -> None:
        """Count a page and go to the next one; after the last, the run is completed."""
        self.read += page.read
        for outcome, count in page.outcomes.items():
            name = "failed" if outcome == "account_missing" else outcome
            setattr(self, name, getattr(self, name) + count)
        self.changes += page.changes
        self.failures_listed += page.failures
        self.places_taken += page.places
        self.reason = None
        self.touched_at = utc_now()
        if self.total is not None:
            self.total = max(self.total, self.read)  # records made meanwhile are read too
        if page.then is None:
            self.cursor = None
            self.end("completed")
        else:
            self.stage, self.cursor = page.then.stage, page.then.cursor

    def end(self, status: Literal["completed", "failed"], reason: str | None = None) -> None:
        """It is over; ``reason`` tells a person why it failed, and what to do."""
        self.status = status
        self.reason = reason
        self.worker = self.leased_until = None
        self.finished_at = self.touched_at = utc_now()


class ImportFailure(Base):
    """A record that a run could not import."""

    __tablename__ = "import_failures"
    __table_args__ = (
        Index("ix_import_failures_list", "run_id", "record_type", "id"),
        Index("ix_import_failures_record", "run_id", "record_type", "record_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    run_id: Mapped[str] = mapped_column(ForeignKey("import_runs.id", ondelete="CASCADE"))
    record_type: Mapped[CrmRecordType] = mapped_column(String(16))
    record_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text)


class ImportChange(Base):
    """A record that a run changed, or would change. ``fields``: each field with its text before and after.

    ``number`` counts within the run. Lists are by kind and number: accounts come before contacts.
    """

    __tablename__ = "import_changes"
    __table_args__ = (
        Index("ix_import_changes_outcome", "run_id", "outcome", "record_type", "number"),
        Index("ix_import_changes_record", "run_id", "record_type", "record_id"),
    )

    run_id: Mapped[str] = mapped_column(ForeignKey("import_runs.id", ondelete="CASCADE"), primary_key=True)
    record_type: Mapped[CrmRecordType] = mapped_column(String(16), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    record_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(Text)
    case: Mapped[Case | None] = mapped_column("customer_case", String(32))
    outcome: Mapped[RecordOutcome] = mapped_column(String(16))
    known_version: Mapped[int | None]
    version: Mapped[int]
    customer_name: Mapped[str | None] = mapped_column(Text)
    fields: Mapped[list[list[Any]]] = mapped_column(JSON)
    difference: Mapped[Difference | None] = mapped_column(String(32))
