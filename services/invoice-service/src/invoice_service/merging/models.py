"""What was merged into what, and which records went with it."""

from datetime import datetime

from servicekit.db import new_id, utc_now
from servicekit.errors import Conflict, NotFound
from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table
from sqlalchemy.orm import Mapped, mapped_column

from invoice_service.base import Base
from invoice_service.customers.models import Customer


class MergeNotFound(NotFound):
    code = "merge_not_found"


class MergeIntoItself(Conflict):
    code = "merge_into_itself"


class MergeIntoInactive(Conflict):
    code = "merge_into_inactive"


class MergeCurrencyDiffers(Conflict):
    code = "merge_currency_differs"


class MergeNotUndoable(Conflict):
    code = "merge_not_undoable"


class Merge(Base):
    """One merge: the customer ``from_id`` went, ``into_id`` stayed.

    The counts are what moved. ``from_version``, ``into_version`` and ``into_transactions`` are the customers as they
    were right after it: while they are the same it can be undone. ``from_status``, ``from_transactions``,
    ``from_primary_id`` and ``into_primary_id`` (the chosen primary persons) are as before it, for undoing;
    ``rank_offset`` is what was added to the ranks of the CRM links.
    """

    __tablename__ = "customer_merges"
    __table_args__ = (
        Index("ix_customer_merges_from", "from_id"),
        Index("ix_customer_merges_into", "into_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    organization_id: Mapped[str] = mapped_column(String(36), ForeignKey("organizations.id"))
    from_id: Mapped[str] = mapped_column(String(36), ForeignKey("customers.id", ondelete="CASCADE"))
    into_id: Mapped[str] = mapped_column(String(36), ForeignKey("customers.id", ondelete="CASCADE"))
    from_name: Mapped[str] = mapped_column(String(255))
    into_name: Mapped[str] = mapped_column(String(255))
    merged_at: Mapped[datetime] = mapped_column(default=utc_now)
    who: Mapped[str] = mapped_column(String(254))
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None] = mapped_column(String(254))
    estimates: Mapped[int] = mapped_column(default=0)
    invoices: Mapped[int] = mapped_column(default=0)
    payments: Mapped[int] = mapped_column(default=0)
    contact_persons: Mapped[int] = mapped_column(default=0)
    crm_links: Mapped[int] = mapped_column(default=0)
    from_version: Mapped[int]
    into_version: Mapped[int]
    into_transactions: Mapped[int]
    from_status: Mapped[str] = mapped_column(String(16))
    from_transactions: Mapped[int]
    from_primary_id: Mapped[str | None] = mapped_column(String(36))
    into_primary_id: Mapped[str | None] = mapped_column(String(36))
    rank_offset: Mapped[int] = mapped_column(default=0)

    def refuse_undo(self, gone: Customer, stayed: Customer) -> MergeNotUndoable | None:
        """Why it may not be undone, as far as its two customers go; None if it may."""
        if self.undone_at is not None:
            why = f"it was undone at {self.undone_at.isoformat()} by {self.undone_by}"
        elif stayed.merged_into is not None:
            why = f"{stayed.customer_name!r} was merged further on; undo that merge first"
        elif gone.merged_into != stayed.id or gone.version != self.from_version:
            why = f"{gone.customer_name!r} has changed since"
        elif (stayed.version, stayed.transaction_count) != (self.into_version, self.into_transactions):
            why = f"{stayed.customer_name!r} has changed since: it was edited, or documents or payments came or went"
        else:
            return None
        return self.not_undoable(why)

    def not_undoable(self, why: str) -> MergeNotUndoable:
        """The refusal that says so."""
        return MergeNotUndoable(f"this merge cannot be undone: {why}", merge_id=self.id)


merge_records = Table(
    "customer_merge_records",
    Base.metadata,
    Column("merge_id", String(36), ForeignKey("customer_merges.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("record_id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
)
"""What moved with a merge: ``version`` is a document's or payment's right after it, else 0."""


def check(gone: Customer, stays: Customer) -> None:
    """Raise `MergeIntoItself`, `MergeIntoInactive` or `MergeCurrencyDiffers` if one cannot be merged into the other."""
    if gone.id == stays.id:
        raise MergeIntoItself("a customer cannot be merged into itself; name another one", customer_id=gone.id)
    if stays.status != "active":
        raise MergeIntoInactive(
            f"customer {stays.customer_name!r} is inactive; choose another one, or make it active again",
            customer_id=stays.id,
        )
    if gone.currency_code != stays.currency_code:
        raise MergeCurrencyDiffers(
            f"{gone.customer_name!r} has {gone.currency_code} and {stays.customer_name!r} {stays.currency_code}; "
            "only customers with the same currency can be merged",
            customer_id=gone.id,
            into=stays.id,
        )
