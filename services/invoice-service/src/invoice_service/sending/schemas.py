"""Deliveries in JSON."""

import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field
from servicekit.fields import Body, Line, Text

from invoice_service.sending.addresses import normalised
from invoice_service.sending.models import Delivery, DeliveryStatus

MAX_RECIPIENTS = 20

Recipient = Annotated[str, Field(max_length=320), AfterValidator(normalised)]


class SendBody(Body):
    """What is left out is taken from the document: the contact person's address; a subject and a message, in the
    organization's language."""

    to: list[Recipient] = Field([], max_length=MAX_RECIPIENTS)
    cc: list[Recipient] = Field([], max_length=MAX_RECIPIENTS)
    subject: Line = ""
    message: Text = ""


class RefusedRecipient(BaseModel):
    address: str
    reason: str


class DeliveryOut(BaseModel):
    """An e-mail with a document. ``sent``: a mail server has taken it for at least one recipient.

    ``refused``: who never gets it, in the server's words. ``last_error``: what went wrong at the last attempt.
    ``next_attempt_at``: while it is queued.
    """

    id: str
    document_kind: str
    document_id: str
    document_number: str
    to: list[str]
    cc: list[str]
    subject: str
    message: str
    status: DeliveryStatus
    attempts: int
    refused: list[RefusedRecipient]
    last_error: str
    next_attempt_at: datetime.datetime | None
    created_at: datetime.datetime
    created_by: str
    sent_at: datetime.datetime | None

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """The delivery as it is shown."""
        return cls(
            id=delivery.id,
            document_kind=delivery.document_kind,
            document_id=delivery.document_id,
            document_number=delivery.document_number,
            to=delivery.to_addresses,
            cc=delivery.cc_addresses,
            subject=delivery.subject,
            message=delivery.message,
            status=delivery.status,
            attempts=delivery.attempts,
            refused=[RefusedRecipient(address=one, reason=why) for one, why in delivery.refused.items()],
            last_error=delivery.last_error,
            next_attempt_at=delivery.next_attempt_at,
            created_at=delivery.created_at,
            created_by=delivery.created_by,
            sent_at=delivery.sent_at,
        )
