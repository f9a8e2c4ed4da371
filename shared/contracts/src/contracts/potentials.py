"""What the CRM publishes of its potentials (deals)."""

from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal

from contracts.event import Event
from contracts.values import CurrencyCode, Snapshot

PotentialStatus = Literal["open", "won", "lost"]


class PotentialSnapshot(Snapshot):
    """A deal in the CRM, as it was at ``version``; ``status`` follows from its stage."""

    potential_name: str
    account_id: str | None = None
    contact_id: str | None = None
    stage: str
    status: PotentialStatus
    amount: Decimal | None = None
    currency_code: CurrencyCode
    closing_date: date | None = None


class PotentialCreated(Event[PotentialSnapshot]):
    wire_type: ClassVar[str] = "crm.potential.created.v1"


class PotentialUpdated(Event[PotentialSnapshot]):
    wire_type: ClassVar[str] = "crm.potential.updated.v1"


class PotentialWon(Event[PotentialSnapshot]):
    wire_type: ClassVar[str] = "crm.potential.won.v1"


class PotentialLost(Event[PotentialSnapshot]):
    wire_type: ClassVar[str] = "crm.potential.lost.v1"


class PotentialReopened(Event[PotentialSnapshot]):
    wire_type: ClassVar[str] = "crm.potential.reopened.v1"


class PotentialDeleted(Event[PotentialSnapshot]):
    wire_type: ClassVar[str] = "crm.potential.deleted.v1"


EVENTS = (PotentialCreated, PotentialUpdated, PotentialWon, PotentialLost, PotentialReopened, PotentialDeleted)
