"""The ZSC key."""

from datetime import datetime, timedelta

from servicekit.db import new_id, utc_now
from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from crm_service.base import Base

NOTED_EVERY = timedelta(minutes=5)
"""How often the use of a key is written down at most: an import asks with it for page after page."""


class ZscKey(Base):
    """A user's key; only its SHA-256 is kept (it is random enough), and a prefix to know it by.

    A revoked one stays, so that whoever still uses it is told so. ``last_used_at`` is right to `NOTED_EVERY`.
    """

    __tablename__ = "zsc_keys"
    __table_args__ = (Index("ix_zsc_keys_user", "user_id", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(String(36))
    name: Mapped[str] = mapped_column(String(255))
    prefix: Mapped[str] = mapped_column(String(16))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]

    def revoke(self, now: datetime) -> None:
        """From now on it opens nothing; the first revocation counts."""
        self.revoked_at = self.revoked_at or now

    def is_use_noted(self, now: datetime) -> bool:
        """Whether a use of it now need not be written down."""
        return self.last_used_at is not None and now - self.last_used_at <= NOTED_EVERY
