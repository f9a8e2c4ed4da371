"""What the CRM publishes of its accounts."""

from typing import ClassVar

from contracts.event import Event
from contracts.values import Address, Snapshot


class AccountSnapshot(Snapshot):
    """A company in the CRM, as it was at ``version``."""

    account_name: str
    phone: str = ""
    fax: str = ""
    website: str = ""
    description: str = ""
    billing_address: Address = Address()
    shipping_address: Address = Address()


class AccountCreated(Event[AccountSnapshot]):
    wire_type: ClassVar[str] = "crm.account.created.v1"


class AccountUpdated(Event[AccountSnapshot]):
    wire_type: ClassVar[str] = "crm.account.updated.v1"


class AccountDeleted(Event[AccountSnapshot]):
    wire_type: ClassVar[str] = "crm.account.deleted.v1"


EVENTS = (AccountCreated, AccountUpdated, AccountDeleted)
