"""The pages of customers, as someone with a browser sees them."""

from typing import Any

import pytest

FORM = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
"""What is only about the form of pages is the same on both set-ups."""


class TestACustomer:
    async def test_is_made_by_hand_shown_edited_and_deleted(self, invoice: Any) -> None:
        member = await invoice.stack.visitor("invoice", "member")
        answer = await member.submit(
            "/customers/new",
            customer_name=" Alfreds <Futterkiste> ",
            billing_address__city="Berlin",
            payment_terms="14",
        )
        shown = await member.follow(answer)
        assert "Alfreds <Futterkiste> was created." in shown.text
        assert "<Futterkiste>" not in shown.html, "what people type is text"
        assert [words in shown.text for words in ("Berlin", "14 days", "USD")] == [True] * 3
        edited = await member.follow(await member.submit(shown.link("Edit"), phone="030-0074321"))
        assert "Saved." in edited.text
        [customer] = await invoice.customers()
        assert (customer["phone"], customer["version"], customer["payment_terms"]) == ("030-0074321", 2, 14)
        path = f"/customers/{customer['id']}"
        gone = await member.follow(await member.submit(edited, f"{path}/delete"))
        assert "The customer was deleted." in gone.text
        assert "No customers yet" in gone.text
        assert "nothing here" in (await member.get(path, status=404)).text

    async def test_s28_is_made_inactive_and_active_again(self, invoice: Any) -> None:
        made = await invoice.customer()
        member = await invoice.stack.visitor("invoice", "member")
        path = f"/customers/{made['id']}"
        still = await member.follow(await member.submit(path, f"{path}/inactive"))
        assert "Inactive It gets no new documents." in still.text
        assert "Nothing found" in (await member.get("/customers?status=active")).text
        back = await member.follow(await member.submit(still, f"{path}/active"))
        assert "Make inactive" in back.text
        await invoice.bill(made["id"])
        assert "It cannot be deleted" in (await member.get(path)).text

    @FORM
    async def test_with_more_persons_than_a_request_may_bring_gets_another_one(self, invoice: Any) -> None:
        many = [invoice.contact(f"c{number}", last_name=f"Person {number}", at="a1") for number in range(501)]
        await invoice.apply(invoice.account("a1", name="Berglund"), *many)
        [customer] = await invoice.customers()
        member = await invoice.stack.visitor("invoice", "member")
        path = f"/customers/{customer['id']}"
        added = await member.follow(
            await member.submit(f"{path}/persons/new", f"{path}/persons/new", last_name="One more")
        )
        assert "The contact person was added." in added.text
        assert "One more" not in added.text
        everyone = await member.get(added.link("All 502"))
        assert "One more" in everyone.text
        edit = everyone.html.partition('aria-label="Edit One more"')[0].rpartition('href="')[2].partition('"')[0]
        await member.submit(edit, edit, phone="030-1")
        assert "030-1" in (await member.get(f"{path}?persons=all")).text

    async def test_s27_shows_what_comes_from_the_crm_and_what_an_edit_of_it_is_worth(self, invoice: Any) -> None:
        await invoice.apply(invoice.account("a1", 3, name="Berglund", phone="1"), invoice.contact("c1", at="a1"))
        [customer] = await invoice.customers()
        member = await invoice.stack.visitor("invoice", "member")
        path = f"/customers/{customer['id']}"
        shown = await member.get(path)
        assert "Phone CRM 1" in shown.text
        assert "Currency USD" in shown.text, "what is not the CRM's is not marked"
        assert "marks what comes from the account in the CRM" in shown.text
        assert "this customer came from the CRM" in shown.text
        form = await member.get(f"{path}/edit")
        assert "Its next update overwrites" in form.text
        saved = await member.follow(await member.submit(form, phone="2"))
        assert "Phone comes from account a1 in the CRM: its next update overwrites what you entered." in saved.text

    async def test_has_contact_persons_who_are_added_edited_and_removed(self, invoice: Any) -> None:
        await invoice.apply(invoice.account("a1"), invoice.contact("c1", at="a1"))
        [customer] = await invoice.customers()
        member = await invoice.stack.visitor("invoice", "member")
        persons = f"/customers/{customer['id']}/persons"
        empty = await member.submit(f"{persons}/new")
        assert empty.error("last_name") == "Needs a first_name, a last_name or an email"
        assert (await member.submit(f"{persons}/new", email="nonsense")).error("email") is not None
        added = await member.follow(await member.submit(f"{persons}/new", last_name="Moos", is_primary="true"))
        assert "Moos Primary" in added.text
        [moos, _] = sorted((await invoice.shown("customers", customer["id"]))["contact_persons"], key=_name)
        edited = await member.follow(await member.submit(f"{persons}/{moos['id']}", first_name="Peter"))
        assert "Peter Moos Primary" in edited.text
        assert "Person c1" in edited.text
        gone = await member.follow(await member.submit(f"{persons}/{moos['id']}", remove="true"))
        assert "Moos" not in gone.text
        assert "Person c1 Primary" in gone.text

    async def test_two_people_editing_at_once_the_second_sees_both_versions(self, invoice: Any) -> None:
        made = await invoice.customer(phone="1")
        mine, theirs = await invoice.stack.visitor("invoice", "member"), await invoice.stack.visitor("invoice")
        path = f"/customers/{made['id']}/edit"
        opened = await mine.get(path)
        await theirs.submit(path, phone="theirs")
        stale = await mine.submit(opened, phone="mine")
        assert stale.status == 412
        assert "Phone mine theirs" in stale.text
        assert (await mine.submit(stale)).status == 303, "sent again, it replaces what was shown beside it"
        assert (await invoice.shown("customers", made["id"]))["phone"] == "mine"

    async def test_two_people_editing_a_contact_person_the_second_sees_both_versions(self, invoice: Any) -> None:
        made = await invoice.customer(contact_persons=[{"last_name": "Moos", "phone": "1"}])
        mine, theirs = await invoice.stack.visitor("invoice", "member"), await invoice.stack.visitor("invoice")
        path = f"/customers/{made['id']}/persons/{made['contact_persons'][0]['id']}"
        opened = await mine.get(path)
        await theirs.submit(path, phone="theirs")
        stale = await mine.submit(opened, phone="mine")
        assert stale.status == 412
        assert "Phone mine theirs" in stale.text
        assert (await mine.submit(stale)).status == 303

    async def test_shows_what_it_owes_and_its_statement(self, invoice: Any) -> None:
        made = await invoice.customer()
        viewer = await invoice.stack.visitor("invoice", "viewer")
        path = f"/customers/{made['id']}"
        assert "Nothing is owed." in (await viewer.get(path)).text
        bill = await invoice.bill(made["id"], date="2026-03-01", due_date="2026-03-31")
        await invoice.pay(bill["id"], "2.63", date="2026-03-05", reference_number="cash")
        shown = await viewer.get(path)
        assert f"{bill['invoice_number']} Mar 1, 2026" in shown.text
        assert "Owed $40.00 Of that overdue $40.00" in shown.text
        assert "Opening balance" in (await viewer.get(shown.link("Statement"))).text
        statement = await viewer.get(f"{path}/statement?date_from=2026-03-01&date_to=2026-03-31")
        assert f"Invoice {bill['invoice_number']} $42.63 $42.63" in statement.text
        assert "-$2.63 $40.00" in statement.text
        assert "Mar 31, 2026 Closing balance $40.00" in statement.text
        pdf = await viewer.client.get(statement.link("PDF"))
        assert (pdf.status_code, pdf.content[:5]) == (200, b"%PDF-")
        assert pdf.headers["content-security-policy"] == "frame-ancestors 'self'"


