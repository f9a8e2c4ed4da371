"""Accounts in a real browser."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import EMAIL, PASSWORD

PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True}


async def test_one_signs_in_makes_an_account_with_the_keyboard_alone_and_takes_back_its_deletion(desk: Any) -> None:
    page = await desk.window("crm", None)
    await page.goto("/accounts/new")
    await expect(page.get_by_label("E-mail")).to_be_focused()
    await page.keyboard.type(EMAIL)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/accounts/new")
    await expect(page.get_by_label("Account name")).to_be_focused()
    await page.keyboard.type("Bakery of the keyboard")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Bakery of the keyboard")).to_be_visible()
    await page.wait_for_load_state()  # its script has run
    delete = page.get_by_role("button", name="Delete")
    await delete.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(delete).to_be_focused()
    await delete.press("Enter")
    await page.get_by_role("button", name="Delete account").press("Enter")
    await page.get_by_role("button", name="Undo").press("Enter")
    await expect(page.get_by_text("Bakery of the keyboard is back.")).to_be_visible()


async def test_a_page_that_others_change_shows_it_by_itself(desk: Any) -> None:
    api, page = await desk.api("crm"), await desk.window("crm", "viewer")
    made = (await api.post("/v1/accounts", json={"account_name": "Watched Ltd", "phone": "old"})).json()
    await page.goto(f"/accounts/{made['id']}")
    await page.evaluate("window.here = true")
    await api.patch(f"/v1/accounts/{made['id']}", json={"phone": "brand new"})
    await expect(page.get_by_text("brand new")).to_be_visible()
    await api.post("/v1/contacts", json={"last_name": "Watcher", "account_id": made["id"]})
    await expect(page.get_by_text("Watcher")).to_be_visible()
    assert await page.evaluate("window.here"), "without loading the page again"
    listed = await desk.window("crm", "viewer")
    await listed.goto("/accounts")
    await api.post("/v1/accounts", json={"account_name": "Suddenly There"})
    await expect(listed.get_by_role("link", name="Suddenly There")).to_be_visible()


async def test_a_contact_is_added_in_a_pop_up_that_says_what_is_wrong(desk: Any, accessible: Any) -> None:
    api, page = await desk.api("crm"), await desk.window("crm", "member")
    made = (await api.post("/v1/accounts", json={"account_name": "Popped Up"})).json()
    await page.goto(f"/accounts/{made['id']}")
    await page.get_by_role("link", name="New contact").click()
    popup = page.get_by_role("dialog", name="New contact")
    await expect(popup.get_by_label("Last name")).to_be_focused()
    await accessible(page)
    await popup.get_by_label("Last name").fill("Añders 😀")
    await popup.get_by_label("Phone").evaluate("field => field.removeAttribute('maxlength')")
    await popup.get_by_label("Phone").fill("0" * 51)
    await popup.get_by_role("button", name="Add contact").click()
    await expect(popup.get_by_text("Must have at most 50 characters")).to_be_visible()
    await expect(popup.get_by_label("Last name")).to_have_value("Añders 😀")
    await popup.get_by_label("Phone").fill("030")
    await popup.get_by_role("button", name="Add contact").click()
    await expect(popup).to_be_hidden()
    await expect(page.get_by_text("Añders 😀 was added.")).to_be_visible()
    await expect(page.get_by_role("rowheader", name="Añders 😀")).to_be_visible()


async def test_a_list_is_searched_as_one_types(desk: Any) -> None:
    api, page = await desk.api("crm"), await desk.window("crm", "viewer")
    for name in ("Quince Orchard", "Quarry Works"):
        await api.post("/v1/accounts", json={"account_name": name})
    await page.goto("/accounts")
    await page.get_by_label("Find accounts").press_sequentially("quin")
    await expect(page.get_by_role("link", name="Quarry Works")).to_be_hidden()
    await expect(page.get_by_role("link", name="Quince Orchard")).to_be_visible()
    await expect(page).to_have_url(f"{desk.product.urls['crm']}/accounts?q=quin")


async def test_what_was_typed_comes_back_after_the_sign_in_had_ended(desk: Any) -> None:
    page = await desk.window("crm", "admin")
    await page.goto("/accounts/new")
    await page.get_by_label("Account name").fill("Typed before")
    await page.context.clear_cookies()
    await page.get_by_role("button", name="Create account").click()
    await page.get_by_label("E-mail").fill(EMAIL)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/accounts/new")
    await expect(page.get_by_label("Account name")).to_have_value("Typed before")
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_role("heading", name="Typed before")).to_be_visible()


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, PHONE], ids=["light", "dark", "phone"])
async def test_pages_are_accessible_and_fit_the_window(desk: Any, accessible: Any, options: Any) -> None:
    api, page = await desk.api("crm"), await desk.window("crm", "admin", **options)
    thorough = not options  # what colours and width can make worse is looked at on fewer pages
    long = {"account_name": "A" * 120, "phone": "030-0074321", "website": "example.com", "description": "one\ntwo"}
    made = (await api.post("/v1/accounts", json=long | {"billing_address": {"city": "Berlin"}})).json()
    await api.post("/v1/contacts", json={"last_name": "Anders", "account_id": made["id"], "email": "a@example.com"})
    path = f"/accounts/{made['id']}"
    stranger = await desk.window("crm", None, **options)
    await stranger.goto("/sign-in")
    if thorough:
        await accessible(stranger)
    for each in (
        "/accounts",
        "/accounts?q=nothinglikethis",
        "/accounts?deleted=true",
        path,
        f"{path}/edit",
        "/nowhere",
    ):
        await page.goto(each)
        if thorough or each == path:
            await accessible(page)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), each
    await page.goto(f"{path}/edit")
    await page.get_by_label("Account name").evaluate("field => field.removeAttribute('required')")
    await page.get_by_label("Account name").fill(" ")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await accessible(page)
    await page.goto(path)
    await page.get_by_role("button", name="Delete").click()
    await accessible(page)
