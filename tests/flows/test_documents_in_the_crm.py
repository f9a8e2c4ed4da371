"""Estimates and invoices of Invoice's, in the CRM: the whole way, through the real services."""

from typing import Any

import pytest
from crm_service.documents import reflection
from crm_service.documents.models import Document, Told
from servicekit.db import new_id
from sqlalchemy import delete

Json = dict[str, Any]
LINES: Json = {"line_items": [{"name": "Chai", "quantity": "2", "rate": "19.90", "tax_percentage": "19"}]}


class Desk:
    """What a salesperson does in the CRM, and a bookkeeper in Invoice."""

    def __init__(self, company: Any) -> None:
        self.company = company
        self.crm, self.invoice, self.stack = company.crm, company.invoice, company.stack

    async def listed(self, record: str) -> Json:
        answer = await self.crm.get(f"/v1/{record}/documents")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def refresh(self, record: str) -> Json:
        answer = await self.crm.post(f"/v1/{record}/documents/refresh")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def shows(self, record: str, kind: str, *states: tuple[str, str]) -> list[Json]:
        """The record's documents of this kind, when they are these: numbers and statuses, newest first."""

        async def so() -> list[Json] | None:
            found: list[Json] = (await self.listed(record))[kind]
            wanted = [(one[f"{kind[:-1]}_number"], one["status"]) for one in found] == list(states)
            return [*found, {}] if wanted else None

        found: list[Json] = await self.stack.eventually(so, seconds=5)
        return found[:-1]

    async def customer_of_contact(self, contact: Json) -> None:
        async def come() -> bool:
            return bool(await self.company.customers(crm_contact_id=contact["id"]))

        await self.stack.eventually(come)

    async def done(self, client: Any, path: str, status: int = 200, **fields: Any) -> Json:
        answer = await client.post(f"/v1/{path}", json=fields or None)
        assert answer.status_code == status, answer.text
        body: Json = answer.json()
        return body


@pytest.fixture
async def desk(company: Any) -> Desk:
    await company.connect()
    return Desk(company)


async def test_s2_s3_s8_what_is_done_in_invoice_shows_in_the_crm_by_itself(desk: Desk) -> None:
    account = await desk.company.account("Alfreds Futterkiste")
    at = f"accounts/{account['id']}"
    customer = await desk.company.customer_of(account)
    by_hand = await desk.done(desk.invoice, "customers", 201, customer_name="Walk-in")
    hidden = await desk.done(desk.invoice, "invoices", 201, customer_id=by_hand["id"], **LINES)
    estimate = await desk.done(desk.invoice, "estimates", 201, customer_id=customer["id"], **LINES)
    await desk.shows(at, "estimates", ("EST-000001", "draft"))
    await desk.done(desk.invoice, f"estimates/{estimate['id']}/status/accepted")
    await desk.shows(at, "estimates", ("EST-000001", "accepted"))
    invoice = await desk.done(desk.invoice, f"estimates/{estimate['id']}/convert", 201)
    await desk.done(desk.invoice, f"invoices/{invoice['id']}/status/sent")
    await desk.done(desk.invoice, f"invoices/{invoice['id']}/payments", 201, amount="10.00")
    [shown] = await desk.shows(at, "invoices", ("INV-000002", "partially_paid"))
    assert (shown["total"], shown["balance"], shown["estimate_id"]) == ("47.36", "37.36", estimate["id"])
    await desk.shows(at, "estimates", ("EST-000001", "invoiced"))
    assert (await desk.listed(at))["fetched_at"] is None  # nobody has fetched

    draft = await desk.done(desk.invoice, "estimates", 201, customer_id=customer["id"], **LINES)
    await desk.shows(at, "estimates", ("EST-000002", "draft"), ("EST-000001", "invoiced"))
    assert (await desk.invoice.delete(f"/v1/estimates/{draft['id']}")).status_code == 204
    await desk.shows(at, "estimates", ("EST-000001", "invoiced"))
    assert (await desk.crm.get(f"/v1/invoices/{hidden['id']}")).status_code == 404