def _name(person: Any) -> str:
    return str(person["last_name"])


@FORM
async def test_a_form_that_is_refused_keeps_what_was_typed_and_marks_the_field(invoice: Any) -> None:
    member = await invoice.stack.visitor("invoice", "member")
    typed = {"customer_name": " ", "phone": "0" * 51, "notes": "one\r\ntwo & <three>", "payment_terms": "soon"}
    refused = await member.submit("/customers/new", **typed)
    assert refused.status == 422
    assert refused.error("customer_name") == "Must not be empty"
    assert refused.error("phone") == "Must have at most 50 characters"
    assert refused.error("payment_terms") is not None
    [form] = [form for form in refused.forms if form.action == "/customers/new"]
    assert (form.fields["notes"], form.fields["payment_terms"]) == ("one\ntwo & <three>", "soon")
    assert await invoice.customers() == []


@FORM
async def test_a_viewer_is_offered_nothing_that_they_may_not_do_and_refused_all_of_it(invoice: Any) -> None:
    made = await invoice.customer()
    viewer, member = await invoice.stack.visitor("invoice", "viewer"), await invoice.stack.visitor("invoice", "member")
    path = f"/customers/{made['id']}"
    offered = {
        path: ["Edit", "Delete", "Merge", "Make inactive", "Add person"],
        "/customers": ["New customer", "Import from CRM"],
    }
    for page, offers in offered.items():
        theirs, ours = await viewer.get(page), await member.get(page)
        assert [offer for offer in offers if offer in ours.text] == offers
        assert [offer for offer in offers if offer in theirs.text] == []
    for page in ("/customers/new", f"{path}/edit", f"{path}/persons/new"):
        assert "You may not do this" in (await viewer.get(page, status=403)).text
    token = (await viewer.get(path)).forms[0].fields
    actions = ("edit", "active", "inactive", "delete", "persons/new")
    for action in ("/customers/new", *(f"{path}/{each}" for each in actions)):
        assert (await viewer.post(action, token | {"customer_name": "B", "last_name": "B"})).status == 403
    assert [(each["version"], each["status"]) for each in await invoice.customers()] == [(1, "active")]


class TestTheList:
    async def test_is_searched_filtered_and_paged(self, invoice: Any) -> None:
        made = [f"Company {number:03}" for number in range(5)]
        for name in made:
            await invoice.customer(name, contact_persons=[{"last_name": f"Person{name[-1]}"}])
        viewer = await invoice.stack.visitor("invoice", "viewer")
        first = await viewer.get("/customers?limit=3&q=comp&status=active")
        second = await viewer.get(first.link("Next"))
        seen = [[name for name in reversed(made) if name in page.text] for page in (first, second)]
        assert seen == [made[:1:-1], made[1::-1]]
        assert second.link("Previous") == "/customers?limit=3&q=comp&status=active"
        assert "Company 003" in (await viewer.get("/customers?q=person3")).text
        assert "Nothing found" in (await viewer.get("/customers?q=other")).text
