"""Stories of a page that stays open while others work: it keeps up, and takes nothing from under anyone's hands."""

import asyncio
from typing import Any

from playwright.async_api import Page, expect


async def made(desk: Any, kind: str, **body: Any) -> dict[str, Any]:
    """What a colleague has made."""
    answer = await (await desk.api("crm")).post(f"/v1/{kind}", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def show(page: Page, *, shown: bool) -> None:
    """What a browser tells a page when one turns to another tab, or back: without a window all are shown."""
    await page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        not shown,
    )


async def test_many_tabs_can_be_open_and_one_that_was_out_of_sight_has_caught_up(desk: Any) -> None:
    first = await desk.window("crm", "member")
    await first.goto("/accounts")
    await show(first, shown=False)
    await made(desk, "accounts", account_name="Made out of sight")
    for _ in range(7):  # browsers have six connections to one host
        another = await first.context.new_page()
        await another.goto("/accounts")
        await show(another, shown=False)
    await show(first, shown=True)
    await expect(first.get_by_role("link", name="Made out of sight")).to_be_visible()


async def test_a_page_keeps_up_after_the_service_was_away_for_a_moment(desk: Any) -> None:
    page = await desk.window("crm", "member")
    await page.route("**/live?*", lambda route: route.fulfill(status=503), times=2)
    await page.goto("/accounts")
    await made(desk, "accounts", account_name="Made after it was away")
    await expect(page.get_by_role("link", name="Made after it was away")).to_be_visible()
    desk.complaints.clear()  # the browser's word that it was answered 503


async def test_while_parts_of_a_page_cannot_be_fetched_it_says_so_once_and_catches_up_later(desk: Any) -> None:
    page = await desk.window("crm", "member")
    await page.goto("/accounts")
    notice = '<div class="toast bad"><p>Not available right now.</p></div>'
    to_toasts = {"HX-Retarget": "global #toasts", "HX-Reswap": "beforeend", "HX-Reselect": ".toast"}
    asked: list[str] = []

    async def away(route: Any) -> None:
        asked.append(route.request.url)
        await route.fulfill(status=503, body=notice, headers=to_toasts, content_type="text/html")

    await page.route("**/accounts", away)
    await made(desk, "accounts", account_name="Made while it was away")
    await expect(page.locator("#toasts .bad")).to_be_visible()
    async with asyncio.timeout(15):
        while len(asked) < 3:
            await asyncio.sleep(0.1)
    await expect(page.locator("#toasts .bad")).to_have_count(1)
    await page.unroute("**/accounts")
    await expect(page.get_by_role("link", name="Made while it was away")).to_be_visible()
    desk.complaints.clear()


async def test_the_focus_stays_where_it_is_when_a_page_catches_up(desk: Any) -> None:
    one = await made(desk, "potentials", potential_name="In focus", amount="1")
    page = await desk.window("crm", "member")
    await page.goto(f"/potentials/{one['id']}")
    edit = page.get_by_role("link", name="Edit")
    await edit.focus()
    api = await desk.api("crm")
    await api.patch(f"/v1/potentials/{one['id']}", json={"amount": "777"}, headers={"If-Match": '"1"'})
    await expect(page.get_by_text("777").first).to_be_visible()
    await expect(edit).to_be_focused()


async def test_what_is_typed_in_a_pop_up_is_not_lost_by_a_slip(desk: Any) -> None:
    one = await made(desk, "potentials", potential_name="Slippery")
    page = await desk.window("crm", "member")
    await page.goto(f"/potentials/{one['id']}")
    await page.get_by_role("link", name="Edit").first.click()
    popup = page.locator("#popup")
    name = popup.get_by_label("Potential name")
    box = await name.bounding_box()
    await page.mouse.move(box["x"] + 30, box["y"] + 10)
    await page.mouse.down()
    await page.mouse.move(5, box["y"] + 10, steps=5)
    await page.mouse.up()
    await expect(popup).to_be_visible()
    await name.fill("Typed for long")
    asked: list[str] = []

    async def answer(dialog: Any) -> None:
        asked.append(dialog.message)
        await (dialog.accept() if len(asked) == 3 else dialog.dismiss())

    page.on("dialog", answer)
    await page.keyboard.press("Escape")
    await page.mouse.click(5, 5)
    await expect(name).to_have_value("Typed for long")
    await page.keyboard.press("Escape")
    await expect(popup).to_be_hidden()
    assert asked == ["Close this and lose what you typed?"] * 3
    await page.get_by_role("link", name="Edit").first.click()
    await expect(name).to_have_value("Slippery")
    await page.keyboard.press("Escape")
    await expect(popup).to_be_hidden()


async def test_a_form_is_sent_once_however_often_one_clicks_and_again_after_it_was_refused(desk: Any) -> None:
    page = await desk.window("crm", "member")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    await page.goto("/potentials")
    await page.get_by_role("link", name="New potential").first.click()
    popup = page.locator("#popup")
    await popup.get_by_label("Potential name").fill("Clicked twice")
    await popup.get_by_label("Amount").fill("much")
    create = popup.get_by_role("button", name="Create").last
    await create.dblclick()
    await expect(popup.get_by_role("alert")).to_be_focused()
    assert len(sent) == 1
    await popup.get_by_label("Amount").fill("5")
    await create.dblclick()
    await expect(popup).to_be_hidden()
    assert len(sent) == 2
    await page.goto("/accounts/new")
    await page.get_by_label("Account name").fill("Clicked twice, too")
    await page.get_by_role("button", name="Create").last.dblclick()
    await expect(page.get_by_role("heading", name="Clicked twice, too")).to_be_visible()
    assert len(sent) == 3
