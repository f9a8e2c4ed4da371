"""Writing estimates and invoices in a browser's form."""

import re
from typing import Any

import pytest

from tests.statements import counted

FORM = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
"""What is only about the form of pages is the same on both set-ups."""

LINE = {"line_items__0__name": "Chai", "line_items__0__rate": "18", "line_items__0__tax_percentage": "19"}


async def test_an_estimate_is_written_for_a_customer_who_was_looked_for(invoice: Any) -> None:
    customer = await invoice.customer("Around the Horn")
    await invoice.customer("Blauer See")
    member = await invoice.stack.visitor("invoice", "member")
    found = await member.get("/estimates/new?q=horn")
    assert "Blauer See" not in found.text
    typed = {"line_items__0__quantity": "2", "discount_percentage": "10", "expiry_date": "2999-01-01"}
    answer = await member.submit(found.link("Around the Horn"), "/estimates/new", **LINE, **typed)
    shown = await member.follow(answer)
    assert "EST-000001 was created." in shown.text
    [made] = (await invoice.admin.get("/v1/estimates")).json()["items"]
    assert (made["customer_id"], made["total"], made["expiry_date"]) == (customer["id"], "38.56", "2999-01-01")


async def test_an_invoice_is_due_by_terms_until_someone_says_when(invoice: Any) -> None:
    customer = await invoice.customer(payment_terms=30)
    member = await invoice.stack.visitor("invoice", "member")
    begun = f"/invoices/new?customer_id={customer['id']}"
    answer = await member.submit(begun, "/invoices/new", date="2026-01-01", **LINE)
    path = answer.leads_to
    id_ = path.rpartition("/")[2]
    assert (await invoice.shown("invoices", id_))["due_date"] == "2026-01-31"
    await member.submit(f"{path}/edit", f"{path}/edit", date="2026-01-11")
    moved = await invoice.shown("invoices", id_)
    assert (moved["due_date"], moved["payment_terms"]) == ("2026-02-10", 30)
    await member.submit(f"{path}/edit", f"{path}/edit", due_date="2026-03-01")
    said = await invoice.shown("invoices", id_)
    assert (said["due_date"], said["payment_terms"]) == ("2026-03-01", None)
    assert said["version"] == 3
    unchanged = await member.follow(await member.submit(f"{path}/edit", f"{path}/edit"))
    assert "Saved." in unchanged.text
    assert (await invoice.shown("invoices", id_))["version"] == 3, "nothing was changed"


