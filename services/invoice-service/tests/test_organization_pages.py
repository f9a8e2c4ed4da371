"""Several organizations in one Invoice: pages are about the one that was chosen."""

from typing import Any


async def test_another_organization_is_added_and_all_pages_are_about_the_chosen_one(invoice: Any) -> None:
    await invoice.bill((await invoice.customer("Alfreds Futterkiste"))["id"])
    admin, viewer = [await invoice.stack.visitor("invoice", role) for role in ("admin", "viewer")]
    await admin.follow(await admin.submit("/settings", name="Head Office"))
    form = await admin.get("/organizations")
    refused = await admin.submit(form, "/organizations", name="Süd & Co", currency_code="NONE")
    assert refused.status == 422
    assert "Süd & Co" in refused.html.replace("&amp;", "&"), "what was typed stays"
    added = await admin.follow(await admin.submit(refused, "/organizations", currency_code="EUR"))
    assert "Süd & Co was added; all pages are about it now." in added.text
    assert "Invoice Süd & Co" in added.text
    assert "Alfreds" not in (await admin.get("/customers")).text
    assert "INV-" not in (await admin.get("/invoices")).text
    await admin.follow(await admin.submit("/items/new", name="Chai", rate="18"))
    assert "€18.00" in (await admin.get("/items")).text, "its items are in its currency"
    assert "Alfreds" in (await viewer.get("/customers")).text, "what one chooses is one's own"

    renamed = await admin.follow(await admin.submit("/settings", name="Süd"))
    assert "Invoice Süd Home" in renamed.text
    listed = await admin.get("/organizations")
    [to_head_office] = [form.action for form in listed.forms if form.action.endswith("/choose")]
    back = await admin.follow(await admin.submit(listed, to_head_office))
    assert "Head Office" in back.text
    assert "Alfreds" in (await admin.get("/customers")).text
    assert "Chai" not in (await admin.get("/items")).text


async def test_a_choice_that_is_there_no_more_is_none(invoice: Any) -> None:
    await invoice.customer("Alfreds Futterkiste")
    viewer = await invoice.stack.visitor("invoice", "viewer")
    viewer.client.cookies.set("invoice_organization", "gone.Gone")
    assert "Alfreds" in (await viewer.get("/customers")).text
    token = (await viewer.get("/organizations")).forms[0].fields
    assert (await viewer.post("/organizations/gone/choose", token)).status == 404
