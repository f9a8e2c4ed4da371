"""What the workflow knows of each potential: the newest state it was told of, and what it needs to remember besides.

Guarantee: a state is known here before Invoice is asked about it. So of two processes that handle events of one
potential at once, at least one knows both, and whoever knew less notices when it writes down what it did (S19).
"""

from dataclasses import dataclass
from typing import Any

from contracts.potentials import PotentialSnapshot
from servicekit.db import Database
from servicekit.errors import Transient, Unavailable
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

    ``won_version``: the newest version at which it is known to have been won, or else to have been open or lost;
    ``won_active``: it was won then, and the workflow was active. ``claimed``: the kind of its first document, and
    ``claims``: how many attempts to make it have not ended, or not with an answer of Invoice's (see `Claims`).
    """

    __tablename__ = "potentials"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    snapshot: Mapped[dict[str, Any]]
    estimate_due: Mapped[bool] = mapped_column(default=False)
    invoice_due: Mapped[bool] = mapped_column(default=False)
    kind: Mapped[DocumentKind | None] = mapped_column(String(16))
    made: Mapped[int] = mapped_column(default=0)
    claimed: Mapped[DocumentKind | None] = mapped_column(String(16))
    claims: Mapped[int] = mapped_column(default=0)
    organization_id: Mapped[str | None] = mapped_column(String(36))
    made_for: Mapped[str | None] = mapped_column(String(36))
    won_version: Mapped[int] = mapped_column(default=0)
    won_active: Mapped[bool] = mapped_column(default=False)

    @classmethod
    def new(cls, potential_id: str) -> "KnownPotential":
        """One of which nothing is known yet."""
        return cls(
            id=potential_id,
            version=0,
            estimate_due=False,
            invoice_due=False,
            made=0,
            claims=0,
            won_version=0,
            won_active=False,
        )

    def learn(
        self, trigger: Trigger | None, potential: PotentialSnapshot, *, was_active: bool, new_status: bool
    ) -> None:
        """Take in one of its states, an old one perhaps; see `learn`."""
        if (new_status or potential.status != "won") and potential.version > self.won_version:
            self.won_version = potential.version
            self.won_active = potential.status == "won" and was_active
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
        won_before = newest.status == "won" and not self.won_active
        kind = self.kind or self.claimed
        return Known(newest, Memory(due, kind, self.made, self.organization_id, self.made_for, won_before))


async def learn(
    database: Database, trigger: Trigger | None, potential: PotentialSnapshot, *, was_active: bool, new_status: bool
) -> Known:
    """Take in a state of a potential, and give what is known of it then.

    ``trigger``: None if nothing is to be done about it. ``was_active``: the workflow was active when it came to that
    state. ``new_status``: it was created, won, lost or reopened by that, not only edited.
    """
    try:
        async with database.transaction() as session:
            row = await session.get(KnownPotential, potential.id, with_for_update=True)
            if row is None:
                row = KnownPotential.new(potential.id)
                session.add(row)
            row.learn(trigger, potential, was_active=was_active, new_status=new_status)
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
    if memory.kind is not None and (memory.made or memory.kind != now.memory.kind):
        row.kind, row.made = memory.kind, max(row.made, memory.made)
        row.organization_id, row.made_for = memory.organization_id, memory.made_for or row.made_for
    return True


class Claims:
    """Which kind of document a potential gets is settled before Invoice is first asked for one.

    Guarantee: of two attempts that would make different kinds, one makes nothing, whoever is slow and whatever the
    trigger was switched to meanwhile. An attempt whose end is not known keeps its claim: the document may be there.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, potential: PotentialSnapshot, kind: DocumentKind, organization_id: str) -> None:
        """Claim it for documents of this kind in this organization; raises `Transient` if it is another's."""
        async with self._database.transaction() as session:
            row = await session.get_one(KnownPotential, potential.id, with_for_update=True)
            if (row.kind or row.claimed or kind, row.organization_id or organization_id) != (kind, organization_id):
                raise Transient(f"the potential's {row.kind or row.claimed} is being made at this moment")
            row.claimed, row.claims = kind, row.claims + 1
            row.organization_id = organization_id
            row.made_for = row.made_for or potential.account_id or potential.contact_id

    async def release(self, potential_id: str) -> None:
        """Nothing was made by this attempt; with the last claim, it is open again which kind it gets, and where."""
        async with self._database.transaction() as session:
            row = await session.get_one(KnownPotential, potential_id, with_for_update=True)
            row.claims -= 1
            if not row.claims:
                row.claimed = None
                if row.kind is None:
                    row.organization_id = row.made_for = None
