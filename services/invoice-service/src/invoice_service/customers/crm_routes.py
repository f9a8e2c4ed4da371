"""``/v1/crm``: what sync and the CRM ask of Invoice."""

from typing import Annotated

from contracts.customers import CrmRecordPlan, CrmRecordResults, CustomerSnapshot, HeldCrmRecord
from fastapi import APIRouter, Depends, Query, Response
from servicekit.auth import ServiceOnly
from servicekit.errors import BadRequest
from servicekit.pagination import Page, PageQuery, PageRequest, page_request
from servicekit.sessions import ReadSession, WriteSession

from invoice_service.customers import crm_service, events, queries
from invoice_service.customers.crm_records import ApplyBody, PlanBody, read_asked
from invoice_service.organizations.current import CurrentOrganization, CurrentOrganizationToWrite

router = APIRouter(prefix="/v1/crm", tags=["crm"])


@router.put("/customers", response_model=CrmRecordResults)
async def apply_crm_records(
    _: ServiceOnly, session: WriteSession, organization: CurrentOrganizationToWrite, body: ApplyBody
) -> Response:
    """Apply up to 1,000 CRM records, each if its version is newer than the one applied last; an outcome for each.

    `reapply`: apply what was applied already once more; an older version only where its `set_back_from` is the version
    held here. `explain`: tell the changes, field by field.
    """
    results = await crm_service.apply(session, organization.id, body)
    return Response(CrmRecordResults(results=results).model_dump_json(), media_type="application/json")


@router.get("/customers")
async def list_customers_of_crm_record(
    _: ServiceOnly,
    session: ReadSession,
    organization: CurrentOrganization,
    page: PageQuery,
    crm_account_id: str | None = None,
    crm_contact_id: str | None = None,
) -> Page[CustomerSnapshot]:
    """The customers whose documents belong to an account or a contact of the CRM, each as events tell of it.

    An account's are its own and those that its contacts had for themselves; a contact's, the one it is at, too.
    """
    if (crm_account_id is None) == (crm_contact_id is None):
        raise BadRequest("send either crm_account_id or crm_contact_id")
    found, cursor = await queries.whose_documents(
        session, organization.id, page, account_id=crm_account_id, contact_id=crm_contact_id
    )
    return Page(items=[events.snapshot(whole) for whole in found], next_cursor=cursor)


@router.post("/customers/plan", response_model=CrmRecordPlan)
async def plan_crm_records(
    _: ServiceOnly, session: ReadSession, organization: CurrentOrganization, body: PlanBody
) -> Response:
    """What applying the records would do, once the earlier ones of the import were applied; nothing is changed.

    Where earlier records matter that were not sent, it names them and gives no results: send them too, or name them as
    refused, and ask again.
    """
    planned = await crm_service.preview(session, organization.id, read_asked(body), places_taken=body.places_taken)
    return Response(planned.model_dump_json(), media_type="application/json")


async def _links_page(
    limit: Annotated[int, Query(ge=1, le=1000, description="Rows a page")] = 500,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
) -> PageRequest:
    return await page_request(limit, cursor)


@router.get("/links")
async def list_crm_links(
    _: ServiceOnly,
    session: ReadSession,
    organization: CurrentOrganization,
    page: Annotated[PageRequest, Depends(_links_page)],
) -> Page[HeldCrmRecord]:
    """The CRM records that are live here, accounts first, then by id, each with the version applied last."""
    found, cursor = await queries.held_crm_records(session, organization.id, page)
    return Page(items=found, next_cursor=cursor)
