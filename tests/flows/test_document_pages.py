"""Estimates and invoices within the CRM's pages, as someone with a browser sees them, through the real services."""

from typing import Any

import pytest

Json = dict[str, Any]
LINE = {
    "line_items__0__name": "Chai",
    "line_items__0__quantity": "2",
    "line_items__0__rate": "19.90",
    "line_items__0__tax_percentage": "19",
}

FORM = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
"""What is only about the form of pages is the same on both set-ups."""


@pytest.fixture
async def desk(company: Any) -> Any:
    await company.connect()
    return company


async def made(desk: Any, at: str, kind: str = "estimate", **fields: str) -> Json:
    """The newest document of a record after one was made by its form."""
    member = await desk.stack.visitor("crm", "member")
    form = await member.get(f"{at}/{kind}s/new")
    answer = await member.submit(form, **LINE, **fields)
    assert answer.status == 303, answer.text
    newest: Json = (await desk.crm.get(f"/v1{at}/documents")).json()[f"{kind}s"][0]
    assert answer.leads_to == f"/{kind}s/{newest['id']}"
    return newest


async def account_page(desk: Any) -> str:
    """The path of a new account's page."""
    return f"/accounts/{(await desk.account('Alfreds Futterkiste'))['id']}"


async def test_s6_s7_s9_one_makes_fetches_and_refreshes_documents_on_an_accounts_page(desk: Any) -> None:
    account = await desk.account("Alfreds Futterkiste")
    member = await desk.stack.visitor("crm", "member")
    at = f"/accounts/{account['id']}"
    page = await member.get(at)
    assert "Never fetched" in page.text
    assert "No estimates or invoices yet" not in page.text

    estimate, invoice = await made(desk, at), await made(desk, at, "invoice", notes="As discussed")

    page = await member.get(at)
    for number in (estimate["estimate_number"], invoice["invoice_number"]):
        assert number in page.text
    assert "$47.36" in page.text
    fetched = await member.follow(await member.submit(at, f"{at}/documents/refresh"))
    assert "Fetched from Invoice." in fetched.text
    assert "Refresh" in fetched.text
    await desk.stack.stop("invoice")
    away = await member.submit(fetched, f"{at}/documents/refresh")
    assert away.status == 503
    page = await member.get(at)
    assert "They could not be fetched" in page.text
    assert estimate["estimate_number"] in page.text
    assert "Not available right now" in (await member.get(f"/estimates/{estimate['id']}", status=503)).text


async def test_s10_s11_s12_a_document_is_read_edited_decided_and_printed(desk: Any) -> None:
    account = await desk.account("Alfreds <Futterkiste>")
    at = f"/accounts/{account['id']}"
    path = f"/estimates/{(await made(desk, at))['id']}"
    member = await desk.stack.visitor("crm", "member")
    page = await member.get(path)
    assert "Alfreds <Futterkiste>" in page.text
    for text in ("EST-000001", "Draft", "Chai", "Tax 19% of $39.80", "$7.56", "Total $47.36", "Created", "member@crm"):
        assert text in page.text
    assert page.link("Alfreds") == at

    edited = await member.submit(f"{path}/edit", line_items__0__quantity="3", discount_percentage="10", terms="Net 30")
    assert edited.status == 303, edited.text
    page = await member.get(path)
    assert "Total $63.94" in page.text
    assert "Edited: " in page.text
    document = (await desk.invoice.get(f"/v1{path}")).json()
    assert (document["terms"], document["discount_percentage"], document["version"]) == ("Net 30", "10", 2)
    page = await member.follow(await member.submit(path, f"{path}/status/sent"))
    assert "EST-000001 is sent." in page.text
    await member.submit(page, f"{path}/status/accepted")
    assert (await desk.invoice.get(f"/v1{path}")).json()["status"] == "accepted"

    viewer = await desk.stack.visitor("crm", "viewer")
    assert f"{path}/pdf" in (await viewer.get(f"{path}/viewer")).html
    pdf = await viewer.client.get(f"{path}/pdf")
    assert pdf.content.startswith(b"%PDF-")
    assert pdf.headers["content-security-policy"] == "frame-ancestors 'self'"
    assert pdf.headers["content-disposition"].startswith("inline")
    saved = await viewer.client.get(f"{path}/pdf?download=true")
    assert 'attachment; filename="EST-000001' in saved.headers["content-disposition"]
    assert "There is nothing here" in (await viewer.get("/estimates/nothing", status=404)).text
    assert (await member.post(f"{path}/status/void", page.forms[0].fields)).status == 404


