"""A form that is sent twice, as by a double click, is carried out once."""

import asyncio
from typing import Any

FORMS = [
    ("accounts", {"account_name": "Twice"}),
    ("contacts", {"last_name": "Twice"}),
    ("potentials", {"potential_name": "Twice"}),
]


async def test_two_clicks_make_one_record_and_both_lead_to_it(crm: Any) -> None:
    member = await crm.stack.visitor("crm", "member")
    for plural, typed in FORMS:
        form = await member.get(f"/{plural}/new")
        first, second = await asyncio.gather(
            member.submit(form, f"/{plural}/new", **typed), member.submit(form, f"/{plural}/new", **typed)
        )
        [made] = (await crm.read(plural))["items"]
        assert {first.leads_to, second.leads_to} == {f"/{plural}/{made['id']}"}
        assert "Twice was" in (await member.follow(second)).text
        refused = await member.submit(form, f"/{plural}/new", **dict.fromkeys(typed, " "))
        assert refused.status == 422
        other = await member.submit(form, f"/{plural}/new", **dict.fromkeys(typed, "Typed after going back"))
        assert other.leads_to != first.leads_to, "something else was meant"


async def test_a_file_is_imported_once(crm: Any) -> None:
    member = await crm.stack.visitor("crm", "member")
    [form] = [each for each in (await member.get("/accounts/import")).forms if each.action != "/sign-out"]
    headers = {"Sec-Fetch-Site": "same-origin"}
    for _ in range(2):
        answer = await member.client.post(
            "/accounts/import",
            data=form.fields | {"go": "import"},
            files={"file": ("accounts.csv", b"account_name\nTwice\n", "text/csv")},
            headers=headers,
        )
        assert answer.headers["location"] == "/accounts"
    assert await crm.names("accounts", "account_name") == ["Twice"]
