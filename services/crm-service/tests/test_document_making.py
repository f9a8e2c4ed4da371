"""S6, S7, S10–S12, S18: making a document from within the CRM, and what may be done with one there."""

import asyncio
from typing import Any

import pytest

from tests.fake_invoice import FakeInvoice, FakeSync

Json = dict[str, Any]
LINES: Json = {"line_items": [{"name": "Chai", "quantity": "2", "rate": "19.90"}]}


@pytest.fixture
async def invoice(crm: Any) -> Any:
    made = FakeInvoice()
    crm.stack.apps["invoice"] = made.app
    yield made
    crm.stack.apps.pop("invoice", None)


@pytest.fixture
async def sync(crm: Any, invoice: FakeInvoice) -> Any:
    made = FakeSync(invoice)
    crm.stack.apps["sync"] = made.app
    yield made
    crm.stack.apps.pop("sync", None)


async def make(crm: Any, path: str, body: Json | None = None, key: str | None = None) -> Any:
    return await crm.member.post(f"/v1/{path}", json=body, headers={"Idempotency-Key": key} if key else {})


@pytest.mark.parametrize(("kind", "number"), [("estimate", "EST-000001"), ("invoice", "INV-000001")])
async def test_s6_s7_one_button_imports_the_record_and_makes_the_document(
    crm: Any, invoice: FakeInvoice, sync: FakeSync, kind: str, number: str
) -> None:
    account = await crm.account()
    contact = await crm.contact(account_id=account["id"])
    answer = await make(crm, f"contacts/{contact['id']}/{kind}s", LINES | {"notes": "As discussed"})
    assert (answer.status_code, answer.headers["ETag"]) == (201, '"1"')
    made = answer.json()
    assert answer.headers["Location"] == f"/v1/{kind}s/{made['id']}"
    assert sync.imports == [("contact", contact["id"])]
    assert invoice.bodies == [{**LINES, "notes": "As discussed", "crm_contact_id": contact["id"]}]
    shown = (await crm.read(f"accounts/{account['id']}/documents"))[f"{kind}s"]
    assert [one[f"{kind}_number"] for one in shown] == [number]  # at once, and the account's too
    assert {name for method, _, name in invoice.asked if method == "POST"} == {"member@crm.test"}
    assert (await make(crm, f"contacts/{contact['id']}/{kind}s", LINES)).status_code == 201
    assert len(sync.imports) == 1


async def test_s18_a_potentials_document_says_its_name_and_amount(
    crm: Any, invoice: FakeInvoice, sync: FakeSync
) -> None:
    account = await crm.account()
    contact = await crm.contact()
    whose = {"account_id": account["id"], "contact_id": contact["id"]}
    deal = await crm.potential("Order 10643", amount="440.5", currency_code="EUR", **whose)
    answer = await make(crm, f"potentials/{deal['id']}/invoices")
    assert answer.status_code == 201, answer.text
    assert sync.imports == [("account", account["id"]), ("contact", contact["id"])]
    assert invoice.bodies == [
        {
            "currency_code": "EUR",
            "line_items": [{"name": "Order 10643", "quantity": 1, "rate": "440.50"}],
            "crm_potential_id": deal["id"],
            "crm_account_id": account["id"],
            "crm_contact_id": contact["id"],
        }
    ]
    for path in (f"potentials/{deal['id']}", f"accounts/{account['id']}", f"contacts/{contact['id']}"):
        assert len((await crm.read(f"{path}/documents"))["invoices"]) == 1
    own = await make(crm, f"potentials/{deal['id']}/estimates", LINES | {"currency_code": "USD"})
    assert own.status_code == 201
    assert (invoice.bodies[1]["line_items"], invoice.bodies[1]["currency_code"]) == (LINES["line_items"], "USD")


async def test_s18_a_potential_that_cannot_be_made_out_says_why(crm: Any, invoice: FakeInvoice, sync: FakeSync) -> None:
    nobody = await crm.potential(amount="440")
    crm.refused(await make(crm, f"potentials/{nobody['id']}/estimates"), 409, "potential_without_customer")
    account = await crm.account()
    worthless = await crm.potential(account_id=account["id"])
    refused = await make(crm, f"potentials/{worthless['id']}/estimates")
    crm.refused(refused, 422, "validation_error", "line_items")
    assert (await make(crm, f"potentials/{worthless['id']}/estimates", LINES)).status_code == 201


