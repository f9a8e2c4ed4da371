"""Use cases: send a document by e-mail, and try a failed e-mail again.

Guarantee: a document is marked sent, its e-mail queued and its history told of it in one transaction, or nothing is.
What happens to the e-mail afterwards is the courier's (`courier`).
"""

import datetime

from servicekit.auth import Principal
from servicekit.db import utc_now
from servicekit.errors import Conflict, Invalid, invalid_field
from servicekit.etags import check_version
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import queries as customers
from invoice_service.customers.models import ContactPerson
from invoice_service.documents import drafting
from invoice_service.documents import queries as documents
from invoice_service.documents.models import D
from invoice_service.organizations.models import Organization
from invoice_service.sending import queries, wording
from invoice_service.sending.addresses import normalised
from invoice_service.sending.mailable import Mailable
from invoice_service.sending.models import Delivery
from invoice_service.sending.schemas import SendBody


class MailNotConfigured(Conflict):
    """There is no way out for e-mails."""

    code = "mail_not_configured"

    def __init__(self) -> None:
        super().__init__(
            "no e-mail can be sent: set SMTP_HOST and MAIL_FROM for invoice-service (.env.example says more), or "
            "MAIL_DIR to have messages written as files. To mark the document sent without an e-mail, POST its "
            "…/status/sent"
        )


class RecipientMissing(Invalid):
    code = "recipient_missing"


async def send(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    mailable: Mailable[D],
    document_id: str,
    body: SendBody,
    *,
    expected_version: int | None,
    today: datetime.date,
) -> Delivery:
    """Mark a draft sent, and queue the e-mail; a document that was sent before is only sent again.

    Raises the kind's `NotFound`, `PreconditionFailed`, a `Conflict` where the document's state forbids it,
    `RecipientMissing`, `Invalid`.
    """
    document = await documents.find(session, mailable.kind, organization.id, document_id, lock=True)
    check_version(expected_version, document.version)
    if (refusal := mailable.refuse(document, today)) is not None:
        raise refusal
    await mailable.mark_sent(session, organization, principal, document, today)
    if (refusal := mailable.refuse_late(document, today)) is not None:
        raise refusal
    # Only now the document bears the names of today, which its PDF will bear.
    name = document.contact_person_name or document.customer_name
    to = list(dict.fromkeys(body.to))
    if not to:
        person = await addressee(session, document)
        to, name = [_stored_address(person)], person.full_name or name
    delivery = Delivery(
        organization_id=organization.id,
        document_kind=mailable.kind.name,
        document_id=document.id,
        document_number=document.written_number,
        to_addresses=to,
        cc_addresses=[address for address in dict.fromkeys(body.cc) if address not in to],
        subject=body.subject or wording.subject(mailable, document, organization),
        message=body.message or wording.message(mailable, document, organization, name, today),
        created_by=principal.name,
    )
    session.add(delivery)
    await session.flush()
    what = f"e-mailed to {', '.join((*delivery.to_addresses, *delivery.cc_addresses))}"
    await drafting.remember(session, mailable.kind, document.id, principal.name, [what])
    return delivery


async def retry(session: AsyncSession, organization: Organization, delivery_id: str) -> Delivery:
    """Queue a failed e-mail once more, due at once. Raises `DeliveryNotFound`, `DeliveryNotFailed`."""
    delivery = await queries.find(session, organization.id, delivery_id, lock=True)
    delivery.retry(utc_now())
    await session.flush()
    return delivery


async def addressee(session: AsyncSession, document: D) -> ContactPerson:
    """The document's contact person, else the customer's primary one: the first of them who has an address."""
    customer = await customers.get(session, document.organization_id, document.customer_id)
    for wanted in (document.contact_person_id, customer.primary_id):
        for person in customer.persons:
            if person.id == wanted and person.email:
                return person
    message = (
        f"{document.written_number} has no contact person with an e-mail address; send an address here, or give the "
        f"primary contact person of customer {customer.customer.customer_name!r} one (contact_persons[].email)"
    )
    raise RecipientMissing(
        f"to: {message}", errors=[{"field": "to", "message": message}], customer_id=document.customer_id
    )


def _stored_address(person: ContactPerson) -> str:
    try:
        return normalised(person.email)
    except ValueError as error:
        message = f"{person.email!r}, the e-mail address of contact person {person.full_name}, {error}; correct it"
        raise invalid_field("to", message, code="recipient_invalid", contact_person_id=person.id) from None
