"""``/v1/customers``."""

from typing import Literal

from fastapi import APIRouter, Response
from servicekit.answers import answer
from servicekit.auth import Member, Viewer
from servicekit.etags import IfMatch
from servicekit.idempotency import Idempotent
from servicekit.pagination import Page, PageQuery
from servicekit.sessions import ReadSession, WriteSession

from invoice_service.customers import duplicates, queries, service
from invoice_service.customers.schemas import CustomerBody, CustomerEdit, CustomerOut, DuplicateOut
from invoice_service.organizations.current import CurrentOrganization, CurrentOrganizationToWrite

router = APIRouter(prefix="/v1/customers", tags=["customers"])


@router.get("")
async def list_customers(
    principal: Viewer,
    session: ReadSession,
    organization: CurrentOrganization,
    page: PageQuery,
    status: Literal["active", "inactive"] | None = None,
    crm_account_id: str | None = None,
    crm_contact_id: str | None = None,
    q: str | None = None,
) -> Page[CustomerOut]:
    """Customers, newest first. ``q``: beginnings of words of its name, phone or persons."""
    found, cursor = await queries.page(
        session,
        organization.id,
        page,
        status=status,
        crm_account_id=crm_account_id,
        crm_contact_id=crm_contact_id,
        q=q,
    )
    return Page(items=[CustomerOut.of(whole, principal) for whole in found], next_cursor=cursor)


@router.post("", status_code=201, response_model=CustomerOut)
async def create_customer(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    idempotency: Idempotent,
    body: CustomerBody,
) -> Response:
    """A new customer, made by hand."""

    async def make() -> Response:
        whole = await service.create(session, organization, body)
        path = f"/v1/customers/{whole.customer.id}"
        return answer(CustomerOut.of(whole, principal), whole.customer.version, created_at_path=path)

    return await idempotency.once(session, make)


@router.get("/duplicates")
async def list_likely_duplicates(
    _: Viewer, session: ReadSession, organization: CurrentOrganization, page: PageQuery
) -> Page[DuplicateOut]:
    """Pairs of active customers with the same name, phone or address, those with the newest customer first."""
    found, cursor = await duplicates.page(session, organization.id, page)
    return Page(items=[DuplicateOut.of(*row) for row in found], next_cursor=cursor)


@router.get("/{customer_id}", response_model=CustomerOut)
async def get_customer(
    principal: Viewer, session: ReadSession, organization: CurrentOrganization, customer_id: str
) -> Response:
    """One customer; for the id of one that was merged, the one that stayed."""
    whole = await queries.get(session, organization.id, customer_id)
    return answer(CustomerOut.of(whole, principal), whole.customer.version)


@router.patch("/{customer_id}", response_model=CustomerOut)
async def edit_customer(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    customer_id: str,
    if_match: IfMatch,
    body: CustomerEdit,
) -> Response:
    """Change the fields sent; `warnings` tell which of them the CRM's next update will overwrite."""
    edited = await service.edit(session, organization, customer_id, body, expected_version=if_match)
    return answer(CustomerOut.of(edited.whole, principal, edited.warnings), edited.whole.customer.version)


@router.post("/{customer_id}/active", response_model=CustomerOut)
async def make_customer_active(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    customer_id: str,
    if_match: IfMatch,
) -> Response:
    """Let the customer get new documents again; if it is active already, nothing changes."""
    whole = await service.set_status(session, organization, customer_id, "active", expected_version=if_match)
    return answer(CustomerOut.of(whole, principal), whole.customer.version)


@router.post("/{customer_id}/inactive", response_model=CustomerOut)
async def make_customer_inactive(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    customer_id: str,
    if_match: IfMatch,
) -> Response:
    """Let the customer get no new documents; if it is inactive already, nothing changes."""
    whole = await service.set_status(session, organization, customer_id, "inactive", expected_version=if_match)
    return answer(CustomerOut.of(whole, principal), whole.customer.version)


@router.delete("/{customer_id}", status_code=204)
async def delete_customer(
    _: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    customer_id: str,
    if_match: IfMatch,
) -> None:
    """Delete a customer made by hand that has no transactions."""
    await service.remove(session, organization, customer_id, expected_version=if_match)
