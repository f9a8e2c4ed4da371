"""What a run lists, record by record: the changes it made or would make, and what it failed at."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from contracts.customers import CrmRecordKey, CrmRecordType, FieldChange, RecordOutcome
from servicekit.db import Database, new_id
from sqlalchemy import CursorResult, Table, and_, delete, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from sync_service.runs.models import Case, Difference, ImportChange, ImportFailure, ImportRun

# Not through the ORM: a page may have hundreds.
_changes, _failures = cast(Table, ImportChange.__table__), cast(Table, ImportFailure.__table__)

RUNS_WITH_CHANGES = 10
"""The changes of so many runs that have some are kept; those of the older ones are deleted."""
RUNS_WITH_FAILURES = 50
DELETED_AT_ONCE = 5000
LONGEST_ID = 64


@dataclass(frozen=True)
class Failure:
    """One record that was not imported, and why."""

    record_type: CrmRecordType
    record_id: str
    name: str
    reason: str


@dataclass(frozen=True)
class Change:
    """One record that was changed in Invoice, or would be."""

    record_type: CrmRecordType
    record_id: str
    name: str
    case: Case | None
    outcome: RecordOutcome
    known_version: int | None
    version: int
    customer_name: str | None
    fields: Sequence[FieldChange] = ()
    difference: Difference | None = None


def storable(text: str) -> str:
    """The text as every database can hold it: PostgreSQL takes no NUL."""
    return text.replace("\x00", "\ufffd")


async def keep_failures(session: AsyncSession, run: ImportRun, failures: Sequence[Failure]) -> None:
    """List them with the run."""
    rows = [
        {
            "id": new_id(),
            "run_id": run.id,
            "record_type": one.record_type,
            "record_id": storable(one.record_id)[: 2 * LONGEST_ID],  # a broken one may be as long as it likes
            "name": storable(one.name),
            "reason": storable(one.reason),
        }
        for one in failures
    ]
    if rows:
        await session.execute(insert(_failures), rows)


async def keep_changes(session: AsyncSession, run: ImportRun, changes: Sequence[Change]) -> None:
    """List them with the run, numbered from the run's ``changes`` on."""
    rows = [
        {
            "run_id": run.id,
            "number": run.changes + index,
            "record_type": one.record_type,
            "record_id": one.record_id,
            "name": storable(one.name),
            "customer_case": one.case,
            "outcome": one.outcome,
            "known_version": one.known_version,
            "version": one.version,
            "customer_name": None if one.customer_name is None else storable(one.customer_name),
            "fields": [[field.field, _text(field.before), _text(field.after)] for field in one.fields],
            "difference": one.difference,
        }
        for index, one in enumerate(changes)
    ]
    if rows:
        await session.execute(insert(_changes), rows)


def _text(value: str | None) -> str | None:
    return None if value is None else storable(value)


async def have_contacts(session: AsyncSession, run_id: str, account_ids: Collection[str]) -> None:
    """These accounts have contacts: those of them that are listed are case 1, not case 2."""
    if account_ids:
        await session.execute(
            update(ImportChange)
            .where(
                ImportChange.run_id == run_id,
                ImportChange.record_type == "account",
                ImportChange.record_id.in_(account_ids),
                ImportChange.case == "account",
            )
            .values(case="account_with_contacts")
        )


async def failed_among(session: AsyncSession, run_id: str, keys: Iterable[CrmRecordKey]) -> set[CrmRecordKey]:
    """Those of these records that the run has failed at so far."""
    by_type: dict[CrmRecordType, list[str]] = {}
    for key in keys:
        by_type.setdefault(key.record_type, []).append(key.record_id)
    if not by_type:
        return set()
    named = or_(
        *(and_(ImportFailure.record_type == kind, ImportFailure.record_id.in_(ids)) for kind, ids in by_type.items())
    )
    statement = select(ImportFailure.record_type, ImportFailure.record_id).where(ImportFailure.run_id == run_id, named)
    rows = (await session.execute(statement)).all()
    return {CrmRecordKey(record_type=kind, record_id=record_id) for kind, record_id in rows}


async def failures_after(
    session: AsyncSession, run_id: str, record_type: CrmRecordType, cursor: str | None, limit: int
) -> Sequence[ImportFailure]:
    """The run's failures of this kind, in the order they came, from after the one with this id on."""
    statement = select(ImportFailure).where(ImportFailure.run_id == run_id, ImportFailure.record_type == record_type)
    if cursor is not None:
        statement = statement.where(ImportFailure.id > cursor)
    return (await session.execute(statement.order_by(ImportFailure.id).limit(limit))).scalars().all()


async def forget_old(database: Database) -> None:
    """Delete what older runs list, a batch at a time; the runs themselves and their counts stay."""
    async with database.reading() as session:
        old_changes = await _older(session, ImportRun.changes > 0, RUNS_WITH_CHANGES)
        old_failures = await _older(session, ImportRun.failures_listed > 0, RUNS_WITH_FAILURES)
    for run_id in old_changes:
        while not await _forget_some(database, run_id, ImportChange):
            pass
    for run_id in old_failures:
        while not await _forget_some(database, run_id, ImportFailure):
            pass


async def _older(session: AsyncSession, having_some: object, kept: int) -> Sequence[str]:
    statement = select(ImportRun.id).where(having_some, ImportRun.finished_at.is_not(None))  # type: ignore[arg-type]
    return (await session.execute(statement.order_by(ImportRun.id.desc()).offset(kept))).scalars().all()


async def _forget_some(database: Database, run_id: str, listed: type[ImportChange | ImportFailure]) -> bool:
    """Delete a batch; True if nothing is left of the run's."""
    key = (
        (ImportChange.run_id, ImportChange.record_type, ImportChange.number)
        if listed is ImportChange
        else (ImportFailure.id,)
    )
    some = select(*key).where(listed.run_id == run_id).limit(DELETED_AT_ONCE)
    where = tuple_(*key).in_(some) if len(key) > 1 else key[0].in_(some)
    async with database.transaction() as session:
        result = await session.execute(delete(listed).where(where).execution_options(synchronize_session=False))
        assert isinstance(result, CursorResult)
        if result.rowcount == DELETED_AT_ONCE:
            return False
        none = {"changes": 0} if listed is ImportChange else {"failures_listed": 0}
        await session.execute(update(ImportRun).where(ImportRun.id == run_id).values(none))
    return True
