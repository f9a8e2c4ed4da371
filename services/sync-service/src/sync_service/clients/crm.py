"""What this service asks of the CRM.

Raises `servicekit.errors.Unavailable` where trying again later may help, `servicekit.http.Refused` where it does not.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from contracts.customers import CrmRecordType
from servicekit.http import ServiceClient

from sync_service.clients.answers import understood

FEED_PAGE = 500
MOST_IDS = 500
"""Looked up at once; the CRM takes 1,000."""
KEY_REFUSALS = frozenset({"zsc_email_unknown", "zsc_user_inactive", "zsc_key_wrong", "zsc_key_revoked"})
"""Codes with which the CRM refuses a ZSC key."""

_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


@dataclass(frozen=True)
class VerifiedKey:
    """A ZSC key that the CRM knows: its id, and its user's e-mail address."""

    zsc_key_id: str
    email: str


@dataclass(frozen=True)
class FeedPage:
    """One page of the CRM's export feed; each item should be a snapshot as the events carry it, deleted ones too."""

    items: Sequence[Any]
    next_cursor: str | None


class Crm:
    """The CRM, as far as an import needs it."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def verify_key(self, email: str, zsc_key: str) -> VerifiedKey:
        """Whether this is a live key of that active user; `Refused` (403) says what is wrong."""
        answer = await self._client.request("POST", "/v1/zsc-keys/verify", json={"email": email, "zsc_key": zsc_key})
        with understood("crm", "a verified ZSC key"):
            found = orjson.loads(answer.content)
            return VerifiedKey(zsc_key_id=found["zsc_key_id"], email=found["email"])

    async def counts(self, *, zsc_key_id: str) -> int:
        """How many records the feed has, tombstones included."""
        answer = await self._client.request("GET", "/v1/export/counts", headers=_shown(zsc_key_id))
        with understood("crm", "the counts of its export feed"):
            found = orjson.loads(answer.content)
            return int(found["accounts"]) + int(found["contacts"])

    async def export(self, record_type: CrmRecordType, *, zsc_key_id: str, cursor: str | None) -> FeedPage:
        """The page of the feed that ``cursor`` asks for; None: the first one."""
        params: dict[str, str | int] = {"limit": FEED_PAGE}
        if cursor is not None:
            params["cursor"] = cursor
        answer = await self._client.request(
            "GET", f"/v1/export/{record_type}s", params=params, headers=_shown(zsc_key_id)
        )
        with understood("crm", "a page of its export feed"):
            page = orjson.loads(answer.content)
            items, following = page["items"], page["next_cursor"]
            if not isinstance(items, list) or not isinstance(following, str | None):
                raise TypeError(following)
            if following is not None and following == cursor:
                raise ValueError("the cursor stands still")  # or it would be read for ever
            return FeedPage(items=items, next_cursor=following)

    async def lookup(
        self, record_type: CrmRecordType, ids: Iterable[str], *, zsc_key_id: str
    ) -> dict[str, dict[str, Any]]:
        """Id → snapshot of those that the CRM has, deleted ones too."""
        found: dict[str, dict[str, Any]] = {}
        asked = sorted({id_ for id_ in ids if _ID.fullmatch(id_)})
        for start in range(0, len(asked), MOST_IDS):
            answer = await self._client.request(
                "POST",
                f"/v1/export/{record_type}s/lookup",
                json={"ids": asked[start : start + MOST_IDS]},
                headers=_shown(zsc_key_id),
            )
            with understood("crm", "what its export feed has of some records"):
                items = orjson.loads(answer.content)["items"]
                found |= {str(item["id"]): item for item in items}
        return found


def _shown(zsc_key_id: str) -> dict[str, str]:
    return {"X-ZSC-Key-Id": zsc_key_id}