async def test_s6_s7_s13_made_in_the_crm_it_is_in_invoice_as_the_plan_allows(desk: Desk) -> None:
    account = await desk.company.account("Alfreds Futterkiste")
    contact = await desk.company.contact("Anders", first_name="Maria", account_id=account["id"])
    await desk.company.customer_of(account)

    async def imported() -> Json | None:
        answer = await desk.crm.post(f"/v1/contacts/{contact['id']}/estimates", json=LINES)
        return answer.json() if answer.status_code == 201 else None

    estimate = await desk.stack.eventually(imported)
    assert (estimate["customer_name"], estimate["contact_person_name"]) == ("Alfreds Futterkiste", "Maria Anders")
    assert (estimate["origin"], estimate["total"]) == ("manual", "47.36")
    assert [(one["who"], one["what"]) for one in estimate["history"]] == [("admin@crm.test", "created")]
    assert len((await desk.listed(f"accounts/{account['id']}"))["estimates"]) == 1  # at once
    await desk.done(desk.crm, f"accounts/{account['id']}/invoices", 201, **LINES)
    assert len((await desk.invoice.get("/v1/invoices")).json()["items"]) == 1

    await desk.done(desk.invoice, "plans", 201, name="small", documents_per_month=2)
    organization = (await desk.invoice.get("/v1/organizations")).json()["items"][0]
    await desk.invoice.patch(f"/v1/organizations/{organization['id']}", json={"plan": "small"})
    refused = await desk.crm.post(f"/v1/accounts/{account['id']}/invoices", json=LINES)
    assert (refused.status_code, refused.headers["content-type"]) == (402, "application/problem+json")
    assert "small" in refused.json()["detail"]
    assert len((await desk.listed(f"accounts/{account['id']}"))["invoices"]) == 1


async def test_s6_who_is_no_customer_yet_is_imported_first_and_nobody_else(desk: Desk) -> None:
    connection = await desk.company.sync.patch("/v1/connection", json={"auto_update": False})
    assert connection.status_code == 200, connection.text
    account = await desk.company.account("Alfreds Futterkiste")
    contact = await desk.company.contact("Anders", account_id=account["id"])
    await desk.company.account("Somebody else")
    deal = await desk.company.potential("Order 10643", account_id=account["id"], contact_id=contact["id"])
    made = await desk.done(desk.crm, f"potentials/{deal['id']}/invoices", 201)
    assert (made["customer_name"], made["contact_person_name"]) == ("Alfreds Futterkiste", "Anders")
    assert ([line["name"] for line in made["line_items"]], made["total"]) == (["Order 10643"], "440.00")
    assert await desk.company.names() == ["Alfreds Futterkiste"]
    for record in (f"potentials/{deal['id']}", f"accounts/{account['id']}", f"contacts/{contact['id']}"):
        assert len((await desk.listed(record))["invoices"]) == 1


async def test_s10_s11_s12_s17_opened_edited_printed_and_no_longer_to_be_edited(desk: Desk) -> None:
    account = await desk.company.account("Alfreds Futterkiste")
    await desk.company.customer_of(account)
    made = await desk.done(desk.crm, f"accounts/{account['id']}/invoices", 201, **LINES)
    at = f"/v1/invoices/{made['id']}"
    seen = await desk.crm.get(at)
    assert {action["action"] for action in seen.json()["allowed_actions"]} >= {"edit", "void", "record_payment"}
    line = {"name": "Chang", "quantity": 3, "rate": "19.00"}
    mine = {"headers": {"If-Match": seen.headers["ETag"]}}
    edited = await desk.crm.patch(at, json={"line_items": [line], "reference_number": "PO 7"}, **mine)
    assert (edited.status_code, edited.json()["total"]) == (200, "57.00"), edited.text
    assert (await desk.invoice.get(at)).json()["reference_number"] == "PO 7"
    [shown] = (await desk.listed(f"accounts/{account['id']}"))["invoices"]
    assert (shown["total"], shown["reference_number"]) == ("57.00", "PO 7")  # at once
    late = await desk.crm.patch(at, json={"notes": "theirs"}, **mine)
    assert (late.status_code, late.json()["code"]) == (412, "version_conflict")

    pdf, saved = await desk.crm.get(f"{at}/pdf"), await desk.crm.get(f"{at}/pdf", params={"download": "true"})
    assert pdf.content.startswith(b"%PDF")
    assert pdf.content == saved.content
    assert pdf.headers["content-disposition"].startswith('inline; filename="INV-000001.pdf"')
    assert saved.headers["content-disposition"].startswith('attachment; filename="INV-000001.pdf"')

    viewer = await desk.stack.person("crm", "viewer")
    theirs = {one["action"]: one for one in (await viewer.get(at)).json()["allowed_actions"]}
    assert "needs the role member" in theirs["edit"]["reason"]

    seller = await desk.stack.person("crm", "member")  # of whom Invoice knows nothing
    assert (await desk.done(seller, f"invoices/{made['id']}/status/void"))["history"][-1]["who"] == "member@crm.test"
    [shown] = (await desk.listed(f"accounts/{account['id']}"))["invoices"]
    assert (shown["status"], shown["workflow_locked"]) == ("void", True)
    [edit] = [one for one in (await desk.crm.get(at)).json()["allowed_actions"] if one["action"] == "edit"]
    refused = await desk.crm.patch(at, json={"notes": "too late"})
    assert (refused.status_code, refused.json()["code"]) == (409, "invoice_void")
    assert refused.json()["detail"] == edit["reason"]
    assert (await desk.invoice.get(at)).json()["locked_by"] == "member@crm.test"


