"""The pages of potentials, as someone with a browser sees them."""

import re
from typing import Any

import pytest

from tests.visitor import Sheet

FORM = pytest.mark.parametrize("stack", ["embedded"], indirect=True)


def lane(page: Sheet, stage: str) -> str:
    """The words of this stage's part of the board."""
    found = re.search(rf'<section class="lane [a-z]+" data-stage="{stage}".*?</section>', page.html, re.S)
    assert found
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", found.group(0))).strip()


async def test_a_potential_is_made_found_edited_deleted_and_brought_back(crm: Any) -> None:
    account = await crm.account()
    contact = await crm.contact(account_id=account["id"])
    member = await crm.stack.visitor("crm", "member")
    new = f"/potentials/new?account_id={account['id']}&contact_id={contact['id']}"
    answer = await member.submit(
        new, "/potentials/new", potential_name="Order <1>", amount="1250.50", currency_code="EUR"
    )
    shown = await member.follow(answer)
    assert "Order <1> was created." in shown.text
    for fact in ("Stage Qualification", "Amount €1,250.50", "Account Alfreds Futterkiste", "Contact Anders"):
        assert fact in shown.text
    path = answer.leads_to or ""
    for of in (f"/accounts/{account['id']}", f"/contacts/{contact['id']}"):
        assert "Order <1>" in (await member.get(of)).text
    for query in ("q=ord", "status=open&stage=", "stage=Qualification", f"account_id={account['id']}"):
        assert "€1,250.50" in (await member.get(f"/potentials?{query}")).text
    for query in ("q=other", "status=won", "stage=Closed+Won"):
        assert "Nothing found" in (await member.get(f"/potentials?{query}")).text
    await member.get("/potentials?stage=Nowhere", status=422)
    edited = await member.submit(f"{path}/edit", f"{path}/edit", stage="Closed Won", amount="")
    assert "Stage Closed Won" in (await member.follow(edited)).text
    gone = await member.follow(await member.submit(path, f"{path}/delete"))
    assert "No potentials yet" in gone.text
    assert "Order <1> is back." in (await member.follow(await member.submit(gone, f"{path}/restore"))).text


@FORM
async def test_a_form_that_is_refused_says_why_at_its_field_and_a_stale_one_shows_both_versions(crm: Any) -> None:
    made = await crm.potential(amount="10", currency_code="JPY")
    member = await crm.stack.visitor("crm", "member")
    path = f"/potentials/{made['id']}/edit"
    opened = await member.get(path)
    refused = await member.submit(opened, path, amount="1.005", closing_date="tomorrow", contact_id="x")
    assert refused.status == 422
    assert refused.error("closing_date")
    refused = await member.submit(opened, path, amount="1.005")
    assert "JPY" in (refused.error("amount") or "")
    await crm.change(f"potentials/{made['id']}", amount="20")
    stale = await member.submit(opened, path, amount="30")
    assert stale.status == 412
    assert "Amount 30 20" in stale.text
    assert (await member.submit(stale, path)).status == 303


class TestTheBoard:
    async def test_has_a_lane_for_each_stage_with_its_sums(self, crm: Any) -> None:
        for number in range(22):
            await crm.potential(f"Order {number}", amount="10.25", currency_code="USD")
        await crm.potential("In euros", amount="7", currency_code="EUR", stage="Closed Won")
        await crm.potential("Of no amount", stage="Closed Won")
        await crm.delete(f"potentials/{(await crm.potential('Deleted', amount='1000'))['id']}")
        board = await (await crm.stack.visitor("crm", "viewer")).get("/potentials/board")
        first = lane(board, "Qualification")
        assert first.startswith("Qualification 22 $225.50 Order 21 $10.25 Order 20")
        assert first.endswith("2 more"), "a lane is bounded"
        won = lane(board, "Closed Won")
        assert won == "Closed Won 2 €7.00 Of no amount In euros €7.00"
        assert "Nothing here" in lane(board, "Closed Lost")

    async def test_a_potential_is_moved_and_who_is_late_is_told(self, crm: Any) -> None:
        made = await crm.potential(amount="5", currency_code="USD")
        member = await crm.stack.visitor("crm", "member")
        path = f"/potentials/{made['id']}/move"
        opened = await member.get(path)
        moved = await member.follow(await member.submit(opened, path, stage="Closed Won"))
        assert "Order 10643 is in Closed Won now." in moved.text
        assert "Order 10643" in lane(await member.get("/potentials/board"), "Closed Won")
        late = await member.submit(opened, path, stage="Closed Lost")
        assert late.status == 412
        assert "Someone else has changed this meanwhile" in late.text
        assert (await crm.read(f"potentials/{made['id']}"))["stage"] == "Closed Won"
        assert (await member.submit(late, path, stage="Closed Lost")).status == 303
        assert (await member.submit(path, path, stage="Nowhere")).status == 422


@FORM
async def test_a_viewer_is_offered_nothing_that_they_may_not_do_and_refused_all_of_it(crm: Any) -> None:
    path = f"/potentials/{(await crm.potential())['id']}"
    viewer, member = await crm.stack.visitor("crm", "viewer"), await crm.stack.visitor("crm", "member")
    offered = ((path, ["Edit", "Delete", "Move"]), ("/potentials", ["New potential"]), ("/potentials/board", ["Move"]))
    for page, offers in offered:
        theirs, ours = await viewer.get(page), await member.get(page)
        assert [offer for offer in offers if offer in ours.text] == offers
        assert [offer for offer in offers if offer in theirs.text.replace("Deleted potentials", "")] == []
    assert 'draggable="true"' not in (await viewer.get("/potentials/board")).html
    token = (await viewer.get(path)).forms[0].fields
    for action in ("/potentials/new", f"{path}/edit", f"{path}/move", f"{path}/delete", f"{path}/restore"):
        assert (await viewer.post(action, token | {"potential_name": "B", "stage": "Closed Won"})).status == 403
    assert await crm.names("potentials", "version") == [1]
