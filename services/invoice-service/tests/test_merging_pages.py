"""Finding duplicates, merging and undoing, as someone with a browser sees it."""

from typing import Any


async def test_s29_duplicates_are_found_looked_at_merged_and_made_two_again(invoice: Any) -> None:
    first = await invoice.customer("Alfreds Futterkiste", phone="030-0074321")
    second = await invoice.customer("ALFREDS Futterkiste", contact_persons=[{"last_name": "Anders"}])
    await invoice.bill(second["id"])
    await invoice.customer("Berglund")
    member = await invoice.stack.visitor("invoice", "member")
    listed = await member.get("/customers/duplicates")
    assert "ALFREDS Futterkiste" in listed.text
    assert "Berglund" not in listed.text
    preview = await member.get(listed.link("Merge"))
    assert "Merge into Alfreds Futterkiste?" in preview.text
    assert "Invoices 1" in preview.text
    assert "Contact persons 1" in preview.text
    assert len(await invoice.customers()) == 3, "a preview changes nothing"
    merged = await member.follow(await member.submit(preview))
    assert "ALFREDS Futterkiste was merged into Alfreds Futterkiste." in merged.text
    assert "Anders" in merged.text
    assert len(await invoice.customers()) == 2
    led = await member.follow(await member.get(f"/customers/{second['id']}", status=303))
    assert "The customer was merged: it is Alfreds Futterkiste now." in led.text
    undo = next(form.action for form in merged.forms if form.action.endswith("/undo"))
    apart = await member.follow(await member.submit(merged, undo))
    assert "ALFREDS Futterkiste is a customer of its own again." in apart.text
    assert "Undone" in (await member.get(f"/customers/{first['id']}")).text
    assert len(await invoice.customers()) == 3


async def test_s29_what_cannot_be_merged_says_why_and_offers_no_button(invoice: Any) -> None:
    one, _ = await invoice.customer("One"), await invoice.customer("Other", currency_code="EUR")
    member = await invoice.stack.visitor("invoice", "member")
    chosen = await member.get(f"/customers/{one['id']}/merge")
    assert "Other" in chosen.text
    refused = await member.get(chosen.link("Other"), status=409)
    assert "only customers with the same currency can be merged" in refused.text
    assert "Side by side" in refused.text
    assert '<button class="button primary">Merge</button>' not in refused.html
    stale = await invoice.customer("Third")
    preview = await member.get(f"/customers/{one['id']}/merge?into={stale['id']}")
    await invoice.admin.patch(f"/v1/customers/{one['id']}", json={"phone": "1"})
    assert (await member.submit(preview)).status == 412
    assert len(await invoice.customers()) == 3
    viewer = await invoice.stack.visitor("invoice", "viewer")
    assert "You may not do this" in (await viewer.get(f"/customers/{one['id']}/merge", status=403)).text
    assert "nothing here" in (await member.get(f"/customers/{one['id']}/merge?into=nobody", status=404)).text
