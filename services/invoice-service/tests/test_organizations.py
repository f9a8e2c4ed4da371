"""Organizations, and that one's records cannot be reached from another."""

import asyncio
import base64
import io
import re
from typing import Any

from invoice_service.organizations import queries
from PIL import Image


def data_uri(content: bytes, content_type: str = "image/png") -> str:
    """The content as it stands in a body."""
    return f"data:{content_type};base64,{base64.b64encode(content).decode()}"


def image(kind: str = "PNG", size: tuple[int, int] = (40, 20), mode: str = "RGB") -> bytes:
    """An image."""
    written = io.BytesIO()
    Image.new(mode, size).save(written, kind)
    return written.getvalue()


async def default(invoice: Any) -> tuple[str, dict[str, Any]]:
    """The default organization's path, and itself."""
    (organization,) = invoice.ok(await invoice.admin.get("/v1/organizations"))["items"]
    return f"/v1/organizations/{organization['id']}", organization


async def other(invoice: Any, **fields: Any) -> dict[str, Any]:
    """A second organization."""
    body = {"name": "Other", "currency_code": "EUR", **fields}
    made: dict[str, Any] = invoice.made(await invoice.admin.post("/v1/organizations", json=body))
    return made


async def test_the_first_start_makes_the_default_organization_and_later_ones_find_it(stack: Any) -> None:
    await stack.start("invoice", invoice_organization_name="Northwind", invoice_currency="EUR")
    await stack.stop("invoice")
    await stack.start("invoice", invoice_organization_name="Other")
    admin = await stack.person("invoice", "admin")

    (default,) = (await admin.get("/v1/organizations")).json()["items"]

    assert (default["name"], default["currency_code"], default["is_default"]) == ("Northwind", "EUR", True)
    assert default["number_prefixes"] == {"estimate": "EST-", "invoice": "INV-"}


async def test_an_administrator_sets_up_organizations(invoice: Any) -> None:
    body = {"name": "Southwind", "currency_code": "JPY", "address": {"city": "Osaka"}}
    created = invoice.made(await invoice.admin.post("/v1/organizations", json=body))
    path = f"/v1/organizations/{created['id']}"

    edited = await invoice.admin.patch(path, json={"number_prefixes": {"estimate": "Q-"}}, headers={"If-Match": '"1"'})

    assert edited.headers["etag"] == '"2"'
    assert invoice.ok(edited)["number_prefixes"] == {"estimate": "Q-", "invoice": "INV-"}
    assert invoice.ok(await invoice.admin.get(path))["address"]["city"] == "Osaka"
    late = await invoice.admin.patch(path, json={"name": "Late"}, headers={"If-Match": '"1"'})
    assert invoice.refused(late) == (412, "version_conflict")
    same = await invoice.admin.patch(path, json={"name": "Southwind"})
    assert invoice.ok(same)["version"] == 2


async def test_only_an_administrator_does(invoice: Any) -> None:
    member = await invoice.stack.person("invoice", "member")
    response = await member.post("/v1/organizations", json={"name": "Mine", "currency_code": "EUR"})
    assert invoice.refused(response) == (403, "role_too_low")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": " ", "currency_code": "EUR"}, "name"),
    ({"name": "Bank", "currency_code": "XXX"}, "currency_code"),
    ({"name": "Bank", "currency_code": "EUR", "number_prefixes": {"estimate": "2025"}}, "number_prefixes.estimate"),
    ({"name": "Bank", "currency_code": "EUR", "number_starts": {"invoice": 0}}, "number_starts.invoice"),
    ({"name": "Bank", "currency_code": "EUR", "language": "tlh"}, "language"),
    ({"name": "Bank", "currency_code": "EUR", "language": "../../en"}, "language"),
    ({"name": "Bank", "currency_code": "EUR", "paper": "A5"}, "paper"),
    ({"name": "Bank", "currency_code": "EUR", "payment_terms": -1}, "payment_terms"),
    ({"name": "Bank", "currency_code": "EUR", "email": "nobody"}, "email"),
    ({"name": "Bank", "currency_code": "EUR", "iban": "DE"}, "iban"),
]


async def test_a_field_that_is_wrong_is_named(invoice: Any) -> None:
    for body, field in WRONG:
        response = await invoice.admin.post("/v1/organizations", json=body)
        assert invoice.refused(response) == (422, "validation_error")
        assert response.json()["errors"][0]["field"] == field


async def test_an_organization_that_is_not_there_is_said_so(invoice: Any) -> None:
    for response in (
        await invoice.admin.get("/v1/customers", headers={"X-Organization-Id": "nowhere"}),
        await invoice.admin.post(
            "/v1/customers", json={"customer_name": "A"}, headers={"X-Organization-Id": "nowhere"}
        ),
        await invoice.admin.get("/v1/organizations/nowhere"),
    ):
        assert invoice.refused(response) == (404, "organization_not_found")


PRINTED = {
    "language": "de-DE",
    "paper": "Letter",
    "tax_number": "DE 123456789",
    "email": "books@southwind.test",
    "phone": "+49 30 1",
    "website": "https://southwind.test",
    "payment_terms": 14,
    "default_notes": "Thank you.",
    "default_terms": "Pay soon.",
}


