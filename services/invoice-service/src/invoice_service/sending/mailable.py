"""What sending asks of a kind of document, so that estimates and invoices are sent by one code."""

import datetime
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic

from servicekit.auth import Principal
from servicekit.errors import Conflict
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.documents.models import D, Kind
from invoice_service.organizations.models import Organization
from invoice_service.pdf import PrintableDocument
from invoice_service.sending.languages import Phrases

MarkSent = Callable[[AsyncSession, Organization, Principal, D, datetime.date], Awaitable[None]]
"""Makes a document sent that is about to be, by the kind's own use case; one that is sent or beyond stays as it is."""
Refuse = Callable[[D, datetime.date], Conflict | None]
"""Why the document may not be e-mailed on a day; None if it may."""
Asking = Callable[[D, datetime.date, Phrases], str]
"""The sentence about what is expected of the customer, in a language, or ""."""
Print = Callable[[AsyncSession, Organization, D, datetime.date], Awaitable[PrintableDocument]]
"""The document as the value that its PDF is made from."""


@dataclass(frozen=True)
class Mailable(Generic[D]):
    """A kind of document that can be e-mailed.

    ``refuse``: when someone asks for it. ``refuse_late``: once it is marked sent, and when its turn comes.
    """

    kind: Kind[D]
    mark_sent: MarkSent[D]
    refuse: Refuse[D]
    refuse_late: Refuse[D]
    asking: Asking[D]
    printable: Print[D]
