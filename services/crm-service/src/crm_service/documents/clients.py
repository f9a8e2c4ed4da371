"""What the CRM asks of Invoice and of sync for the documents of its records.

Raises `Unavailable` where trying again later may help, and what the other service refuses as our own `Problem`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import httpx
import orjson
from contracts.customers import CustomerSnapshot
from servicekit.auth import Principal
from servicekit.db import new_id
from servicekit.errors import Conflict, Problem, Unavailable
from servicekit.http import Refused, ServiceClient

from crm_service.documents.models import Document, Kind, RecordKey, Told, ToldCustomer
from crm_service.records import batches

PAGE = 200
AT_ONCE = 100
"""How many ids one request names."""

Json = dict[str, Any]
Params = Mapping[str, str | int | Sequence[str]]


class NotConnected(Conflict):
    """No organization of Invoice's is connected to the CRM (S5)."""

    code = "not_connected"

    def __init__(self) -> None:
        super().__init__("no organization is connected to the CRM; in Invoice, Import from CRM connects one")


class CustomerMissing(Exception):
    """Invoice does not know a record of the CRM yet: import it first (S6). ``problem``: what Invoice said."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class Sync:
    """sync: which organization is connected, and the import of one record."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client
        self._known: str | None = None

    async def organization_id(self) -> str:
        """The connected organization; while sync does not answer, the one that it named last. Raises `NotConnected`."""
        try:
            answer = await self._client.request("GET", "/v1/connection")
        except Unavailable:
            if self._known is None:
                raise
            return self._known
        except Refused as refused:
            self._known = None
            raise (NotConnected() if refused.code == "not_connected" else refused.as_problem()) from refused
        self._known = str(orjson.loads(answer.content)["organization_id"])
        return self._known

    async def import_record(self, key: RecordKey, principal: Principal) -> None:
        """Have this record, a contact's account first, become a customer or a contact person (S6)."""
        body = {"record_type": key.record_type, "record_id": key.record_id}
        headers = {"Idempotency-Key": new_id()}  # it may be tried again
        try:
            await self._client.request("POST", "/v1/records/import", json=body, headers=headers, on_behalf_of=principal)
        except Refused as refused:
            raise refused.as_problem() from refused


class Invoice:
    """Invoice: estimates and invoices."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def customers_of(self, organization_id: str, key: RecordKey) -> list[ToldCustomer]:
        """The customers whose documents, or some of these, are the account's or contact's."""
        params = {f"crm_{key.record_type}_id": key.record_id}
        items = await self._all("/v1/crm/customers", organization_id, params)
        return [ToldCustomer.by(CustomerSnapshot.model_validate(item)) for item in items]

    async def documents(self, organization_id: str, kind: Kind, params: Params) -> list[Told]:
        """All documents that Invoice lists with these parameters."""
        items = await self._all(f"/v1/{kind}s", organization_id, params)
        return [Told.by_answer(kind, organization_id, item) for item in items]

    async def documents_of(self, organization_id: str, kind: Kind, **ids: Collection[str]) -> list[Told]:
        """All documents whose ``id`` or ``customer_id`` is one of these; `AT_ONCE` ids a request."""
        found: list[Told] = []
        for name, values in ids.items():
            for some in batches(sorted(values), AT_ONCE):
                found += await self.documents(organization_id, kind, {name: some})
        return found

    async def _all(self, path: str, organization_id: str, params: Params) -> list[Json]:
        """A list, read page by page."""
        found: list[Json] = []
        asked = {**params, "limit": PAGE}
        while True:
            page = orjson.loads((await self._ask("GET", path, organization_id, params=asked)).content)
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            asked["cursor"] = page["next_cursor"]

    async def create(
        self, organization_id: str, kind: Kind, body: Json, key: str, principal: Principal
    ) -> httpx.Response:
        """Make a document; with one ``key`` there is only ever one. Raises `CustomerMissing`."""
        headers = {"Idempotency-Key": key}
        try:
            return await self._ask(
                "POST", f"/v1/{kind}s", organization_id, json=body, headers=headers, principal=principal
            )
        except Problem as problem:
            if problem.code == "crm_record_not_imported":
                raise CustomerMissing(problem) from problem
            raise

    async def preview(self, organization_id: str, kind: Kind, body: Json, principal: Principal) -> Json:
        """What a document that is being written comes to. Raises `CustomerMissing`."""
        try:
            answer = await self._ask("POST", f"/v1/{kind}s/preview", organization_id, json=body, principal=principal)
        except Problem as problem:
            if problem.code == "crm_record_not_imported":
                raise CustomerMissing(problem) from problem
            raise
        told: Json = orjson.loads(answer.content)
        return told

    async def about(
        self,
        document: Document,
        method: str,
        principal: Principal,
        *,
        path: str = "",
        json: Any = None,
        if_match: str | None = None,
    ) -> httpx.Response:
        """What Invoice answers to a request about one document."""
        headers = {"If-Match": if_match} if if_match is not None else {}
        whole = f"/v1/{document.kind}s/{document.id}{path}"
        return await self._ask(method, whole, document.organization_id, json=json, headers=headers, principal=principal)

    async def pdf(
        self, document: Document, principal: Principal, *, download: bool, if_none_match: str | None
    ) -> httpx.Response:
        """The document's PDF as an open answer."""
        headers = {"X-Organization-Id": document.organization_id}
        if if_none_match is not None:
            headers["If-None-Match"] = if_none_match
        path = f"/v1/{document.kind}s/{document.id}/pdf"
        params: Params = {"download": "true"} if download else {}
        try:
            return await self._client.open(path, params=params, headers=headers, on_behalf_of=principal)
        except Refused as refused:
            raise refused.as_problem() from refused

    async def _ask(
        self,
        method: str,
        path: str,
        organization_id: str,
        *,
        json: Any = None,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        principal: Principal | None = None,
    ) -> httpx.Response:
        sent = {"X-Organization-Id": organization_id, **(headers or {})}
        try:
            return await self._client.request(
                method, path, json=json, params=params, headers=sent, on_behalf_of=principal
            )
        except Refused as refused:
            raise refused.as_problem() from refused


def is_gone(problem: Problem, document: Document) -> bool:
    """Whether Invoice said that there is no such document, and not that something else is missing."""
    return problem.status == 404 and problem.code == f"{document.kind}_not_found"
