"""The organization: whose customers and documents these are."""

from contracts.values import Address
from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from invoice_service.base import Base, Versioned


class Organization(Versioned, Base):
    """One set of books. Exactly one is the default, for requests that name none."""

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
    estimate_prefix: Mapped[str] = mapped_column(String(20), default="EST-")
    invoice_prefix: Mapped[str] = mapped_column(String(20), default="INV-")
    is_default: Mapped[bool] = mapped_column(default=False)
