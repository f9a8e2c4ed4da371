"""Use cases: merge a customer into another one, preview that, and undo it (S29).

Guarantee: one transaction under the lock of the organization, so that commands of the CRM and edits of customers come
before it or after it; new documents wait for the lock of their customer, and then go to the one that stays.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from servicekit import outbox, search
from servicekit.auth import Principal
from servicekit.db import new_id, utc_now
from servicekit.errors import invalid_field
from servicekit.etags import check_version
from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import duplicates
from invoice_service.customers import events as customer_events
from invoice_service.customers import queries as customers
from invoice_service.customers.models import ChangedMeanwhile, Customer, CustomerAlreadyMerged
from invoice_service.customers.queries import SEARCH_KIND, CustomerNotFound, WholeCustomer
from invoice_service.merging import events, joining, moving, queries
from invoice_service.merging.models import Merge, check, merge_records
from invoice_service.organizations import queries as organizations
from invoice_service.organizations.models import Organization
from invoice_service.plans import service as plans


@dataclass(frozen=True)
class Merged:
    """The merge, or what it would be, and how the customer that stays looks after it."""

    merge: Merge
    customer: WholeCustomer


async def preview(
    session: AsyncSession, organization: Organization, customer_id: str, into: str, *, expected_version: int | None
) -> Merged:
    """What `merge` would do, with nothing changed.

    It raises the same errors but `ChangedMeanwhile`: it may be that only for this moment.
    """
    gone, stays = await _both(session, organization, customer_id, into)
    check_version(expected_version, gone.customer.version)
    made = _new(organization, gone, stays, await moving.count(session, gone.customer.id), who="")
    savepoint = await session.begin_nested()
    session.add(made)
    await session.flush()
    await joining.join(session, made, gone, stays)
    (whole,) = await customers.complete(session, [stays.customer])
    session.expunge_all()  # so that rolling back does not take from the objects what they show
    await savepoint.rollback()
    return Merged(made, whole)


async def merge(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    customer_id: str,
    into: str,
    *,
    expected_version: int | None,
    today: datetime.date,
) -> Merged:
    """Merge the customer into another one.

    Raises `CustomerNotFound`, `CustomerAlreadyMerged`, `PreconditionFailed`, `Invalid` (for ``into``),
    `MergeIntoItself`, `MergeIntoInactive`, `MergeCurrencyDiffers`, `ChangedMeanwhile`.
    """
    gone, stays = await _both(session, organization, customer_id, into)
    check_version(expected_version, gone.customer.version)
    counts = await moving.count(session, gone.customer.id)
    made = _new(organization, gone, stays, counts, who=principal.name)
    session.add(made)
    await session.flush()
    await _refuse_if_busy(session, made)
    await joining.join(session, made, gone, stays)
    await moving.move(session, made)
    left, whole = await customers.complete(session, [gone.customer, stays.customer])
    outbox.record(session, events.merged(left, whole.customer.id))
    outbox.record(session, customer_events.updated(whole))
    await _find_anew(session, left, whole)
    await moving.tell(session, made, today)
    return Merged(made, whole)


async def undo(
    session: AsyncSession, organization: Organization, principal: Principal, merge_id: str, *, today: datetime.date
) -> Merge:
    """Make two customers of one again, each as it was.

    Raises `MergeNotFound`, `MergeNotUndoable`, `ChangedMeanwhile`, `PlanCapReached` (S13: it is one customer more).
    """
    await organizations.get(session, organization.id, lock=True)
    made = await queries.find(session, organization.id, merge_id)
    rows = await _lock(session, organization, [made.from_id, made.into_id])
    gone, stayed = rows[made.from_id], rows[made.into_id]
    if (refusal := made.refuse_undo(gone, stayed)) is not None:
        raise refusal
    await _refuse_if_busy(session, made, back=True)
    if (changed := await moving.changed_since(session, made)) is not None:
        kind, ids = changed
        raise made.not_undoable(f"of what moved with it, {kind} {', '.join(ids)} changed since")
    if contacts := await joining.changed_since(session, made):
        raise made.not_undoable(f"in the CRM, contact {', '.join(contacts)} changed since, and belongs elsewhere")
    if (naming := await moving.named_since(session, made)) is not None:
        kind, ids = naming
        raise made.not_undoable(f"{kind} {', '.join(ids)} names a contact person of {gone.customer_name!r} since")
    await plans.check_customers(session, organization)
    versions = (gone.version - 1, stayed.version - 1)
    await joining.part(session, made, gone, stayed)
    await moving.move_back(session, made, principal.name)
    said = await joining.said_last(session, gone)
    if said is not None:
        gone.change(**{name: getattr(said, name) for name in type(said).model_fields})
    made.undone_at, made.undone_by = utc_now(), principal.name
    await session.flush()
    left, whole = await customers.complete(session, [gone, stayed])
    for one in (left, whole):
        outbox.record(session, customer_events.updated(one))
    await _find_anew(session, left, whole)
    await moving.tell(session, made, today)
    await _as_before(session, made, {gone: versions[0], stayed: versions[1]})
    await session.execute(delete(merge_records).where(merge_records.c.merge_id == made.id))
    return made


async def _both(
    session: AsyncSession, organization: Organization, customer_id: str, into: str
) -> tuple[WholeCustomer, WholeCustomer]:
    """Who goes and who stays, both locked; raises what refuses the merge."""
    await organizations.get(session, organization.id, lock=True)
    try:
        into_id = (await customers.find(session, organization.id, into)).id
    except CustomerNotFound as error:
        raise invalid_field("into", error.detail, code=error.code) from None
    rows = await _lock(session, organization, [customer_id, into_id])
    if customer_id not in rows:
        raise CustomerNotFound(f"there is no customer {customer_id} in this organization", customer_id=customer_id)
    gone = rows[customer_id]
    if gone.merged_into is not None:
        raise CustomerAlreadyMerged(
            f"customer {gone.customer_name!r} was merged already, and is customer {gone.merged_into} now",
            customer_id=gone.id,
            merged_into=gone.merged_into,
        )
    check(gone, rows[into_id])
    whole, other = await customers.complete(session, [gone, rows[into_id]])
    return whole, other


async def _lock(session: AsyncSession, organization: Organization, ids: list[str]) -> dict[str, Customer]:
    statement = select(Customer).where(Customer.organization_id == organization.id, Customer.id.in_(ids))
    found = await session.execute(
        statement.order_by(Customer.id).with_for_update(), execution_options={"populate_existing": True}
    )
    return {customer.id: customer for customer in found.scalars()}


def _new(
    organization: Organization, gone: WholeCustomer, stays: WholeCustomer, counts: Mapping[str, int], *, who: str
) -> Merge:
    goes, remains = gone.customer, stays.customer
    return Merge(
        id=new_id(),
        organization_id=organization.id,
        from_id=goes.id,
        into_id=remains.id,
        from_name=goes.customer_name,
        into_name=remains.customer_name,
        merged_at=utc_now(),
        who=who,
        estimates=counts["estimate"],
        invoices=counts["invoice"],
        payments=counts["payment"],
        contact_persons=len(gone.persons),
        crm_links=len(gone.links),
        from_version=goes.version + 1,
        into_version=remains.version + 1,
        into_transactions=remains.transaction_count + goes.transaction_count,
        from_status=goes.status,
        from_transactions=goes.transaction_count,
        from_primary_id=goes.chosen_primary_id,
        into_primary_id=remains.chosen_primary_id,
        rank_offset=0,
    )


async def _refuse_if_busy(session: AsyncSession, made: Merge, *, back: bool = False) -> None:
    if await moving.busy(session, made, back=back):
        raise ChangedMeanwhile(
            "someone is changing a document or payment of this customer right now; try again", customer_id=made.from_id
        )


async def _find_anew(session: AsyncSession, left: WholeCustomer, whole: WholeCustomer) -> None:
    """Let both be found by what they are now, and be paired with their duplicates; who was merged, by nothing."""
    for one in (left, whole):
        await duplicates.keep(session, one.customer)
        texts = one.search_texts if one.customer.merged_into is None else ()
        await search.index(session, SEARCH_KIND, {one.customer.id: texts})


async def _as_before(session: AsyncSession, undone: Merge, versions: Mapping[Customer, int]) -> None:
    """Earlier merges into the two customers can be undone again, if they could before this one.

    ``versions``: customer → what its version was before the merge that was undone.
    """
    for customer, version in versions.items():
        earlier = (Merge.into_id == customer.id, Merge.undone_at.is_(None), Merge.id != undone.id)
        await session.execute(
            update(Merge).where(*earlier, Merge.into_version == version).values(into_version=customer.version)
        )
    moved = merge_records.alias()
    again = exists().where(
        moved.c.merge_id == undone.id,
        moved.c.kind == merge_records.c.kind,
        moved.c.record_id == merge_records.c.record_id,
        moved.c.version == merge_records.c.version + 1,
    )
    into_gone = select(Merge.id).where(Merge.into_id == undone.from_id, Merge.undone_at.is_(None))
    has_version = merge_records.c.kind.in_([one.kind for one in moving.MOVABLE])
    records = update(merge_records).where(merge_records.c.merge_id.in_(into_gone), has_version, again)
    await session.execute(records.values(version=merge_records.c.version + 2))