async def test_how_an_organization_prints_is_set_up_and_shown(invoice: Any) -> None:
    path, before = await default(invoice)

    edited = invoice.ok(await invoice.admin.patch(path, json=PRINTED))

    assert edited == {**before, **PRINTED, "version": 2}
    assert (before["language"], before["paper"], before["payment_terms"]) == ("en-US", "A4", 0)
    assert (await other(invoice, **PRINTED))["default_terms"] == "Pay soon."
    for sent, kept in (("zh-CN", "zh-Hans-CN"), ("ar-EG", "ar-EG"), ("EN_us", "en-US"), ("he", "he")):
        assert invoice.ok(await invoice.admin.patch(path, json={"language": sent}))["language"] == kept


async def test_the_first_number_is_chosen_while_no_document_has_one(invoice: Any) -> None:
    path, organization = await default(invoice)
    customer = await invoice.customer()
    assert organization["number_starts"] == {"estimate": 1, "invoice": 1}

    invoice.ok(await invoice.admin.patch(path, json={"number_starts": {"estimate": 500}}))
    chosen = invoice.ok(await invoice.admin.patch(path, json={"number_starts": {"estimate": 42}}))
    first = await invoice.estimate(customer["id"])
    refused = await invoice.admin.patch(path, json={"number_starts": {"estimate": 7}})

    assert chosen["number_starts"] == {"estimate": 42, "invoice": 1}
    assert first["estimate_number"] == "EST-000042"
    assert invoice.refused(refused) == (409, "numbering_has_begun")
    assert (refused.json()["next_number"], "EST-000043" in refused.json()["detail"]) == (43, True)
    same = {"number_starts": {"estimate": 42, "invoice": 1000}}
    assert invoice.ok(await invoice.admin.patch(path, json=same))["number_starts"] == same["number_starts"]
    assert (await invoice.estimate(customer["id"]))["estimate_number"] == "EST-000043"
    second = await other(invoice, number_starts={"estimate": 9})
    assert second["number_starts"] == {"estimate": 9, "invoice": 1}


async def test_a_logo_is_kept_shown_and_taken_away(invoice: Any) -> None:
    path, before = await default(invoice)
    png, jpeg = image(mode="RGBA"), image("JPEG")
    viewer = await invoice.stack.person("invoice", "viewer")
    assert before["logo"] is None
    assert invoice.refused(await viewer.get(f"{path}/logo")) == (404, "logo_not_found")

    edited = invoice.ok(await invoice.admin.patch(path, json={"logo": data_uri(png)}))
    shown = await viewer.get(edited["logo"])

    assert (edited["logo"], edited["version"]) == (f"{path}/logo", 2)
    assert (shown.status_code, shown.headers["content-type"], shown.content) == (200, "image/png", png)
    seen = {"If-None-Match": shown.headers["etag"]}
    assert (await viewer.get(f"{path}/logo", headers=seen)).status_code == 304
    assert invoice.ok(await invoice.admin.patch(path, json={"logo": data_uri(png)}))["version"] == 2
    replaced = invoice.ok(await invoice.admin.patch(path, json={"logo": data_uri(jpeg, "image/jpeg")}))
    fresh = await viewer.get(f"{path}/logo", headers=seen)
    assert (replaced["version"], fresh.headers["content-type"], fresh.content) == (3, "image/jpeg", jpeg)
    async with invoice.database.reading() as session:
        assert await queries.logo(session, before["id"]) == jpeg
    assert invoice.ok(await invoice.admin.patch(path, json={"name": "Renamed"}))["logo"] == f"{path}/logo"
    assert invoice.ok(await invoice.admin.patch(path, json={"logo": None}))["logo"] is None
    assert invoice.refused(await viewer.get(f"{path}/logo")) == (404, "logo_not_found")
    created = await other(invoice, logo=data_uri(png))
    assert (await viewer.get(created["logo"])).content == png


async def test_a_logo_is_looked_at_before_anything_is_locked(invoice: Any) -> None:
    path, _ = await default(invoice)
    other = {"name": "Other", "currency_code": "EUR", "logo": data_uri(b"no image")}

    async with asyncio.timeout(30), invoice.database.transaction():  # on SQLite nobody else can write meanwhile
        refused = [
            await invoice.admin.post("/v1/organizations", json=other),
            await invoice.admin.patch(path, json={"logo": other["logo"]}),
        ]

    assert [invoice.refused(response) for response in refused] == [(422, "validation_error")] * 2


