"""Two people editing at once: the second one is told (RFC 9110, If-Match)."""

import re
from typing import Annotated

from fastapi import Depends, Header, Response

from servicekit.errors import BadRequest, PreconditionFailed

_ETAG = re.compile(r'^(?:W/)?"(\d+)"$')


async def if_match(
    header: Annotated[str | None, Header(alias="If-Match", description='The `ETag` last read, such as `"3"`')] = None,
) -> int | None:
    """The version that the caller has seen; None if they do not say, or accept any (``*``)."""
    if header is None or header.strip() == "*":
        return None
    if (match := _ETAG.match(header.strip())) is None:
        raise BadRequest('If-Match must be an ETag of ours, such as "3"', code="bad_if_match")
    return int(match.group(1))


IfMatch = Annotated[int | None, Depends(if_match)]


def check_version(expected: int | None, actual: int) -> None:
    """Raise `PreconditionFailed` if the record is no longer at the version the caller has seen."""
    if expected is not None and expected != actual:
        raise PreconditionFailed(
            f"you edited version {expected}, but the record is at version {actual} by now; read it again and repeat",
            expected_version=expected,
            current_version=actual,
        )


def set_etag(response: Response, version: int) -> None:
    """Tell the caller which version this answer shows."""
    response.headers["ETag"] = f'"{version}"'