@FORM
async def test_what_may_not_be_edited_says_why(desk: Any) -> None:
    at = await account_page(desk)
    path = f"/estimates/{(await made(desk, at))['id']}"
    member = await desk.stack.visitor("crm", "member")
    opened = await member.get(f"{path}/edit")
    await desk.invoice.post(f"/v1{path}/convert")
    page = await member.get(f"{path}/edit")
    assert "It cannot be edited." in page.text
    assert "has become an invoice" in page.text
    late = await member.submit(opened, notes="Too late")
    assert late.status in {409, 412}
    assert "Too late" in late.html, "what was typed is kept"


@FORM
async def test_two_people_editing_at_once_the_second_sees_both_versions(desk: Any) -> None:
    at = await account_page(desk)
    path = f"/estimates/{(await made(desk, at))['id']}"
    member = await desk.stack.visitor("crm", "member")
    opened = await member.get(f"{path}/edit")
    await desk.invoice.patch(f"/v1{path}", json={"notes": "Theirs"})
    stale = await member.submit(opened, notes="Mine")
    assert stale.status == 412
    assert "Notes Mine Theirs" in stale.text
    assert (await member.submit(stale)).status == 303
    document = (await desk.invoice.get(f"/v1{path}")).json()
    assert (document["notes"], document["total"]) == ("Mine", "47.36")


@FORM
async def test_a_form_that_is_refused_keeps_what_was_typed_and_takes_more_lines(desk: Any) -> None:
    at = await account_page(desk)
    member = await desk.stack.visitor("crm", "member")
    form = await member.get(f"{at}/estimates/new")
    more = await member.submit(form, **LINE, more="1")
    assert more.status == 200
    fields = {"line_items__1__name": "Chang", "line_items__1__rate": "-1", "date": "2026-03-02"}
    refused = await member.submit(more, more=None, **fields, expiry_date="2026-03-01")
    assert refused.status == 422
    assert refused.error("expiry_date") is not None
    refused = await member.submit(refused, more=None, expiry_date="")
    assert refused.error("line_items.1.rate") == "Must not be negative"
    answer = await member.submit(refused, more=None, line_items__1__rate="4")
    assert answer.status == 303
    again = await member.submit(refused, more=None, line_items__1__rate="4")
    assert again.leads_to == answer.leads_to, "pressed twice, one is made"
    empty = await member.submit(form, more=None)
    assert empty.status == 422
    assert (await desk.crm.get(f"/v1{at}/documents")).json()["estimates"][1:] == []


@FORM
async def test_totals_are_invoices_while_one_types(desk: Any) -> None:
    account = await desk.account("Alfreds")
    at = f"/accounts/{account['id']}"
    member = await desk.stack.visitor("crm", "member")
    form = (await member.get(f"{at}/invoices/new")).forms
    [fields] = [each.fields for each in form if each.action.endswith("/new")]
    typed = fields | {name.replace("__", "."): value for name, value in LINE.items()}
    for each in (typed, typed | {"line_items.1.quantity": "", "line_items.1.name": ""}):
        assert "Total $47.36" in (await member.post(f"{at}/invoices/preview", each)).text
    wrong = await member.post(f"{at}/invoices/preview", typed | {"line_items.0.rate": "-1"})
    assert (wrong.status, "must not be negative" in wrong.text) == (200, True)
    assert "once a line says something" in (await member.post(f"{at}/invoices/preview", fields)).text
    assert (await desk.invoice.get("/v1/invoices")).json()["items"] == []
    path = f"/invoices/{(await made(desk, at, 'invoice'))['id']}"
    of_edit = await member.post(f"{path}/preview", typed | {"discount_amount": "9.80", "currency_code": "EUR"})
    assert "Total €35.70" in of_edit.text
    await desk.stack.stop("invoice")
    assert "does not answer right now" in (await member.post(f"{at}/invoices/preview", typed)).text


