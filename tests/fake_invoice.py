"""An Invoice and a sync of a few lines, for tests of what asks them: they keep to the contract, and do as told."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from contracts.customers import CrmLink, CustomerSnapshot
from contracts.documents import EstimateSnapshot, InvoiceSnapshot
from fastapi import FastAPI, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from servicekit.auth import Tokens
from servicekit.db import new_id, utc_now

from tests.servers import SECRET

Json = dict[str, Any]
ORGANIZATION = "01900000-0000-7000-8000-00000000000a"
KINDS = {"estimates": "estimate", "invoices": "invoice"}


def refusal(status: int, code: str, detail: str, **extra: Any) -> JSONResponse:
    """A problem document."""
    return JSONResponse({"status": status, "code": code, "title": "Refused", "detail": detail, **extra}, status)


class FakeInvoice:
    """Documents by id, each with a customer of its own. ``imported``: the CRM records that are customers.

    ``links``: whose a document and its customer are. ``account_of``: contact → the account that it is at in the CRM.
    ``down``: the answer to everything, while it is set. ``answers_late``: carries out what it is asked, and gives no
    answer in time, so many times. ``between``: is called before each page of a list. ``page``: how many a page has,
    whatever is asked for.
    """

    def __init__(self) -> None:
        self.app = FastAPI()
        self.documents: dict[str, Json] = {}
        self.links: dict[str, set[tuple[str, str]]] = {}
        self.account_of: dict[str, str] = {}
        self.imported: set[str] = set()
        self.keys: dict[str, tuple[Json, Json]] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.bodies: list[Json] = []
        self.down: Response | None = None
        self.answers_late = 0
        self.page = 2
        self.between: Callable[[], Awaitable[None]] | None = None
        for path, answer, method in (
            ("/v1/crm/customers", self._customers, "GET"),
            ("/v1/{kinds}", self._list, "GET"),
            ("/v1/{kinds}", self._create, "POST"),
            ("/v1/{kinds}/{id_}", self._get, "GET"),
            ("/v1/{kinds}/{id_}", self._edit, "PATCH"),
            ("/v1/{kinds}/{id_}/status/{status}", self._mark, "POST"),
            ("/v1/{kinds}/{id_}/pdf", self._pdf, "GET"),
        ):
            self.app.add_api_route(path, answer, methods=[method])
        self.app.middleware("http")(self._first)

    async def _first(self, request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        if self.down is not None:
            return self.down
        principal = Tokens(SECRET, "invoice").verify(request.headers["authorization"].removeprefix("Bearer "))
        assert principal.service == "crm"
        assert request.headers["x-organization-id"] == ORGANIZATION
        self.asked.append((request.method, request.url.path, principal.name))
        response = await answer(request)
        if self.answers_late and request.method != "GET":
            self.answers_late -= 1
            await asyncio.Event().wait()
        return response

    def add(self, kind: str, *links: tuple[str, str], potential_id: str | None = None, **fields: Any) -> Json:
        """A document with these CRM links."""
        number = len(self.documents) + 1
        document: Json = {
            "id": new_id(),
            "version": 1,
            "status": "draft",
            "customer_id": new_id(),
            "customer_name": "Alfreds Futterkiste",
            "contact_person_id": None,
            "date": "2026-03-01",
            "reference_number": "",
            "currency_code": "EUR",
            "sub_total": "440.00",
            "total": "440.00",
            "crm_potential_id": potential_id,
            "updated_at": utc_now().isoformat(),
            "allowed_actions": [{"action": "edit", "allowed": True, "reason": None}],
        }
        if kind == "estimate":
            document |= {"estimate_number": f"EST-{number:06}", "expiry_date": None, "invoice_id": None}
        else:
            document |= {"invoice_number": f"INV-{number:06}", "due_date": "2026-03-15", "estimate_id": None}
            document |= {"balance": document["total"], "workflow_locked": False}
        self.documents[document["id"]] = document | fields
        self.links[document["id"]] = set(links)
        return self.documents[document["id"]]

    def change(self, document: Json, **fields: Any) -> Json:
        """Its next version."""
        document |= fields | {"version": document["version"] + 1}
        return document

    def delete(self, document: Json) -> None:
        del self.documents[document["id"]]

    def snapshot(self, document: Json, *, deleted: bool = False) -> EstimateSnapshot | InvoiceSnapshot:
        """What an event tells of it as it is now."""
        links = [CrmLink(record_type=kind, record_id=id_, version=1) for kind, id_ in self.links[document["id"]]]  # type: ignore[arg-type]
        told = document | {"organization_id": ORGANIZATION, "crm_links": links, "deleted": deleted}
        told |= {"discount_total": "0", "tax_total": "0", "amount_paid": "0"}
        model = EstimateSnapshot if "estimate_number" in document else InvoiceSnapshot
        return model.model_validate(told)

    def customer(self, document: Json) -> CustomerSnapshot:
        """What an event tells of its customer as it is now; both have the same versions."""
        links = self.links[document["id"]]
        return CustomerSnapshot(
            id=document["customer_id"],
            version=document["version"],
            organization_id=ORGANIZATION,
            customer_name=document["customer_name"],
            currency_code="EUR",
            status="active",
            source="crm",
            crm_links=tuple(CrmLink(record_type=kind, record_id=id_, version=1) for kind, id_ in links),  # type: ignore[arg-type]
            own_contact_ids=tuple(id_ for kind, id_ in links if kind == "contact"),
        )

    async def _customers(self, crm_account_id: str | None = None, crm_contact_id: str | None = None) -> Any:
        wanted = {("account", crm_account_id), ("contact", crm_contact_id)}
        wanted |= {("contact", contact) for contact, account in self.account_of.items() if account == crm_account_id}
        found = [document for id_, document in self.documents.items() if self.links[id_] & wanted]
        items = [self.customer(document).model_dump(mode="json") for document in found]
        return {"items": items, "next_cursor": None}

    async def _list(
        self,
        kinds: str,
        cursor: int = 0,
        id_: Annotated[list[str] | None, Query(alias="id")] = None,
        customer_id: Annotated[list[str] | None, Query()] = None,
        crm_contact_id: str | None = None,
        crm_potential_id: str | None = None,
    ) -> Any:
        if self.between is not None:
            await self.between()
        found = [
            document
            for document in sorted(self.documents.values(), key=lambda one: one["id"], reverse=True)
            if f"{KINDS[kinds]}_number" in document
            and (
                document["id"] in (id_ or ())
                or document["customer_id"] in (customer_id or ())
                or ("contact", crm_contact_id) in self.links[document["id"]]
                or (crm_potential_id and document["crm_potential_id"] == crm_potential_id)
            )
        ]
        page = found[cursor : cursor + self.page]
        return {"items": page, "next_cursor": cursor + self.page if cursor + self.page < len(found) else None}

    async def _create(self, kinds: str, request: Request, idempotency_key: str = Header()) -> Any:
        body = await request.json()
        if idempotency_key in self.keys:
            first_body, first = self.keys[idempotency_key]
            if body != first_body:
                return refusal(409, "idempotency_key_reused", f"Idempotency-Key {idempotency_key!r} was used before")
            return JSONResponse(first, 201, headers={"Idempotency-Replayed": "true", "ETag": '"1"'})
        links = [(kind, body[f"crm_{kind}_id"]) for kind in ("account", "contact") if f"crm_{kind}_id" in body]
        for kind, record_id in links:
            if record_id not in self.imported:
                return refusal(409, "crm_record_not_imported", f"crm_{kind}_id: not imported; import it first")
        self.bodies.append(body)
        made = self.add(KINDS[kinds], *links, potential_id=body.get("crm_potential_id"))
        self.keys[idempotency_key] = body, dict(made)
        return JSONResponse(made, 201, headers={"ETag": '"1"', "Location": f"/v1/{kinds}/{made['id']}"})

    def _find(self, kinds: str, id_: str, if_match: str | None = None) -> Json | Response:
        document = self.documents.get(id_)
        if document is None:
            return refusal(404, f"{KINDS[kinds]}_not_found", f"there is no {KINDS[kinds]} {id_} in this organization")
        if if_match not in (None, f'"{document["version"]}"'):
            return refusal(412, "version_conflict", "changed meanwhile", current_version=document["version"])
        return document

    async def _get(self, kinds: str, id_: str) -> Any:
        return self._shown(self._find(kinds, id_))

    async def _edit(self, kinds: str, id_: str, request: Request, if_match: str | None = Header(None)) -> Any:
        found = self._find(kinds, id_, if_match)
        if isinstance(found, dict) and found["status"] == "paid":
            return refusal(409, "invoice_already_paid", "INV-000001 is paid and may no longer be edited")
        return self._shown(found if isinstance(found, Response) else self.change(found, **await request.json()))

    async def _mark(self, kinds: str, id_: str, status: str, if_match: str | None = Header(None)) -> Any:
        found = self._find(kinds, id_, if_match)
        return self._shown(found if isinstance(found, Response) else self.change(found, status=status))

    def _shown(self, found: Json | Response) -> Response:
        return found if isinstance(found, Response) else JSONResponse(found, headers={"ETag": f'"{found["version"]}"'})

    async def _pdf(self, kinds: str, id_: str, download: bool = False, if_none_match: str | None = Header(None)) -> Any:
        found = self._find(kinds, id_)
        if isinstance(found, Response):
            return found
        headers = {"ETag": '"pdf"', "Cache-Control": "private, no-cache"}
        if if_none_match == '"pdf"':
            return Response(status_code=304, headers=headers)
        kind = "attachment" if download else "inline"
        headers["Content-Disposition"] = f'{kind}; filename="{found[f"{KINDS[kinds]}_number"]}.pdf"'
        return Response(b"%PDF-1.4 " + id_.encode(), media_type="application/pdf", headers=headers)


class FakeSync:
    """``organization_id`` None: not connected. ``refuses``: why a record cannot be imported."""

    def __init__(self, invoice: FakeInvoice) -> None:
        self.app = FastAPI()
        self.invoice = invoice
        self.organization_id: str | None = ORGANIZATION
        self.imports: list[tuple[str, str]] = []
        self.refuses: str | None = None
        self.app.get("/v1/connection")(self._connection)
        self.app.post("/v1/records/import")(self._import)

    async def _connection(self) -> Any:
        if self.organization_id is None:
            return refusal(404, "not_connected", "no organization is connected")
        return {"organization_id": self.organization_id}

    async def _import(self, request: Request) -> Any:
        body = await request.json()
        if self.organization_id is None:
            return refusal(409, "not_connected", "no organization is connected")
        if self.refuses is not None:
            return refusal(422, "record_refused", self.refuses)
        self.imports.append((body["record_type"], body["record_id"]))
        self.invoice.imported.add(body["record_id"])
        return {"customer_id": new_id(), "outcome": "created"}
