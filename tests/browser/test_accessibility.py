"""Every page, by axe-core, by day; those with other colours by night, and those that become others on a phone, there.

That a page fits its window is looked at everywhere. What opens on a page, or is refused there, by day.
"""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import LINES, PHONE

LOOKS: dict[str, dict[str, Any]] = {"light": {}, "dark": {"color_scheme": "dark"}, "phone": PHONE}
PAGES = {
    "crm": [
        *("/home", "/accounts", "/accounts?q=nothinglikethis", "/accounts?deleted=true", "/nowhere"),
        *("{account}", "{account}/edit", "{account}/estimates", "{account}/estimates/new"),
        *("/contacts", "{contact}", "/contacts/import"),
        *("/potentials", "/potentials/board", "{potential}", "{potential}/edit", "{potential}/move"),
        *("{estimate}", "{estimate}/edit", "/workflow", "/stages", "/zsc-keys", "/connection", "/users", "/api-tokens"),
    ],
    "invoice": [
        *("/home", "/customers", "/customers/duplicates", "{customer}", "{customer}/edit", "{customer}/statement"),
        *("{customer}/merge", "/imports", "/imports/new", "/connection", "/payments", "/items"),
        *("/estimates", "/estimates/new", "{estimate}", "{estimate}/edit", "/invoices", "{invoice}"),
        *("{invoice}/payments/new", "{invoice}/send", "/settings", "/organizations"),
    ],
}
OTHER_COLOURS = {"/home", "/potentials/board", "{account}", "{estimate}/edit", "{invoice}", "/zsc-keys", "/imports/new"}
"""Between them they have all that pages are made of: badges, notices, plots, buttons, fields, quiet words."""
OTHERS_ON_A_PHONE = {"/accounts", "{account}", "/potentials/board", "{estimate}/edit", "{customer}", "{invoice}"}
"""Tables become cards there, and lines of a document stand below each other."""


async def crm_records(desk: Any) -> dict[str, str]:
    """Records of the CRM as long as they may be."""
    await desk.connect()
    long = {"phone": "030-0074321", "website": "example.com", "description": "one\ntwo"}
    account = await desk.made("crm", "accounts", account_name="A" * 120, billing_address={"city": "Berlin"}, **long)
    person = {"last_name": "C" * 80, "email": "a@example.com", "account_id": account["id"]}
    contact = await desk.made("crm", "contacts", **person)
    body = {"potential_name": "P" * 120, "amount": "1234567.25", "account_id": account["id"]}
    potential = await desk.made("crm", "potentials", **body)
    estimate = await desk.made("crm", f"potentials/{potential['id']}/estimates", line_items=LINES)
    return {
        "account": f"/accounts/{account['id']}",
        "contact": f"/contacts/{contact['id']}",
        "potential": f"/potentials/{potential['id']}",
        "estimate": f"/estimates/{estimate['id']}",
    }


async def invoice_records(desk: Any) -> dict[str, str]:
    """Records of Invoice as long as they may be, and two of them alike."""
    long = {"customer_name": "C" * 100, "phone": "030-0074321", "notes": "one\ntwo"}
    persons = [{"last_name": "Anders", "email": "a@example.com"}]
    await desk.made("invoice", "customers", customer_name="C" * 100)
    customer = await desk.made("invoice", "customers", contact_persons=persons, **long)
    dear = {"customer_id": customer["id"], "line_items": [*LINES, {"name": "Order", "rate": "1234567.89"}]}
    estimate = await desk.made("invoice", "estimates", **dear)
    bill = await desk.made("invoice", "invoices", **dear)
    await (await desk.api("invoice")).post(f"/v1/invoices/{bill['id']}/status/sent")
    await desk.made("invoice", f"invoices/{bill['id']}/payments", amount="1", payment_mode="Card")
    await desk.made("invoice", "items", name="Chai", rate="18")
    return {
        "customer": f"/customers/{customer['id']}",
        "estimate": f"/estimates/{estimate['id']}",
        "invoice": f"/invoices/{bill['id']}",
    }


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("service", PAGES)
async def test_pages_are_accessible_and_fit_the_window(desk: Any, accessible: Any, service: str, look: str) -> None:
    paths = await (crm_records if service == "crm" else invoice_records)(desk)
    stranger = await desk.window(service, None, **LOOKS[look])
    page = await desk.window(service, "admin", **LOOKS[look])
    for path in ["/sign-in", *PAGES[service]]:
        if look == "dark" and path not in OTHER_COLOURS:
            continue
        seen = stranger if path == "/sign-in" else page
        await seen.goto(path.format(**paths))
        if look == "dark":
            await accessible(seen, "color-contrast")
        elif look == "light" or path in OTHERS_ON_A_PHONE:
            await accessible(seen)
        assert await seen.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


async def test_what_opens_or_is_refused_in_the_crm_is_accessible(desk: Any, accessible: Any) -> None:
    paths = await crm_records(desk)
    page = await desk.window("crm", "admin")
    await page.goto(f"{paths['account']}/edit")
    await page.get_by_label("Account name").evaluate("field => field.removeAttribute('required')")
    await page.get_by_label("Account name").fill(" ")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await accessible(page)
    await page.goto(paths["account"])
    await page.get_by_role("button", name="Delete").click()
    await accessible(page)
    await page.keyboard.press("Escape")
    for link in ("New contact", "New estimate", "View the PDF of EST-"):
        await page.get_by_role("link", name=link).click()
        await expect(page.get_by_role("dialog").get_by_role("heading", level=1)).to_be_visible()
        await accessible(page)
        await page.keyboard.press("Escape")
    await page.goto("/accounts/import")
    wrong = {"name": "some.csv", "mimeType": "text/csv", "buffer": b'account_name\n" "\n'}
    await page.get_by_label("File").set_input_files(wrong)  # type: ignore[arg-type]
    await page.get_by_role("button", name="Preview").click()
    await expect(page.get_by_text("must not be empty")).to_be_visible()
    await accessible(page)


async def test_what_opens_or_is_refused_in_invoice_is_accessible(desk: Any, accessible: Any) -> None:
    await desk.connect()
    paths = await invoice_records(desk)
    page = await desk.window("invoice", "admin")
    await page.goto("/customers/duplicates")
    await page.get_by_role("link", name="Merge CCC").first.click()
    await accessible(page)
    await page.goto(paths["customer"])
    await page.get_by_role("link", name="Add person").click()
    await expect(page.get_by_role("dialog").get_by_label("Last name")).to_be_visible()
    await accessible(page)
    await page.goto("/imports/new")
    await page.get_by_text("Connect with another key").click()
    form = page.get_by_role("form", name="Connect with another key")
    await form.get_by_label("E-mail").fill("a@example.com")
    await form.get_by_label("ZSC key").fill("zsc_nonsense")
    await form.get_by_role("button", name="Preview").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await accessible(page)
    await page.get_by_role("form", name="Import again").get_by_role("button", name="Preview").click()
    await expect(page.get_by_label("Counts")).to_contain_text("Unchanged")
    await accessible(page)
