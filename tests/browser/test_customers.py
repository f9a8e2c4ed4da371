"""Invoice's customers and imports in a real browser."""

from typing import Any

import pytest
from playwright.async_api import expect

PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True}


async def test_from_the_key_to_imported_customers_with_a_preview_before(desk: Any, accessible: Any) -> None:
    crm = await desk.api("crm")
    await crm.post("/v1/accounts", json={"account_name": "Brought Over Ltd", "phone": "030-1"})
    key = (await crm.post("/v1/zsc-keys", json={})).json()
    page = await desk.window("invoice", "admin")
    await page.goto("/customers")
    await page.get_by_role("link", name="Import from CRM").first.click()
    await page.get_by_label("E-mail").fill(key["email"])
    await page.get_by_label("ZSC key").fill("zsc_nonsense")
    await page.get_by_role("button", name="Preview").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await accessible(page)
    await page.get_by_label("ZSC key").fill(key["key"])
    await page.get_by_role("button", name="Preview").click()
    changes = page.get_by_role("region", name="Changes")
    await expect(changes.get_by_role("rowheader", name="Brought Over Ltd")).to_be_visible()
    await expect(page.get_by_label("ZSC key")).to_have_value(key["key"])
    await accessible(page)
    await page.get_by_role("button", name="Import").click()
    await expect(page.get_by_text("Done:")).to_be_visible()
    await accessible(page)
    await page.get_by_role("link", name="To the customers").click()
    await expect(page.get_by_role("link", name="Brought Over Ltd")).to_be_visible()
    await crm.post("/v1/accounts", json={"account_name": "Suddenly There Too"})
    await expect(page.get_by_role("link", name="Suddenly There Too")).to_be_visible()
    for path in ("/imports", "/connection"):
        await page.goto(path)
        await accessible(page)


async def test_a_contact_person_is_added_in_a_pop_up_and_duplicates_are_merged_and_parted(
    desk: Any, accessible: Any
) -> None:
    api, page = await desk.api("invoice"), await desk.window("invoice", "member")
    for _ in range(2):
        made = (await api.post("/v1/customers", json={"customer_name": "Twin Bakery"})).json()
    await page.goto(f"/customers/{made['id']}")
    await page.get_by_role("link", name="Add person").click()
    popup = page.get_by_role("dialog", name="New contact person")
    await popup.get_by_label("Last name").fill("Baker")
    await popup.get_by_role("button", name="Add person").click()
    await expect(page.get_by_role("rowheader", name="Baker")).to_be_visible()
    await page.get_by_role("link", name="Edit Baker").click()
    await expect(page.get_by_role("dialog", name="Edit Baker").get_by_label("Last name")).to_have_value("Baker")
    await page.keyboard.press("Escape")
    await page.goto("/customers/duplicates")
    await accessible(page)
    await page.get_by_role("link", name="Merge Twin Bakery and Twin Bakery").click()
    await accessible(page)
    await page.get_by_role("button", name="Merge").press("Enter")
    await expect(page.get_by_text("Twin Bakery was merged into Twin Bakery.")).to_be_visible()
    await page.get_by_role("status").get_by_role("button", name="Undo").press("Enter")
    await expect(page.get_by_text("Twin Bakery is a customer of its own again.")).to_be_visible()


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, PHONE], ids=["light", "dark", "phone"])
async def test_pages_are_accessible_and_fit_the_window(desk: Any, accessible: Any, options: Any) -> None:
    api, page = await desk.api("invoice"), await desk.window("invoice", "admin", **options)
    long = {"customer_name": "C" * 120, "phone": "030-0074321", "notes": "one\ntwo"}
    person = {"last_name": "Anders", "email": "a@example.com"}
    made = (await api.post("/v1/customers", json=long | {"contact_persons": [person]})).json()
    lines = [{"name": "Order", "quantity": "2", "rate": "1234567.89"}]
    bill = (await api.post("/v1/invoices", json={"customer_id": made["id"], "line_items": lines})).json()
    await api.post(f"/v1/invoices/{bill['id']}/status/sent")
    path = f"/customers/{made['id']}"
    pages = ["/home", path]
    if "color_scheme" not in options:  # what colours can make worse is looked at on fewer pages
        pages += ["/customers", f"{path}/edit", f"{path}/statement", f"{path}/merge", "/imports/new"]
    for each in pages:
        await page.goto(each)
        if "viewport" not in options:
            await accessible(page)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), each
