"""Stories of what goes wrong: two edit at once, the sign-in ends, a service is away. Nobody loses what they typed."""

import re
from typing import Any

from playwright.async_api import expect

from tests.browser.conftest import LINES, sign_in, stay, stayed
from tests.browser.test_stories_documents import a_deal_with, row_of


async def test_s12_of_two_who_edit_at_once_the_second_sees_both_versions(desk: Any) -> None:
    path, made = await a_deal_with(desk, "estimate", "Edited by two")
    number = made["estimate_number"]
    page = await desk.window("crm", "member")
    await page.goto(path)
    await page.get_by_role("link", name=f"Edit {number}").click()
    popup = page.get_by_role("dialog", name=f"Edit {number}")
    await popup.get_by_label("Reference").fill("mine")
    change = {"reference_number": "theirs", "line_items": [LINES[0] | {"rate": "20"}]}
    answer = await (await desk.api("invoice")).patch(f"/v1/estimates/{made['id']}", json=change)
    assert answer.status_code == 200, answer.text
    await popup.get_by_role("button", name="Save").click()
    await expect(popup.get_by_role("alert")).to_be_focused()
    await expect(popup.get_by_role("alert")).to_contain_text("Someone else has changed this meanwhile.")
    differs = popup.get_by_role("table", name="What differs")
    await expect(differs.get_by_role("row", name="Reference number")).to_contain_text("minetheirs")
    await expect(popup.get_by_label("Reference")).to_have_value("mine")
    await popup.get_by_label("Rate, line 1").fill("20")
    await popup.get_by_role("button", name="Save").click()
    await expect(popup).to_be_hidden()
    await expect(row_of(page, number)).to_contain_text("$47.60")


async def test_what_was_typed_comes_back_after_the_sign_in_had_ended(desk: Any) -> None:
    customer = await desk.made("invoice", "customers", customer_name="Patient Ltd")
    page = await desk.window("invoice", "admin")
    await page.goto(f"/estimates/new?customer_id={customer['id']}")
    for number, name in ((1, "Chai"), (2, "Chang")):
        line = page.get_by_role("group", name=f"Line {number}")
        await line.get_by_label("Item").fill(name)
        await line.get_by_label("Rate").fill("18.50")
        if number == 1:
            await page.get_by_role("button", name="Add a line").click()
    await expect(page.locator("#totals")).to_contain_text("$37.00")
    await page.context.clear_cookies()
    await page.get_by_label("Reference").fill("typed before")
    await page.get_by_label("Reference").press("Enter")
    await sign_in(page)
    await expect(page.get_by_label("Reference")).to_have_value("typed before")
    await expect(page.get_by_role("group", name="Line 2").get_by_label("Item")).to_have_value("Chang")
    await expect(page.locator("#totals")).to_contain_text("$37.00")
    await page.get_by_label("Reference").press("Enter")
    await expect(page.get_by_text("was created.")).to_be_visible()


async def test_what_was_typed_in_a_pop_up_comes_back_and_overwrites_nothing_unseen(desk: Any) -> None:
    path, made = await a_deal_with(desk, "estimate", "Typed too long")
    number = made["estimate_number"]
    page = await desk.window("crm", "admin")
    await page.goto(path)
    await page.get_by_role("link", name=f"Edit {number}").click()
    popup = page.get_by_role("dialog", name=f"Edit {number}")
    await popup.get_by_role("button", name="Add a line").click()
    await popup.get_by_label("Item, line 2").fill("Chang")
    await popup.get_by_label("Rate, line 2").fill("4")
    await expect(popup.locator(".total")).to_contain_text("$46.84")
    await page.context.clear_cookies()
    await popup.get_by_label("Reference").fill("typed before")  # the totals are asked for anew, and who it is
    await expect(page).to_have_url(re.compile("/sign-in"))
    theirs = {"reference_number": "theirs"}
    await (await desk.api("invoice")).patch(f"/v1/estimates/{made['id']}", json=theirs)
    await sign_in(page)
    await expect(page).to_have_url(re.compile(f"{re.escape(path)}$"))
    await expect(popup.get_by_label("Reference")).to_have_value("typed before")
    await expect(popup.get_by_label("Item, line 2")).to_have_value("Chang")
    await expect(popup.locator(".total")).to_contain_text("$46.84")
    await popup.get_by_role("button", name="Save").click()
    await expect(popup.get_by_role("row", name="Reference number")).to_contain_text("typed beforetheirs")
    await popup.get_by_role("button", name="Save").click()
    await expect(row_of(page, number)).to_contain_text("$46.84")


async def test_s9_while_invoice_is_away_the_panel_says_so_calmly(desk: Any) -> None:
    path, made = await a_deal_with(desk, "estimate", "Invoice is away")
    page = await desk.window("crm", "viewer")
    await page.goto(path)
    await stay(page)
    known_last = page.get_by_text("What stands here is what was known last.")
    with desk.away("invoice"):
        await page.get_by_role("button", name="Fetch").click()
        await expect(page.locator("#toasts")).to_contain_text("Not available right now")
        await expect(known_last).to_be_visible()
        await expect(row_of(page, made["estimate_number"])).to_be_visible()
    for _ in range(
        4
    ):  # for some seconds the CRM leaves a service in peace that did not answer; then it asks by one call
        await page.wait_for_timeout(5500)
        if await page.get_by_role("button", name="Fetch").is_visible():
            await page.get_by_role("button", name="Fetch").click()
        else:
            break
    await expect(page.get_by_role("button", name="Refresh")).to_be_visible()
    await expect(known_last).to_be_hidden()
    assert await stayed(page)
