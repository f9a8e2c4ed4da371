"""An estimate becomes an invoice."""

import asyncio
import datetime
from typing import Any

TODAY = datetime.datetime.now(datetime.UTC).date()
LINE = {"name": "Line", "rate": "1"}


class TestConversion:
    async def test_the_invoice_has_exactly_the_estimate_and_each_names_the_other(self, invoice: Any) -> None:
        customer = await invoice.customer(payment_terms=7, contact_persons=[{"last_name": "Anders"}])
        lines = [{"name": "Chai", "quantity": "3", "rate": "0.333333", "tax_percentage": "7.5"}, LINE]
        estimate = await invoice.estimate(
            customer["id"],
            contact_person_id=customer["contact_persons"][0]["id"],
            line_items=lines,
            discount_amount="0.10",
            adjustment="0.03",
            reference_number="PO 7",
            notes="Notes",
            terms="Terms",
        )
        path = f"/v1/estimates/{estimate['id']}"

        made = invoice.made(await invoice.admin.post(f"{path}/convert"))

        alike = (
            "customer_id customer_name contact_person_id contact_person_name billing_address line_items sub_total "
            "discount_amount document_discount discount_total tax_total taxes adjustment total reference_number notes "
            "terms currency_code"
        ).split()
        assert {name: made[name] for name in alike} == {name: estimate[name] for name in alike}
        assert (made["status"], made["date"], made["estimate_id"]) == ("draft", str(TODAY), estimate["id"])
        assert made["due_date"] == str(TODAY + datetime.timedelta(days=7))
        assert made["history"][0]["what"] == "created from EST-000001"
        converted = await invoice.shown("estimates", estimate["id"])
        assert (converted["status"], converted["invoice_id"], converted["version"]) == ("invoiced", made["id"], 2)
        assert converted["history"][-1]["what"] == "converted into INV-000001"
        verb, data, _ = (await invoice.told("estimate"))[-1]
        assert (verb, data.status, data.invoice_id) == ("status_changed", "invoiced", made["id"])

    async def test_twice_at_once_makes_one_invoice(self, invoice: Any) -> None:
        customer = await invoice.customer()
        estimate = await invoice.estimate(customer["id"])
        path = f"/v1/estimates/{estimate['id']}/convert"

        responses = await asyncio.gather(*(invoice.admin.post(path) for _ in range(5)))

        assert sorted(response.status_code for response in responses) == [201, 409, 409, 409, 409]
        assert {invoice.refused(one)[1] for one in responses if one.status_code == 409} == {"estimate_already_invoiced"}
        assert len(invoice.ok(await invoice.admin.get("/v1/invoices"))["items"]) == 1
        key = {"Idempotency-Key": "once more"}
        second = await invoice.estimate(customer["id"])
        again = [await invoice.admin.post(f"/v1/estimates/{second['id']}/convert", headers=key) for _ in range(2)]
        assert again[0].json() == again[1].json()

    async def test_deleting_the_invoice_gives_the_estimate_back(self, invoice: Any) -> None:
        customer = await invoice.customer()
        estimate = await invoice.estimate(customer["id"])
        await invoice.mark(estimate["id"], "accepted")
        path = f"/v1/estimates/{estimate['id']}"
        made = invoice.made(await invoice.admin.post(f"{path}/convert"))

        assert (await invoice.admin.delete(f"/v1/invoices/{made['id']}")).status_code == 204
        back = invoice.ok(await invoice.admin.get(path))
        again = invoice.made(await invoice.admin.post(f"{path}/convert"))

        assert (back["status"], back["invoice_id"]) == ("accepted", None)
        assert back["history"][-1]["what"] == "INV-000001 was deleted"
        assert again["invoice_number"] == "INV-000001"

    async def test_an_expired_or_declined_one_is_refused_and_an_inactive_customer_too(self, invoice: Any) -> None:
        customer = await invoice.customer()
        declined = await invoice.estimate(customer["id"])
        await invoice.mark(declined["id"], "declined")
        waiting = await invoice.estimate(customer["id"])
        invoice.ok(await invoice.admin.post(f"/v1/customers/{customer['id']}/inactive"))

        refused = [await invoice.admin.post(f"/v1/estimates/{one['id']}/convert") for one in (declined, waiting)]

        assert [invoice.refused(one) for one in refused] == [
            (409, "estimate_not_convertible"),
            (409, "customer_inactive"),
        ]
        assert (await invoice.shown("estimates", waiting["id"]))["status"] == "draft"
