"""Stories of estimates and invoices within the CRM."""

from typing import Any

from playwright.async_api import Locator, Page, expect
from servicekit.db import new_id

from tests.browser.conftest import LINES, stay, stayed


def row_of(page: Page, number: str) -> Locator:
    """The row of a document in the panel of a record's page."""
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=number, exact=True))


async def a_deal_with(desk: Any, kind: str, name: str) -> tuple[str, dict[str, Any]]:
    """The path of a potential's page, and a document of it."""
    await desk.connect()
    account = await desk.made("crm", "accounts", account_name=f"{name}, account")
    deal = await desk.made("crm", "potentials", potential_name=name, account_id=account["id"])
    made = await desk.made("crm", f"potentials/{deal['id']}/{kind}s", line_items=LINES)
    return f"/potentials/{deal['id']}", made


async def test_s7_an_estimate_is_created_from_an_account(desk: Any) -> None:
    await desk.connect()
    account = await desk.made("crm", "accounts", account_name="Alfreds of the estimate")
    page = await desk.window("crm", "member")
    await page.goto(f"/accounts/{account['id']}")
    await stay(page)
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
    await popup.get_by_label("Rate, line 2").fill("-1")
    await popup.get_by_role("button", name="Create estimate").click()
    await expect(popup.locator(".error")).to_have_text("Must not be negative")
    await popup.get_by_role("button", name="Take out line 2").click()
    await expect(popup.locator(".total")).to_contain_text("$19.90")
    await popup.get_by_role("button", name="Create estimate").click()
    await expect(popup).to_be_hidden()
    await expect(page.get_by_role("link", name="View the PDF of EST-")).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text="EST-")).to_contain_text("$19.90")
    assert await stayed(page)
    await page.get_by_role("row").filter(has_text="EST-").get_by_role("rowheader").get_by_role("link").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("EST-")
    await expect(page.get_by_role("rowheader", name="Chai")).to_be_visible()


async def test_s9_documents_are_fetched_and_refreshed_and_between_come_by_themselves(desk: Any) -> None:
    await desk.connect()
    invoice, sync = await desk.api("invoice"), await desk.api("sync")
    account = await desk.made("crm", "accounts", account_name="Fetched & Sons")
    imported = {"record_type": "account", "record_id": account["id"]}
    await sync.post("/v1/records/import", json=imported, headers={"Idempotency-Key": new_id()})
    page = await desk.window("crm", "member")
    async with desk.events_wait("invoice"):
        body = {"crm_account_id": account["id"], "line_items": LINES}
        kept = await desk.made("invoice", "estimates", **body)
        gone = await desk.made("invoice", "estimates", **body)
        await page.goto(f"/accounts/{account['id']}")
        await stay(page)
        await expect(page.get_by_text("Never fetched").first).to_be_visible()
        await page.get_by_role("button", name="Fetch").click()
        await expect(row_of(page, kept["estimate_number"])).to_contain_text("Draft")
        await expect(row_of(page, gone["estimate_number"])).to_be_visible()
        await expect(page.locator(".documents header")).to_contain_text("Fetched ")

        await invoice.delete(f"/v1/estimates/{gone['id']}")
        await invoice.post(f"/v1/estimates/{kept['id']}/status/accepted")
        bill = await desk.made("invoice", "invoices", **body)
        await page.get_by_role("button", name="Refresh").click()
        await expect(row_of(page, kept["estimate_number"])).to_contain_text("Accepted")
        await expect(row_of(page, bill["invoice_number"])).to_contain_text("Draft")
        await expect(row_of(page, gone["estimate_number"])).to_be_hidden()
    await invoice.post(f"/v1/invoices/{bill['id']}/status/sent")
    await expect(row_of(page, bill["invoice_number"])).to_contain_text("Sent")
    assert await stayed(page)


async def test_s12_a_potentials_document_is_edited_in_the_pop_up(desk: Any) -> None:
    path, bill = await a_deal_with(desk, "invoice", "Edited")
    number = bill["invoice_number"]
    page, invoice = await desk.window("crm", "member"), await desk.window("invoice", "viewer")
    await page.goto(path)
    await stay(page)
    await page.get_by_role("link", name=f"Edit {number}").click()
    popup = page.get_by_role("dialog", name=f"Edit {number}")
    await expect(popup.get_by_label("Date")).to_be_focused()
    await popup.get_by_label("Quantity, line 1").fill("10")
    await expect(popup.locator(".total")).to_contain_text("$214.20")
    await popup.get_by_role("button", name="Add a line").click()
    await popup.get_by_label("Item, line 2").fill("Chang")
    await popup.get_by_label("Rate, line 2").fill("5.80")
    await expect(popup.locator(".total")).to_contain_text("$220.00")
    await popup.get_by_label("Rate, line 2").press("Enter")
    await expect(popup).to_be_hidden()
    await expect(row_of(page, number)).to_contain_text("$220.00")
    await invoice.goto(f"/invoices/{bill['id']}")
    await expect(invoice.get_by_role("rowheader", name="Chang")).to_be_visible()
    await expect(invoice.get_by_label("Lines")).to_contain_text("Total$220.00")

    await (await desk.api("invoice")).post(f"/v1/invoices/{bill['id']}/status/void")
    await expect(row_of(page, number)).to_contain_text("Void")
    await page.get_by_role("link", name=f"Edit {number}").click()
    await expect(popup.get_by_text("It cannot be edited.")).to_be_visible()
    assert await stayed(page)


async def test_s11_the_pdf_is_viewed_and_downloaded(desk: Any) -> None:
    path, made = await a_deal_with(desk, "estimate", "Printed")
    number = made["estimate_number"]
    page, invoice = await desk.window("crm", "viewer"), await desk.window("invoice", "viewer")
    await page.goto(path)
    await page.get_by_role("link", name=f"View the PDF of {number}").click()
    popup = page.get_by_role("dialog", name=number)
    await expect(popup.get_by_title(f"{number} as PDF")).to_be_visible()
    await invoice.goto(f"/estimates/{made['id']}")
    for place, where in ((page, popup), (invoice, invoice)):
        async with place.expect_download() as saved:
            await where.get_by_role("link", name="Download").click()
        assert (await saved.value).suggested_filename == f"{number}.pdf"
        assert (await (await saved.value).path()).read_bytes().startswith(b"%PDF")