async def test_what_invoice_or_sync_refuses_is_told_as_they_said_it(
    crm: Any, invoice: FakeInvoice, sync: FakeSync
) -> None:
    account = await crm.account()
    path = f"accounts/{account['id']}/estimates"
    sync.refuses = "the account's name is too long for a customer"
    document = crm.refused(await make(crm, path, LINES), 422, "record_refused")
    assert document["detail"] == sync.refuses
    sync.organization_id = None
    crm.refused(await make(crm, path, LINES), 409, "not_connected")
    crm.refused(await make(crm, path, {"line_items": [], "colour": "red"}), 422, "validation_error")
    crm.refused(await make(crm, f"accounts/{'0' * 36}/estimates", LINES), 404, "account_not_found")
    assert (await crm.read(f"accounts/{account['id']}/documents"))["estimates"] == []


@pytest.mark.parametrize("away", ["invoice", "sync"])
async def test_while_a_service_is_down_making_says_so_and_trying_again_makes_one(
    crm: Any, invoice: FakeInvoice, sync: FakeSync, away: str
) -> None:
    account = await crm.account()
    path = f"accounts/{account['id']}/invoices"
    app = crm.stack.apps.pop(away)
    document = crm.refused(await make(crm, path, LINES, "press-1"), 503, f"{away}_unavailable")
    assert "with the same Idempotency-Key" in document["detail"]
    without = crm.refused(await make(crm, path, LINES), 503, f"{away}_unavailable")
    assert "refresh the list before trying again" in without["detail"]
    assert (await crm.potential())["potential_name"]  # the CRM goes on

    crm.stack.apps[away] = app

    async def made() -> Json | None:
        answer = await make(crm, path, LINES, "press-1")
        return answer.json() if answer.status_code == 201 else None

    first = await crm.stack.eventually(made)
    assert (await make(crm, path, LINES, "press-1")).json()["id"] == first["id"]
    assert len(invoice.documents) == 1


async def test_an_answer_that_comes_too_late_makes_no_second_document(stack: Any, crm: Any) -> None:
    await stack.stop("crm")
    await stack.start("crm", call_seconds=0.3)
    invoice = FakeInvoice()
    stack.apps |= {"invoice": invoice.app, "sync": FakeSync(invoice).app}
    account = await crm.account()
    invoice.imported.add(account["id"])
    invoice.answers_late = 1
    path = f"accounts/{account['id']}/invoices"
    crm.refused(await make(crm, path, LINES, "press-1"), 503, "invoice_unavailable")
    answer = await make(crm, path, LINES, "press-1")
    assert (answer.status_code, answer.headers["Idempotency-Replayed"]) == (201, "true")
    assert [*invoice.documents] == [answer.json()["id"]]
    assert len((await crm.read(f"accounts/{account['id']}/documents"))["invoices"]) == 1
    for name in ("invoice", "sync"):
        stack.apps.pop(name)


async def test_one_persons_key_is_not_anothers_nor_another_records(
    crm: Any, invoice: FakeInvoice, sync: FakeSync
) -> None:
    one, other = await crm.account(), await crm.account("Other")
    admin = await crm.stack.person("crm", "admin")
    key = {"Idempotency-Key": "press-1"}
    for client, record in ((crm.member, one), (crm.member, other), (admin, one)):
        for kind in ("estimates", "invoices"):
            answer = await client.post(f"/v1/accounts/{record['id']}/{kind}", json=LINES, headers=key)
            assert answer.status_code == 201
    assert len(invoice.documents) == 6


async def test_a_key_that_made_something_else_is_refused_in_words_that_help(
    crm: Any, invoice: FakeInvoice, sync: FakeSync
) -> None:
    account = await crm.account()
    deal = await crm.potential(account_id=account["id"], amount="440")
    path = f"potentials/{deal['id']}/estimates"
    assert (await make(crm, path, key="press-1")).status_code == 201
    await crm.change(f"potentials/{deal['id']}", amount="500")
    document = crm.refused(await make(crm, path, key="press-1"), 409, "idempotency_key_reused")
    assert "use a new key" in document["detail"]
    assert len(invoice.documents) == 1


