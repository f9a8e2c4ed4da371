"""The subject and the message that go out where a person has written none: from the document, in the organization's
language."""

import datetime

from invoice_service.documents.models import D
from invoice_service.organizations.models import Organization
from invoice_service.sending.composing import one_line
from invoice_service.sending.languages import phrases
from invoice_service.sending.mailable import Mailable

MAX_SUBJECT = 255


def subject(mailable: Mailable[D], document: D, organization: Organization) -> str:
    """``Invoice INV-000001 from Northwind Traders``."""
    line = phrases(organization.language).line(
        f"{mailable.kind.name}_subject", number=document.written_number, organization=organization.name
    )
    return one_line(line)[:MAX_SUBJECT]


def message(mailable: Mailable[D], document: D, organization: Organization, name: str, today: datetime.date) -> str:
    """A short letter to ``name``."""
    language = phrases(organization.language)
    attached = language.sentence(
        f"{mailable.kind.name}_attached",
        number=document.written_number,
        date=language.day(document.date),
        amount=language.money(document.total, document.currency_code),
    )
    paragraphs = (
        language.sentence("greeting", name=name),
        f"{attached}\n{mailable.asking(document, today, language)}".strip(),
        language.sentence("closing"),
    )
    return "\n\n".join(paragraphs) + f"\n{organization.name}\n"
