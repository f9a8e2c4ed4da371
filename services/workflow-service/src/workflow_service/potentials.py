"""What the workflow knows of each potential: the newest state it was told of, and what it needs to remember besides.

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
from workflow_service.policy import KIND, DocumentKind, Memory, Trigger, is_due


@dataclass(frozen=True)
class Known:
    """What was known at one moment."""

    newest: PotentialSnapshot
    memory: Memory


class KnownPotential(Base):
    """One potential. What is remembered of it: see `policy.Memory`.

    ``won_idle_version``: the version at which it was won while the workflow was not active; 0: it was not, or it was
    open or lost after that.
    """

    __tablename__ = "potentials"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    snapshot: Mapped[dict[str, Any]]
    estimate_due: Mapped[bool] = mapped_column(default=False)
    invoice_due: Mapped[bool] = mapped_column(default=False)
    kind: Mapped[DocumentKind | None] = mapped_column(String(16))
    made: Mapped[int] = mapped_column(default=0)
    won_idle_version: Mapped[int] = mapped_column(default=0)

    @classmethod
    def new(cls, potential_id: str) -> "KnownPotential":
        """One of which nothing is known yet."""
        return cls(id=potential_id, version=0, estimate_due=False, invoice_due=False, made=0, won_idle_version=0)

    def learn(self, trigger: Trigger | None, potential: PotentialSnapshot) -> None:
        """Take in one of its states, an old one perhaps. ``trigger``: None while the workflow is not active."""
        if trigger is None and potential.status == "won" and potential.version >= self.version:
            self.won_idle_version = potential.version
        if potential.status != "won" and potential.version > self.won_idle_version:
            self.won_idle_version = 0
        if potential.version > self.version:
            self.version = potential.version
            self.snapshot = potential.model_dump(mode="json")
        if trigger is not None and is_due(trigger, potential):
            self.estimate_due = self.estimate_due or KIND[trigger] == "estimate"
            self.invoice_due = self.invoice_due or KIND[trigger] == "invoice"

    @property
    def known(self) -> Known:
        """What is known now."""
        newest = PotentialSnapshot.model_validate(self.snapshot)
        kinds: tuple[tuple[DocumentKind, bool], ...] = (("estimate", self.estimate_due), ("invoice", self.invoice_due))
        due = frozenset(kind for kind, asked in kinds if asked)
        won_before = newest.status == "won" and self.won_idle_version > 0
        return Known(newest, Memory(due, self.kind, self.made, won_before))


async def learn(database: Database, trigger: Trigger | None, potential: PotentialSnapshot) -> Known:
    """Take in a state of a potential, and give what is known of it then."""
    try:
        async with database.transaction() as session:
            row = await session.get(KnownPotential, potential.id, with_for_update=True)
            if row is None:
                row = KnownPotential.new(potential.id)
                session.add(row)
            row.learn(trigger, potential)
    except IntegrityError as error:
        raise Unavailable("another process has just heard of the same potential; try again later") from error
    return row.known


async def note(session: AsyncSession, known: Known, memory: Memory) -> bool:
    """Lock the potential until the transaction ends; give whether ``known`` is still all that is known of it.

    If so, ``memory`` is what is remembered from now on: what was made since, that is.
    """
    row = await session.get_one(KnownPotential, known.newest.id, with_for_update=True)
    now = row.known
    if (now.newest.version, now.memory.due, now.memory.won_before) != (
        known.newest.version,
        known.memory.due,
        known.memory.won_before,
    ):
        return False
    if memory.kind is not None:
        row.kind, row.made = memory.kind, max(row.made, memory.made)
    return True
