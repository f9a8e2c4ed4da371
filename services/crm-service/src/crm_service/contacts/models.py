"""The contact."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from crm_service.accounts.models import Account
from crm_service.records import Record, deleted_index, left_index, live_index


class Contact(Record):
    """A person; without an account they stand alone."""

    __tablename__ = "contacts"
    __table_args__ = (
        live_index("ix_contacts_live", "id"),
        live_index("ix_contacts_account", "account_id", "id"),
        live_index("ix_contacts_standalone", "id", where="account_id IS NULL"),
        left_index("ix_contacts_left_account", "account_id"),
        deleted_index("ix_contacts_deleted"),
        Index("ix_contacts_updated", "updated_at"),
    )
    search_kind: ClassVar[str] = "contact"
    refers_to: ClassVar[Mapping[str, type[Record]]] = {"account_id": Account}

    salutation: Mapped[str] = mapped_column(String(255))
    first_name: Mapped[str] = mapped_column(String(255))
    last_name: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(50))
    mobile: Mapped[str] = mapped_column(String(50))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    left_account_id: Mapped[str | None] = mapped_column(String(36))

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    def search_texts(self) -> Sequence[str]:
        return self.first_name, self.last_name, self.email, self.phone, self.mobile
