"""Use cases: set up organizations."""

from typing import Any

from contracts.values import Address
from servicekit.db import Database
from servicekit.etags import check_version
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service import numbering
from invoice_service.organizations import queries
from invoice_service.organizations.models import Organization
from invoice_service.organizations.schemas import OrganizationBody, OrganizationEdit


async def ensure_default(database: Database, *, name: str, currency_code: str) -> None:
    """Make the default organization, if there is none; of several processes that start at once, one does."""
    async with database.reading() as session:
        if (await session.execute(select(Organization.id).where(Organization.is_default))).first() is not None:
            return
    try:
        async with database.transaction() as session:
            await _add(session, Organization(name=name, currency_code=currency_code, is_default=True))
    except IntegrityError:
        return  # another process was faster: the index allows one default


async def create(session: AsyncSession, body: OrganizationBody) -> Organization:
    """A new organization, not the default one."""
    organization = Organization(is_default=False, **_values(body.model_dump()))
    await _add(session, organization)
    return organization


async def edit(
    session: AsyncSession, organization_id: str, body: OrganizationEdit, *, expected_version: int | None
) -> Organization:
    """Change what was sent. Raises `OrganizationNotFound`, `PreconditionFailed`."""
    organization = await queries.get(session, organization_id, lock=True)
    check_version(expected_version, organization.version)
    organization.change(**_values(body.model_dump(exclude_unset=True)))
    await session.flush()
    return organization


async def _add(session: AsyncSession, organization: Organization) -> None:
    session.add(organization)
    await session.flush()
    await numbering.begin(session, organization.id)


def _values(sent: dict[str, Any]) -> dict[str, Any]:
    """The body's fields as the model's attributes."""
    values = dict(sent)
    for kind, prefix in values.pop("number_prefixes", {}).items():
        values[f"{kind}_prefix"] = prefix
    if "address" in values:
        values["address"] = Address(**values["address"])
    return values
