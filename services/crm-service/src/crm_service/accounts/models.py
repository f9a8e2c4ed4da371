"""The account."""

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_service.records import Record, deleted_index, live_index


class Account(Record):
    """A company."""

    __tablename__ = "accounts"
    __table_args__ = (
        live_index("ix_accounts_live", "id"),
        live_index("ix_accounts_name", "account_name"),
        deleted_index("ix_accounts_deleted"),
        Index("ix_accounts_updated", "updated_at"),
    )
    search_kind: ClassVar[str] = "account"

    account_name: Mapped[str] = mapped_column(String(255))
    phone: Mapped[str] = mapped_column(String(50))
    fax: Mapped[str] = mapped_column(String(50))
    website: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text)
    billing_address: Mapped[dict[str, str]]
    shipping_address: Mapped[dict[str, str]]

    def search_texts(self) -> Sequence[str]:
        return self.account_name, self.phone, self.billing_address["city"], self.shipping_address["city"]
