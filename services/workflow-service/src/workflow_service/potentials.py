"""What the workflow knows of each potential: the newest state it was told of, and what of it was followed.

Guarantee: a state is known here before Invoice is asked about it. So of two processes that handle events of one
potential at once, at least one knows both, and whoever knew less notices when it writes down what it did (S19).
"""

from dataclasses import dataclass
from typing import Any

from contracts.potentials import PotentialSnapshot
from servicekit.db import Database
from servicekit.errors import Unavailable
from sqlalchemy import String
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from workflow_service.base import Base
from workflow_service.policy import Trigger, is_due


@dataclass(frozen=True)
class Known:
    """What was known at one moment. ``followed``: the newest state was carried out, or needed nothing."""

    newest: PotentialSnapshot
    was_due: bool
    followed: bool


class KnownPotential(Base):
    """One potential. ``was_due``: one of its states asked for a document (`policy.is_due`)."""

    __tablename__ = "potentials"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    version: Mapped[int]
    snapshot: Mapped[dict[str, Any]]
    was_due: Mapped[bool]
    followed_version: Mapped[int]

    def learn(self, potential: PotentialSnapshot, *, due: bool) -> None:
        """Take in one of its states, an old one perhaps. What that makes of the newest has to be followed again."""
        if potential.version > self.version:
            self.version = potential.version
            self.snapshot = potential.model_dump(mode="json")
        if due and not self.was_due:
            self.was_due = True
            self.followed_version = 0

    @property
    def known(self) -> Known:
        """What is known now."""
        newest = PotentialSnapshot.model_validate(self.snapshot)
        return Known(newest, self.was_due, self.followed_version == self.version)


async def learn(database: Database, trigger: Trigger, potential: PotentialSnapshot) -> Known:
    """Take in a state of a potential, and give what is known of it then."""
    due = is_due(trigger, potential)
    try:
        async with database.transaction() as session:
            row = await session.get(KnownPotential, potential.id, with_for_update=True)
            if row is None:
                row = KnownPotential(id=potential.id, version=0, was_due=False, followed_version=0)
                session.add(row)
            row.learn(potential, due=due)
    except IntegrityError as error:
        raise Unavailable("another process has just heard of the same potential; try again later") from error
    return row.known


async def note_followed(session: AsyncSession, known: Known, *, followed: bool) -> bool:
    """Lock the potential until the transaction ends; give whether ``known`` is still all that is known of it.

    If so, and it was followed, that is noted.
    """
    row = await session.get_one(KnownPotential, known.newest.id, with_for_update=True)
    if (row.version, row.was_due) != (known.newest.version, known.was_due):
        return False
    if followed:
        row.followed_version = row.version
    return True
