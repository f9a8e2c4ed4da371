"""The estimates and invoices in Invoice, as far as the workflow needs them.

Raises `servicekit.errors.Unavailable` where trying again later may help, `servicekit.http.Refused` where it does not.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import orjson
from contracts.potentials import PotentialSnapshot
from servicekit.http import Refused, ServiceClient

from workflow_service.clients import NotImported
from workflow_service.policy import Document, DocumentKind, Lock

MOST_DOCUMENTS = 200
"""A potential with more linked documents of one kind is not one."""

PATH: Mapping[DocumentKind, str] = {"estimate": "/v1/estimates", "invoice": "/v1/invoices"}


class Superseded(Exception):
    """Invoice has already followed a later version of the potential."""


class KeyUsed(Exception):
    """A document was made for this potential before, by the same key: see what became of it.

    ``document_id``: which one, where Invoice tells; by an earlier try of this command, most likely.
    """

    def __init__(self, document_id: str | None = None) -> None:
        super().__init__("the key was used before")
        self.document_id = document_id


class Documents:
    """What is linked to a potential in an organization, and what the workflow does to it."""

    def __init__(self, invoice: ServiceClient) -> None:
        self._invoice = invoice

    async def of(self, organization_id: str, potential_id: str, *kinds: DocumentKind) -> list[Document]:
        """Those of these kinds that are linked to the potential."""
        found = await asyncio.gather(*(self._linked(organization_id, potential_id, kind) for kind in kinds))
        return [document for documents in found for document in documents]

    async def create(
        self, organization_id: str, kind: DocumentKind, potential: PotentialSnapshot, number: int
    ) -> Document:
        """Make the ``number``-th document of this kind for the potential (S18); there is only ever one by that number.

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
        headers = {"Idempotency-Key": f"workflow:{potential.id}:{kind}:{number}", **_within(organization_id)}
        try:
            answer = await self._invoice.request("POST", PATH[kind], json=body, headers=headers)
        except Refused as refused:
            if refused.code == "idempotency_key_reused":
                raise KeyUsed from refused
            raise _named(refused) from refused
        if answer.headers.get("Idempotency-Replayed") == "true":
            # It tells how the document was when it was made; it may have gone on since, or be deleted.
            raise KeyUsed(orjson.loads(answer.content)["id"])
        return document_of(kind, orjson.loads(answer.content))

    async def set_status(
        self,
        organization_id: str,
        kind: DocumentKind,
        document_id: str,
        status: Literal["accepted", "declined", "void"],
        potential: PotentialSnapshot,
    ) -> Document:
        """Move a document on. Raises `Superseded`."""
        try:
            answer = await self._invoice.request(
                "POST",
                f"{PATH[kind]}/{document_id}/status/{status}",
                json={"crm_potential_version": potential.version},
                headers=_within(organization_id),
            )
        except Refused as refused:
            raise _named(refused) from refused
        return document_of(kind, orjson.loads(answer.content))

    async def _linked(self, organization_id: str, potential_id: str, kind: DocumentKind) -> list[Document]:
        params: dict[str, str | int] = {"crm_potential_id": potential_id, "limit": MOST_DOCUMENTS}
        answer = await self._invoice.request("GET", PATH[kind], params=params, headers=_within(organization_id))
        items = orjson.loads(answer.content)["items"]
        return [await self._with_its_lock(organization_id, kind, found) for found in items]

    async def _with_its_lock(self, organization_id: str, kind: DocumentKind, found: dict[str, Any]) -> Document:
        """Lists do not say who has locked an invoice; the few of ours that are locked are asked for by themselves."""
        if found.get("workflow_locked") and found["origin"] == "workflow":
            headers = _within(organization_id)
            answer = await self._invoice.request("GET", f"{PATH[kind]}/{found['id']}", headers=headers)
            found = orjson.loads(answer.content)
        return document_of(kind, found)


def _within(organization_id: str) -> dict[str, str]:
    return {"X-Organization-Id": organization_id}


def _named(refused: Refused) -> Exception:
    match refused.code:
        case "crm_record_not_imported":
            detail = str(refused.problem.get("detail") or refused)
            return NotImported(detail, record_id=refused.problem.get("record_id"))
        case "stale_potential_version":
            return Superseded(str(refused))
        case _:
            return refused


def document_of(kind: DocumentKind, found: dict[str, Any]) -> Document:
    """The document as Invoice's JSON tells of it."""
    lock = None
    if found.get("workflow_locked"):
        at = found.get("locked_at")
        lock = Lock(found.get("locked_by"), datetime.fromisoformat(at) if at else None)
    return Document(
        kind=kind,
        id=found["id"],
        number=found[f"{kind}_number"],
        status=found["status"],
        by_workflow=found["origin"] == "workflow",
        locked=lock,
    )
