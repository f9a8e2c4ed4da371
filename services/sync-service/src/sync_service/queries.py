"""Reading import runs."""

from collections.abc import Sequence

from servicekit.errors import NotFound
from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sync_service.runs import ImportFailure, ImportRun


class ImportNotFound(NotFound):
    """There is no such run."""

    code = "import_not_found"


async def page_of(session: AsyncSession, page: PageRequest) -> tuple[list[ImportRun], str | None]:
    """The runs, newest first."""
    return await fetch_page(session, select(ImportRun), keys=[ImportRun.id], page=page, key_of=lambda run: [run.id])


async def latest(session: AsyncSession) -> ImportRun | None:
    """The run started last."""
    return (await session.execute(select(ImportRun).order_by(ImportRun.id.desc()).limit(1))).scalar_one_or_none()


async def get(session: AsyncSession, run_id: str) -> tuple[ImportRun, Sequence[ImportFailure]]:
    """A run and what it failed at; raises `ImportNotFound`."""
    run = await session.get(ImportRun, run_id)
    if run is None:
        raise ImportNotFound(f"there is no import {run_id}")
    found = select(ImportFailure).where(ImportFailure.run_id == run_id).order_by(ImportFailure.id)
    return run, (await session.execute(found)).scalars().all()
