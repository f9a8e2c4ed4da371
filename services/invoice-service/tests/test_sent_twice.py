"""A form that is sent twice, as by a double click, is carried out once: nobody pays twice."""

import asyncio

from tests.mailing import Mailing, invoice_settings, mail_server, mailing, postman
from tests.visitor import Sheet, Visitor

__all__ = ["invoice_settings", "mail_server", "mailing", "postman"]


async def twice(member: Visitor, path: str, **typed: str) -> Sheet:
    """The answer to the form at ``path``, which both sendings of it got."""
    form = await member.get(path)
    action = path.partition("?")[0]
    first, second = await asyncio.gather(member.submit(form, action, **typed), member.submit(form, action, **typed))
    assert first.status == second.status == 303, (first.text, second.text)
    assert first.leads_to == second.leads_to
    return second


async def test_two_clicks_make_one_customer_item_document_payment_and_email(mailing: Mailing) -> None:
    invoice = mailing.invoice
    member = await invoice.stack.visitor("invoice", "member")
    await twice(member, "/customers/new", customer_name="Twice")
    [customer] = await invoice.customers()
    await twice(member, "/items/new", name="Chai", rate="18")
    assert len((await invoice.admin.get("/v1/items")).json()["items"]) == 1
    line = {"line_items__0__name": "Chai", "line_items__0__rate": "18"}
    for kind in ("estimates", "invoices"):
        made = await twice(member, f"/{kind}/new?customer_id={customer['id']}", **line)
        [document] = (await invoice.admin.get(f"/v1/{kind}")).json()["items"]
        assert made.leads_to == f"/{kind}/{document['id']}"
    path = f"/invoices/{document['id']}"
    await twice(member, f"{path}/send", to="maria@example.com")
    assert len((await invoice.admin.get("/v1/deliveries")).json()["items"]) == 1
    await twice(member, f"{path}/payments/new", amount="5")
    assert (await invoice.shown("invoices", document["id"]))["balance"] == "13.00"
