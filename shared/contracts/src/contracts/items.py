"""What Invoice publishes of its items: what is sold, with its price and tax."""

from decimal import Decimal
from typing import ClassVar

from contracts.event import Event
from contracts.values import CurrencyCode, Snapshot


class ItemSnapshot(Snapshot):
    """An item, as it was at ``version``; ``rate`` is for one ``unit``, in the organization's currency.

    ``tax_percentage`` is 19 for 19 %.
    """

    organization_id: str
    name: str
    description: str = ""
    rate: Decimal
    currency_code: CurrencyCode
    unit: str = ""
    tax_percentage: Decimal = Decimal(0)


class ItemCreated(Event[ItemSnapshot]):
    wire_type: ClassVar[str] = "invoice.item.created.v1"


class ItemUpdated(Event[ItemSnapshot]):
    wire_type: ClassVar[str] = "invoice.item.updated.v1"


class ItemDeleted(Event[ItemSnapshot]):
    wire_type: ClassVar[str] = "invoice.item.deleted.v1"


EVENTS = (ItemCreated, ItemUpdated, ItemDeleted)
