"""Which organization a request is about: the one ``X-Organization-Id`` names or the default one; of a page, `chosen`.

Every record below belongs to one, and every query asks for it: another organization's records cannot be reached.
"""

from typing import Annotated

from fastapi import Depends, Header, Request
from servicekit.pages import Page
from servicekit.pages.site import is_page
from servicekit.sessions import ReadSession, WriteSession
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.organizations import queries
from invoice_service.organizations.chosen import chosen
from invoice_service.organizations.models import Organization

OrganizationId = Annotated[
    str | None, Header(alias="X-Organization-Id", description="Without it, the default organization", max_length=36)
]


async def _reading(request: Request, session: ReadSession, organization_id: OrganizationId = None) -> Organization:
    return await _of(request, session, organization_id)


async def _writing(request: Request, session: WriteSession, organization_id: OrganizationId = None) -> Organization:
    return await _of(request, session, organization_id)


async def _of(request: Request, session: AsyncSession, organization_id: str | None) -> Organization:
    if is_page(request.url.path):
        return await chosen(session, Page(request))
    return await queries.get(session, organization_id)


# Each in the session that the route itself uses: a second one would take a second connection out of the pool.
CurrentOrganization = Annotated[Organization, Depends(_reading)]
"""For routes with a `ReadSession`."""
CurrentOrganizationToWrite = Annotated[Organization, Depends(_writing)]
"""For routes with a `WriteSession`."""
