"""Stories of customers: they come from the CRM, and what is there twice becomes one."""

from typing import Any

from playwright.async_api import expect

from tests.browser.conftest import EMAIL, LINES, sign_in, stay, stayed


async def test_s21_s30_from_the_first_sign_in_to_imported_customers(first_day: Any) -> None:
    bakery = await first_day.made("crm", "accounts", account_name="Bakery with a contact", phone="030-1")
    await first_day.made("crm", "contacts", last_name="Anders", account_id=bakery["id"])
    await first_day.made("crm", "accounts", account_name="Standalone Ltd")
    await first_day.made("crm", "contacts", last_name="Solo")

    crm = await first_day.window("crm", None)
    await crm.goto("/")
    await sign_in(crm)
    await crm.get_by_role("link", name="Set-up").click()
    await crm.get_by_role("link", name="ZSC keys").click()
    await crm.get_by_label("What it is for").fill("Invoice")
    await crm.get_by_role("button", name="Create key").click()
    key = await crm.locator("#secret").inner_text()

    page = await first_day.window("invoice", None)
    await page.goto("/customers")
    await sign_in(page)
    await page.get_by_role("link", name="Import from CRM").first.click()
    await page.get_by_label("E-mail").fill(EMAIL)
    await page.get_by_label("ZSC key").fill("zsc_nonsense")
    await expect(page.get_by_label("Keep customers up to date by themselves")).to_be_checked()
    await page.get_by_role("button", name="Preview").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await page.get_by_label("ZSC key").fill(key)
    await page.get_by_role("button", name="Preview").click()
    changes = page.get_by_role("region", name="Changes")
    await expect(changes.get_by_role("rowheader", name="Standalone Ltd")).to_be_visible()
    await expect(page.get_by_label("Counts")).to_contain_text("Would be created4")
    await expect(page.get_by_label("ZSC key")).to_have_value(key)

    with first_day.busy("invoice", "/v1/crm/customers"):
        await page.get_by_role("button", name="Import").click()
        await expect(page.get_by_role("progressbar", name="Records read")).to_be_visible()
        await stay(page)
    await expect(page.get_by_text("Done: 4 records were read.")).to_be_visible()
    await expect(page.get_by_label("Counts")).to_contain_text("Created4")
    assert await stayed(page)
    await page.get_by_role("link", name="To the customers").click()
    for name in ("Bakery with a contact", "Standalone Ltd", "Solo"):
        await expect(page.get_by_role("link", name=name)).to_be_visible()
    await first_day.made("crm", "accounts", account_name="Suddenly There Too")
    await expect(page.get_by_role("link", name="Suddenly There Too")).to_be_visible()


async def test_s29_duplicates_are_merged_and_parted_again(desk: Any) -> None:
    numbers = []
    for _ in range(2):
        customer = await desk.made("invoice", "customers", customer_name="Twin Bakery")
        estimate = await desk.made("invoice", "estimates", customer_id=customer["id"], line_items=LINES)
        numbers.append(estimate["estimate_number"])
    page = await desk.window("invoice", "member")
    await page.goto("/customers/duplicates")
    await page.get_by_role("link", name="Merge Twin Bakery and Twin Bakery").click()
    await page.get_by_role("button", name="Merge").press("Enter")
    await expect(page.get_by_text("Twin Bakery was merged into Twin Bakery.")).to_be_visible()
    for number in numbers:
        await expect(page.get_by_role("link", name=number)).to_be_visible()
    await page.get_by_role("status").get_by_role("button", name="Undo").press("Enter")
    await expect(page.get_by_text("Twin Bakery is a customer of its own again.")).to_be_visible()
    await page.goto("/customers/duplicates")
    await expect(page.get_by_role("link", name="Merge Twin Bakery and Twin Bakery")).to_be_visible()
