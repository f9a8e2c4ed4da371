"""What a browser adds to the CRM's pages: the keyboard, live regions, pop-ups, searching as one types."""

from typing import Any

from playwright.async_api import expect

from tests.browser.conftest import EMAIL, PASSWORD, stay, stayed


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
    await stay(page)
    await api.patch(f"/v1/accounts/{made['id']}", json={"phone": "brand new"})
    await expect(page.get_by_text("brand new")).to_be_visible()
    await api.post("/v1/contacts", json={"last_name": "Watcher", "account_id": made["id"]})
    await expect(page.get_by_text("Watcher")).to_be_visible()
    assert await stayed(page)
    listed = await desk.window("crm", "viewer")
    await listed.goto("/accounts")
    await api.post("/v1/accounts", json={"account_name": "Suddenly There"})
    await expect(listed.get_by_role("link", name="Suddenly There")).to_be_visible()


async def test_a_contact_is_added_in_a_pop_up_that_says_what_is_wrong(desk: Any) -> None:
    api, page = await desk.api("crm"), await desk.window("crm", "member")
    made = (await api.post("/v1/accounts", json={"account_name": "Popped Up"})).json()
    await page.goto(f"/accounts/{made['id']}")
    await page.get_by_role("link", name="New contact").click()
    popup = page.get_by_role("dialog", name="New contact")
    await expect(popup.get_by_label("Last name")).to_be_focused()
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


async def test_an_account_is_found_for_a_contact_as_one_types(desk: Any) -> None:
    api, page = await desk.api("crm"), await desk.window("crm", "member")
    account = (await api.post("/v1/accounts", json={"account_name": "Zebra Crossings"})).json()
    for number in range(21):
        await api.post("/v1/accounts", json={"account_name": f"Newer {number}"})
    await page.goto("/contacts")
    await page.get_by_role("link", name="New contact").click()
    popup = page.get_by_role("dialog")
    await popup.get_by_label("Last name").fill("Stripes")
    await popup.get_by_label("Account: find another").press_sequentially("zeb")
    await expect(popup.get_by_label("Account", exact=True)).to_have_value(account["id"])
    await popup.get_by_role("button", name="Add contact").click()
    await expect(page.get_by_role("row").filter(has_text="Stripes")).to_contain_text("Zebra Crossings")


async def test_a_file_stays_chosen_between_preview_and_import_and_what_is_wrong_is_shown(desk: Any) -> None:
    page = await desk.window("crm", "member")
    await page.goto("/accounts/import")
    choose, preview = page.get_by_label("File"), page.get_by_role("button", name="Preview")
    wrong = {"name": "some.csv", "mimeType": "text/csv", "buffer": b'account_name\n" "\n'}
    await choose.set_input_files(wrong)  # type: ignore[arg-type]
    await preview.click()
    await expect(page.get_by_text("must not be empty")).to_be_visible()
    await choose.set_input_files(wrong | {"buffer": b"account_name\nImported by hand\n"})  # type: ignore[arg-type]
    await preview.click()
    await expect(page.get_by_text("1 account would be created.")).to_be_visible()
    await page.get_by_role("button", name="Import").click()
    await expect(page.get_by_role("link", name="Imported by hand")).to_be_visible()


async def test_a_new_key_is_copied(desk: Any) -> None:
    page = await desk.window("crm", "member", permissions=["clipboard-read", "clipboard-write"])
    await page.goto("/zsc-keys")
    await page.get_by_role("button", name="Create key").click()
    await page.get_by_role("button", name="Copy").click()
    await expect(page.get_by_text("Copied.")).to_be_visible()
    shown = await page.locator("#secret").inner_text()
    assert shown.startswith("zsc_")
    assert await page.evaluate("navigator.clipboard.readText()") == shown
