"""What this service asks of Invoice and of sync.

Raises `servicekit.errors.Unavailable` where trying again later may help, `servicekit.http.Refused` where it does not.
"""

import time
from typing import Any, Literal

import orjson
from contracts.potentials import PotentialSnapshot
from servicekit.errors import Transient, Unavailable
from servicekit.http import Refused, ServiceClient

from workflow_service.policy import Document

MOST_DOCUMENTS = 200
"""A potential with more linked estimates is not one."""


class NotImported(Transient):
    """Invoice does not know the potential's account or contact yet: sync has not brought it."""


class Superseded(Exception):
    """Invoice has already followed a later version of the potential."""


class KeyUsed(Exception):
    """An estimate was made for this potential before, by the same key: see what became of it."""


class Connected:
    """Which organization the CRM is connected to: asked of sync, and believed for ``seconds``."""

    def __init__(self, sync: ServiceClient, *, seconds: float = 5.0) -> None:
        self._sync = sync
        self._seconds = seconds
        self._known: tuple[str | None] | None = None
        self._asked_at = 0.0

    async def organization_id(self) -> str | None:
        """The organization's id; None if none is connected: then Invoice takes its default one.

        While sync does not answer, what it said last holds; raises `Unavailable` if it never did.
        """
        if self._known is None or time.monotonic() - self._asked_at > self._seconds:
            try:
                self._known = (await self._ask(),)
                self._asked_at = time.monotonic()
            except Unavailable:
                if self._known is None:
                    raise
        return self._known[0]

    async def _ask(self) -> str | None:
        try:
            answer = await self._sync.request("GET", "/v1/connection")
        except Refused as refused:
            if refused.code != "not_connected":
                raise
            return None
        return str(orjson.loads(answer.content)["organization_id"])


class Estimates:
    """The estimates in Invoice, as far as the workflow needs them."""

    def __init__(self, invoice: ServiceClient, connected: Connected) -> None:
        self._invoice = invoice
        self._connected = connected

    async def of(self, potential_id: str) -> list[Document]:
        """Those linked to the potential."""
        params: dict[str, str | int] = {"crm_potential_id": potential_id, "limit": MOST_DOCUMENTS}
        answer = await self._invoice.request("GET", "/v1/estimates", params=params, headers=await self._headers())
        return [_document(one) for one in orjson.loads(answer.content)["items"]]

    async def create(self, potential: PotentialSnapshot) -> Document:
        """Make the potential's estimate (S18); there is only ever one made by this key.

        Raises `KeyUsed`, `NotImported`, `Superseded`.
        """
        line = {"name": potential.potential_name, "quantity": 1, "rate": f"{potential.amount:f}"}
        body = {
            "crm_account_id": potential.account_id,
            "crm_contact_id": potential.contact_id,
            "currency_code": potential.currency_code,
            "crm_potential_id": potential.id,
            "crm_potential_version": potential.version,
            "line_items": [line],
        }
        headers = {"Idempotency-Key": f"workflow:{potential.id}:estimate:1", **await self._headers()}
        try:
            answer = await self._invoice.request("POST", "/v1/estimates", json=body, headers=headers)
        except Refused as refused:
            if refused.code == "idempotency_key_reused":
                raise KeyUsed from refused
            raise _named(refused) from refused
        if answer.headers.get("Idempotency-Replayed") == "true":
            # It tells how the estimate was when it was made; it may have gone on since, or be deleted.
            raise KeyUsed
        return _document(orjson.loads(answer.content))

    async def set_status(
        self, estimate_id: str, status: Literal["accepted", "declined"], potential: PotentialSnapshot
    ) -> Document:
        """Move an estimate on. Raises `Superseded`."""
        try:
            answer = await self._invoice.request(
                "POST",
                f"/v1/estimates/{estimate_id}/status/{status}",
                json={"crm_potential_version": potential.version},
                headers=await self._headers(),
            )
        except Refused as refused:
            raise _named(refused) from refused
        return _document(orjson.loads(answer.content))

    async def _headers(self) -> dict[str, str]:
        organization_id = await self._connected.organization_id()
        return {} if organization_id is None else {"X-Organization-Id": organization_id}


def _named(refused: Refused) -> Exception:
    match refused.code:
        case "crm_record_not_imported":
            return NotImported(f"waits for the customer: {refused.problem.get('detail') or refused}")
        case "stale_potential_version":
            return Superseded(str(refused))
        case _:
            return refused


def _document(found: dict[str, Any]) -> Document:
    return Document(
        id=found["id"],
        number=found["estimate_number"],
        status=found["status"],
        by_workflow=found["origin"] == "workflow",
    )