async def test_s18_a_potentials_form_begins_with_its_name_and_amount(desk: Any) -> None:
    account = await desk.account("Alfreds")
    deal = await desk.crm.post(
        "/v1/potentials",
        json={"potential_name": "Order 10643", "account_id": account["id"], "amount": "440.5", "currency_code": "EUR"},
    )
    at = f"/potentials/{deal.json()['id']}"
    member = await desk.stack.visitor("crm", "member")
    form = await member.get(f"{at}/estimates/new")
    assert (await member.submit(form)).status == 303
    [estimate] = (await desk.crm.get(f"/v1{at}/documents")).json()["estimates"]
    assert (estimate["total"], estimate["currency_code"]) == ("440.50", "EUR")
    page = await member.get(f"/estimates/{estimate['id']}")
    assert (page.link("Order 10643"), page.link(account["account_name"])) == (at, f"/accounts/{account['id']}")
    nobody = (await desk.crm.post("/v1/potentials", json={"potential_name": "For nobody"})).json()
    refused = await member.get(f"/potentials/{nobody['id']}/estimates/new", status=409)
    assert "neither an account nor a contact" in refused.text


@FORM
async def test_a_viewer_is_offered_nothing_that_they_may_not_do_and_refused_all_of_it(desk: Any) -> None:
    at = await account_page(desk)
    path = f"/estimates/{(await made(desk, at))['id']}"
    viewer, member = await desk.stack.visitor("crm", "viewer"), await desk.stack.visitor("crm", "member")
    for page, offers in ((at, ["New estimate", "New invoice", "Edit"]), (path, ["Edit", "Mark as sent"])):
        theirs, ours = await viewer.get(page), await member.get(page)
        assert [offer for offer in offers if offer in ours.text] == offers
        assert [offer for offer in offers if offer in theirs.text] == []
    for page in (f"{at}/estimates/new", f"{path}/edit"):
        assert "You may not do this" in (await viewer.get(page, status=403)).text
    token = (await viewer.get(at)).forms[0].fields
    for action in (f"{at}/invoices/new", f"{at}/invoices/preview", f"{path}/edit", f"{path}/status/sent"):
        assert (await viewer.post(action, token)).status == 403
    assert (await desk.invoice.get(f"/v1{path}")).json()["version"] == 1


@FORM
async def test_the_panel_shows_the_newest_and_leads_to_all(desk: Any) -> None:
    at = await account_page(desk)
    documents = [await made(desk, at) for _ in range(11)]
    viewer = await desk.stack.visitor("crm", "viewer")
    panel = await viewer.get(at)
    everything = await viewer.get(panel.link("All estimates"))
    for page, least in ((panel, 1), (everything, 0)):
        assert [one["estimate_number"] in page.text for one in documents] == [False] * least + [True] * (11 - least)


async def test_s14_a_potentials_workflow_runs_say_what_was_done_or_why_not_and_are_tried_again(desk: Any) -> None:
    await desk.activate_workflow()
    member, viewer = await desk.stack.visitor("crm", "member"), await desk.stack.visitor("crm", "viewer")
    account = await desk.account("Alfreds Futterkiste")
    nobody = await desk.potential("For nobody")
    deal = await desk.potential("Order 10643", account_id=account["id"])

    async def shown(who: Any, potential: Json, words: str) -> Any:
        async def so() -> Any:
            page = await who.get(f"/potentials/{potential['id']}/workflow-runs")
            return page if words in page.text else None

        return await desk.stack.eventually(so)

    page = await shown(member, deal, "Create estimate: EST-000001")

    async def reflected() -> Any:
        return (await desk.crm.get(f"/v1/potentials/{deal['id']}/documents")).json()["estimates"]

    [estimate] = await desk.stack.eventually(reflected)
    assert page.link("EST-000001") == f"/estimates/{estimate['id']}"
    await shown(member, nobody, "neither an account nor a contact")
    await desk.stack.stop("invoice")
    late = await desk.potential("Order 10692", account_id=account["id"])
    path = f"/potentials/{late['id']}/workflow-runs"
    [retry] = [form.action for form in (await shown(member, late, "Waiting")).forms if form.action.startswith(path)]
    page = await viewer.get(path)
    assert retry not in page.html
    assert (await viewer.post(retry, page.forms[0].fields)).status == 403
    await desk.stack.start("invoice")
    tried = await member.submit(path, retry) if retry in (await member.get(path)).html else None
    assert tried is None or tried.status in {303, 409}  # it may have been tried again by itself meanwhile
    await shown(member, late, "EST-000002")
    assert (await member.post(retry, (await member.get(path)).forms[0].fields)).status == 409
    await desk.stack.stop("workflow")
    assert "it does not answer" in (await member.get(path)).text
