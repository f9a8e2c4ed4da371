"""The estimates and invoices in Invoice, as far as the workflow needs them.

Raises `servicekit.errors.Unavailable` where trying again later may help, `servicekit.http.Refused` where it does not.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Literal

from contracts.potentials import PotentialSnapshot
from servicekit.http import Refused

from workflow_service.clients import NotImported
from workflow_service.peers import Peer
from workflow_service.policy import Document, DocumentKind, Lock

AT_ONCE = 200
"""How many documents are asked for at once; nearly every potential has one or two."""

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

    def __init__(self, invoice: Peer) -> None:
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
        body = {
            "crm_account_id": potential.account_id,
            "crm_contact_id": potential.contact_id,
            "crm_potential_id": potential.id,
            "crm_potential_version": potential.version,
            **_said_of(potential),
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
            raise KeyUsed(self._invoice.read(answer, lambda made: str(made["id"])))
        return self._invoice.read(answer, partial(document_of, kind))

    async def update(
        self, organization_id: str, kind: DocumentKind, document_id: str, version: int, potential: PotentialSnapshot
    ) -> Document:
        """Have the document, as it was at ``version``, say the potential's name and amount (S18)."""
        headers = {"If-Match": f'"{version}"', **_within(organization_id)}
        path = f"{PATH[kind]}/{document_id}"
        answer = await self._invoice.request("PATCH", path, json=_said_of(potential), headers=headers)
        # However Invoice writes it: it says now what the potential says.
        return replace(self._invoice.read(answer, partial(document_of, kind)), line=None)

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
        return self._invoice.read(answer, partial(document_of, kind))

    async def _linked(self, organization_id: str, potential_id: str, kind: DocumentKind) -> list[Document]:
        params: dict[str, str | int] = {"crm_potential_id": potential_id, "limit": AT_ONCE}
        documents: list[Document] = []
        while True:
            answer = await self._invoice.request("GET", PATH[kind], params=params, headers=_within(organization_id))
            page, cursor = self._invoice.read(answer, partial(_page, kind))
            found = [await self._whole(organization_id, document) for document in page]
            documents += [document for document in found if document is not None]
            if cursor is None:
                return documents
            params["cursor"] = cursor

    async def _whole(self, organization_id: str, document: Document) -> Document | None:
        """Lists do not say who has locked an invoice, or whether anyone has changed an estimate.

        The few of ours for which it matters are asked for by themselves. None: it was deleted since.
        """
        draft_estimate = document.kind == "estimate" and document.status == "draft"
        if not document.by_workflow or not (document.locked is not None or draft_estimate):
            return document
        path = f"{PATH[document.kind]}/{document.id}"
        try:
            answer = await self._invoice.request("GET", path, headers=_within(organization_id))
        except Refused as refused:
            if refused.status != 404:
                raise
            return None
        return self._invoice.read(answer, partial(document_of, document.kind))


def _page(kind: DocumentKind, found: dict[str, Any]) -> tuple[list[Document], str | None]:
    return [document_of(kind, item) for item in found["items"]], found.get("next_cursor")


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
        total=Decimal(found["total"]) if "total" in found else None,
        currency_code=found.get("currency_code"),
        line=_only_line(found),
        version=found.get("version", 1),
    )


def _only_line(found: dict[str, Any]) -> tuple[str, Decimal] | None:
    lines, history = found.get("line_items", ()), found.get("history", ())
    if len(lines) != 1 or any(happened["who"] != "workflow" for happened in history):
        return None
    return lines[0]["name"], Decimal(lines[0]["rate"])


def _said_of(potential: PotentialSnapshot) -> dict[str, Any]:
    line = {"name": potential.potential_name, "quantity": 1, "rate": f"{potential.amount:f}"}
    return {"currency_code": potential.currency_code, "line_items": [line]}
