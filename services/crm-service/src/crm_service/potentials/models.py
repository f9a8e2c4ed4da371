"""The potential: its amount is exact in its currency, and its status is that of its stage."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from contracts.potentials import PotentialStatus
from contracts.values import check_amount
from servicekit.db import ExactDecimal
from servicekit.errors import invalid_field
from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm_service.accounts.models import Account
from crm_service.contacts.models import Contact
from crm_service.records import Record, deleted_index, left_index, live_index
from crm_service.stages.models import Stage


def exact_amount(amount: Decimal | None, currency_code: str) -> Decimal | None:
    """The amount with exactly its currency's decimals.

    Raises `Invalid` with the field ``amount`` if it is negative, or cannot be written so; nothing is rounded.
    """
    if amount is None:
        return None
    try:
        exact = check_amount(amount, currency_code)
    except ValueError as error:
        raise invalid_field("amount", str(error)) from None
    if exact < 0:
        raise invalid_field("amount", "must not be negative")
    return abs(exact)  # there is a negative zero


class Potential(Record):
    """A deal with an account, or a contact, or both."""

    __tablename__ = "potentials"
    __table_args__ = (
        live_index("ix_potentials_live", "id"),
        Index("ix_potentials_updated", "updated_at"),
        live_index("ix_potentials_account", "account_id", "id"),
        live_index("ix_potentials_contact", "contact_id", "id"),
        live_index("ix_potentials_stage", "stage_id", "id"),
        live_index("ix_potentials_status", "status", "id"),
        left_index("ix_potentials_left_account", "account_id"),
        left_index("ix_potentials_left_contact", "contact_id"),
        deleted_index("ix_potentials_deleted"),
    )
    search_kind: ClassVar[str] = "potential"
    refers_to: ClassVar[Mapping[str, type[Record]]] = {"account_id": Account, "contact_id": Contact}

    potential_name: Mapped[str] = mapped_column(String(255))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    contact_id: Mapped[str | None] = mapped_column(ForeignKey("contacts.id"))
    left_account_id: Mapped[str | None] = mapped_column(String(36))
    left_contact_id: Mapped[str | None] = mapped_column(String(36))
    stage_id: Mapped[int] = mapped_column(ForeignKey("stages.id"))
    status: Mapped[PotentialStatus] = mapped_column(String(8))
    stored_amount: Mapped[Decimal | None] = mapped_column("amount", ExactDecimal(4))
    currency_code: Mapped[str] = mapped_column(String(3))
    closing_date: Mapped[date | None]
    its_stage: Mapped[Stage] = relationship(lazy="joined", innerjoin=True)

    def __init__(self, stage: Stage, *, amount: Decimal | None, currency_code: str, **values: Any) -> None:
        super().__init__(
            stored_amount=exact_amount(amount, currency_code),
            currency_code=currency_code,
            its_stage=stage,
            stage_id=stage.id,
            status=stage.status,
            **values,
        )

    @property
    def stage(self) -> str:
        """The name of its stage."""
        return self.its_stage.name

    @property
    def amount(self) -> Decimal | None:
        """The amount, with exactly its currency's decimals."""
        return exact_amount(self.stored_amount, self.currency_code)

    def edit(self, changes: Mapping[str, Any], stage: Stage | None, now: datetime) -> bool:
        """Take over the changes, and move to ``stage`` if one is given; whether anything differs.

        Raises `Invalid` for an amount that the currency cannot express, whichever of the two changed.
        """
        values = dict(changes)
        currency_code = values.get("currency_code", self.currency_code)
        values["stored_amount"] = exact_amount(values.pop("amount", self.stored_amount), currency_code)
        if stage is not None:
            values |= {"its_stage": stage, "stage_id": stage.id, "status": stage.status}
        return self.change(values, now)

    def search_texts(self) -> Sequence[str]:
        return (self.potential_name,)
