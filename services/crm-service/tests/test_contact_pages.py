"""The pages of contacts, as someone with a browser sees them."""

from typing import Any

import pytest

FORM = pytest.mark.parametrize("stack", ["embedded"], indirect=True)


async def test_a_contact_is_made_found_edited_deleted_and_brought_back(crm: Any) -> None:
    account = await crm.account()
    member = await crm.stack.visitor("crm", "member")
    answer = await member.submit(
        "/contacts/new", "/contacts/new", first_name="Maria", last_name="Anders", account_id=account["id"]
    )
    shown = await member.follow(answer)
    assert "Maria Anders was added." in shown.text
    assert "Account Alfreds Futterkiste" in shown.text
    path = answer.leads_to or ""
    listed = await member.get("/contacts?q=and")
    assert "Maria Anders Alfreds Futterkiste" in listed.text
    assert "Nothing found" in (await member.get("/contacts?standalone=true")).text
    alone = await member.follow(await member.submit(f"{path}/edit", f"{path}/edit", account_id="", phone="030"))
    assert "Stands alone" in alone.text
    assert "Maria Anders" in (await member.get("/contacts?q=&standalone=true")).text
    gone = await member.follow(await member.submit(path, f"{path}/delete"))
    assert "No contacts yet" in gone.text
    assert "Maria Anders" in (await member.get("/contacts?deleted=true")).text
    back = await member.follow(await member.submit(gone, f"{path}/restore"))
    assert "Maria Anders is back." in back.text


@FORM
async def test_a_stale_edit_shows_both_versions_and_an_account_that_is_gone_is_refused_at_its_field(crm: Any) -> None:
    account, made = await crm.account(), await crm.contact(phone="1")
    member = await crm.stack.visitor("crm", "member")
    path = f"/contacts/{made['id']}/edit"
    opened = await member.get(path)
    await crm.change(f"contacts/{made['id']}", phone="theirs")
    stale = await member.submit(opened, path, phone="mine")
    assert stale.status == 412
    assert "Phone mine theirs" in stale.text
    await crm.delete(f"accounts/{account['id']}")
    refused = await member.submit(stale, path, account_id=account["id"])
    assert refused.status == 422
    assert "There is no account" in (refused.error("account_id") or "")
    assert (await member.submit(refused, path, account_id="")).status == 303
    assert (await crm.read(f"contacts/{made['id']}"))["phone"] == "mine"


@FORM
async def test_accounts_are_offered_to_choose_from_and_others_are_found(crm: Any) -> None:
    first = await crm.account("The <first> one")
    for number in range(25):
        await crm.account(f"Company {number}")
    member, viewer = await crm.stack.visitor("crm", "member"), await crm.stack.visitor("crm", "viewer")
    assert "The <first> one" not in (await member.get("/contacts/new")).text
    assert "The <first> one" in (await member.get(f"/contacts/new?account_id={first['id']}")).text
    found = await member.get("/accounts/choices?q=fir")
    assert found.text == "The <first> one No account One found", "it stands first, so it is the one chosen"
    newest = (await crm.read("accounts"))["items"][0]
    kept = await member.get(f"/accounts/choices?q=fir&chosen={newest['id']}")
    assert f'value="{newest["id"]}" selected' in kept.html, "a search takes nothing away"
    assert "One found: choose it above" in kept.text
    await viewer.get("/accounts/choices", status=403)


@FORM
async def test_a_viewer_is_offered_nothing_that_they_may_not_do_and_refused_all_of_it(crm: Any) -> None:
    path = f"/contacts/{(await crm.contact())['id']}"
    viewer, member = await crm.stack.visitor("crm", "viewer"), await crm.stack.visitor("crm", "member")
    for page, offers in ((path, ["Edit", "Delete"]), ("/contacts", ["New contact", "Import"])):
        theirs, ours = await viewer.get(page), await member.get(page)
        assert [offer for offer in offers if offer in ours.text] == offers
        assert [offer for offer in offers if offer in theirs.text.replace("Deleted contacts", "")] == []
    token = (await viewer.get(path)).forms[0].fields
    for action in ("/contacts/new", f"{path}/edit", f"{path}/delete", f"{path}/restore"):
        assert (await viewer.post(action, token | {"last_name": "B"})).status == 403
    assert await crm.names("contacts", "version") == [1]
