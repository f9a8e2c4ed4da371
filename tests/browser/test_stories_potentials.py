"""Stories of potentials that are won and lost: their documents follow, before the eyes of who looks."""

from typing import Any

from playwright.async_api import Page, expect

from tests.browser.conftest import stay, stayed

SOON = 20_000  # from the CRM over the workflow to Invoice and back


async def a_deal(desk: Any, name: str) -> str:
    """The path of the page of a deal of an account of its own, in the first stage."""
    account = await desk.made("crm", "accounts", account_name=f"{name}, account")
    body = {"potential_name": name, "account_id": account["id"], "amount": "440.00", "currency_code": "USD"}
    return f"/potentials/{(await desk.made('crm', 'potentials', **body))['id']}"


async def the_workflow(desk: Any, trigger: str | None) -> None:
    """Is active with this trigger, or not at all."""
    body = {"active": trigger is not None, "trigger": trigger or "estimates"}
    assert (await (await desk.api("crm")).put("/v1/workflow", json=body)).status_code == 200


async def expect_document(page: Page, number: str, status: str) -> None:
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=f"View the PDF of {number}"))
    await expect(row).to_contain_text(status, timeout=SOON)


async def test_s15_won_on_the_board_its_estimate_is_seen_accepted_without_reloading(desk: Any) -> None:
    await desk.connect()
    await the_workflow(desk, "estimates")
    board = await desk.window("crm", "member", viewport={"width": 2200, "height": 900})  # all stages at once
    by_mouse, by_keyboard = await desk.window("crm", "member"), await desk.window("crm", "viewer")
    for page, name in ((by_mouse, "Won by mouse"), (by_keyboard, "Won by keyboard")):
        await page.goto(await a_deal(desk, name))
        await expect_document(page, "EST-", "Draft")
    await board.goto("/potentials/board")
    await stay(board, by_mouse, by_keyboard)
    won = board.get_by_role("region", name="Closed Won")

    await board.get_by_role("listitem").filter(has_text="Won by mouse").drag_to(won)
    await expect(board.get_by_text("Won by mouse is in Closed Won now.")).to_be_visible()
    await expect_document(by_mouse, "EST-", "Accepted")
    await expect(by_mouse.get_by_text("Accept estimate: EST-")).to_be_visible(timeout=SOON)

    await board.get_by_role("link", name="Move Won by keyboard to another stage").press("Enter")
    await board.get_by_role("dialog").get_by_role("button", name="Closed Won").press("Enter")
    await expect(board.get_by_role("dialog")).to_be_hidden()
    await expect(won.get_by_role("link", name="Won by keyboard", exact=True)).to_be_visible()
    await expect_document(by_keyboard, "EST-", "Accepted")
    assert await stayed(board, by_mouse, by_keyboard)
    await the_workflow(desk, None)


async def test_s16_lost_its_invoice_is_seen_void_without_reloading(desk: Any) -> None:
    await desk.connect()
    await the_workflow(desk, "invoices")
    page = await desk.window("crm", "member")
    await page.goto(await a_deal(desk, "Won and lost"))
    await stay(page)
    for stage, status in (("Closed Won", "Draft"), ("Closed Lost", "Void")):
        await page.get_by_role("link", name="Move to").click()
        await page.get_by_role("dialog").get_by_role("button", name=stage).click()
        await expect_document(page, "INV-", status)
    assert await stayed(page)
    await the_workflow(desk, None)
