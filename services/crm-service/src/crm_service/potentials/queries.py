"""Listing potentials."""

from contracts.potentials import PotentialStatus
from servicekit.pagination import PageRequest
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service import records
from crm_service.potentials.models import Potential
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
