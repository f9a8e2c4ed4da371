"""Estimates and invoices in a real browser."""

from typing import Any

import pytest
from playwright.async_api import expect

PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True}
LINES = [{"name": "Chai", "description": "ten boxes", "quantity": "2", "rate": "18", "tax_percentage": "19"}]


async def test_an_estimate_is_written_with_totals_as_one_types_and_becomes_a_paid_invoice(desk: Any) -> None:
    api, page = await desk.api("invoice"), await desk.window("invoice", "member")
    await api.post("/v1/customers", json={"customer_name": "Writing & Sons"})
    item = {"name": "Konbu of the story", "rate": "6", "tax_percentage": "7"}
    await api.post("/v1/items", json=item)
    await page.goto("/estimates/new")
    await page.get_by_label("Find customers").press_sequentially("writ")
    await page.get_by_role("link", name="Writing & Sons").click()
    first = page.get_by_role("group", name="Line 1")
    await first.get_by_label("Item").fill("Chai")
    await first.get_by_label("Quantity").fill("2")
    await first.get_by_label("Rate").fill("18.50")
    totals = page.locator("#totals")
    await expect(totals).to_contain_text("Total$37.00", use_inner_text=False)
    await expect(first.get_by_role("status")).to_have_text("$37.00")
    await page.get_by_role("button", name="Add a line").click()
    second = page.get_by_role("group", name="Line 2")
    await expect(second.get_by_label("Item")).to_be_focused()
    await page.get_by_label("Add from your items").press_sequentially("konbu")
    await page.get_by_role("button", name="Konbu of the story").click()
    await expect(second.get_by_label("Rate")).to_have_value("6.00")
    await expect(totals).to_contain_text("$43.42")
    await page.get_by_role("button", name="Remove line 1").click()
    await expect(totals).to_contain_text("$6.42")
    await page.get_by_label("Discount on all of it").fill("50")
    await expect(totals).to_contain_text("$3.21")
    await page.get_by_label("Reference").press("Enter")
    await expect(page.get_by_text("was created.")).to_be_visible()
    await page.get_by_role("button", name="Convert to invoice").click()
    await page.get_by_role("button", name="Mark as sent").click()
    await page.evaluate("window.here = true")
    await page.get_by_role("link", name="Record a payment").click()
    popup = page.get_by_role("dialog", name="Payment of")
    await expect(popup.get_by_label("Amount")).to_be_focused()
    await popup.get_by_label("Amount").fill("4")
    await popup.get_by_role("button", name="Record payment").click()
    await expect(popup.get_by_text("is more than the 3.21 USD")).to_be_visible()
    await popup.get_by_label("Amount").fill("3.21")
    await popup.get_by_role("button", name="Record payment").click()
    await expect(popup).to_be_hidden()
    await expect(page.locator("#document h1")).to_contain_text("Paid")
    await expect(page.locator("#payments")).to_contain_text("$3.21")
    assert await page.evaluate("window.here"), "without loading the page again"


async def test_a_list_and_a_document_show_by_themselves_what_others_do(desk: Any) -> None:
    api, page = await desk.api("invoice"), await desk.window("invoice", "viewer")
    customer = (await api.post("/v1/customers", json={"customer_name": "Watched Trading"})).json()
    made = (await api.post("/v1/estimates", json={"customer_id": customer["id"], "line_items": LINES})).json()
    await page.goto(f"/estimates/{made['id']}")
    await api.post(f"/v1/estimates/{made['id']}/status/accepted")
    await expect(page.locator("h1")).to_contain_text("Accepted")
    await page.goto("/invoices?q=watched")
    await api.post(f"/v1/estimates/{made['id']}/convert")
    await expect(page.get_by_role("link", name="Watched Trading")).to_be_visible()


async def test_the_pdf_is_viewed_and_downloaded(desk: Any) -> None:
    api, page = await desk.api("invoice"), await desk.window("invoice", "viewer")
    customer = (await api.post("/v1/customers", json={"customer_name": "Printed"})).json()
    made = (await api.post("/v1/estimates", json={"customer_id": customer["id"], "line_items": LINES})).json()
    await page.goto(f"/estimates/{made['id']}")
    async with page.expect_download() as saved:
        await page.get_by_role("link", name="Download").click()
    assert (await saved.value).suggested_filename == f"{made['estimate_number']}.pdf"


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, PHONE], ids=["light", "dark", "phone"])
async def test_pages_of_documents_are_accessible_and_fit_the_window(desk: Any, accessible: Any, options: Any) -> None:
    api, page = await desk.api("invoice"), await desk.window("invoice", "admin", **options)
    thorough = not options  # what colours and width can make worse is looked at on fewer pages
    customer = (await api.post("/v1/customers", json={"customer_name": "W" * 100})).json()
    body = {"customer_id": customer["id"], "line_items": LINES}
    estimate = (await api.post("/v1/estimates", json=body)).json()
    bill = (await api.post("/v1/invoices", json=body)).json()
    await api.post(f"/v1/invoices/{bill['id']}/status/sent")
    await api.post(f"/v1/invoices/{bill['id']}/payments", json={"amount": "1", "payment_mode": "Card"})
    await api.post("/v1/items", json={"name": "Chai", "rate": "18"})
    both = (f"/invoices/{bill['id']}", f"/estimates/{estimate['id']}/edit")
    others = ("/estimates", "/invoices", "/estimates/new", f"/estimates/{estimate['id']}", "/payments", "/items")
    for each in (*both, *others, "/settings"):
        await page.goto(each)
        if thorough or each in both:
            await accessible(page)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), each
