"""The pages of estimates and invoices, as someone with a browser sees them."""

from typing import Any

import pytest

FORM = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
"""What is only about the form of pages is the same on both set-ups."""


class TestADocument:
    async def test_shows_its_lines_totals_and_history_in_the_persons_format(self, invoice: Any) -> None:
        customer = await invoice.customer("Alfreds <Futterkiste>")
        made = await invoice.estimate(customer["id"], notes="Thank you\nvery much", expiry_date="2999-01-31")
        viewer = await invoice.stack.visitor("invoice", "viewer", language="de-DE")
        shown = await viewer.get(f"/estimates/{made['id']}")
        assert "<Futterkiste>" not in shown.html, "what people type is text"
        for words in ("EST-000001 Draft", "Order 10248", "−10\xa0%", "42,63", "31.01.2999", "Created", "Thank you"):
            assert words.replace("\xa0", " ") in shown.text.replace("\xa0", " "), words

    async def test_shows_what_happened_last_and_all_of_it_on_request(self, invoice: Any) -> None:
        made = await invoice.estimate((await invoice.customer())["id"])
        path = f"/estimates/{made['id']}"
        for number in range(21):
            await invoice.admin.patch(f"/v1{path}", json={"notes": f"{number}"})
        viewer = await invoice.stack.visitor("invoice", "viewer")
        shown = await viewer.get(path)
        assert "Created" not in shown.text
        assert "Created" in (await viewer.get(shown.link("All 22"))).text

    async def test_is_accepted_and_becomes_an_invoice(self, invoice: Any) -> None:
        made = await invoice.estimate((await invoice.customer())["id"])
        member = await invoice.stack.visitor("invoice", "member")
        path = f"/estimates/{made['id']}"
        accepted = await member.follow(await member.submit(path, f"{path}/status/accepted"))
        assert "EST-000001 is accepted." in accepted.text
        assert "EST-000001 is accepted and cannot become sent, only declined" in accepted.text, "why not"
        billed = await member.follow(await member.submit(accepted, f"{path}/convert"))
        assert "INV-000001 was made from the estimate." in billed.text
        assert billed.link("the estimate") == path
        again = await member.get(path)
        assert "Invoiced" in again.text
        assert again.link("the invoice").startswith("/invoices/")
        assert [form.action for form in again.forms if form.action.startswith(path)] == [], "nothing is possible"

    async def test_changed_meanwhile_is_not_changed_unseen(self, invoice: Any) -> None:
        made = await invoice.estimate((await invoice.customer())["id"])
        member = await invoice.stack.visitor("invoice", "member")
        opened = await member.get(f"/estimates/{made['id']}")
        await invoice.mark(made["id"], "accepted")
        stale = await member.submit(opened, f"/estimates/{made['id']}/status/declined")
        assert stale.status == 412
        assert "Changed by someone else meanwhile" in stale.text
        assert (await invoice.shown("estimates", made["id"]))["status"] == "accepted"

    async def test_the_newest_draft_is_deleted(self, invoice: Any) -> None:
        made = await invoice.bill((await invoice.customer())["id"], status="draft")
        member = await invoice.stack.visitor("invoice", "member")
        gone = await member.follow(await member.submit(f"/invoices/{made['id']}", f"/invoices/{made['id']}/delete"))
        assert "The invoice was deleted" in gone.text
        assert "No invoices yet" in gone.text
        assert "There is nothing here" in (await member.get(f"/invoices/{made['id']}", status=404)).text

    async def test_its_pdf_is_shown_and_saved(self, invoice: Any) -> None:
        made = await invoice.bill((await invoice.customer())["id"])
        viewer = await invoice.stack.visitor("invoice", "viewer")
        shown = await viewer.get(f"/invoices/{made['id']}")
        assert "Download" in shown.text
        view = await viewer.get(f"/invoices/{made['id']}/view")
        assert f'<iframe class="paper" src="/invoices/{made["id"]}/pdf#navpanes=0"' in view.html
        inline = await viewer.client.get(f"/invoices/{made['id']}/pdf")
        saved = await viewer.client.get(f"/invoices/{made['id']}/pdf?download=true")
        assert inline.content.startswith(b"%PDF")
        assert inline.content == saved.content
        assert inline.headers["content-disposition"].startswith('inline; filename="INV-000001.pdf"')
        assert saved.headers["content-disposition"].startswith("attachment")
        assert inline.headers["content-security-policy"] == "frame-ancestors 'self'"

    async def test_an_administrator_gives_an_invoice_back_to_the_workflow(self, invoice: Any) -> None:
        customer = await invoice.customer()
        made = await invoice.bill(customer["id"], crm_potential_id="p")
        of_no_potential = await invoice.bill(customer["id"])
        path = f"/invoices/{made['id']}"
        member, admin = [await invoice.stack.visitor("invoice", role) for role in ("member", "admin")]
        assert "workflow" not in (await admin.get(f"/invoices/{of_no_potential['id']}")).text
        assert "Let the workflow go on" not in (await member.get(path)).text
        told = await admin.follow(await admin.submit(path, f"{path}/unlock"))
        assert "The workflow may change its status again." in told.text
        assert (await invoice.shown("invoices", made["id"]))["workflow_locked"] is False


class TestAList:
    async def test_is_narrowed_by_words_status_customer_and_dates(self, invoice: Any) -> None:
        one, other = await invoice.customer("Around the Horn"), await invoice.customer("Blauer See")
        await invoice.bill(one["id"], date="2026-01-10", due_date="2026-01-20", reference_number="Horn 7")
        await invoice.bill(other["id"], status="draft", date="2026-03-01")
        viewer = await invoice.stack.visitor("invoice", "viewer")

        async def numbers(query: str) -> list[str]:
            text = (await viewer.get(f"/invoices?{query}")).text
            return [number for number in ("INV-000001", "INV-000002") if number in text]

        assert await numbers("") == ["INV-000001", "INV-000002"]
        assert await numbers("q=horn&status=&date_from=&date_to=") == ["INV-000001"]
        assert await numbers("status=overdue") == ["INV-000001"]
        assert await numbers("status=draft") == ["INV-000002"]
        assert await numbers(f"customer_id={other['id']}") == ["INV-000002"]
        assert await numbers("date_from=2026-02-01&date_to=2026-03-01") == ["INV-000002"]
        assert "Of Blauer See" in (await viewer.get(f"/invoices?customer_id={other['id']}")).text
        assert "Nothing found" in (await viewer.get("/invoices?q=nowhere")).text
        assert "Something is not right" in (await viewer.get("/invoices?status=nonsense", status=422)).text


@FORM
async def test_a_viewer_is_offered_nothing_that_they_may_not_do_and_refused_all_of_it(invoice: Any) -> None:
    customer = (await invoice.customer())["id"]
    estimate, bill = await invoice.estimate(customer), await invoice.bill(customer, status="draft")
    viewer = await invoice.stack.visitor("invoice", "viewer")
    for path in (f"/estimates/{estimate['id']}", f"/invoices/{bill['id']}"):
        shown = await viewer.get(path)
        assert [form.action for form in shown.forms] == ["/sign-out"]
        assert "What can be done" not in shown.text
        for action in ("status/sent", "delete"):
            assert (await viewer.post(f"{path}/{action}", shown.forms[0].fields)).status == 403
    assert (await viewer.post(f"/estimates/{estimate['id']}/convert", shown.forms[0].fields)).status == 403
    assert (await invoice.shown("invoices", bill["id"]))["status"] == "draft"
