"""Takes in what is told of documents and customers.

Guarantee: whatever is told in whatever order and however often, a document is shown as its newest version says, by the
records that the newest versions of its customer and persons name; a deleted one never comes back. One batch takes a
fixed number of statements.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from servicekit.db import utc_now
from servicekit.errors import Problem
from sqlalchemy import Table, and_, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service.documents.models import (
    Document,
    RecordKey,
    Told,
    ToldCustomer,
    anybodys,
    customers,
    fetches,
    persons,
    records,
    versions,
)

T = TypeVar("T", Told, ToldCustomer)


def newest(told: Iterable[T]) -> list[T]:
    """Of each document, or customer, the newest version, by id."""
    found: dict[str, T] = {}
    for one in told:
        known = found.get(one.id)
        if known is None or one.version > known.version:
            found[one.id] = one
    return [found[id_] for id_ in sorted(found)]


async def take_in(session: AsyncSession, told: Iterable[Told], *, now: bool = False) -> None:
    """Keep the documents as they were told of, unless something newer is known, and forget those that are nobody's.

    ``now``: they are so now, as Invoice answers, so that it counts even if that version was told before.
    """
    all_told = newest(told)
    if not all_told:
        return
    rows = [{"document_id": one.id, "version": one.version, "told_at": utc_now()} for one in all_told]
    news = await _raise(session, versions, rows, now=now)
    newer = [one for one in all_told if one.id in news]
    kept = [one for one in newer if one.values]
    if len(kept) < len(newer):
        await session.execute(delete(Document).where(Document.id.in_([one.id for one in newer if not one.values])))
    if not kept:
        return
    statement = _insert(session, Document)
    columns = {name: statement.excluded[name] for name in kept[0].values if name != "id"}
    upsert = statement.on_conflict_do_update(index_elements=[Document.id], set_=columns)
    await session.execute(upsert, [dict(one.values) for one in kept])
    unknown = ~exists().where(customers.c.id == Document.customer_id)
    of_unknown = and_(Document.id.in_([one.id for one in kept if one.anybodys]), unknown)
    await session.execute(
        delete(Document).where(Document.id.in_([one.id for one in kept]), ~anybodys(), ~of_unknown),
        execution_options={"synchronize_session": False},
    )


async def take_in_customers(session: AsyncSession, told: Sequence[ToldCustomer], *, now: bool = False) -> None:
    """The same for customers: their documents are whose they are by that.

    One that is nobody in the CRM any more takes what is known of its documents along. One that becomes somebody there
    later in its life is noted as ``unfetched``: its documents were not kept.
    """
    all_told = newest(told)
    if not all_told:
        return
    rows = [
        {"id": one.id, "version": one.version, "organization_id": one.organization_id, "unfetched": False}
        for one in all_told
    ]
    news = await _raise(session, customers, rows, now=now)
    newer = [one for one in all_told if one.id in news]
    if not newer:
        return
    of_newer = records.c.customer_id.in_([one.id for one in newer])
    somebody = set((await session.execute(select(records.c.customer_id).where(of_newer))).scalars())
    await session.execute(delete(records).where(of_newer))
    whose = [key._asdict() | {"customer_id": one.id} for one in newer for key in sorted(one.records)]
    if whose:
        await session.execute(_insert(session, records).on_conflict_do_nothing(), whose)
    known_persons = dict(sorted(person for one in newer for person in one.persons.items()))
    if known_persons:
        statement = _insert(session, persons)
        upsert = statement.on_conflict_do_update(
            index_elements=[persons.c.id], set_={"contact_id": statement.excluded.contact_id}
        )
        await session.execute(
            upsert, [{"id": id_, "contact_id": contact_id} for id_, contact_id in known_persons.items()]
        )
    somebody |= {one.id for one in told if one.records and one.version == 1}  # from the beginning
    became = [one.id for one in newer if one.records and one.id not in somebody]
    if became:
        await session.execute(update(customers).where(customers.c.id.in_(became)).values(unfetched=True))
    await _forget(session, [one.id for one in newer if not one.records])


async def correct(
    session: AsyncSession, key: RecordKey, before: Mapping[str, int], truth: Sequence[ToldCustomer]
) -> None:
    """Let the record have the customers of ``truth``, which Invoice said, and no other of ``before``.

    ``before``: those that it had when Invoice was about to be asked, and their versions. What was told of one meanwhile
    is newer than ``truth``, and stays.
    """
    await take_in_customers(session, truth, now=True)
    said = {one.id for one in truth}
    for customer_id in sorted(before.keys() - said):
        as_before = exists().where(customers.c.id == customer_id, customers.c.version != before[customer_id])
        mine = and_(records.c.record_type == key.record_type, records.c.record_id == key.record_id)
        await session.execute(delete(records).where(mine, records.c.customer_id == customer_id, ~as_before))
    await _forget(session, before.keys() - said)


async def unfetched(session: AsyncSession, customer_ids: Collection[str]) -> dict[str, str]:
    """Those of these customers whose documents are still to be fetched → their organization."""
    wanted = select(customers.c.id, customers.c.organization_id).where(customers.c.unfetched)
    found = await session.execute(wanted.where(customers.c.id.in_(customer_ids)))
    return {row.id: row.organization_id for row in found}


async def note_fetched_customers(session: AsyncSession, customer_ids: Collection[str]) -> None:
    """Their documents are known now."""
    await session.execute(update(customers).where(customers.c.id.in_(customer_ids)).values(unfetched=False))


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


async def forget_old(session: AsyncSession, before: datetime) -> None:
    """Forget the versions, told before then, of documents that are deleted or nobody's in the CRM."""
    kept = exists().where(Document.id == versions.c.document_id)
    await session.execute(delete(versions).where(versions.c.told_at < before, ~kept))


async def _forget(session: AsyncSession, customer_ids: Collection[str]) -> None:
    """Keep nothing of the documents of these customers that are nobody's; their versions stay."""
    if customer_ids:
        await session.execute(
            delete(Document).where(Document.customer_id.in_(customer_ids), ~anybodys()),
            execution_options={"synchronize_session": False},
        )


async def _raise(session: AsyncSession, table: Table, rows: Sequence[dict[str, Any]], *, now: bool) -> set[str]:
    """Note the versions, the key being the table's first column; the ids of those that were news.

    The rows are locked in the order of ids: who has raised a version is alone with it until the end. ``now``: the
    version that is known counts as news, too.
    """
    statement = _insert(session, table)
    new, key = statement.excluded.version, next(iter(table.primary_key))
    newer = table.c.version <= new if now else table.c.version < new
    raised = {name: statement.excluded[name] for name in ("version", "told_at") if name in table.c}
    upsert = statement.on_conflict_do_update(index_elements=[key], set_=raised, where=newer).returning(key)
    return set((await session.execute(upsert, rows)).scalars())


def _insert(session: AsyncSession, table: Any) -> Any:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