async def test_s9_refresh_repairs_whatever_went_wrong_with_the_list(desk: Desk) -> None:
    account = await desk.company.account("Alfreds Futterkiste")
    at = f"accounts/{account['id']}"
    await desk.company.customer_of(account)
    made = [await desk.done(desk.crm, f"{at}/estimates", 201, **LINES) for _ in range(3)]
    await desk.shows(at, "estimates", *((f"EST-00000{number}", "draft") for number in (3, 2, 1)))

    organization = (await desk.invoice.get("/v1/organizations")).json()["items"][0]["id"]
    ghost = made[0] | {"id": new_id(), "estimate_number": "EST-000099"}
    async with desk.stack.database("crm").transaction() as session:  # as if events had been lost
        await session.execute(delete(Document).where(Document.id == made[0]["id"]))
        await session.execute(delete(reflection.versions).where(reflection.versions.c.document_id == made[0]["id"]))
        await reflection.take_in(session, [Told.by_answer("estimate", organization, ghost)])
    await desk.shows(at, "estimates", ("EST-000099", "draft"), ("EST-000003", "draft"), ("EST-000002", "draft"))
    found = await desk.refresh(at)
    assert [one["estimate_number"] for one in found["estimates"]] == ["EST-000003", "EST-000002", "EST-000001"]
    assert found["fetched_at"] is not None


async def test_with_invoice_down_the_crm_goes_on_and_trying_again_makes_one_document(desk: Desk) -> None:
    account = await desk.company.account("Alfreds Futterkiste")
    at = f"accounts/{account['id']}"
    await desk.company.customer_of(account)
    await desk.done(desk.crm, f"{at}/estimates", 201, **LINES)
    fetched = await desk.refresh(at)
    await desk.stack.stop("invoice")
    key = {"Idempotency-Key": "press-1"}
    down = await desk.crm.post(f"/v1/{at}/invoices", json=LINES, headers=key)
    assert (down.status_code, down.json()["code"]) == (503, "invoice_unavailable")
    assert int(down.headers["Retry-After"]) > 0
    assert (await desk.crm.post(f"/v1/{at}/documents/refresh")).status_code == 503
    stale = await desk.listed(at)
    assert (stale["estimates"], stale["fetched_at"]) == (fetched["estimates"], fetched["fetched_at"])
    assert stale["refresh_failed_at"] is not None
    await desk.company.change(at, phone="030-0074321")

    await desk.stack.start("invoice")

    async def made() -> Json | None:
        answer = await desk.crm.post(f"/v1/{at}/invoices", json=LINES, headers=key)
        return answer.json() if answer.status_code == 201 else None

    first = await desk.stack.eventually(made)
    again = await desk.crm.post(f"/v1/{at}/invoices", json=LINES, headers=key)
    assert (again.json()["id"], again.headers["Idempotency-Replayed"]) == (first["id"], "true")
    assert len((await desk.invoice.get("/v1/invoices")).json()["items"]) == 1
    assert (await desk.refresh(at))["last_error"] is None


async def test_s29_documents_of_merged_customers_show_at_both_accounts(desk: Desk) -> None:
    one, other = await desk.company.account("Alfreds"), await desk.company.account("Alfreds Futterkiste")
    into, merged = await desk.company.customer_of(one), await desk.company.customer_of(other)
    await desk.done(desk.crm, f"accounts/{other['id']}/invoices", 201, **LINES)
    await desk.done(desk.invoice, f"customers/{merged['id']}/merge", into=into["id"])
    for account in (one, other):
        [shown] = await desk.shows(f"accounts/{account['id']}", "invoices", ("INV-000001", "draft"))
        assert [found["id"] for found in (await desk.refresh(f"accounts/{account['id']}"))["invoices"]] == [shown["id"]]

    await desk.done(desk.invoice, f"customers/{into['id']}/inactive")
    refused = await desk.crm.post(f"/v1/accounts/{other['id']}/invoices", json=LINES)
    assert refused.status_code in (409, 422)
    assert "inactive" in refused.json()["detail"]


