"""Use cases: set up plans, and hold organizations to theirs (S13).

Guarantee: a document is counted in the transaction that makes it, under the lock of its month's row, and customers are
counted under the lock of their organization's row. So of two requests for the last place one wins, what fails is not
counted, and a request that is refused has made nothing.
"""

import datetime

from servicekit.errors import Conflict
from servicekit.etags import check_version
from sqlalchemy import String, column, select, table, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.plans import queries
from invoice_service.plans.models import Plan, PlanCapReached, Subscriber, plan_use
from invoice_service.plans.queries import month_after, month_of
from invoice_service.plans.room import CustomerRoom
from invoice_service.plans.schemas import PlanBody, PlanEdit

# Of a feature above this one: locked, never read.
_organizations = table("organizations", column("id", String))


class PlanNameTaken(Conflict):
    code = "plan_name_taken"


async def create(session: AsyncSession, body: PlanBody) -> Plan:
    """A new plan. Raises `PlanNameTaken`."""
    plan = Plan(**body.model_dump())
    try:
        async with session.begin_nested():
            session.add(plan)
    except IntegrityError:
        raise PlanNameTaken(
            f"there is a plan {body.name!r}; change it with PATCH, or take another name", plan=body.name
        ) from None
    return plan


async def edit(session: AsyncSession, name: str, body: PlanEdit, *, expected_version: int | None) -> Plan:
    """Change what was sent. Raises `PlanNotFound`, `PreconditionFailed`."""
    plan = await queries.get(session, name, lock=True)
    check_version(expected_version, plan.version)
    plan.change(**body.model_dump(exclude_unset=True))
    await session.flush()
    return plan


async def count_document(session: AsyncSession, organization: Subscriber, *, on: datetime.date, by: int = 1) -> None:
    """Count ``by`` new documents made ``on`` this day (UTC), or with -1 one made then that is deleted.

    In the transaction that makes or deletes them; it locks the month's count until its end. Raises `PlanCapReached`.
    """
    used = plan_use.c
    theirs = (used.organization_id == organization.id, used.month == month_of(on))
    if by < 0:
        await session.execute(
            update(plan_use).where(*theirs, used.documents >= -by).values(documents=used.documents + by)
        )
        return
    plan = await queries.get(session, organization.plan)
    cap = plan.documents_per_month
    if cap is None or by <= cap:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        counted = await session.execute(
            insert(plan_use)
            .values(organization_id=organization.id, month=month_of(on), documents=by)
            .on_conflict_do_update(
                index_elements=[used.organization_id, used.month],
                set_={"documents": used.documents + by},
                where=None if cap is None else used.documents + by <= cap,
            )
            .returning(used.documents)
        )
        if counted.first() is not None:
            return
    made = await queries.documents_made(session, organization.id, on)
    resets_on = month_after(on)
    raise PlanCapReached(
        f"plan {plan.name!r} allows {cap} documents a month, and {made} are made; the next can be made from "
        f"{resets_on} on, or choose a larger plan: PATCH /v1/organizations/{organization.id}",
        plan=plan.name,
        cap=cap,
        used=made,
        what="documents",
        resets_on=resets_on.isoformat(),
    )


async def customer_room(session: AsyncSession, organization: Subscriber, *, lock: bool = True) -> CustomerRoom | None:
    """How many more customers the organization may have; None if its plan has no cap.

    ``lock``: the organization until the transaction ends, where there is a cap: so it is taken before a customer's.
    """
    plan = await queries.get(session, organization.plan)
    if plan.customers is None:
        return None
    if lock:
        # Documents may go on referring to it, as with `organizations.queries.get`.
        row = select(_organizations.c.id).where(_organizations.c.id == organization.id)
        await session.execute(row.with_for_update(key_share=True))
    return CustomerRoom(plan.name, plan.customers, await queries.customers_there(session, organization.id))


async def check_customers(session: AsyncSession, organization: Subscriber, more: int = 1) -> None:
    """Raise `PlanCapReached` if ``more`` customers would be too many; locks as `customer_room` does."""
    room = await customer_room(session, organization)
    if room is not None and more > room.left:
        raise PlanCapReached(
            f"{room.refusal}; choose a larger plan: PATCH /v1/organizations/{organization.id}",
            plan=room.plan,
            cap=room.cap,
            used=room.used,
            what="customers",
            resets_on=None,
        )
