"""Reading the feed.

It gives what is in the table, column by column, and finds nothing wrong with it: one record that is strange, whatever
put it there, must not keep the others of its page from being read.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from contracts.accounts import AccountSnapshot
from contracts.contacts import ContactSnapshot
from contracts.values import Snapshot
from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service.accounts.models import Account
from crm_service.contacts.models import Contact
from crm_service.records import Record, possible

Item = dict[str, Any]
"""A record in the form of its snapshot, as the events carry it."""


@dataclass(frozen=True)
class Feed:
    """All records of one kind, tombstones included. ``snapshot``: the form in which they are given."""

    kind: type[Record]
    snapshot: type[Snapshot]

    def _select(self) -> Select[*tuple[Any, ...]]:
        deleted = self.kind.deleted_at.is_not(None).label("deleted")
        return select(
            *(deleted if name == "deleted" else getattr(self.kind, name) for name in self.snapshot.model_fields)
        )

    async def page(self, session: AsyncSession, page: PageRequest) -> tuple[list[Item], str | None]:
        """One page, oldest first, and the cursor of the next one."""
        rows, cursor = await fetch_page(
            session, self._select(), keys=[self.kind.id], page=page, key_of=lambda row: [row.id], descending=False
        )
        return [row._asdict() for row in rows], cursor

    async def these(self, session: AsyncSession, ids: Collection[str]) -> list[Item]:
        """Those of ``ids`` that there are, in the order of their ids."""
        statement = self._select().where(self.kind.id.in_(possible(ids))).order_by(self.kind.id)
        return [row._asdict() for row in await session.execute(statement)]

    async def count(self, session: AsyncSession) -> int:
        """How many records it gives."""
        return (await session.execute(select(func.count()).select_from(self.kind))).scalar_one()


ACCOUNTS = Feed(Account, AccountSnapshot)
CONTACTS = Feed(Contact, ContactSnapshot)
