"""Numbers of documents, without gaps and without doubles, per organization and kind.

Guarantee: a number is taken in the transaction that inserts its document, under the lock of its sequence's row. So the
next one waits until that transaction has ended, and one that fails leaves its number to the next. Taken as late as
possible, since all creations of a kind wait for each other from there to the commit.
"""

from collections.abc import Mapping
from typing import Literal

from sqlalchemy import BigInteger, Column, ForeignKey, Select, String, Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.base import Base

Kind = Literal["estimate", "invoice"]
KINDS: tuple[Kind, ...] = ("estimate", "invoice")
DIGITS = 6

number_sequences = Table(
    "number_sequences",
    Base.metadata,
    Column("organization_id", String(36), ForeignKey("organizations.id"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("last_number", BigInteger, nullable=False),
)

_columns = number_sequences.c


async def begin(session: AsyncSession, organization_id: str, first: Mapping[Kind, int]) -> None:
    """Let a new organization's numbers begin with the ``first`` of each kind."""
    rows = [{"organization_id": organization_id, "kind": kind, "last_number": first[kind] - 1} for kind in KINDS]
    await session.execute(insert(number_sequences), rows)


async def begin_anew(session: AsyncSession, organization_id: str, kind: Kind, *, first: int, instead_of: int) -> bool:
    """Let numbers begin with ``first``, if none is taken since they began with ``instead_of``; whether that was so."""
    begun = await session.execute(
        update(number_sequences)
        .where(
            _columns.organization_id == organization_id,
            _columns.kind == kind,
            _columns.last_number == instead_of - 1,
        )
        .values(last_number=first - 1)
        .returning(_columns.last_number)
    )
    return begun.first() is not None


async def take(session: AsyncSession, organization_id: str, kind: Kind) -> int:
    """The next number; locks the sequence until the transaction ends."""
    taken = await session.execute(
        update(number_sequences)
        .where(_columns.organization_id == organization_id, _columns.kind == kind)
        .values(last_number=_columns.last_number + 1)
        .returning(_columns.last_number)
    )
    return int(taken.scalar_one())


async def give_back(session: AsyncSession, organization_id: str, kind: Kind, number: int) -> bool:
    """Let ``number`` be taken again, if it is the newest; whether it was."""
    given = await session.execute(
        update(number_sequences)
        .where(_columns.organization_id == organization_id, _columns.kind == kind, _columns.last_number == number)
        .values(last_number=number - 1)
        .returning(_columns.last_number)
    )
    return given.first() is not None


async def newest(session: AsyncSession, organization_id: str, kind: Kind) -> int:
    """The number taken last; the one before the first if there is none."""
    return (await session.execute(newest_number(organization_id, kind))).scalar_one()


async def newest_of_each_kind(session: AsyncSession, organization_id: str) -> dict[Kind, int]:
    """`newest` of both kinds."""
    found = select(_columns.kind, _columns.last_number).where(_columns.organization_id == organization_id)
    return {row.kind: row.last_number for row in await session.execute(found)}


def newest_number(organization_id: str, kind: Kind) -> Select[int]:
    """`newest`, to be asked for along with something else."""
    return select(_columns.last_number).where(_columns.organization_id == organization_id, _columns.kind == kind)


def written(prefix: str, number: int) -> str:
    """``EST-000001``."""
    return f"{prefix}{number:0{DIGITS}d}"
