"""What a browser adds to Invoice's pages: an editor with totals as one types, pop-ups, live regions."""

import asyncio
from typing import Any

from playwright.async_api import Route, expect

from tests.browser.conftest import LINES, stay, stayed


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
    await stay(page)
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
    assert await stayed(page)


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


async def test_a_contact_person_is_added_and_edited_in_a_pop_up(desk: Any) -> None:
    page = await desk.window("invoice", "member")
    made = await desk.made("invoice", "customers", customer_name="Bakery of one person")
    await page.goto(f"/customers/{made['id']}")
    await page.get_by_role("link", name="Add person").click()
    popup = page.get_by_role("dialog", name="New contact person")
    await popup.get_by_label("Last name").fill("Baker")
    await popup.get_by_role("button", name="Add person").click()
    await expect(page.get_by_role("rowheader", name="Baker")).to_be_visible()
    await page.get_by_role("link", name="Edit Baker").click()
    await expect(page.get_by_role("dialog", name="Edit Baker").get_by_label("Last name")).to_have_value("Baker")


async def test_totals_that_come_late_disturb_nobody(desk: Any) -> None:
    customer = await desk.made("invoice", "customers", customer_name="Late")
    page, let_through = await desk.window("invoice", "member"), asyncio.Event()

    async def late(route: Route) -> None:
        await let_through.wait()
        await route.continue_()

    await page.route("**/totals", late)
    await page.goto(f"/estimates/new?customer_id={customer['id']}")
    first, second = (page.get_by_role("group", name=f"Line {number}") for number in (1, 2))
    async with page.expect_request("**/totals"):
        await first.get_by_label("Rate").fill("18.50")
    await page.get_by_role("button", name="Add a line").click()
    await expect(second.get_by_label("Item")).to_be_focused()
    let_through.set()
    await second.get_by_label("Rate").fill("1.50")
    await expect(page.locator("#totals")).to_contain_text("$20.00")
