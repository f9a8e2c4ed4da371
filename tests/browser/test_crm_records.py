"""The CRM's records, its board, its import and its set-up, in a real browser."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.test_accounts import PHONE


async def test_a_potential_is_dragged_to_another_stage_and_moved_by_keyboard_and_others_see_it(desk: Any) -> None:
    api = await desk.api("crm")
    made = (await api.post("/v1/potentials", json={"potential_name": "Dragged along", "amount": "120"})).json()
    page, other = await desk.window("crm", "member"), await desk.window("crm", "viewer")
    for each in (page, other):
        await each.goto("/potentials/board")
    card = page.get_by_role("listitem").filter(has_text="Dragged along")
    won, analysis = (page.get_by_role("region", name=name) for name in ("Closed Won", "Needs Analysis"))
    await card.drag_to(analysis)
    await expect(page.get_by_text("Dragged along is in Needs Analysis now.")).to_be_visible()
    await expect(analysis.get_by_text("Dragged along")).to_be_visible()
    await expect(other.get_by_role("region", name="Needs Analysis").get_by_text("Dragged along")).to_be_visible()
    await page.get_by_role("link", name="Move Dragged along to another stage").press("Enter")
    await page.get_by_role("dialog").get_by_role("button", name="Closed Won").press("Enter")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(won.get_by_text("Dragged along")).to_be_visible()
    assert (await api.get(f"/v1/potentials/{made['id']}")).json()["status"] == "won"


@pytest.mark.parametrize("options", [{}, PHONE | {"color_scheme": "dark"}], ids=["light", "dark phone"])
async def test_the_pages_are_accessible_and_fit_the_window(desk: Any, accessible: Any, options: Any) -> None:
    api, page = await desk.api("crm"), await desk.window("crm", "admin", **options)
    contact = (await api.post("/v1/contacts", json={"last_name": "A" * 120, "email": "a@example.com"})).json()
    long = {"potential_name": "P" * 120, "amount": "1234567.25", "contact_id": contact["id"]}
    made = (await api.post("/v1/potentials", json=long)).json()
    for path in (
        "/contacts",
        f"/contacts/{contact['id']}",
        "/potentials",
        f"/potentials/{made['id']}",
        f"/potentials/{made['id']}/edit",
        "/potentials/board",
        "/home",
        "/workflow",
        "/zsc-keys",
        "/users",
        "/contacts/import",
    ):
        await page.goto(path)
        if path == "/potentials/board" or (not options and not path.startswith(("/contacts", "/users"))):
            await accessible(page)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


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


async def test_a_file_stays_chosen_between_preview_and_import_and_what_is_wrong_is_shown(
    desk: Any, accessible: Any
) -> None:
    page = await desk.window("crm", "member")
    await page.goto("/accounts/import")
    choose, preview = page.get_by_label("File"), page.get_by_role("button", name="Preview")
    wrong = {"name": "some.csv", "mimeType": "text/csv", "buffer": b'account_name\n" "\n'}
    await choose.set_input_files(wrong)  # type: ignore[arg-type]
    await preview.click()
    await expect(page.get_by_text("must not be empty")).to_be_visible()
    await accessible(page)
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
