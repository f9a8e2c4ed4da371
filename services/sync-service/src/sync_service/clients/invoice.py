"""What this service asks of Invoice.

Raises `servicekit.errors.Unavailable` where trying again later may help, `servicekit.http.Refused` where it does not.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from contracts.customers import (
    CrmRecord,
    CrmRecordKey,
    CrmRecordPlan,
    CrmRecordResult,
    CrmRecordResults,
    HeldCrmRecord,
)
from pydantic_core import to_json
from servicekit.auth import Principal
from servicekit.errors import Unavailable
from servicekit.http import Refused, ServiceClient

from sync_service.clients.answers import understood

MOST_RECORDS = 1000
"""The most that one bulk command takes."""
MOST_BYTES = 2 * 1024 * 1024
"""Well below what Invoice takes as a body: 500 accounts with long addresses can be more."""
HELD_PAGE = 500

_FOR_THE_RECORDS = frozenset({400, 413, 422})
"""With these Invoice refuses what the records say, not that they are sent."""


@dataclass(frozen=True)
class Organization:
    """An organization in Invoice."""

    id: str
    name: str


@dataclass(frozen=True)
class HeldPage:
    """One page of the CRM records that are live in Invoice."""

    items: Sequence[HeldCrmRecord]
    next_cursor: str | None


class Invoice:
    """Invoice, as far as this service needs it."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def organization(self, organization_id: str | None, *, on_behalf_of: Principal) -> Organization:
        """The organization with this id; None: the default one."""
        if organization_id is not None:
            path = f"/v1/organizations/{organization_id}"
            answer = await self._client.request("GET", path, on_behalf_of=on_behalf_of)
            with understood("invoice", "an organization"):
                found = orjson.loads(answer.content)
                return Organization(id=found["id"], name=found["name"])
        params: dict[str, str | int] = {"limit": 200}
        while True:
            answer = await self._client.request("GET", "/v1/organizations", params=params, on_behalf_of=on_behalf_of)
            with understood("invoice", "a page of organizations"):
                page = orjson.loads(answer.content)
                for found in page["items"]:
                    if found["is_default"]:
                        return Organization(id=found["id"], name=found["name"])
                if page["next_cursor"] is None:
                    raise Unavailable(
                        "invoice has no default organization; make one of its organizations the default, or name one "
                        "with X-Organization-Id",
                        service="invoice",
                    )
                params["cursor"] = page["next_cursor"]

    async def apply(
        self, organization_id: str, records: Sequence[CrmRecord], *, reapply: bool = False, explain: bool = False
    ) -> list[CrmRecordResult]:
        """Have Invoice hold these records, and give what became of each, in their order.

        A record must not be there twice. One that Invoice cannot even read fails by itself, and the others go on.
        """
        results: list[CrmRecordResult] = []
        options = {"reapply": reapply, "explain": explain}
        for command in commands(records):
            results += await self._apply(organization_id, command, options)
        return results

    async def _apply(
        self, organization_id: str, records: Sequence[CrmRecord], options: Mapping[str, bool]
    ) -> list[CrmRecordResult]:
        try:
            answer = await self._client.request(
                "PUT",
                "/v1/crm/customers",
                json={"records": fragments(records), **options},
                headers={"X-Organization-Id": organization_id},
            )
        except Refused as refused:
            if not for_the_records(refused):
                raise
            if len(records) == 1:
                return [failed(records[0], refused)]
            half = len(records) // 2
            first = await self._apply(organization_id, records[:half], options)
            return first + await self._apply(organization_id, records[half:], options)
        with understood("invoice", "the results of its bulk command"):
            return matched(records, CrmRecordResults.model_validate_json(answer.content).results)

    async def plan(
        self,
        organization_id: str,
        records: Sequence[CrmRecord],
        *,
        earlier: Collection[CrmRecord],
        refused: Collection[CrmRecordKey],
        places_taken: int,
        reapply: bool,
        after_all: bool = False,
        gone: Collection[CrmRecordKey] = (),
    ) -> CrmRecordPlan:
        """What `apply` would do with one command's records; see `contracts.customers.PlanCrmRecords`."""
        body: dict[str, Any] = {
            "records": fragments(records),
            "earlier": fragments(earlier),
            "refused": _named(refused),
            "places_taken": places_taken,
            "reapply": reapply,
            "after_all": after_all,
            "gone": _named(gone),
        }
        answer = await self._client.request(
            "POST", "/v1/crm/customers/plan", json=body, headers={"X-Organization-Id": organization_id}
        )
        with understood("invoice", "the plan of a bulk command"):
            plan = CrmRecordPlan.model_validate_json(answer.content)
            if not plan.missing:
                matched(records, plan.results)
            return plan

    async def held(self, organization_id: str, cursor: str | None) -> HeldPage:
        """A page of the records that are live in Invoice, by kind and id."""
        params: dict[str, str | int] = {"limit": HELD_PAGE}
        if cursor is not None:
            params["cursor"] = cursor
        answer = await self._client.request(
            "GET", "/v1/crm/links", params=params, headers={"X-Organization-Id": organization_id}
        )
        with understood("invoice", "a page of its CRM links"):
            page = orjson.loads(answer.content)
            items = [HeldCrmRecord.model_validate(item) for item in page["items"]]
            following: str | None = page["next_cursor"]
            if following is not None and following == cursor:
                raise ValueError("the cursor stands still")
            return HeldPage(items, following)


def commands(records: Sequence[CrmRecord]) -> Iterator[Sequence[CrmRecord]]:
    """The records in commands that are not too long, in their order."""
    start, size = 0, 0
    for index, record in enumerate(records):
        length = len(to_json(record, exclude_none=True))
        if index > start and (index - start == MOST_RECORDS or size + length > MOST_BYTES):
            yield records[start:index]
            start, size = index, 0
        size += length
    if start < len(records):
        yield records[start:]


def fragments(records: Collection[CrmRecord]) -> list[orjson.Fragment]:
    """The records, written once and by what knows them."""
    return [orjson.Fragment(to_json(record, exclude_none=True)) for record in records]


def _named(keys: Collection[CrmRecordKey]) -> list[dict[str, str]]:
    return [{"record_type": key.record_type, "record_id": key.record_id} for key in keys]


def for_the_records(refused: Refused) -> bool:
    """Whether Invoice refused a command because of a record in it, so that the others may be sent without it."""
    return refused.status in _FOR_THE_RECORDS


def failed(record: CrmRecord, refused: Refused) -> CrmRecordResult:
    """The result of a record for which Invoice refused a whole command."""
    reason = str(refused.problem.get("detail") or refused)
    return CrmRecordResult(record_type=record.record_type, record_id=record.record_id, outcome="failed", reason=reason)


def matched(records: Sequence[CrmRecord], results: Sequence[CrmRecordResult]) -> list[CrmRecordResult]:
    """The results, if there is one for each record, in their order; raises `ValueError`."""
    asked = [(record.record_type, record.record_id) for record in records]
    if asked != [(result.record_type, result.record_id) for result in results]:
        raise ValueError("the results are not those of the records")
    return list(results)
