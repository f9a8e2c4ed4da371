"""Estimates and invoices within the CRM, in a real browser."""

from typing import Any

import pytest
from playwright.async_api import expect

PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True}
LINES = {"line_items": [{"name": "Chai", "quantity": "2", "rate": "19.90", "tax_percentage": "19"}]}


async def connected(desk: Any) -> None:
    """Invoice takes the CRM's records."""
    crm, sync = await desk.api("crm"), await desk.api("sync")
    if (await sync.get("/v1/connection")).status_code == 200:
        return
    key = (await crm.post("/v1/zsc-keys", json={"name": "Invoice"})).json()
    body = {"email": key["email"], "zsc_key": key["key"], "auto_update": True}
    assert (await sync.post("/v1/imports", json=body)).status_code == 202


async def test_an_estimate_is_made_on_an_account_and_edited_with_totals_as_one_types(
    desk: Any, accessible: Any
) -> None:
    await connected(desk)
    api, page = await desk.api("crm"), await desk.window("crm", "member")
    account = (await api.post("/v1/accounts", json={"account_name": "Alfreds of the estimate"})).json()
    await page.goto(f"/accounts/{account['id']}")
    await expect(page.get_by_text("Never fetched").first).to_be_visible()
    await page.get_by_role("link", name="New estimate").click()
    popup = page.get_by_role("dialog", name="New estimate")
    await expect(popup.get_by_label("Date")).to_be_focused()
    await popup.get_by_label("Item, line 1").fill("Chai")
    await popup.get_by_label("Rate, line 1").fill("19.90")
    await expect(popup.locator(".total")).to_contain_text("$19.90")
    await popup.get_by_role("button", name="Add a line").click()
    await expect(popup.get_by_label("Item, line 2")).to_be_focused()
    await page.keyboard.type("Chang")
    await popup.get_by_label("Rate, line 2").fill("4")
    await popup.get_by_label("Quantity, line 2").fill("3")
    await expect(popup.locator("#line-total-1")).to_have_text("$12.00")
    await expect(popup.locator(".total")).to_contain_text("$31.90")
    await accessible(page)
    await popup.get_by_label("Rate, line 2").fill("-1")
    await popup.get_by_role("button", name="Create estimate").click()
    await expect(popup.locator(".error")).to_have_text("Must not be negative")
    await popup.get_by_role("button", name="Take out line 2").click()
    await expect(popup.locator(".total")).to_contain_text("$19.90")
    await popup.get_by_role("button", name="Create estimate").click()
    await expect(popup).to_be_hidden()
    [estimate] = (await api.get(f"/v1/accounts/{account['id']}/documents")).json()["estimates"]
    number = estimate["estimate_number"]
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=number, exact=True))
    await expect(row).to_contain_text("$19.90")

    await row.get_by_role("link", name=f"Edit {number}").click()
    popup = page.get_by_role("dialog", name=f"Edit {number}")
    await expect(popup.get_by_label("Date")).to_be_focused()
    await popup.get_by_label("Quantity, line 1").fill("10")
    await expect(popup.locator(".total")).to_contain_text("$199.00")
    await popup.get_by_label("Quantity, line 1").press("Enter")
    await expect(popup).to_be_hidden()
    await expect(row).to_contain_text("$199.00")

    invoice = await desk.api("invoice")
    await invoice.post(f"/v1/estimates/{estimate['id']}/status/accepted")
    await expect(row).to_contain_text("Accepted")
    await page.get_by_role("button", name="Fetch").click()
    await expect(page.get_by_role("button", name="Refresh")).to_be_visible()
    await row.get_by_role("link", name=f"View the PDF of {number}").click()
    popup = page.get_by_role("dialog", name=number)
    async with page.expect_download() as download:
        await popup.get_by_role("link", name="Download").click()
    assert (await download.value).suggested_filename == f"{number}.pdf"


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, PHONE], ids=["dark", "phone"])
async def test_pages_of_documents_are_accessible_and_fit_the_window(desk: Any, accessible: Any, options: Any) -> None:
    await connected(desk)
    api, page = await desk.api("crm"), await desk.window("crm", "member", **options)
    account = (await api.post("/v1/accounts", json={"account_name": "Accessible"})).json()
    at = f"/accounts/{account['id']}"
    made = await api.post(f"/v1{at}/invoices", json=LINES)
    assert made.status_code == 201, made.text
    path = f"/invoices/{made.json()['id']}"
    for each in (at, f"{at}/invoices", path, f"{path}/edit"):
        await page.goto(each)
        await accessible(page)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), each
