"""What routes take from the request."""

from typing import Annotated

from fastapi import Depends, Header, Request
from servicekit.service import service_of

from sync_service.parts import Parts as _Parts


async def _parts(request: Request) -> _Parts:
    return _Parts.of(service_of(request))


Parts = Annotated[_Parts, Depends(_parts)]
OrganizationId = Annotated[str | None, Header(alias="X-Organization-Id", pattern="^[0-9A-Za-z-]{1,64}$")]
