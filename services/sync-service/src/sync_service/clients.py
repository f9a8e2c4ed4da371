"""What this service asks of the CRM and of Invoice.

Raises `servicekit.errors.Unavailable` where trying again later may help, `servicekit.http.Refused` where it does not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from contracts.customers import CrmRecord, CrmRecordResult, CrmRecordResults, CrmRecordType
from pydantic_core import to_json
from servicekit.auth import Principal
from servicekit.http import ServiceClient

FEED_PAGE = 500
MOST_RECORDS = 1000
"""The most that one bulk command takes."""
MOST_BYTES = 2 * 1024 * 1024
"""Well below what Invoice takes as a body: 500 accounts with long addresses can be more."""


@dataclass(frozen=True)
class VerifiedKey:
    """A ZSC key that the CRM knows: its id, and its user's e-mail address."""

    zsc_key_id: str
    email: str


@dataclass(frozen=True)
class FeedPage:
    """One page of the CRM's export feed; each item is a snapshot as the events carry it, deleted ones too."""

    items: Sequence[dict[str, Any]]
    next_cursor: str | None


@dataclass(frozen=True)
class Organization:
    """An organization in Invoice."""

    id: str
    name: str


class Crm:
    """The CRM, as far as an import needs it."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def verify_key(self, email: str, zsc_key: str) -> VerifiedKey:
        """Whether this is a live key of that active user; `Refused` (403) says what is wrong."""
        answer = await self._client.request("POST", "/v1/zsc-keys/verify", json={"email": email, "zsc_key": zsc_key})
        found = orjson.loads(answer.content)
        return VerifiedKey(zsc_key_id=found["zsc_key_id"], email=found["email"])

    async def export(self, record_type: CrmRecordType, *, zsc_key_id: str, cursor: str | None) -> FeedPage:
        """The page of the feed that ``cursor`` asks for; None: the first one."""
        params: dict[str, str | int] = {"limit": FEED_PAGE}
        if cursor is not None:
            params["cursor"] = cursor
        answer = await self._client.request(
            "GET", f"/v1/export/{record_type}s", params=params, headers={"X-ZSC-Key-Id": zsc_key_id}
        )
        page = orjson.loads(answer.content)
        return FeedPage(items=page["items"], next_cursor=page["next_cursor"])


class Invoice:
    """Invoice, as far as this service needs it."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def organization(self, organization_id: str | None, *, on_behalf_of: Principal) -> Organization:
        """The organization with this id; None: the default one."""
        if organization_id is not None:
            path = f"/v1/organizations/{organization_id}"
            found = orjson.loads((await self._client.request("GET", path, on_behalf_of=on_behalf_of)).content)
            return Organization(id=found["id"], name=found["name"])
        params: dict[str, str | int] = {"limit": 200}
        while True:
            answer = await self._client.request("GET", "/v1/organizations", params=params, on_behalf_of=on_behalf_of)
            page = orjson.loads(answer.content)
            for found in page["items"]:
                if found["is_default"]:
                    return Organization(id=found["id"], name=found["name"])
            if page["next_cursor"] is None:
                raise LookupError("Invoice has no default organization")
            params["cursor"] = page["next_cursor"]

    async def apply(self, organization_id: str, records: Sequence[CrmRecord]) -> list[CrmRecordResult]:
        """Have Invoice hold these records, and give what became of each, in their order.

        A record must not be there twice.
        """
        results: list[CrmRecordResult] = []
        for command in _commands(records):
            answer = await self._client.request(
                "PUT", "/v1/crm/customers", json=command, headers={"X-Organization-Id": organization_id}
            )
            results += CrmRecordResults.model_validate_json(answer.content).results
        return results


def _commands(records: Sequence[CrmRecord]) -> Iterator[dict[str, list[orjson.Fragment]]]:
    """The records in commands that are not too long, in their order."""
    command: list[orjson.Fragment] = []
    size = 0
    for record in records:
        encoded = to_json(record, exclude_none=True)
        if command and (len(command) == MOST_RECORDS or size + len(encoded) > MOST_BYTES):
            yield {"records": command}
            command, size = [], 0
        command.append(orjson.Fragment(encoded))
        size += len(encoded)
    if command:
        yield {"records": command}
