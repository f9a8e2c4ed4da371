"""The delivery: one document on its way to its recipients, and what came of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from servicekit.db import new_id, utc_now
from servicekit.errors import Conflict
from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from invoice_service.base import Base
from invoice_service.numbering import Kind
from invoice_service.sending.mail import Report

DeliveryStatus = Literal["queued", "sent", "failed"]

LEASE = timedelta(minutes=5)
"""For how long a delivery belongs to the process that has claimed it."""
ENDED_MIDWAY = "the process that was sending it ended before it could say how it went"


class DeliveryNotFailed(Conflict):
    code = "delivery_not_failed"


class Delivery(Base):
    """A message to be sent: what it says, and to whom. The PDF is made when it is sent.

    It is due when ``next_attempt_at`` is past. Whoever claims it moves that on by `LEASE` and signs with ``lease``: so
    it is due again if that process ends midway. ``attempts`` counts the claims since it was queued. ``taken``: the
    recipients who have it; ``refused``: those who never get it, with the reason. ``last_error``: of the last attempt.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_organization", "organization_id", "id"),
        Index("ix_deliveries_status", "organization_id", "status", "id"),
        Index("ix_deliveries_document", "document_id", "id"),
        Index(
            "ix_deliveries_due",
            "next_attempt_at",
            sqlite_where=text("status = 'queued'"),
            postgresql_where=text("status = 'queued'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    organization_id: Mapped[str] = mapped_column(String(36), ForeignKey("organizations.id"))
    document_kind: Mapped[Kind] = mapped_column(String(16))
    document_id: Mapped[str] = mapped_column(String(36))
    document_number: Mapped[str] = mapped_column(String(40))
    to_addresses: Mapped[list[str]] = mapped_column(JSON)
    cc_addresses: Mapped[list[str]] = mapped_column(JSON)
    subject: Mapped[str] = mapped_column(String(255))
    message: Mapped[str] = mapped_column(Text)
    status: Mapped[DeliveryStatus] = mapped_column(String(16), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    taken: Mapped[list[str]] = mapped_column(JSON, default=list)
    refused: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    last_error: Mapped[str] = mapped_column(Text, default="")
    next_attempt_at: Mapped[datetime | None] = mapped_column(default=utc_now)
    lease: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    created_by: Mapped[str] = mapped_column(String(254))
    sent_at: Mapped[datetime | None]

    @property
    def waiting(self) -> tuple[str, ...]:
        """The recipients of whom nothing final is known yet."""
        known = {*self.taken, *self.refused}
        return tuple(one for one in (*self.to_addresses, *self.cc_addresses) if one not in known)

    def claim(self, lease: str, now: datetime, delays: Sequence[float]) -> bool:
        """Make it the claimer's for `LEASE`; False if it was claimed too often: then it has failed."""
        if self.attempts > len(delays):
            self.report(Report.all_refused(self.waiting, ENDED_MIDWAY), now)
            return False
        self.attempts += 1
        self.lease = lease
        self.next_attempt_at = now + LEASE
        return True

    def report(self, report: Report, now: datetime, *, again_in: float | None = None) -> None:
        """Write down how an attempt went.

        ``again_in``: seconds until those who do not have it yet are tried again; None gives them up. Once nobody is
        waiting, it is sent if at least one recipient has it, and failed if none has.
        """
        refused = dict(report.refused)
        if again_in is None:
            refused |= report.deferred
        self.taken = [*self.taken, *(one for one in report.taken if one not in self.taken)]
        self.refused = self.refused | {one: why for one, why in refused.items() if one not in self.taken}
        self.last_error = summary({**report.refused, **report.deferred})
        self.lease = None
        if self.waiting and again_in is not None:
            self.next_attempt_at = now + timedelta(seconds=again_in)
            return
        self.status = "sent" if self.taken else "failed"
        self.next_attempt_at = None
        if self.taken:
            self.sent_at = now

    def retry(self, now: datetime) -> None:
        """Queue it once more, for everyone. Raises `DeliveryNotFailed`."""
        if self.status != "failed":
            raise DeliveryNotFailed(
                f"this e-mail is {self.status}; only a failed one can be tried again. To send the document once more, "
                "POST its …/send",
                delivery_id=self.id,
            )
        self.status, self.attempts, self.refused, self.next_attempt_at = "queued", 0, {}, now


def summary(reasons: Mapping[str, str]) -> str:
    """``a@example.com, b@example.com: 550 no such user; c@example.com: 450 try later``."""
    addresses: dict[str, list[str]] = {}
    for address, reason in reasons.items():
        addresses.setdefault(reason, []).append(address)
    return "; ".join(f"{', '.join(who)}: {reason}" for reason, who in addresses.items())
