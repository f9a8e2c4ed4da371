"""For whom a document is: the customer named, or the one that a CRM record is linked to (S6, S7, S18)."""

from dataclasses import dataclass

from contracts.customers import CrmRecordType
from servicekit.errors import Conflict, invalid_field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import service as customers
from invoice_service.customers.models import ContactPerson, CrmLink, Customer
from invoice_service.customers.queries import crm_link
from invoice_service.documents.schemas import DocumentBody


class CrmRecordNotImported(Conflict):
    """The CRM's record is no customer here (yet)."""

    code = "crm_record_not_imported"


@dataclass(frozen=True)
class ChosenCustomer:
    """The customer, locked and counted, and the contact person, if one is meant."""

    customer: Customer
    contact_person: ContactPerson | None


async def choose(session: AsyncSession, organization_id: str, body: DocumentBody) -> ChosenCustomer:
    """Who the document is for. Raises `Invalid`, `CrmRecordNotImported`, `CustomerInactive`."""
    meant = await _meant(session, organization_id, body)
    if meant is None:
        raise invalid_field("customer_id", "is missing")
    customer = await customers.use(session, organization_id, meant.customer_id, field=meant.field)
    return ChosenCustomer(customer, await _person(session, customer, meant, body))


async def look_at(session: AsyncSession, organization_id: str, body: DocumentBody) -> Customer | None:
    """Who the document would be for, neither locked nor counted; None if nobody is named. Raises as `choose` does."""
    meant = await _meant(session, organization_id, body)
    if meant is None:
        return None
    customer = await customers.usable(session, organization_id, meant.customer_id, field=meant.field)
    await _person(session, customer, meant, body)
    return customer


@dataclass(frozen=True)
class _Meant:
    """The customer's id, the field that says so, and the link of the contact, if one is named."""

    customer_id: str
    field: str
    contact: CrmLink | None = None


async def _meant(session: AsyncSession, organization_id: str, body: DocumentBody) -> _Meant | None:
    if body.customer_id is not None:
        return _Meant(body.customer_id, "customer_id")
    if body.crm_account_id is None and body.crm_contact_id is None:
        return None
    account = await _link(session, organization_id, "account", body.crm_account_id)
    contact = await _link(session, organization_id, "contact", body.crm_contact_id)
    if body.crm_contact_id is not None and contact is None:
        # It may be on its way: who is meant must not depend on which of the two comes first (S18, S19).
        raise CrmRecordNotImported(
            "crm_contact_id: this contact of the CRM is not imported; import it first", record_id=body.crm_contact_id
        )
    link = account if body.crm_account_id is not None else contact
    field = "crm_account_id" if body.crm_account_id is not None else "crm_contact_id"
    if link is None or link.deleted or link.customer_id is None:
        raise CrmRecordNotImported(
            f"{field}: this record of the CRM is not imported; import it first", record_id=getattr(body, field)
        )
    return _Meant(link.customer_id, field, contact)


async def _person(session: AsyncSession, customer: Customer, meant: _Meant, body: DocumentBody) -> ContactPerson | None:
    if body.contact_person_id is not None:
        return await person_at(session, customer.id, body.contact_person_id)
    contact = meant.contact
    if contact is None or contact.deleted or contact.contact_person_id is None:
        return None
    found = await session.get(ContactPerson, contact.contact_person_id)
    return found if found is not None and found.customer_id == customer.id else None


async def person_at(session: AsyncSession, customer_id: str, person_id: str) -> ContactPerson:
    """A contact person of the customer. Raises `Invalid`."""
    statement = select(ContactPerson).where(ContactPerson.id == person_id, ContactPerson.customer_id == customer_id)
    person = (await session.execute(statement)).scalar_one_or_none()
    if person is None:
        raise invalid_field("contact_person_id", f"there is no contact person {person_id} at this customer")
    return person


async def _link(
    session: AsyncSession, organization_id: str, record_type: CrmRecordType, record_id: str | None
) -> CrmLink | None:
    if record_id is None:
        return None
    return (await session.execute(crm_link(organization_id, record_type, record_id))).scalar_one_or_none()
