"""A potential is won and lost, and its documents follow, in a real browser."""

from typing import Any

from playwright.async_api import expect

from tests.browser.test_documents_in_the_crm import connected


async def test_s15_won_on_the_board_its_estimate_is_seen_accepted_without_reloading(desk: Any) -> None:
    await connected(desk)
    api = await desk.api("crm")
    await api.put("/v1/workflow", json={"active": True, "trigger": "estimates"})
    deal, name = await a_deal(api, "Won on the board")
    wide = {"width": 2200, "height": 900}  # all stages at once
    board, page = await desk.window("crm", "member", viewport=wide), await desk.window("crm", "member")
    await page.goto(f"/potentials/{deal['id']}")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="View the PDF of EST-"))
    await expect(row).to_contain_text("Draft", timeout=20_000)

    await board.goto("/potentials/board")
    card = board.get_by_role("listitem").filter(has_text=name)
    await card.drag_to(board.get_by_role("region", name="Closed Won"))
    await expect(board.get_by_text(f"{name} is in Closed Won now.")).to_be_visible()

    await expect(row).to_contain_text("Accepted", timeout=20_000)
    await expect(page.get_by_text("Accept estimate: EST-")).to_be_visible(timeout=20_000)
    await api.put("/v1/workflow", json={"active": False, "trigger": "estimates"})


async def test_s16_lost_its_invoice_is_seen_void_and_a_viewer_edits_nothing(desk: Any) -> None:
    await connected(desk)
    api = await desk.api("crm")
    await api.put("/v1/workflow", json={"active": True, "trigger": "invoices"})
    deal, _ = await a_deal(api, "Won and lost")
    page, viewer = await desk.window("crm", "member"), await desk.window("crm", "viewer")
    await page.goto(f"/potentials/{deal['id']}")
    await page.get_by_role("link", name="Move to").click()
    await page.get_by_role("dialog").get_by_role("button", name="Closed Won").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="View the PDF of INV-"))
    await expect(row).to_contain_text("Draft", timeout=20_000)
    await viewer.goto(f"/potentials/{deal['id']}")
    await expect(viewer.get_by_role("link", name="INV-").first).to_be_visible()
    await expect(viewer.get_by_role("link", name="Edit")).to_have_count(0)

    await page.get_by_role("link", name="Move to").click()
    await page.get_by_role("dialog").get_by_role("button", name="Closed Lost").click()
    await expect(row).to_contain_text("Void", timeout=20_000)
    await api.put("/v1/workflow", json={"active": False, "trigger": "estimates"})


async def a_deal(api: Any, name: str) -> tuple[dict[str, Any], str]:
    """A deal of an account of its own, in the first stage."""
    account = (await api.post("/v1/accounts", json={"account_name": f"{name}, account"})).json()
    body = {"potential_name": name, "account_id": account["id"], "amount": "440.00", "currency_code": "USD"}
    return (await api.post("/v1/potentials", json=body)).json(), name
