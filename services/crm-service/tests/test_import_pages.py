"""Importing records on a page, and the first page, as someone with a browser sees them."""

from typing import Any

import pytest

from tests.visitor import Sheet, Visitor


async def send(visitor: Visitor, path: str, text: str | None, go: str) -> Sheet:
    """Choose a file with this text, and press a button."""
    token = next(form for form in (await visitor.get(path)).forms if form.action == path).fields["csrf_token"]
    return Sheet(
        await visitor.client.post(
            path,
            data={"csrf_token": token, "go": go},
            files={"file": ("some.csv", text, "text/csv")} if text is not None else {"other": ("", b"")},
            headers={"Sec-Fetch-Site": "same-origin"},
        )
    )


async def test_a_file_is_previewed_and_then_imported(crm: Any) -> None:
    member = await crm.stack.visitor("crm", "member")
    text = "account_name,billing_address.city\nAlfreds <Futterkiste>,Berlin\nAround the Horn,London\n"
    looked = await send(member, "/accounts/import", text, "preview")
    assert "2 accounts would be created." in looked.text
    assert "Line 2 account_name Alfreds <Futterkiste> billing_address.city Berlin" in looked.text
    assert await crm.names("accounts", "id") == [], "a preview does nothing"
    done = await member.follow(await send(member, "/accounts/import", text, "import"))
    assert "2 accounts were imported." in done.text
    people = "last_name,account_name\nHardy,Around the Horn\n"
    assert (await send(member, "/contacts/import", people, "import")).leads_to == "/contacts"
    deals = "potential_name,amount,currency_code\nOrder 1,10.50,USD\n"
    assert (await send(member, "/potentials/import", deals, "import")).leads_to == "/potentials"
    assert await crm.names("potentials", "potential_name") == ["Order 1"]


@pytest.mark.parametrize("stack", ["embedded"], indirect=True)
async def test_what_is_wrong_is_told_row_by_row_and_nothing_is_imported(crm: Any) -> None:
    member, viewer = await crm.stack.visitor("crm", "member"), await crm.stack.visitor("crm", "viewer")
    text = "last_name,account_name\nHardy,Nobody\n,\nAnders,\n"
    for go, said in (("preview", "This could not be imported as it is."), ("import", "Nothing was imported.")):
        refused = await send(member, "/contacts/import", text, go)
        assert f"{said} 2 faults in 3 rows" in refused.text
        assert "2 account_name there is no account named 'Nobody'" in refused.text
        assert "3 last_name must not be empty" in refused.text
    assert await crm.names("contacts", "id") == []
    wrong = await send(member, "/contacts/import", "nonsense\n1\n", "preview")
    assert wrong.status == 422
    assert "The header (line 1): unknown column 'nonsense'" in wrong.text
    assert "Choose a CSV file" in (await send(member, "/contacts/import", None, "preview")).text
    await viewer.get("/contacts/import", status=403)
    assert "Import" not in (await viewer.get("/contacts")).text


async def test_the_first_page_shows_what_is_open_and_what_changed_last(crm: Any) -> None:
    viewer = await crm.stack.visitor("crm", "viewer")
    empty = await viewer.get("/home")
    assert "No open potentials" in empty.text
    assert "New potential" not in empty.text
    for number in range(1, 3):
        for _ in range(6):
            await crm.potential(amount="10.50", currency_code="EUR")
            await crm.potential("Also open", amount="1", currency_code="USD", stage="Needs Analysis")
        await crm.potential("Done", amount="1000", currency_code="EUR", stage="Closed Won")
        await crm.account(f"Account {number}")
        await crm.contact("Anders", first_name="Maria")
    shown = await viewer.get("/home")
    assert "Open 24 In EUR €126.00 In USD $12.00" in shown.text
    assert "Needs Analysis 12 $12.00" in shown.text
    assert "Changed last Maria Anders Contact" in shown.text
