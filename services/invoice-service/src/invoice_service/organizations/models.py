"""The organization: whose customers and documents these are, and how it prints them."""

from contracts.values import Address
from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, String, Table, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from invoice_service.base import Base, Versioned
from invoice_service.plans.models import DEFAULT_PLAN


class Organization(Versioned, Base):
    """One set of books. Exactly one is the default, for requests that name none.

    ``plan``: a plan's name. ``language``: a BCP 47 tag that Babel knows. ``payment_terms``: days until an invoice is
    due, for customers who have none of their own. ``…_start``: the first number of a kind of document. ``logo_digest``:
    SHA-256 of the logo in hexadecimal, if there is one.
    """

    __tablename__ = "organizations"
    __table_args__ = (
        Index(
            "uq_organizations_default",
            "is_default",
            unique=True,
            sqlite_where=text("is_default"),
            postgresql_where=text("is_default"),
        ),
    )

    name: Mapped[str] = mapped_column(String(255))
    address: Mapped[Address] = mapped_column(default=Address())
    currency_code: Mapped[str] = mapped_column(String(3))
    plan: Mapped[str] = mapped_column(String(100), default=DEFAULT_PLAN)
    language: Mapped[str] = mapped_column(String(35), default="en-US")
    paper: Mapped[str] = mapped_column(String(16), default="A4")
    tax_number: Mapped[str] = mapped_column(String(255), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    phone: Mapped[str] = mapped_column(String(50), default="")
    website: Mapped[str] = mapped_column(String(255), default="")
    payment_terms: Mapped[int] = mapped_column(default=0)
    default_notes: Mapped[str] = mapped_column(Text, default="")
    default_terms: Mapped[str] = mapped_column(Text, default="")
    estimate_prefix: Mapped[str] = mapped_column(String(20), default="EST-")
    invoice_prefix: Mapped[str] = mapped_column(String(20), default="INV-")
    estimate_start: Mapped[int] = mapped_column(BigInteger, default=1)
    invoice_start: Mapped[int] = mapped_column(BigInteger, default=1)
    logo_digest: Mapped[str | None] = mapped_column(String(64))
    is_default: Mapped[bool] = mapped_column(default=False)


organization_logos = Table(
    "organization_logos",
    Base.metadata,
    Column("organization_id", String(36), ForeignKey("organizations.id"), primary_key=True),
    Column("content_type", String(32), nullable=False),
    Column("content", LargeBinary, nullable=False),
)
"""Apart from the organizations, which every request reads."""
