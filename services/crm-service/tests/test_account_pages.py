"""The pages of accounts, as someone with a browser sees them."""

from typing import Any

import pytest

FORM = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
"""What is only about the form of pages is the same on both set-ups."""


class TestAnAccount:
    async def test_is_created_shown_and_edited(self, crm: Any) -> None:
        member = await crm.stack.visitor("crm", "member")
        answer = await member.submit(
            "/accounts/new", account_name=" Alfreds <Futterkiste> ", billing_address__city="Berlin"
        )
        shown = await member.follow(answer)
        assert "Alfreds <Futterkiste> was created." in shown.text
        assert "<Futterkiste>" not in shown.html, "what people type is text"
        assert "Berlin" in shown.text
        again = await member.get(answer.leads_to or "")
        assert "was created" not in again.text, "it is said once"
        edited = await member.follow(await member.submit(shown.link("Edit"), phone="030-0074321"))
        assert "Saved." in edited.text
        [account] = (await crm.read("accounts"))["items"]
        assert (account["phone"], account["version"], account["billing_address"]["city"]) == (
            "030-0074321",
            2,
            "Berlin",
        )

    async def test_is_deleted_and_brought_back(self, crm: Any) -> None:
        made = await crm.account()
        member = await crm.stack.visitor("crm", "member")
        path = f"/accounts/{made['id']}"
        gone = await member.follow(await member.submit(path, f"{path}/delete"))
        assert "The account was deleted." in gone.text
        assert "No accounts yet" in gone.text
        page = await member.get(path, status=404)
        assert "This was deleted" in page.text
        back = await member.follow(await member.submit(page, f"{path}/restore"))
        assert "Alfreds Futterkiste is back." in back.text
        undone = await member.submit(
            await member.follow(await member.submit(path, f"{path}/delete")), f"{path}/restore"
        )
        assert undone.leads_to == path
        assert await crm.names("accounts", "account_name") == ["Alfreds Futterkiste"]

    async def test_shows_its_contacts(self, crm: Any) -> None:
        made = await crm.account()
        await crm.contact("Anders", first_name="Maria", account_id=made["id"])
        await crm.contact("Sommer")
        shown = await (await crm.stack.visitor("crm", "viewer")).get(f"/accounts/{made['id']}")
        assert "Maria Anders" in shown.text
        assert "Sommer" not in shown.text

    async def test_two_people_editing_at_once_the_second_sees_both_versions(self, crm: Any) -> None:
        made = await crm.account(phone="1", fax="2")
        mine, theirs = await crm.stack.visitor("crm", "member"), await crm.stack.visitor("crm", "admin")
        path = f"/accounts/{made['id']}/edit"
        opened = await mine.get(path)
        await theirs.submit(path, phone="theirs")
        stale = await mine.submit(opened, phone="mine")
        assert stale.status == 412
        assert "Phone mine theirs" in stale.text
        assert (await crm.read(f"accounts/{made['id']}"))["phone"] == "theirs"
        assert (await mine.submit(stale)).status == 303, "sent again, it replaces what was shown beside it"
        assert (await crm.read(f"accounts/{made['id']}"))["phone"] == "mine"
        await crm.delete(f"accounts/{made['id']}")
        assert "This was deleted" in (await mine.submit(opened)).text


@FORM
async def test_a_form_that_is_refused_keeps_what_was_typed_and_marks_the_field(crm: Any) -> None:
    member = await crm.stack.visitor("crm", "member")
    typed = {
        "account_name": "  ",
        "phone": "0" * 51,
        "description": "one\r\ntwo & <three>",
        "billing_address__zip": "x" * 51,
    }
    refused = await member.submit("/accounts/new", **typed)
    assert refused.status == 422
    assert refused.error("account_name") == "Must not be empty"
    assert refused.error("phone") == refused.error("billing_address.zip") == "Must have at most 50 characters"
    assert refused.error("fax") is None
    [form] = [form for form in refused.forms if form.action == "/accounts/new"]
    assert form.fields["description"] == "one\ntwo & <three>"
    assert (form.fields["phone"], form.fields["billing_address.zip"]) == ("0" * 51, "x" * 51)
    assert await crm.names("accounts", "id") == []


@FORM
async def test_a_viewer_is_offered_nothing_that_they_may_not_do_and_refused_all_of_it(crm: Any) -> None:
    made = await crm.account()
    viewer, member = await crm.stack.visitor("crm", "viewer"), await crm.stack.visitor("crm", "member")
    path = f"/accounts/{made['id']}"
    for page, offers in ((path, ["Edit", "Delete"]), ("/accounts", ["New account"])):
        theirs, ours = await viewer.get(page), await member.get(page)
        assert [offer for offer in offers if offer in ours.text] == offers
        assert [offer for offer in offers if offer in theirs.text] == []
    for page in ("/accounts/new", f"{path}/edit"):
        assert "You may not do this" in (await viewer.get(page, status=403)).text
    token = (await viewer.get(path)).forms[0].fields
    for action in ("/accounts/new", f"{path}/edit", f"{path}/delete", f"{path}/restore"):
        assert (await viewer.post(action, token | {"account_name": "B"})).status == 403
    assert await crm.names("accounts", "version") == [1]


class TestTheList:
    async def test_is_searched_and_paged_forth_and_back(self, crm: Any) -> None:
        made = [f"Company {number:03}" for number in range(7)]
        for name in made:
            await crm.account(name)
        viewer = await crm.stack.visitor("crm", "viewer")
        seen, path = [], "/accounts?limit=3&q=comp"
        pages = [path]
        while True:
            page = await viewer.get(path)
            seen += [name for name in reversed(made) if name in page.text]
            if "Next" not in page.text:
                break
            path = page.link("Next")
            pages.append(path)
        assert seen == made[::-1]
        assert len(pages) == 3
        assert page.link("Previous") == pages[1]
        assert (await viewer.get(page.link("Previous"))).link("Previous") == pages[0]
        assert "Nothing found" in (await viewer.get("/accounts?q=other")).text
        assert "does not belong" not in (await viewer.get("/accounts?cursor=nonsense", status=400)).text
