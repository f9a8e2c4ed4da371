"""Estimates by the clock and in lists, and what reading and making them costs."""

import datetime
from typing import Any

from invoice_service.estimates.expiry import expire_estimates

TODAY = datetime.datetime.now(datetime.UTC).date()
YESTERDAY = TODAY - datetime.timedelta(days=1)
LINE = {"name": "Line", "rate": "1"}


async def test_a_sent_estimate_expires_by_itself(invoice: Any) -> None:
    customer = await invoice.customer()
    dates = {"date": str(YESTERDAY), "expiry_date": str(YESTERDAY)}
    estimates = [await invoice.estimate(customer["id"], **dates) for _ in range(3)]
    for estimate in estimates[:2]:
        await invoice.mark(estimate["id"], "sent")
    path = f"/v1/estimates/{estimates[0]['id']}"
    unwritten = invoice.ok(await invoice.admin.get(path))

    async def ids(status: str) -> set[str]:
        items = invoice.ok(await invoice.admin.get("/v1/estimates", params={"status": status}))["items"]
        return {estimate["id"] for estimate in items}

    assert (unwritten["status"], unwritten["version"]) == ("expired", 2)
    expired, sent = await ids("expired"), await ids("sent")
    assert await expire_estimates(invoice.database, TODAY) == 2
    assert await expire_estimates(invoice.database, TODAY) == 0

    assert expired == await ids("expired") == {estimates[0]["id"], estimates[1]["id"]}
    assert sent == await ids("sent") == set()
    written = invoice.ok(await invoice.admin.get(path))
    assert (written["status"], written["version"]) == ("expired", 3)
    assert [(one["who"], one["what"]) for one in written["history"]][-1] == ("system", "expired")
    told = [(verb, data.status) for verb, data, _ in await invoice.told("estimate")]
    assert told.count(("status_changed", "expired")) == 2 + 2  # marked sent when already past, then written
    assert (await invoice.mark(estimates[0]["id"], "sent"))["status"] == "sent"
    assert await expire_estimates(invoice.database, TODAY) == 0


async def test_a_later_expiry_date_makes_an_expired_one_sent_again_written_down_so_or_not(invoice: Any) -> None:
    customer = await invoice.customer()
    for number in range(2):
        one = await invoice.estimate(customer["id"], date="2020-01-01", expiry_date="2020-01-31")
        assert (await invoice.mark(one["id"], "sent"))["status"] == "expired"
        if number:
            await expire_estimates(invoice.database, datetime.datetime.now(datetime.UTC).date())
        path = f"/v1/estimates/{one['id']}"
        edited = invoice.ok(await invoice.admin.patch(path, json={"expiry_date": "2999-01-31"}))
        assert edited["status"] == "sent"
        assert (await invoice.told("estimate"))[-1][0] == "status_changed"


async def test_estimates_are_listed_newest_first_and_filtered(invoice: Any) -> None:
    await invoice.apply(
        invoice.account("a"), invoice.contact("c", at="a"), invoice.contact("d", at="a"), invoice.contact("e")
    )
    company = await invoice.estimate(crm_account_id="a", crm_potential_id="p", date="2024-01-31")
    person = await invoice.estimate(crm_contact_id="c", reference_number="Rush order", date="2024-02-01")
    alone = await invoice.estimate(crm_contact_id="e", date="2024-02-02")
    await invoice.mark(alone["id"], "accepted")

    async def found(**query: Any) -> list[str]:
        items = invoice.ok(await invoice.admin.get("/v1/estimates", params=query))["items"]
        return [estimate["id"] for estimate in items]

    everything = [alone["id"], person["id"], company["id"]]
    first = invoice.ok(await invoice.admin.get("/v1/estimates", params={"limit": 2}))
    rest = await found(limit=2, cursor=first["next_cursor"])
    assert [one["id"] for one in first["items"]] + rest == await found() == everything
    assert await found(status="accepted") == [alone["id"]]
    assert await found(status="draft", customer_id=company["customer_id"]) == [person["id"], company["id"]]
    assert await found(crm_account_id="a") == [person["id"], company["id"]]
    assert await found(crm_contact_id="c") == [person["id"]]
    assert await found(crm_contact_id="d") == []
    assert await found(crm_contact_id="e") == [alone["id"]]
    assert await found(crm_potential_id="p") == [company["id"]]
    assert await found(date_from="2024-02-01", date_to="2024-02-01") == [person["id"]]
    assert await found(q="rush") == [person["id"]]
    assert await found(q="EST-000003") == [alone["id"]]
    assert await found(q="comp") == [person["id"], company["id"]]
    # The contact gains an account: its own documents stay findable by it, though its customer is inactive now.
    await invoice.apply(invoice.contact("e", 2, at="a"))
    assert await found(crm_contact_id="e") == [alone["id"]]


async def test_making_and_reading_take_the_same_few_statements_whatever_the_number_of_lines(invoice: Any) -> None:
    customer = await invoice.customer()
    making, reading, changing = [], [], []
    for count in (1, 200):
        with invoice.statements() as sent:
            estimate = await invoice.estimate(customer["id"], line_items=[LINE] * count)
        making.append(len(sent))
        with invoice.statements() as sent:
            shown = invoice.ok(await invoice.admin.get(f"/v1/estimates/{estimate['id']}"))
        assert len(shown["line_items"]) == count
        reading.append(len(sent))
        with invoice.statements() as sent:
            await invoice.mark(estimate["id"], "accepted")
        changing.append(len(sent))
    assert making[0] == making[1] <= 14
    assert reading[0] == reading[1] <= 6
    assert changing[0] == changing[1] <= 11
