"""Reading runs and what they list."""

from collections.abc import Collection

from contracts.customers import CrmRecordType, RecordOutcome
from servicekit.errors import NotFound
from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sync_service.runs.models import ImportChange, ImportFailure, ImportRun, RunKind


class ImportNotFound(NotFound):
    """There is no such run."""

    code = "import_not_found"


async def page_of(
    session: AsyncSession, page: PageRequest, kind: RunKind | None = None
) -> tuple[list[ImportRun], str | None]:
    """The runs, newest first; of one kind, if one is named."""
    statement = select(ImportRun)
    if kind is not None:
        statement = statement.where(ImportRun.kind == kind)
    return await fetch_page(session, statement, keys=[ImportRun.id], page=page, key_of=lambda run: [run.id])


async def latest(session: AsyncSession, kinds: Collection[RunKind], *, completed: bool = False) -> ImportRun | None:
    """The run of these kinds that was started last."""
    statement = select(ImportRun).where(ImportRun.kind.in_(kinds))
    if completed:
        statement = statement.where(ImportRun.status == "completed")
    return (await session.execute(statement.order_by(ImportRun.id.desc()).limit(1))).scalar_one_or_none()


async def get(session: AsyncSession, run_id: str) -> ImportRun:
    """A run; raises `ImportNotFound`."""
    run = await session.get(ImportRun, run_id)
    if run is None:
        raise ImportNotFound(f"there is no import {run_id}")
    return run


async def failures(session: AsyncSession, run_id: str, page: PageRequest) -> tuple[list[ImportFailure], str | None]:
    """What a run failed at: accounts, then contacts, each as they came. Raises `ImportNotFound`."""
    await get(session, run_id)
    return await fetch_page(
        session,
        select(ImportFailure).where(ImportFailure.run_id == run_id),
        keys=[ImportFailure.record_type, ImportFailure.id],
        page=page,
        key_of=lambda one: [one.record_type, one.id],
        descending=False,
    )


async def changes(
    session: AsyncSession,
    run_id: str,
    page: PageRequest,
    *,
    outcome: RecordOutcome | None = None,
    record_type: CrmRecordType | None = None,
) -> tuple[list[ImportChange], str | None]:
    """What a run changed, or would change: accounts, then contacts, each as they came. Raises `ImportNotFound`."""
    await get(session, run_id)
    statement = select(ImportChange).where(ImportChange.run_id == run_id)
    if outcome is not None:
        statement = statement.where(ImportChange.outcome == outcome)
    if record_type is not None:
        statement = statement.where(ImportChange.record_type == record_type)
    return await fetch_page(
        session,
        statement,
        keys=[ImportChange.record_type, ImportChange.number],
        page=page,
        key_of=lambda one: [one.record_type, one.number],
        descending=False,
    )
