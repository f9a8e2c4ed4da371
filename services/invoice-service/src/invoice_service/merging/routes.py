"""``/v1/customers/{id}/merge``, the journal of merges, and undoing one."""

from fastapi import APIRouter, Response
from servicekit.answers import answer
from servicekit.auth import Member, Viewer
from servicekit.db import utc_now
from servicekit.etags import IfMatch
from servicekit.idempotency import Idempotent
from servicekit.pagination import Page, PageQuery
from servicekit.sessions import ReadSession, WriteSession

from invoice_service.merging import queries, service
from invoice_service.merging.schemas import MergeBody, MergeEntry, MergeOut
from invoice_service.organizations.current import CurrentOrganization, CurrentOrganizationToWrite

router = APIRouter(prefix="/v1/customers", tags=["customers"])


@router.post("/{customer_id}/merge", response_model=MergeOut)
async def merge_customer(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    idempotency: Idempotent,
    customer_id: str,
    if_match: IfMatch,
    body: MergeBody,
    dry_run: bool = False,
) -> Response:
    """Merge the customer into another one, which gets all it has; with ``dry_run``, only say what that would do."""
    if dry_run:
        made = await service.preview(session, organization, customer_id, body.into, expected_version=if_match)
        return answer(MergeOut.of(made, principal, preview=True), made.customer.customer.version)

    async def make() -> Response:
        made = await service.merge(
            session,
            organization,
            principal,
            customer_id,
            body.into,
            expected_version=if_match,
            today=utc_now().date(),
        )
        return answer(MergeOut.of(made, principal, preview=False), made.customer.customer.version)

    return await idempotency.once(session, make)


@router.get("/{customer_id}/merges")
async def list_merges(
    _: Viewer, session: ReadSession, organization: CurrentOrganization, page: PageQuery, customer_id: str
) -> Page[MergeEntry]:
    """The merges that the customer was part of, and those before into the ones merged into it, newest first."""
    found, cursor = await queries.page(session, organization.id, customer_id, page)
    return Page(items=[MergeEntry.of(merge) for merge in found], next_cursor=cursor)


@router.post("/merges/{merge_id}/undo", response_model=MergeEntry)
async def undo_merge(
    principal: Member, session: WriteSession, organization: CurrentOrganizationToWrite, merge_id: str
) -> MergeEntry:
    """Make two customers of one again, each as it was; only while neither they nor what moved has changed since."""
    made = await service.undo(session, organization, principal, merge_id, today=utc_now().date())
    return MergeEntry.of(made)
