"""Reading plans, and what organizations have used of theirs."""

import datetime
from dataclasses import dataclass

from servicekit.errors import NotFound
from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import String, column, func, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.plans.models import Plan, Subscriber, plan_use

# Of a feature above this one, of which plans need to know no more than how many there are.
_customers = table("customers", column("organization_id", String), column("merged_into", String))


class PlanNotFound(NotFound):
    code = "plan_not_found"


@dataclass(frozen=True)
class Use:
    """What an organization has used of its plan; the documents are of the month that ends before ``resets_on``."""

    plan: Plan
    documents: int
    customers: int
    resets_on: datetime.date


async def get(session: AsyncSession, name: str, *, lock: bool = False) -> Plan:
    """The plan of this name; ``lock``: until the transaction ends. Raises `PlanNotFound`."""
    statement = select(Plan).where(Plan.name == name)
    plan = (await session.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()
    if plan is None:
        raise PlanNotFound(f"there is no plan {name!r}; GET /v1/plans lists them", plan=name)
    return plan


async def page(session: AsyncSession, request: PageRequest) -> tuple[list[Plan], str | None]:
    """A page of plans, newest first."""
    return await fetch_page(session, select(Plan), keys=[Plan.id], page=request, key_of=lambda plan: [plan.id])


async def use_of(session: AsyncSession, organization: Subscriber, today: datetime.date) -> Use:
    """What the organization has used of its plan."""
    return Use(
        plan=await get(session, organization.plan),
        documents=await documents_made(session, organization.id, today),
        customers=await customers_there(session, organization.id),
        resets_on=month_after(today),
    )


async def documents_made(session: AsyncSession, organization_id: str, on: datetime.date) -> int:
    """How many documents of the month of ``on`` there are."""
    made = select(plan_use.c.documents).where(
        plan_use.c.organization_id == organization_id, plan_use.c.month == month_of(on)
    )
    return (await session.execute(made)).scalar_one_or_none() or 0


async def customers_there(session: AsyncSession, organization_id: str) -> int:
    """How many customers the organization has that were not merged."""
    columns = _customers.c
    theirs = (columns.organization_id == organization_id, columns.merged_into.is_(None))
    counted = select(func.count()).select_from(_customers).where(*theirs)
    return int((await session.execute(counted)).scalar_one())


def month_of(day: datetime.date) -> str:
    """``2026-01``."""
    return day.isoformat()[:7]


def month_after(day: datetime.date) -> datetime.date:
    """The first day of the next month."""
    return (day.replace(day=1) + datetime.timedelta(days=31)).replace(day=1)
