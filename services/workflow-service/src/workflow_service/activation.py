"""Whether the workflow is active, and its trigger (S14). Until it is activated, potentials cause nothing.

What counts for an event is whether the workflow was active when it happened, however late it is handled: so every
change of the set-up is kept.
"""

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

    def set(self, *, active: bool, trigger: Trigger, by: str) -> "SetUp | None":
        """Set it up; nothing that was made before changes (S20). Gives what the history is to keep of it."""
        if (active, trigger) == (self.active, self.trigger):
            return None
        self.active, self.trigger = active, trigger
        self.version += 1
        self.updated_at = utc_now()
        self.updated_by = by
        return SetUp(version=self.version, active=active, since=self.updated_at)


class SetUp(Base):
    """How it was set up from one moment on, until the next one of a greater version."""

    __tablename__ = "activation_history"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    active: Mapped[bool]
    since: Mapped[datetime] = mapped_column(index=True)


async def read(session: AsyncSession) -> Activation:
    """The set-up."""
    return (await session.execute(select(Activation))).scalar_one()


async def lock(session: AsyncSession) -> Activation:
    """The set-up, locked until the transaction ends."""
    return (await session.execute(select(Activation).with_for_update())).scalar_one()


async def was_active(session: AsyncSession, at: datetime | None) -> bool:
    """Whether it was active at a moment; None: now.

    The moment is by the clock of the process of the CRM where it happened, the history by one of ours: where these
    differ, what happens within that difference of an activation counts for the other side of it.
    """
    last = select(SetUp.active).order_by(SetUp.version.desc()).limit(1)
    return bool((await session.execute(last if at is None else last.where(SetUp.since <= at))).scalar_one_or_none())
