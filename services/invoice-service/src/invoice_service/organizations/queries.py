"""Reading organizations."""

from servicekit.errors import NotFound
from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.organizations.logos import Logo
from invoice_service.organizations.models import Organization, organization_logos


class OrganizationNotFound(NotFound):
    code = "organization_not_found"


class LogoNotFound(NotFound):
    code = "logo_not_found"


async def get(
    session: AsyncSession, organization_id: str | None, *, lock: bool = False, alone: bool = False
) -> Organization:
    """The organization with this id, or the default one for None. Raises `OrganizationNotFound`.

    ``lock``: until the transaction ends, for all others that lock it; documents can go on referring to it, unless
    ``alone``: then nothing that refers to it can be made meanwhile.
    """
    statement = select(Organization)
    if organization_id is None:
        statement = statement.where(Organization.is_default)
    else:
        statement = statement.where(Organization.id == organization_id)
    if lock:
        statement = statement.with_for_update(key_share=not alone)
    organization = (await session.execute(statement)).scalar_one_or_none()
    if organization is None:
        raise OrganizationNotFound(
            f"there is no organization {organization_id}; GET /v1/organizations lists them, and without "
            "X-Organization-Id the default one is taken"
        )
    return organization


async def get_or_default(session: AsyncSession, organization_id: str | None) -> Organization:
    """The organization with this id if there is one, otherwise the default one."""
    either = or_(Organization.id == organization_id, Organization.is_default)
    found = await session.execute(select(Organization).where(either).order_by(Organization.is_default).limit(1))
    return found.scalar_one()


async def page(session: AsyncSession, request: PageRequest) -> tuple[list[Organization], str | None]:
    """A page of organizations, newest first."""
    return await fetch_page(
        session, select(Organization), keys=[Organization.id], page=request, key_of=lambda found: [found.id]
    )


async def whole_logo(session: AsyncSession, organization_id: str) -> Logo:
    """The organization's logo, to show. Raises `OrganizationNotFound`, `LogoNotFound`."""
    await get(session, organization_id)
    columns = organization_logos.c
    found = await session.execute(
        select(columns.content_type, columns.content).where(columns.organization_id == organization_id)
    )
    row = found.first()
    if row is None:
        raise LogoNotFound("this organization has no logo; PATCH it with one", organization_id=organization_id)
    return Logo(*row)


async def logo(session: AsyncSession, organization_id: str) -> bytes | None:
    """The organization's logo, to print: PNG or JPEG."""
    content = select(organization_logos.c.content).where(organization_logos.c.organization_id == organization_id)
    return (await session.execute(content)).scalar_one_or_none()
