"""A plan and its caps, and what organizations have used of theirs."""

from typing import Protocol

from servicekit.errors import PaymentRequired
from sqlalchemy import Column, ForeignKey, Integer, String, Table
from sqlalchemy.orm import Mapped, mapped_column

from invoice_service.base import Base, Versioned

DEFAULT_PLAN = "Unlimited"
"""The plan of an organization that names none; it is there from the first migration of plans on, without caps."""


class PlanCapReached(PaymentRequired):
    """S13: a further document or customer would be more than the plan allows."""

    code = "plan_cap_reached"


class Subscriber(Protocol):
    """An organization, as far as plans know it."""

    @property
    def id(self) -> str: ...

    @property
    def plan(self) -> str: ...


class Plan(Versioned, Base):
    """Caps for the organizations that name it; None is no cap. A lowered cap takes nothing away, but stops more.

    A plan is never deleted or renamed: organizations refer to it by its name.
    """

    __tablename__ = "plans"

    name: Mapped[str] = mapped_column(String(100), unique=True)
    documents_per_month: Mapped[int | None]
    customers: Mapped[int | None]


plan_use = Table(
    "plan_use",
    Base.metadata,
    Column("organization_id", String(36), ForeignKey("organizations.id"), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("documents", Integer, nullable=False),
)
"""Documents that an organization made in a month (``2026-01``, UTC) and did not delete since."""
