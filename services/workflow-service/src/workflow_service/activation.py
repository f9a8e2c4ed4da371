"""Whether the workflow is active, and its trigger (S14). Until it is activated, potentials cause nothing."""

from datetime import datetime

from servicekit.db import utc_now
from sqlalchemy import CheckConstraint, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from workflow_service.base import Base
from workflow_service.policy import Trigger


class Activation(Base):
    """The set-up: one row, always there."""

    __tablename__ = "activation"
    __table_args__ = (CheckConstraint("singleton = 1", name="ck_activation_singleton"),)

    singleton: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    active: Mapped[bool]
    trigger: Mapped[Trigger] = mapped_column(String(16))
    version: Mapped[int]
    updated_at: Mapped[datetime]
    updated_by: Mapped[str | None] = mapped_column(String(254))

    def set(self, *, active: bool, trigger: Trigger, by: str) -> None:
        """Set it up; nothing that was made before changes (S20)."""
        if (active, trigger) != (self.active, self.trigger):
            self.active, self.trigger = active, trigger
            self.version += 1
            self.updated_at = utc_now()
            self.updated_by = by


async def read(session: AsyncSession) -> Activation:
    """The set-up."""
    return (await session.execute(select(Activation))).scalar_one()


async def lock(session: AsyncSession) -> Activation:
    """The set-up, locked until the transaction ends."""
    return (await session.execute(select(Activation).with_for_update())).scalar_one()
