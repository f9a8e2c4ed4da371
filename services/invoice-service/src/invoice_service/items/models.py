"""The item."""

from decimal import Decimal

from servicekit.db import ExactDecimal
from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from invoice_service.base import Base, Versioned


class Item(Versioned, Base):
    """Something sold. ``rate`` is for one ``unit``, in the organization's currency; ``tax_percentage`` is 19 for 19 %.

    Lines copy what they take from it, so that changing or deleting it leaves documents as they are.
    """

    __tablename__ = "items"
    __table_args__ = (Index("ix_items_organization", "organization_id", "id"),)

    organization_id: Mapped[str] = mapped_column(String(36), ForeignKey("organizations.id"))
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, default="")
    rate: Mapped[Decimal] = mapped_column(ExactDecimal(6))
    unit: Mapped[str] = mapped_column(String(255), default="")
    tax_percentage: Mapped[Decimal] = mapped_column(ExactDecimal(6))
