"""What the CRM tells of its potentials."""

from typing import Any

from contracts.event import Event
from contracts.potentials import (
    PotentialCreated,
    PotentialDeleted,
    PotentialLost,
    PotentialReopened,
    PotentialSnapshot,
    PotentialStatus,
    PotentialUpdated,
    PotentialWon,
)

from crm_service.potentials.models import Potential

_REACHED: dict[PotentialStatus, type[Event[PotentialSnapshot]]] = {
    "won": PotentialWon,
    "lost": PotentialLost,
    "open": PotentialReopened,
}


def snapshot(potential: Potential) -> PotentialSnapshot:
    """The potential as it is now."""
    return PotentialSnapshot(
        id=potential.id,
        version=potential.version,
        deleted=potential.deleted,
        potential_name=potential.potential_name,
        account_id=potential.account_id,
        contact_id=potential.contact_id,
        stage=potential.stage,
        status=potential.status,
        amount=potential.amount,
        currency_code=potential.currency_code,
        closing_date=potential.closing_date,
    )


def created(potential: Potential) -> PotentialCreated:
    """It is new, in whatever stage."""
    return PotentialCreated(data=snapshot(potential))


def changed(potential: Potential, before: PotentialStatus) -> Event[Any]:
    """It changed: was won, lost or reopened if its status is another than ``before``, otherwise updated."""
    event = PotentialUpdated if potential.status == before else _REACHED[potential.status]
    return event(data=snapshot(potential))


def updated(potential: Potential) -> PotentialUpdated:
    """It says something else now, in the same status."""
    return PotentialUpdated(data=snapshot(potential))


def deleted(potential: Potential) -> PotentialDeleted:
    """It is gone; the snapshot is what it last said."""
    return PotentialDeleted(data=snapshot(potential))
