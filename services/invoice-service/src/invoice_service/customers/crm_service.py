"""Use case: apply CRM records (S22–S29), many at once.

Guarantee: one transaction, and commands of one organization come one after the other, so that what a plan was made from
still holds when it is written.
"""

from collections.abc import Iterable
from dataclasses import replace

from contracts.customers import CrmRecordPlan, CrmRecordResult, CustomerDeleted
from servicekit import outbox, search
from servicekit.db import new_id
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import (
    crm_changes,
    crm_loading,
    crm_preview,
    crm_records,
    crm_writing,
    duplicates,
    events,
    queries,
)
from invoice_service.customers.crm_changes import Changes
from invoice_service.customers.crm_plan import Plan, plan
from invoice_service.customers.crm_preview import Asked
from invoice_service.customers.crm_records import ApplyBody
from invoice_service.customers.crm_state import KnownCustomer, State
from invoice_service.customers.likeness import Likeness, likeness
from invoice_service.customers.queries import SEARCH_KIND, WholeCustomer
from invoice_service.organizations import queries as organizations
from invoice_service.plans import service as plans


async def apply(session: AsyncSession, organization_id: str, body: ApplyBody) -> tuple[CrmRecordResult, ...]:
    """Apply the records whose version is newer than the one applied last; with ``reapply`` see `Link.is_news`.

    One result for each, in order; with ``explain`` it tells the changes. Each customer that changed is told of by one
    event, under the correlation id of the record that concerned it last.
    """
    organization = await organizations.get(session, organization_id, lock=True)
    known = await crm_loading.links_of(session, organization.id, {crm_records.key(one) for one in body.records})
    is_news = [
        (link := known.get(crm_records.key(one))) is None
        or link.is_news(one.version, one.set_back_from, reapply=body.reapply)
        for one in body.records
    ]
    records = [crm_records.read(one, with_parts=new) for one, new in zip(body.records, is_news, strict=True)]
    news = [record for record, new in zip(records, is_news, strict=True) if new]
    before = await crm_loading.load(session, organization.id, news, known)
    room = await plans.customer_room(session, organization) if news else None
    made = plan(before, records, new_id, room, reapply=body.reapply, explain=body.explain)
    changes = crm_changes.between(before, made)
    deleted = [events.deleted(whole) for whole in await queries.get_many(session, changes.deleted_customers)]
    new_ids = [customer.id for customer in changes.new_customers]
    admitted = await _admit(session, organization.id, before, changes)
    await crm_writing.write(session, organization, changes, admitted)
    await duplicates.pair(session, admitted)
    others = [*(customer.id for customer in changes.changed_customers), *changes.touched_customers]
    kept = await queries.get_many(session, [*new_ids, *others])
    await _index(session, kept, changes)
    _tell(session, made, kept, deleted, {*new_ids})
    return made.results


async def preview(session: AsyncSession, organization_id: str, asked: Asked, *, places_taken: int) -> CrmRecordPlan:
    """What `apply` would answer for the records once the earlier ones are applied, or which of those are missing.

    ``places_taken``: how many customers more there will be by then. Writes and locks nothing.
    """
    organization = await organizations.get(session, organization_id)
    known = await crm_loading.links_of(session, organization.id, {record.key for record in asked.all})
    before = await crm_loading.load(session, organization.id, asked.all, known, lock=False)
    room = await plans.customer_room(session, organization, lock=False)
    if room is not None:
        room = replace(room, used=room.used + places_taken)
    return crm_preview.preview(before, asked, room)


async def _admit(session: AsyncSession, organization_id: str, before: State, changes: Changes) -> duplicates.Admitted:
    """What the new customers, and those that are recognised by something else now, are recognised by."""
    wanted = {one.id: _likeness(one) for one in changes.new_customers}
    known = []
    for one in changes.changed_customers:
        was = before.customers[one.id]
        if (was.fields, was.active) != (one.fields, one.active) and _likeness(was) != (now := _likeness(one)):
            wanted[one.id] = now
            known.append(one.id)
    return await duplicates.admit(session, organization_id, wanted, known=known)


def _likeness(customer: KnownCustomer) -> Likeness:
    fields = customer.fields
    if not customer.active:
        return Likeness()
    return likeness(fields.customer_name, fields.phone, fields.billing_address, fields.shipping_address)


async def _index(session: AsyncSession, kept: Iterable[WholeCustomer], changes: Changes) -> None:
    texts = {one.customer.id: one.search_texts for one in kept if one.customer.id in changes.renamed_customers}
    new = {one.id: texts.pop(one.id) for one in changes.new_customers}
    await search.index(session, SEARCH_KIND, new, new=True)
    await search.index(session, SEARCH_KIND, texts | dict.fromkeys(changes.deleted_customers, ()))


def _tell(
    session: AsyncSession,
    made: Plan,
    kept: Iterable[WholeCustomer],
    deleted: Iterable[CustomerDeleted],
    new_ids: set[str],
) -> None:
    told = [(events.created if one.customer.id in new_ids else events.updated)(one) for one in kept]
    for event in [*told, *deleted]:
        outbox.record(session, event, correlation=made.causes.get(event.data.id))
