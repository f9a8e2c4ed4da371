"""Signing in and out with a browser, and what pages refuse whoever did not."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from servicekit.identity.attempts import AT_MOST
from servicekit.identity.service import create_user, edit_user, find_user

from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
PASSWORD = "a password, long enough"


@pytest.fixture
async def stranger(crm: Any) -> AsyncIterator[Visitor]:
    """A browser that nobody has signed in with; there is a member maria@example.com."""
    await create_user(
        crm.stack.database("crm"), email="maria@example.com", password=PASSWORD, role="member", name="Maria"
    )
    return Visitor(crm.stack.anonymous("crm"))


async def test_one_signs_in_comes_back_to_where_one_was_and_signs_out(crm: Any, stranger: Visitor) -> None:
    client = stranger.client
    turned_away = await client.get("/accounts?q=a+b")
    assert turned_away.headers["location"] == "/sign-in?next=/accounts%3Fq%3Da%2Bb"
    wrong = await stranger.submit(
        turned_away.headers["location"], email="Maria@example.com", password="no, not it at all"
    )
    assert wrong.status == 401
    assert "E-mail or password is wrong" in wrong.text
    assert wrong.forms[0].fields["email"] == "Maria@example.com"
    assert "no, not it at all" not in wrong.html
    right = await stranger.submit(wrong, password=PASSWORD)
    assert right.leads_to == "/accounts?q=a+b"
    cookie = next(each for each in right.response.headers.get_list("set-cookie") if each.startswith("crm_session="))
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    page = await stranger.get("/accounts")
    assert "Maria" in page.text
    assert (await client.get("/v1/accounts")).status_code == 401, "the API takes no cookies"
    kept = client.cookies["crm_session"]
    out = await stranger.submit(page, "/sign-out")
    assert out.leads_to == "/sign-in"
    client.cookies.set("crm_session", kept)
    assert (await client.get("/accounts")).status_code == 303, "the cookie is worth nothing any more"


async def test_signing_out_ends_what_tells_this_browser_of_changes(crm: Any, stranger: Visitor) -> None:
    await stranger.submit("/sign-in", email="maria@example.com", password=PASSWORD)
    page = await stranger.get("/accounts")
    told = asyncio.create_task(stranger.client.get("/live?at=accounts=seen-long-ago"))
    await asyncio.sleep(0.5)
    await stranger.submit(page, "/sign-out")
    async with asyncio.timeout(10):
        assert (await told).text.endswith("event: over\ndata: signed out\n\n")
    nobody = await stranger.client.get("/live?at=accounts=seen-long-ago")
    assert nobody.text == "event: over\ndata: signed out\n\n"


async def test_behind_tls_the_cookie_goes_over_tls_alone(stranger: Visitor) -> None:
    sheet = await stranger.get("/sign-in")
    fields = sheet.forms[0].fields | {"email": "maria@example.com", "password": PASSWORD}
    answer = await stranger.post("/sign-in", fields, **{"X-Forwarded-Proto": "https"})
    assert all("Secure" in each for each in answer.response.headers.get_list("set-cookie"))


async def test_who_is_deactivated_or_gets_a_new_password_is_out_at_once(crm: Any, stranger: Visitor) -> None:
    database = crm.stack.database("crm")
    for change in ({"is_active": False}, {"password": "another one, also long"}):
        member = await crm.stack.visitor("crm", "member")
        await crm.stack.visitor("crm", "admin")
        page = await member.get("/accounts")
        assert "Accounts" in page.text
        async with database.reading() as session:
            user = await find_user(session, "member@crm.test")
        assert user is not None
        await edit_user(database, user.id, change)
        assert (await member.client.get("/accounts")).status_code == 303
        await edit_user(database, user.id, {"is_active": True})
        assert (await member.client.get("/accounts")).status_code == 303, "and does not come back by itself"


async def test_guessing_is_slowed_down_and_says_for_how_long(crm: Any, stranger: Visitor) -> None:
    for _ in range(AT_MOST["both"]):
        assert (await stranger.submit("/sign-in", email="nobody@example.com", password="guess")).status == 401
    page = await stranger.submit("/sign-in", email="nobody@example.com", password="guess")
    assert page.status == 429
    assert "try again in 15 minutes" in page.text
    assert int(page.response.headers["retry-after"]) > 0
    refused = await stranger.client.post("/v1/tokens", json={"email": "nobody@example.com", "password": "guess"})
    crm.refused(refused, 429, "too_many_sign_ins")
    assert (await stranger.submit("/sign-in", email="maria@example.com", password=PASSWORD)).status == 303


async def test_guesses_sent_all_at_once_are_no_more_than_one_after_another(stranger: Visitor) -> None:
    page = await stranger.get("/sign-in")
    guesses = [stranger.submit(page, email="maria@example.com", password=f"guess {number}") for number in range(12)]
    answers = [answer.status for answer in await asyncio.gather(*guesses)]
    assert (answers.count(401), answers.count(429)) == (AT_MOST["both"], 12 - AT_MOST["both"])


async def test_a_form_outlives_signing_in_again(crm: Any, stranger: Visitor) -> None:
    signed_in = {"email": "maria@example.com", "password": PASSWORD}
    await stranger.submit("/sign-in", **signed_in)
    form = await stranger.get("/accounts/new")
    await stranger.submit(form, "/sign-out")
    await stranger.submit("/sign-in", **signed_in)
    assert (await stranger.submit(form, account_name="Typed before")).status == 303
    assert await crm.names("accounts", "account_name") == ["Typed before"]


async def test_one_is_led_back_to_an_address_in_any_letters(stranger: Visitor) -> None:
    turned_away = await stranger.client.get("/accounts/漢")
    back = await stranger.submit(turned_away.headers["location"], email="maria@example.com", password=PASSWORD)
    assert back.leads_to == "/accounts/%E6%BC%A2"
    assert "There is nothing here" in (await stranger.get(back.leads_to, status=404)).text


class TestNobodyElsesPage:
    """Makes a browser act here."""

    async def test_without_the_token_or_from_elsewhere_nothing_is_done(self, crm: Any) -> None:
        member, other = await crm.stack.visitor("crm", "member"), await crm.stack.visitor("crm", "admin")
        fields = (await member.get("/accounts/new")).forms[-1].fields | {"account_name": "A"}
        theirs = (await other.get("/accounts/new")).forms[-1].fields
        attempts: list[tuple[dict[str, str], dict[str, str]]] = [
            (fields | {"csrf_token": ""}, {}),
            (fields | {"csrf_token": theirs["csrf_token"]}, {}),
            (fields, {"Sec-Fetch-Site": "cross-site"}),
            (fields, {"Sec-Fetch-Site": "same-site"}),
        ]
        for sent, headers in attempts:
            refused = await member.post("/accounts/new", sent, **headers)
            assert refused.status == 403, (sent, headers)
        for origin in ("https://evil.example", "null", "http://crm.test:8002"):
            response = await member.client.post("/accounts/new", data=fields, headers={"Origin": origin})
            assert response.status_code == 403, origin
        assert await crm.names("accounts", "id") == []
        response = await member.client.post("/accounts/new", data=fields, headers={"Origin": "http://crm.test"})
        assert response.status_code == 303

    async def test_signs_someone_in_as_someone_else(self, stranger: Visitor) -> None:
        fields = {"email": "maria@example.com", "password": PASSWORD}
        assert (await stranger.post("/sign-in", fields)).status == 403

    async def test_shows_loads_or_runs_anything_here(self, crm: Any) -> None:
        page = (await (await crm.stack.visitor("crm", "viewer")).get("/accounts")).response
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'self'" in policy
        assert page.headers["cache-control"] == "no-store"
        assert "<script>" not in page.text
        assert " style=" not in page.text
        assert " onclick=" not in page.text


async def test_a_part_of_a_page_is_led_to_the_sign_in_as_a_whole(stranger: Visitor) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://crm.test/accounts?q=x"}
    response = await stranger.client.get("/accounts/1", headers=headers)
    assert response.headers["hx-redirect"] == "/sign-in?next=/accounts%3Fq%3Dx"
    headers["HX-Current-URL"] = "https://evil.example/accounts"
    assert (await stranger.client.get("/accounts/1", headers=headers)).headers["hx-redirect"] == "/sign-in"


async def test_what_goes_wrong_is_a_calm_page_and_within_a_page_a_notice(crm: Any) -> None:
    viewer = await crm.stack.visitor("crm", "viewer", language="de")
    page = await viewer.get("/nowhere", status=404)
    assert "There is nothing here" in page.text
    notice = await viewer.get("/accounts/1", status=404, **{"HX-Request": "true"})
    assert notice.response.headers["hx-retarget"] == "global #toasts"
    assert "<html" not in notice.html
    crm.refused(await crm.member.get("/v1/nowhere"), 404, "not_found")


async def test_files_of_pages_have_names_that_change_with_them_and_are_kept_for_long(
    crm: Any, stranger: Visitor
) -> None:
    html = (await stranger.get("/sign-in")).html
    files = re.findall(r'(?:href|src)="(/static/[^"]*)"', html)
    assert len(files) >= 4
    for file in files:
        response = await stranger.client.get(file)
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]
    assert (await stranger.client.get("/static/pages/other.css")).status_code == 404
