"""Listing potentials."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from contracts.potentials import PotentialStatus
from servicekit.pagination import PageRequest
from sqlalchemy import ColumnElement, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service import records
from crm_service.potentials.models import Potential, exact_amount
from crm_service.stages import queries as stages


async def page(
    session: AsyncSession,
    page: PageRequest,
    *,
    q: str | None,
    account_id: str | None,
    contact_id: str | None,
    stage: str | None,
    status: PotentialStatus | None,
    deleted: bool,
) -> tuple[list[Potential], str | None]:
    """One page of the potentials for which all that is given holds, and the next cursor. Raises `UnknownStage`."""
    conditions = []
    if account_id is not None:
        conditions.append(Potential.account_id == account_id)
    if contact_id is not None:
        conditions.append(Potential.contact_id == contact_id)
    if stage is not None:
        conditions.append(Potential.stage_id == (await stages.pipeline(session)).stage(stage).id)
    if status is not None:
        conditions.append(Potential.status == status)
    return await records.page_of(session, Potential, page, q, *conditions, deleted=deleted)


@dataclass(frozen=True)
class Sum:
    """How many potentials of a stage are in this currency, and their amounts together (None: none has an amount)."""

    stage_id: int
    currency_code: str
    count: int
    amount: Decimal | None


async def sums(session: AsyncSession, *conditions: ColumnElement[bool]) -> list[Sum]:
    """The sums of the potentials that meet the conditions, by stage and currency."""
    statement = (
        select(Potential.stage_id, Potential.currency_code, func.count(Potential.id), func.sum(Potential.stored_amount))
        .where(Potential.live(), *conditions)
        .group_by(Potential.stage_id, Potential.currency_code)
        .order_by(Potential.stage_id, Potential.currency_code)
    )
    return [
        Sum(stage_id, code, count, exact_amount(amount, code))
        for stage_id, code, count, amount in await session.execute(statement)
    ]


async def newest_of_each_stage(session: AsyncSession, stage_ids: Sequence[int], limit: int) -> list[Potential]:
    """The newest potentials of each stage, at most ``limit`` each, newest first; one look into the index a stage."""
    newest = [
        select(
            select(Potential.id)
            .where(Potential.live(), Potential.stage_id == stage_id)
            .order_by(Potential.id.desc())
            .limit(limit)
            .subquery()
        )
        for stage_id in stage_ids
    ]
    statement = select(Potential).where(Potential.id.in_(union_all(*newest))).order_by(Potential.id.desc())
    return list((await session.scalars(statement)).all())
