"""From a queued delivery to its message: the document as it is now, as a PDF."""

import asyncio

from servicekit.db import Database, utc_now

from invoice_service import pdf
from invoice_service.documents import queries as documents
from invoice_service.documents.models import D
from invoice_service.organizations import queries as organizations
from invoice_service.organizations.models import Organization
from invoice_service.pdf import PrintableDocument
from invoice_service.sending.addresses import normalised
from invoice_service.sending.composing import Letter, compose
from invoice_service.sending.mail import Mail
from invoice_service.sending.mailable import Mailable
from invoice_service.sending.models import Delivery


async def message_of(database: Database, mailable: Mailable[D], delivery: Delivery, *, sender: str) -> Mail:
    """The message for those who do not have it yet; no connection is held while it is made.

    Raises the kind's `NotFound` or a `Conflict` if the document is gone or must not be sent any more.
    """
    now = utc_now()
    async with database.reading() as session:
        organization = await organizations.get(session, delivery.organization_id)
        document = await documents.find(session, mailable.kind, organization.id, delivery.document_id)
        if (refusal := mailable.refuse_late(document, now.date())) is not None:
            raise refusal
        printable = await mailable.printable(session, organization, document, now.date())
    letter = Letter(
        id=delivery.id,
        sender=sender,
        sender_name=organization.name,
        reply_to=_reply_to(organization),
        to=delivery.to_addresses,
        cc=delivery.cc_addresses,
        subject=delivery.subject,
        message=delivery.message,
        sent_at=now,
        number=document.written_number,
    )
    content = await asyncio.to_thread(_written, letter, printable)
    return Mail(id=delivery.id, created_at=delivery.created_at, recipients=delivery.waiting, content=content)


def _written(letter: Letter, printable: PrintableDocument) -> bytes:
    return compose(letter, pdf.render(printable))


def _reply_to(organization: Organization) -> str:
    """The organization's own address; one that cannot be written into a message is left out."""
    try:
        return normalised(organization.email) if organization.email else ""
    except ValueError:
        return ""
