"""The story of a viewer: they see everything, are offered no change, and none is taken from them."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import LINES

SEND = """([path, token]) => {
  const form = document.body.appendChild(document.createElement("form"));
  Object.assign(form, { method: "post", action: path });
  Object.assign(form.appendChild(document.createElement("input")), { name: "csrf_token", value: token });
  form.submit();
}"""
"""Sends a form as a page would."""


async def records(desk: Any, service: str) -> list[str]:
    """The path of one record of each kind."""
    if service == "crm":
        await desk.connect()
        account = await desk.made("crm", "accounts", account_name="Only looked at")
        contact = await desk.made("crm", "contacts", last_name="Looked-at", account_id=account["id"])
        deal = await desk.made("crm", "potentials", potential_name="Looked at", account_id=account["id"])
        made = await desk.made("crm", f"potentials/{deal['id']}/estimates", line_items=LINES)
        mine = [f"/accounts/{account['id']}", f"/contacts/{contact['id']}", f"/potentials/{deal['id']}"]
        return [*mine, f"/estimates/{made['id']}"]
    customer = await desk.made("invoice", "customers", customer_name="Only looked at")
    body = {"customer_id": customer["id"], "line_items": LINES}
    estimate, bill = await desk.made("invoice", "estimates", **body), await desk.made("invoice", "invoices", **body)
    return [f"/customers/{customer['id']}", f"/estimates/{estimate['id']}", f"/invoices/{bill['id']}"]


async def expect_nothing_to_change(page: Page) -> None:
    """No form that sends something, but the one that fetches, which changes nothing; no way to one either."""
    await expect(page.locator("main h1")).to_be_visible()
    forms = page.locator('main form[method="post"], #popup form[method="post"]')
    await expect(forms.and_(page.locator(':not([action$="/documents/refresh"])'))).to_have_count(0)
    ways = 'main a:is([href$="/edit"], [href$="/new"], [href$="/move"], [href$="/merge"], [href$="/import"])'
    await expect(page.locator(ways)).to_have_count(0)
    await expect(page.locator("main [draggable=true], main [data-open]")).to_have_count(0)


@pytest.mark.parametrize("service", ["crm", "invoice"])
async def test_a_viewer_cannot_edit(desk: Any, service: str) -> None:
    paths = await records(desk, service)
    page = await desk.window(service, "viewer")
    for path in [*paths, *({path.rpartition("/")[0] for path in paths})] + ["/potentials/board"] * (service == "crm"):
        await page.goto(path)
        await expect_nothing_to_change(page)
    for path in paths:
        await page.goto(path)
        token = await page.locator('meta[name="csrf-token"]').get_attribute("content")
        await page.evaluate(SEND, [f"{path}/edit", token])
        await expect(page.get_by_role("heading", name="You may not do this")).to_be_visible()
        assert page.url.endswith("/edit")
        await page.goto(path)
        await expect(page.locator("main h1")).to_be_visible()