async def test_a_viewer_sees_everything_and_can_make_and_change_nothing(
    crm: Any, invoice: FakeInvoice, sync: FakeSync
) -> None:
    account = await crm.account()
    deal = await crm.potential(account_id=account["id"], amount="1")
    documents = {
        kind: (await make(crm, f"accounts/{account['id']}/{kind}", LINES)).json() for kind in ("estimates", "invoices")
    }
    viewer = await crm.stack.person("crm", "viewer")
    before = [request for request in invoice.asked if request[0] != "GET"]
    for kind, document in documents.items():
        at = f"/v1/{kind}/{document['id']}"
        for method, path, body in (
            ("POST", f"/v1/accounts/{account['id']}/{kind}", LINES),
            ("POST", f"/v1/potentials/{deal['id']}/{kind}", None),
            ("PATCH", at, {"notes": "x"}),
            ("POST", f"{at}/status/sent", None),
        ):
            crm.refused(await viewer.request(method, path, json=body), 403, "role_too_low")
        for path in (at, f"{at}/pdf", f"/v1/accounts/{account['id']}/documents"):
            assert (await viewer.get(path)).status_code == 200
    assert (await viewer.post(f"/v1/accounts/{account['id']}/documents/refresh")).status_code == 200
    assert [request for request in invoice.asked if request[0] != "GET"] == before
    anonymous = crm.stack.anonymous("crm")
    crm.refused(await anonymous.get(f"/v1/estimates/{documents['estimates']['id']}"), 401, "unauthorized")


async def test_s10_s12_details_and_an_edit_that_the_list_shows_at_once(
    crm: Any, invoice: FakeInvoice, sync: FakeSync
) -> None:
    account = await crm.account()
    made = (await make(crm, f"accounts/{account['id']}/invoices", LINES)).json()
    at = f"/v1/invoices/{made['id']}"
    seen = await crm.member.get(at)
    assert seen.json()["allowed_actions"] == [{"action": "edit", "allowed": True, "reason": None}]
    edited = await crm.member.patch(at, json={"reference_number": "PO 7"}, headers={"If-Match": seen.headers["ETag"]})
    assert (edited.status_code, edited.headers["ETag"]) == (200, '"2"')
    [shown] = (await crm.read(f"accounts/{account['id']}/documents"))["invoices"]
    assert (shown["reference_number"], shown["version"]) == ("PO 7", 2)
    second = await crm.member.patch(at, json={"notes": "mine"}, headers={"If-Match": seen.headers["ETag"]})
    assert crm.refused(second, 412, "version_conflict")["current_version"] == 2
    marked = await crm.member.post(f"{at}/status/sent", headers={"If-Match": '"2"'})
    assert marked.json()["status"] == "sent"
    [shown] = (await crm.read(f"accounts/{account['id']}/documents"))["invoices"]
    assert shown["status"] == "sent"
    invoice.documents[made["id"]]["status"] = "paid"
    late = await crm.member.patch(at, json={"notes": "mine"})
    assert "may no longer be edited" in crm.refused(late, 409, "invoice_already_paid")["detail"]


async def test_s11_the_pdf_is_handed_on_inline_as_a_download_and_not_at_all(
    crm: Any, invoice: FakeInvoice, sync: FakeSync
) -> None:
    account = await crm.account()
    made = (await make(crm, f"accounts/{account['id']}/estimates", LINES)).json()
    at = f"/v1/estimates/{made['id']}/pdf"
    shown, saved = await crm.member.get(at), await crm.member.get(at, params={"download": "true"})
    assert shown.content == saved.content == b"%PDF-1.4 " + made["id"].encode()
    assert shown.headers["Content-Type"] == "application/pdf"
    assert shown.headers["Content-Disposition"] == 'inline; filename="EST-000001.pdf"'
    assert saved.headers["Content-Disposition"] == 'attachment; filename="EST-000001.pdf"'
    same = await crm.member.get(at, headers={"If-None-Match": shown.headers["ETag"]})
    assert (same.status_code, same.content) == (304, b"")


async def test_a_document_that_invoice_has_no_longer_is_not_shown_any_more(
    crm: Any, invoice: FakeInvoice, sync: FakeSync
) -> None:
    account = await crm.account()
    made = (await make(crm, f"accounts/{account['id']}/estimates", LINES)).json()
    wrong_kind = await crm.member.get(f"/v1/invoices/{made['id']}")
    crm.refused(wrong_kind, 404, "invoice_not_found")
    invoice.documents.clear()
    crm.refused(await crm.member.get(f"/v1/estimates/{made['id']}/pdf"), 404, "estimate_not_found")
    assert (await crm.read(f"accounts/{account['id']}/documents"))["estimates"] == []


async def test_two_presses_at_once_make_one_document(crm: Any, invoice: FakeInvoice, sync: FakeSync) -> None:
    account = await crm.account()
    path = f"accounts/{account['id']}/estimates"
    answers = await asyncio.gather(*(make(crm, path, LINES, "press-1") for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == len(invoice.documents) == 1
