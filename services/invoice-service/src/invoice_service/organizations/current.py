"""Which organization a request is about: the one named by ``X-Organization-Id``, or the default one.

Every record below belongs to one, and every query asks for it: another organization's records cannot be reached.
"""

from typing import Annotated

from fastapi import Depends, Header
from servicekit.sessions import ReadSession, WriteSession

from invoice_service.organizations import queries
from invoice_service.organizations.models import Organization

OrganizationId = Annotated[
    str | None, Header(alias="X-Organization-Id", description="Without it, the default organization", max_length=36)
]


async def _reading(session: ReadSession, organization_id: OrganizationId = None) -> Organization:
    return await queries.get(session, organization_id)


async def _writing(session: WriteSession, organization_id: OrganizationId = None) -> Organization:
    return await queries.get(session, organization_id)


# Each in the session that the route itself uses: a second one would take a second connection out of the pool.
CurrentOrganization = Annotated[Organization, Depends(_reading)]
"""For routes with a `ReadSession`."""
CurrentOrganizationToWrite = Annotated[Organization, Depends(_writing)]
"""For routes with a `WriteSession`."""