async def test_what_is_no_logo_is_refused_with_the_reason(invoice: Any) -> None:
    path, before = await default(invoice)
    png = image()
    for logo, said in (
        ("https://southwind.test/logo.png", "data URI"),
        (data_uri(b"<svg/>", "image/svg+xml"), "data URI"),
        ("data:image/png;base64,***", "base64"),
        (data_uri(png).rstrip("=")[:-1], "base64"),
        ("data:image/png;base64,", "damaged"),
        (data_uri(b"not an image"), "damaged"),
        (data_uri(png[:-30]), "damaged"),
        (data_uri(image("GIF")), "damaged"),
        (data_uri(image("JPEG")), "JPEG"),
        (data_uri(image(size=(4001, 1), mode="1")), "4000"),
        (data_uri(png + b"x" * 500_000), "500,000 bytes"),
    ):
        response = await invoice.admin.patch(path, json={"logo": logo})
        assert invoice.refused(response) == (422, "validation_error")
        (error,) = response.json()["errors"]
        assert error["field"] == "logo"
        assert said in error["message"]
    assert invoice.ok(await invoice.admin.get(path)) == before


BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/invoices/{invoice_id}/payments": {"amount": "1"},
    "POST /v1/invoices/{invoice_id}/credits": {"payments": [{"payment_id": "{payment_id}", "amount": "1"}]},
    "POST /v1/payments/{payment_id}/invoices": {"invoices": [{"invoice_id": "{invoice_id}", "amount": "1"}]},
}
"""What these routes need; the others take an empty object."""
MINIMUM = 25
"""Of the routes below, so many are tried at the least, down to the record that they do not find."""


async def test_no_route_reaches_another_organization_s_records(invoice: Any) -> None:
    customer = await invoice.customer("Ours")
    item = invoice.made(await invoice.admin.post("/v1/items", json={"name": "Ours", "rate": "1"}))
    estimate = await invoice.estimate(customer["id"], reference_number="Ours")
    bill = await invoice.bill(customer["id"], reference_number="Ours")
    payment = await invoice.pay(bill["id"], "1", notes="Ours")
    records = {"customer": customer, "item": item, "estimate": estimate, "invoice": bill, "payment": payment}
    before = {kind: await invoice.shown(f"{kind}s", record["id"]) for kind, record in records.items()}
    ids = {f"{kind}_id": record["id"] for kind, record in records.items()}
    second = await other(invoice)
    invoice.admin.headers["X-Organization-Id"] = second["id"]
    paths = invoice.ok(await invoice.stack.anonymous("invoice").get("/openapi.json"))["paths"]

    not_found = set()
    for path, methods in paths.items():
        if not set(re.findall(r"{(\w+)}", path)) & set(ids):
            continue
        for method in methods:
            asked = f"{method.upper()} {path}"
            url = re.sub(r"{(\w+)}", lambda match: ids.get(match[1], "sent"), path)
            body = BODIES.get(asked, {}) if method in {"post", "patch", "put"} else None
            response = await invoice.admin.request(method, url, json=body)
            assert 400 <= response.status_code < 500, (asked, response.text)
            assert "Ours" not in response.text
            if response.status_code == 404:
                not_found.add((asked, response.json()["code"]))

    assert len(not_found) >= MINIMUM
    assert {code for _, code in not_found} == {f"{kind}_not_found" for kind in records}
    for kind in records:
        for query in ({}, {"customer_id": customer["id"]}, {"q": "Ours"}):
            response = await invoice.admin.get(f"/v1/{kind}s", params=query)
            assert invoice.ok(response)["items"] == []
    invoice.admin.headers.pop("X-Organization-Id")
    assert {kind: await invoice.shown(f"{kind}s", record["id"]) for kind, record in records.items()} == before


async def test_a_document_names_no_customer_or_item_of_another_organization(invoice: Any) -> None:
    customer = await invoice.customer("Ours")
    item = invoice.made(await invoice.admin.post("/v1/items", json={"name": "Ours", "rate": "1"}))
    await invoice.apply(invoice.account("a-1"))
    second = await other(invoice)
    invoice.admin.headers["X-Organization-Id"] = second["id"]
    theirs = await invoice.customer("Theirs")
    line = {"name": "Line", "rate": "1"}

    for body, refusal in (
        ({"customer_id": customer["id"], "line_items": [line]}, (422, "customer_not_found")),
        ({"crm_account_id": "a-1", "line_items": [line]}, (409, "crm_record_not_imported")),
        ({"customer_id": theirs["id"], "line_items": [{"item_id": item["id"]}]}, (422, "item_not_found")),
        ({"customer_id": theirs["id"], "line_items": [{"item_id": item["id"], **line}]}, (422, "item_not_found")),
    ):
        response = await invoice.admin.post("/v1/estimates", json=body)
        assert invoice.refused(response) == refusal
        assert "Ours" not in response.text
    assert invoice.ok(await invoice.admin.get("/v1/estimates"))["items"] == []


async def test_two_organizations_import_the_same_record_and_number_their_estimates_apart(invoice: Any) -> None:
    second = await other(invoice)
    record = {"record_type": "account", "record_id": "a-1", "version": 1, "customer": {"customer_name": "Imported"}}
    numbers = []

    for headers in ({}, {"X-Organization-Id": second["id"]}):
        invoice.sync.headers.update(headers)
        invoice.admin.headers.update(headers)
        assert await invoice.outcomes(record) == ["created"]
        estimate = await invoice.estimate(crm_account_id="a-1")
        numbers.append((estimate["estimate_number"], estimate["currency_code"]))

    assert numbers == [("EST-000001", "USD"), ("EST-000001", "EUR")]