async def test_s29_merging_and_undoing_show_by_themselves_at_the_accounts_that_they_concern(desk: Desk) -> None:
    """Neither touches the documents of the customer that stays, and nobody refreshes."""
    one, other = await desk.company.account("Alfreds"), await desk.company.account("Alfreds Futterkiste")
    into, merged = await desk.company.customer_of(one), await desk.company.customer_of(other)
    by_hand = await desk.done(desk.invoice, "customers", 201, customer_name="Alfreds (by hand)")
    hidden = await desk.done(desk.invoice, "invoices", 201, customer_id=by_hand["id"], **LINES)
    await desk.done(desk.crm, f"accounts/{one['id']}/invoices", 201, **LINES)
    made = await desk.done(desk.invoice, f"customers/{merged['id']}/merge", into=into["id"])
    await desk.shows(f"accounts/{other['id']}", "invoices", ("INV-000002", "draft"))
    await desk.done(desk.invoice, f"customers/merges/{made['merge_id']}/undo")
    await desk.shows(f"accounts/{other['id']}", "invoices")
    await desk.shows(f"accounts/{one['id']}", "invoices", ("INV-000002", "draft"))

    await desk.done(desk.invoice, f"customers/{merged['id']}/merge", into=by_hand["id"])
    await desk.shows(f"accounts/{other['id']}", "invoices", ("INV-000001", "draft"))  # of which nothing was kept before
    assert (await desk.crm.get(f"/v1/invoices/{hidden['id']}")).status_code == 200
    assert [one["id"] for one in (await desk.refresh(f"accounts/{other['id']}"))["invoices"]] == [hidden["id"]]


async def test_s8_s28_what_happens_to_documents_of_a_deleted_account_shows_once_it_is_restored(desk: Desk) -> None:
    account = await desk.company.account("Alfreds Futterkiste")
    at = f"accounts/{account['id']}"
    customer = await desk.company.customer_of(account)
    made = await desk.done(desk.crm, f"{at}/invoices", 201, **LINES)
    await desk.shows(at, "invoices", ("INV-000001", "draft"))
    assert (await desk.crm.delete(f"/v1/{at}")).status_code == 204

    async def has(status: str) -> bool:
        return bool((await desk.invoice.get(f"/v1/customers/{customer['id']}")).json()["status"] == status)

    await desk.stack.eventually(lambda: has("inactive"))
    await desk.done(desk.invoice, f"invoices/{made['id']}/status/sent")

    async def forgotten() -> bool:
        return (await desk.crm.get(f"/v1/invoices/{made['id']}")).status_code == 404

    await desk.stack.eventually(forgotten)
    await desk.done(desk.crm, f"{at}/restore")
    await desk.shows(at, "invoices", ("INV-000001", "sent"))


async def test_s8_s25_who_joins_an_account_brings_its_own_documents_along(desk: Desk) -> None:
    contact = await desk.company.contact("Cramer", first_name="Philip")
    await desk.customer_of_contact(contact)
    await desk.done(desk.crm, f"contacts/{contact['id']}/estimates", 201, **LINES)
    account = await desk.company.account("Königlich Essen")
    await desk.company.change(f"contacts/{contact['id']}", account_id=account["id"])
    await desk.shows(f"accounts/{account['id']}", "estimates", ("EST-000001", "draft"))
    found = await desk.refresh(f"accounts/{account['id']}")
    assert [one["estimate_number"] for one in found["estimates"]] == ["EST-000001"]


async def test_s8_s25_who_moves_takes_no_document_of_the_old_account_into_the_list_of_the_new_one(desk: Desk) -> None:
    old, new = await desk.company.account("Alfreds"), await desk.company.account("Bólido")
    contact = await desk.company.contact("Anders", account_id=old["id"])
    await desk.customer_of_contact(contact)
    await desk.done(desk.crm, f"contacts/{contact['id']}/invoices", 201, **LINES)
    await desk.company.change(f"contacts/{contact['id']}", account_id=new["id"])
    await desk.stack.eventually(lambda: desk.company.customers(crm_account_id=new["id"], q="Anders"))
    for record, shown in ((old, ["INV-000001"]), (new, [])):
        for found in (await desk.listed(f"accounts/{record['id']}"), await desk.refresh(f"accounts/{record['id']}")):
            assert [one["invoice_number"] for one in found["invoices"]] == shown
    await desk.shows(f"contacts/{contact['id']}", "invoices", ("INV-000001", "draft"))


async def test_s9_refreshing_an_account_takes_few_requests_however_many_contacts_it_has(desk: Desk) -> None:
    account = await desk.company.account("Save-a-lot")
    await desk.company.customer_of(account)
    text = "last_name,account_id\n" + "".join(f"Contact {number},{account['id']}\n" for number in range(300))
    sent = await desk.crm.post("/v1/contacts/import", content=text, headers={"Content-Type": "text/csv"})
    assert sent.status_code in (200, 201), sent.text
    await desk.done(desk.crm, f"accounts/{account['id']}/invoices", 201, **LINES)
    asked: list[str] = []
    before = desk.stack.http._transport.handle_async_request

    async def counted(request: Any) -> Any:
        if request.method == "GET" and request.url.host.startswith("invoice"):
            asked.append(str(request.url.path))
        return await before(request)

    desk.stack.http._transport.handle_async_request = counted
    await desk.refresh(f"accounts/{account['id']}")
    assert sorted(asked) == ["/v1/crm/customers", "/v1/estimates", "/v1/invoices"]
