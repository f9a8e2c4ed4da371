"""Use cases: make, edit, send, decide and delete estimates.

Guarantee: an estimate has a number, its totals are those of its lines, and what is told of it is what was committed.
"""

import datetime

from contracts.documents import EstimateCreated, EstimateStatus, EstimateStatusChanged, EstimateUpdated
from servicekit import outbox
from servicekit.auth import Principal
from servicekit.errors import invalid_field
from servicekit.etags import check_version
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service import numbering
from invoice_service.documents import drafting
from invoice_service.documents import queries as documents
from invoice_service.documents.queries import WholeDocument
from invoice_service.estimates import events
from invoice_service.estimates.events import TELLING
from invoice_service.estimates.models import ESTIMATES, Estimate
from invoice_service.estimates.schemas import EstimateBody, EstimateEdit
from invoice_service.organizations.models import Organization
from invoice_service.plans import service as plans


async def create(
    session: AsyncSession, organization: Organization, principal: Principal, body: EstimateBody, *, today: datetime.date
) -> WholeDocument[Estimate]:
    """A new draft with the next number.

    Raises `Invalid`, `CrmRecordNotImported`, `CustomerInactive`, `PlanCapReached`.
    """
    _check_dates(body.date or today, body.expiry_date)
    draft = await drafting.prepare(session, organization, principal, body, today=today)
    number = await numbering.take(session, organization.id, "estimate")
    estimate = Estimate(
        **draft.values,
        number=number,
        estimate_number=numbering.written(organization.estimate_prefix, number),
        expiry_date=body.expiry_date,
    )
    await drafting.insert_document(session, ESTIMATES, estimate, draft.lines, principal.name)
    await TELLING.tell(session, EstimateCreated, [estimate], today, lines={estimate.id: draft.lines})
    return await documents.whole(session, ESTIMATES, estimate, lines=draft.lines)


async def preview(
    session: AsyncSession, organization: Organization, principal: Principal, body: EstimateBody, *, today: datetime.date
) -> drafting.Preview:
    """What `create` would make now, with nothing written. Raises as `create` does, but for the plan."""
    _check_dates(body.date or today, body.expiry_date)
    return await drafting.preview(session, organization, principal, body, today=today)


async def edit(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    estimate_id: str,
    body: EstimateEdit,
    *,
    expected_version: int | None,
    today: datetime.date,
) -> WholeDocument[Estimate]:
    """Change what was sent. Raises `EstimateNotFound`, `PreconditionFailed`, `EstimateAlreadyInvoiced`, `Invalid`."""
    estimate = await documents.find(session, ESTIMATES, organization.id, estimate_id, lock=True)
    check_version(expected_version, estimate.version)
    if (refusal := estimate.refuse_edit()) is not None:
        raise refusal
    lines = (await documents.lines_of(session, ESTIMATES, [estimate.id]))[estimate.id]
    revision = await drafting.revise(session, organization, estimate, body, lines)
    _check_dates(revision.values.get("date", estimate.date), revision.values.get("expiry_date", estimate.expiry_date))
    was = estimate.status_on(today)
    changed = await revision.apply(session, ESTIMATES, estimate)
    if changed:
        if "expiry_date" in changed:
            estimate.expiry_moved(today)
            await session.flush()
        event = EstimateUpdated if estimate.status_on(today) == was else EstimateStatusChanged
        await drafting.remember(session, ESTIMATES, estimate.id, principal.name, [f"edited: {', '.join(changed)}"])
        await TELLING.tell(session, event, [estimate], today, lines={estimate.id: revision.lines})
        await drafting.index(session, ESTIMATES, estimate)
    return await documents.whole(session, ESTIMATES, estimate, lines=revision.lines)


async def mark(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    estimate_id: str,
    status: EstimateStatus,
    *,
    potential_version: int | None = None,
    expected_version: int | None = None,
    today: datetime.date,
) -> WholeDocument[Estimate]:
    """Make it ``status``; if it is so already, nothing changes. Raises `EstimateNotFound`, or a `Conflict`.

    ``potential_version``: of the potential that the workflow's command follows from; an older one than seen is refused.
    """
    drafting.check_sender(principal, potential_version)
    estimate = await documents.find(session, ESTIMATES, organization.id, estimate_id, lock=True)
    check_version(expected_version, estimate.version)
    estimate.see_potential(potential_version)
    was = estimate.status
    happened = estimate.mark(status, today)
    lines = (await documents.lines_of(session, ESTIMATES, [estimate.id]))[estimate.id]
    if happened:
        if was == "draft":
            await drafting.issue(session, estimate)
        await session.flush()
        await drafting.remember(session, ESTIMATES, estimate.id, principal.name, happened)
        await TELLING.tell(session, EstimateStatusChanged, [estimate], today, lines={estimate.id: lines})
    return await documents.whole(session, ESTIMATES, estimate, lines=lines)


async def remove(
    session: AsyncSession,
    organization: Organization,
    estimate_id: str,
    *,
    expected_version: int | None,
    today: datetime.date,
) -> None:
    """Delete a draft with the newest number and give its number back. Raises `EstimateNotFound`, or a `Conflict`."""
    estimate = await drafting.lock_for_removal(session, ESTIMATES, organization, estimate_id)
    check_version(expected_version, estimate.version)
    # What is refused needs no lock; what is allowed is made sure of by giving the number back.
    newest = await numbering.newest(session, organization.id, "estimate")
    if (refusal := estimate.refuse_delete(newest)) is not None:
        raise refusal
    last = (await TELLING.snapshots(session, [estimate], today))[0]
    await plans.count_document(session, organization, on=estimate.created_at.date(), by=-1)
    if not await numbering.give_back(session, organization.id, "estimate", estimate.number):
        newest = await numbering.newest(session, organization.id, "estimate")
        raise estimate.refuse_delete(newest) or AssertionError("the number is the newest and was not given back")
    await drafting.erase(session, ESTIMATES, estimate)
    outbox.record(session, events.deleted(last))


async def invoiced(
    session: AsyncSession, estimate: Estimate, invoice_id: str, number: str, who: str, today: datetime.date
) -> None:
    """The locked estimate has become the invoice. Raises a `Conflict`."""
    issued = estimate.status == "draft"
    estimate.convert(invoice_id, today)
    if issued:
        await drafting.issue(session, estimate)
    await session.flush()
    await drafting.remember(session, ESTIMATES, estimate.id, who, [f"converted into {number}"])
    await TELLING.tell(session, EstimateStatusChanged, [estimate], today)


async def released(
    session: AsyncSession, organization_id: str, estimate_id: str, number: str, who: str, today: datetime.date
) -> None:
    """The estimate's invoice was deleted: it may be decided and converted again."""
    estimate = await documents.find(session, ESTIMATES, organization_id, estimate_id, lock=True)
    estimate.release()
    await session.flush()
    await drafting.remember(session, ESTIMATES, estimate.id, who, [f"{number} was deleted"])
    await TELLING.tell(session, EstimateStatusChanged, [estimate], today)


def _check_dates(date: datetime.date, expiry_date: datetime.date | None) -> None:
    if expiry_date is not None and expiry_date < date:
        raise invalid_field("expiry_date", f"must not be before the estimate's date, {date}")