@FORM
class TestTheForm:
    async def test_takes_lines_from_items_and_lets_go_of_them(self, invoice: Any) -> None:
        customer = await invoice.customer()
        body = {"name": "Konbu <kelp>", "rate": "6.125", "unit": "bag", "tax_percentage": "7"}
        item = (await invoice.admin.post("/v1/items", json=body)).json()
        member = await invoice.stack.visitor("invoice", "member")
        begun = await member.get(f"/estimates/new?customer_id={customer['id']}")
        assert "Konbu <kelp>" in begun.text
        assert "Nothing" not in begun.text

        async def press(sheet: Any, button: str, **fields: str) -> Any:
            [form] = [form for form in sheet.forms if form.action == "/estimates/new"]
            names = {name.replace("__", "."): text for name, text in fields.items()}
            return await member.post("/estimates/draft", form.fields | names | {"do": button})

        more = await press(begun, "add", **LINE)
        assert "Line 2" in more.text
        picked = await press(more, f"item.{item['id']}")
        [form] = [form for form in picked.forms if form.action == "/estimates/new"]
        assert [form.fields[f"line_items.{row}.name"] for row in (0, 1)] == ["Chai", "Konbu <kelp>"]
        assert form.fields["line_items.1.rate"] == "6.125"
        assert "Line 3" not in picked.text, "the empty one was filled"
        assert "$27.98" in picked.text, "18 and 19 %, 6.13 and 7 %"
        left = await press(picked, "remove.0")
        assert "$6.56" in left.text
        assert (await invoice.admin.get("/v1/estimates")).json()["items"] == []
        await member.submit(left, "/estimates/new")
        [made] = (await invoice.admin.get("/v1/estimates")).json()["items"]
        [line] = (await invoice.shown("estimates", made["id"]))["line_items"]
        assert (line["item_id"], line["unit"], line["item_total"]) == (item["id"], "bag", "6.13")

    async def test_says_what_has_been_typed_comes_to(self, invoice: Any) -> None:
        customer = await invoice.customer()
        member = await invoice.stack.visitor("invoice", "member", language="de-DE")
        token = (await member.get(f"/invoices/new?customer_id={customer['id']}")).forms[1].fields

        async def total(**typed: str) -> str:
            names = {name.replace("__", "."): text for name, text in typed.items()}
            with counted(invoice.database) as statements:
                sheet = await member.post("/invoices/totals", token | names)
            assert len(statements) == 2, "who is looking, and the organization"
            assert sheet.status == 200
            return sheet.text.replace("\xa0", " ")

        assert "Total 0,00 $" in await total()
        assert "Total 21,42 $" in await total(**LINE)
        assert "Total 42,84 €" in await total(**LINE, line_items__0__quantity="2", currency_code="eur")
        assert "Line 1, quantity" in await total(**LINE, line_items__0__quantity="two")
        assert "Line 1, discount percentage" in await total(**LINE, line_items__0__discount_percentage="101")
        assert "Total 3,00 $" in await total(adjustment="3", line_items__0__rate="0")

    async def test_that_is_refused_keeps_what_was_typed_and_marks_the_field(self, invoice: Any) -> None:
        customer = await invoice.customer()
        member = await invoice.stack.visitor("invoice", "member")
        typed = {
            "line_items__1__name": "Chang",
            "line_items__1__rate": "much",
            "line_items__1__description": "a <b>",
            "expiry_date": "1999-01-01",
        }
        refused = await member.submit(f"/estimates/new?customer_id={customer['id']}", "/estimates/new", **typed)
        assert refused.status == 422
        assert refused.error("line_items.0.rate") is not None, "the empty line before it is no line"
        [form] = [form for form in refused.forms if form.action == "/estimates/new"]
        assert form.fields["line_items.0.rate"] == "much"
        assert form.fields["line_items.0.description"] == "a <b>"
        late = await member.submit(refused, "/estimates/new", line_items__0__rate="19")
        assert "Must not be before the estimate's date" in (late.error("expiry_date") or "")
        nobody = await member.submit(late, "/estimates/new", customer_id="nobody", expiry_date="")
        assert nobody.status == 404
        invoice.ok(await invoice.admin.post(f"/v1/customers/{customer['id']}/inactive"))
        inactive = await member.submit(late, "/estimates/new", expiry_date="")
        assert inactive.status == 409
        assert "inactive" in inactive.text
        assert (await invoice.admin.get("/v1/estimates")).json()["items"] == []

    async def test_two_people_editing_at_once_the_second_sees_both_versions(self, invoice: Any) -> None:
        made = await invoice.estimate((await invoice.customer())["id"], notes="old")
        mine, theirs = [await invoice.stack.visitor("invoice", role) for role in ("member", "admin")]
        path = f"/estimates/{made['id']}/edit"
        opened = await mine.get(path)
        added = {"line_items__1__name": "Their shelf", "line_items__1__rate": "999", "line_items__1__quantity": "1"}
        await theirs.submit(path, path, notes="theirs", **added)
        stale = await mine.submit(opened, path, notes="mine", line_items__0__rate="20")
        assert stale.status == 412
        assert "Notes mine theirs" in stale.text
        assert re.search(r"Line item 1 .*rate 20.*rate 19\.9", stale.text)
        assert "Line item 2 Not in yours: saving again takes it out Their shelf" in stale.text
        assert "rate 999" in stale.text
        assert (await mine.submit(stale, path)).status == 303, "sent again, it replaces what was shown beside it"
        now = await invoice.shown("estimates", made["id"])
        assert (now["notes"], now["line_items"][0]["rate"]) == ("mine", "20.00")

    async def test_is_not_for_what_may_not_be_edited_nor_for_viewers(self, invoice: Any) -> None:
        made = await invoice.bill((await invoice.customer())["id"])
        await invoice.pay(made["id"], made["balance"])
        path = f"/invoices/{made['id']}/edit"
        member, viewer = [await invoice.stack.visitor("invoice", role) for role in ("member", "viewer")]
        assert "delete its payments to edit it" in (await member.get(path, status=409)).text
        token = (await viewer.get("/invoices")).forms[0].fields
        for each in (path, "/invoices/new", "/estimates/new"):
            assert "You may not do this" in (await viewer.get(each, status=403)).text
            assert (await viewer.post(each, token)).status == 403
        for each in ("/invoices/totals", "/invoices/draft"):
            assert (await viewer.post(each, token)).status == 403


async def test_the_form_takes_many_lines(invoice: Any) -> None:
    member = await invoice.stack.visitor("invoice", "member")
    each = {"name": "Chai", "quantity": "2", "rate": "18", "tax_percentage": "19"}
    made = await invoice.estimate((await invoice.customer())["id"], line_items=[each] * 200)
    path = f"/estimates/{made['id']}/edit"
    opened = await member.get(path)
    assert (await member.submit(opened, path, line_items__199__rate="20")).status == 303
    assert (await invoice.shown("estimates", made["id"]))["line_items"][199]["rate"] == "20.00"
