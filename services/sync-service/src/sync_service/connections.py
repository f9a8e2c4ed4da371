"""The one connection between the CRM and an organization in Invoice (S5, S21).

Guarantee: at most one organization is connected. The connection is one row that is always there; while nothing is
connected it names no organization. Whoever changes it locks the row, and its version never repeats.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from servicekit.db import Database, utc_now
from servicekit.errors import Conflict, NotFound
from sqlalchemy import CheckConstraint, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from sync_service.base import Base

DEFAULT_INTERVAL_HOURS = 12
HOW_TO_DISCONNECT = "DELETE /v1/connection on the sync service"


@dataclass(frozen=True)
class Access:
    """Leave to read the CRM for an organization: what a verified ZSC key gives. The key itself is never kept."""

    organization_id: str
    organization_name: str
    email: str
    zsc_key_id: str
    auto_update: bool


class NotConnected(NotFound):
    """Nothing is connected."""

    code = "not_connected"

    def __init__(self) -> None:
        super().__init__(
            "no organization is connected to the CRM; POST /v1/imports with email and zsc_key connects one"
        )


class NothingToImportOver(Conflict):
    """An import without credentials needs a connection."""

    code = "not_connected"

    def __init__(self) -> None:
        super().__init__(
            "no organization is connected to the CRM; send email and zsc_key (and auto_update) to connect one"
        )


class OrganizationAlreadyConnected(Conflict):
    """Another organization is connected, and it goes on working (S5)."""

    code = "organization_already_connected"

    def __init__(self, connection: "Connection") -> None:
        super().__init__(
            f"the organization {connection.organization_name!r} is connected to the CRM already, and only one can be; "
            f"to connect another one, disconnect it first: {HOW_TO_DISCONNECT}",
            connected_organization_id=connection.organization_id,
            connected_organization_name=connection.organization_name,
        )


class Connection(Base):
    """The row. ``organization_id`` is None while nothing is connected.

    ``next_run_at``: when auto-update imports next; None while it does not, or an import is under way.
    """

    __tablename__ = "connection"
    __table_args__ = (CheckConstraint("singleton = 1", name="ck_connection_singleton"),)

    singleton: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    organization_id: Mapped[str | None] = mapped_column(String(36))
    organization_name: Mapped[str] = mapped_column(String(255), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    zsc_key_id: Mapped[str | None] = mapped_column(String(36))
    auto_update: Mapped[bool] = mapped_column(default=False)
    interval_hours: Mapped[int] = mapped_column(default=DEFAULT_INTERVAL_HOURS)
    version: Mapped[int] = mapped_column(default=0)
    connected_at: Mapped[datetime | None]
    next_run_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]

    def connect(self, access: Access) -> None:
        """Connect the organization, or go on with new credentials; raises `OrganizationAlreadyConnected`."""
        self.refuse_other(access.organization_id)
        now = utc_now()
        if self.organization_id is None:
            self.connected_at = now
            self.interval_hours = DEFAULT_INTERVAL_HOURS
        self.organization_id = access.organization_id
        self.organization_name = access.organization_name
        self.email = access.email
        self.zsc_key_id = access.zsc_key_id
        self.auto_update = access.auto_update
        self._changed(now)

    def refuse_other(self, organization_id: str) -> None:
        """Raise `OrganizationAlreadyConnected` if an organization other than this one is connected."""
        if self.organization_id not in (None, organization_id):
            raise OrganizationAlreadyConnected(self)

    def edit(self, *, auto_update: bool | None, interval_hours: int | None) -> None:
        """Change how it is kept up to date; None leaves as it is. An edit that changes nothing is no new version."""
        before = (self.auto_update, self.interval_hours)
        self.auto_update = self.auto_update if auto_update is None else auto_update
        self.interval_hours = interval_hours or self.interval_hours
        if (self.auto_update, self.interval_hours) == before:
            return
        now = utc_now()
        if not self.auto_update:
            self.next_run_at = self.next_check_at = None
        elif not before[0]:
            self.next_run_at = now  # what changed in the CRM meanwhile was not followed
        elif self.next_run_at is not None:
            self.next_run_at += timedelta(hours=self.interval_hours - before[1])
        self._changed(now)

    def disconnect(self) -> None:
        """Forget organization and key; what was imported stays in Invoice, and so do its links."""
        self.organization_id = self.zsc_key_id = self.connected_at = None
        self.next_run_at = self.next_check_at = None
        self.organization_name = self.email = ""
        self.auto_update = False
        self._changed(utc_now())

    def _changed(self, now: datetime) -> None:
        self.version += 1
        self.updated_at = now


async def read(session: AsyncSession) -> Connection:
    """The row, connected or not."""
    return (await session.execute(select(Connection))).scalar_one()


async def lock(session: AsyncSession) -> Connection:
    """The row, locked until the transaction ends."""
    return (await session.execute(select(Connection).with_for_update())).scalar_one()


async def require(session: AsyncSession, *, locked: bool = False) -> Connection:
    """The row if an organization is connected; raises `NotConnected`."""
    connection = await (lock(session) if locked else read(session))
    if connection.organization_id is None:
        raise NotConnected
    return connection


async def followed_organization(database: Database) -> str | None:
    """The organization that changes in the CRM flow to as they happen (S26); None if there is none."""
    columns = select(Connection.organization_id).where(Connection.auto_update)
    async with database.reading() as session:
        return (await session.execute(columns)).scalar_one_or_none()
