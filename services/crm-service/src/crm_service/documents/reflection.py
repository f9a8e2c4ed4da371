"""Takes in what is told of documents.

Guarantee: whatever is told in whatever order and however often, a document is shown as its newest version says, by the
records that this version names; a deleted one never comes back. One batch takes a fixed number of statements.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from servicekit.errors import Problem
from sqlalchemy import and_, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service.documents.models import Document, RecordKey, Told, fetches, links, versions
from crm_service.records import batches


def newest(told: Iterable[Told]) -> list[Told]:
    """Of each document the newest version, by id; of equal ones the one with all links."""
    found: dict[str, Told] = {}
    for one in told:
        known = found.get(one.id)
        if known is None or (one.version, one.whole) > (known.version, known.whole):
            found[one.id] = one
    return [found[document_id] for document_id in sorted(found)]


async def take_in(session: AsyncSession, told: Iterable[Told]) -> set[str]:
    """Show the documents as they were told of, unless something newer is known; the ids of those that were new."""
    all_told = newest(told)
    if not all_told:
        return set()
    news = await _raise_versions(session, all_told)
    newer = [one for one in all_told if one.id in news]
    if not newer:
        return news
    whole = [one.id for one in newer if one.whole]
    partly = [one.id for one in newer if not one.whole]
    if whole:
        await session.execute(delete(links).where(links.c.document_id.in_(whole)))
    if partly:  # the potential is known in any case, the other links stay
        of_potentials = links.c.document_id.in_(partly) & (links.c.record_type == "potential")
        await session.execute(delete(links).where(of_potentials))
    shown = [one for one in newer if one.values and (one.links or not one.whole)]
    if len(shown) < len(newer):
        hidden = news - {one.id for one in shown}
        await session.execute(delete(Document).where(Document.id.in_(hidden)))
    if shown:
        statement = _insert(session, Document)
        columns = {name: statement.excluded[name] for name in shown[0].values if name != "id"}
        upsert = statement.on_conflict_do_update(index_elements=[Document.id], set_=columns)
        await session.execute(upsert, [dict(one.values) for one in shown])
        await link(session, shown)
    return news


async def link(session: AsyncSession, told: Sequence[Told]) -> None:
    """Let the records that these name have the documents; some may have them already."""
    rows = [
        {"record_type": key.record_type, "record_id": key.record_id, "kind": one.kind, "document_id": one.id}
        for one in told
        for key in sorted(one.links)
    ]
    if rows:
        await session.execute(_insert(session, links).on_conflict_do_nothing(), rows)


async def correct(
    session: AsyncSession, key: RecordKey, before: dict[str, int], truth: Sequence[Told], gone: Sequence[Told]
) -> None:
    """Let the record have the documents of ``truth``, which Invoice said, and no other of ``before``.

    ``before``: the documents that the record had when Invoice was about to be asked, and their versions. What was told
    of a document meanwhile is newer than ``truth``, and stays. ``gone``: those that Invoice does not have at all.
    """
    ids = sorted({one.id for one in (*truth, *gone)} | before.keys())
    await _lock(session, ids)
    for some in batches(newest([*truth, *gone])):
        await take_in(session, some)
    known = await _shown_versions(session, ids)
    for some in batches([one for one in truth if known.get(one.id) == one.version]):
        await link(session, some)
    said = {one.id for one in truth}
    of_key = and_(links.c.record_type == key.record_type, links.c.record_id == key.record_id)
    for unsaid in batches([id_ for id_, version in before.items() if id_ not in said and known.get(id_) == version]):
        await session.execute(delete(links).where(of_key, links.c.document_id.in_(unsaid)))
        linked = select(links.c.document_id).where(links.c.document_id.in_(unsaid))
        await session.execute(delete(Document).where(Document.id.in_(unsaid), Document.id.not_in(linked)))


async def note_fetched(session: AsyncSession, key: RecordKey, at: datetime) -> None:
    """The record's documents are as Invoice said at this time."""
    await _note(session, key, {"fetched_at": at, "failed_at": None, "failure": None})


async def note_failed(session: AsyncSession, key: RecordKey, at: datetime, problem: Problem) -> None:
    """They could not be fetched; when they were last, stays."""
    await _note(session, key, {"failed_at": at, "failure": problem.detail})


async def _note(session: AsyncSession, key: RecordKey, values: dict[str, Any]) -> None:
    statement = _insert(session, fetches).values(**key._asdict(), **values)
    columns = [fetches.c.record_type, fetches.c.record_id]
    await session.execute(statement.on_conflict_do_update(index_elements=columns, set_=values))


async def _raise_versions(session: AsyncSession, told: Sequence[Told]) -> set[str]:
    """Note the versions; the ids of those that were not known, or not with all their links.

    The rows are locked in the order of ids: who has raised a version is alone with the document until the end.
    """
    statement = _insert(session, versions)
    new = statement.excluded
    raised = statement.on_conflict_do_update(
        index_elements=[versions.c.document_id],
        set_={"version": new.version, "whole": new.whole},
        where=or_(
            versions.c.version < new.version,
            and_(versions.c.version == new.version, new.whole, versions.c.whole.is_(False)),
        ),
    ).returning(versions.c.document_id)
    rows = [{"document_id": one.id, "version": one.version, "whole": one.whole} for one in told]
    return set((await session.execute(raised, rows)).scalars())


async def _lock(session: AsyncSession, ids: Sequence[str]) -> None:
    """Keep the documents as they are until the transaction ends, in the order in which batches of events lock them."""
    for some in batches(ids):
        mine = select(versions.c.document_id).where(versions.c.document_id.in_(some)).order_by(versions.c.document_id)
        await session.execute(mine.with_for_update())


async def _shown_versions(session: AsyncSession, ids: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in batches(ids):
        rows = await session.execute(select(Document.id, Document.version).where(Document.id.in_(some)))
        found |= {row.id: row.version for row in rows}
    return found


def _insert(session: AsyncSession, table: Any) -> Any:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
