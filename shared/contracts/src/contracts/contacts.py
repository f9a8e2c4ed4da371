"""What the CRM publishes of its contacts."""

from typing import ClassVar

from contracts.event import Event
from contracts.values import Snapshot


class ContactSnapshot(Snapshot):
    """A person in the CRM, as they were at ``version``; ``account_id`` is empty for one who stands alone."""

    salutation: str = ""
    first_name: str = ""
    last_name: str
    email: str = ""
    phone: str = ""
    mobile: str = ""
    account_id: str | None = None


class ContactCreated(Event[ContactSnapshot]):
    wire_type: ClassVar[str] = "crm.contact.created.v1"


class ContactUpdated(Event[ContactSnapshot]):
    wire_type: ClassVar[str] = "crm.contact.updated.v1"


class ContactDeleted(Event[ContactSnapshot]):
    wire_type: ClassVar[str] = "crm.contact.deleted.v1"


EVENTS = (ContactCreated, ContactUpdated, ContactDeleted)
