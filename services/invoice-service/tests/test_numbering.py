"""Numbers have no gaps and no doubles, whatever fails or runs at once."""

import asyncio
import contextlib
from typing import Any

import pytest
from invoice_service import numbering


@pytest.mark.parametrize(("kind", "prefix"), [("estimate", "EST-"), ("invoice", "INV-")])
async def test_fifty_creations_at_once_of_which_some_fail_leave_no_gap_and_no_double(
    invoice: Any, kind: numbering.Kind, prefix: str
) -> None:
    customer = await invoice.customer()
    (organization,) = invoice.ok(await invoice.admin.get("/v1/organizations"))["items"]
    good = {"customer_id": customer["id"], "line_items": [{"name": "Line", "rate": "1"}]}

    async def create(number: int) -> str | None:
        if number % 5 == 1:  # fails after it has taken its number
            with contextlib.suppress(ZeroDivisionError):
                async with invoice.database.transaction() as session:
                    await numbering.take(session, organization["id"], kind)
                    await asyncio.sleep(0.001)
                    raise ZeroDivisionError
            return None
        body = good | ({"line_items": [{"name": "Line", "rate": "-1"}]} if number % 5 == 2 else {})
        response = await invoice.admin.post(f"/v1/{kind}s", json=body)
        return str(response.json()[f"{kind}_number"]) if response.status_code == 201 else None

    numbers = sorted(number for number in await asyncio.gather(*map(create, range(50))) if number)
    await invoice.stack.stop("invoice")
    await invoice.stack.start("invoice")

    assert numbers == [f"{prefix}{number:06d}" for number in range(1, 31)]
    assert await create(0) == f"{prefix}000031"


async def test_invoices_made_and_converted_at_once_share_one_row_of_numbers(invoice: Any) -> None:
    customer = await invoice.customer()
    estimates = [await invoice.estimate(customer["id"]) for _ in range(6)]
    paths = [f"/v1/estimates/{estimate['id']}/convert" for estimate in estimates] * 2
    body = {"customer_id": customer["id"], "line_items": [{"name": "Line", "rate": "1"}]}

    made = await asyncio.gather(
        *(invoice.admin.post(path) for path in paths),
        *(invoice.admin.post("/v1/invoices", json=body) for _ in range(6)),
    )

    numbers = sorted(response.json()["invoice_number"] for response in made if response.status_code == 201)
    assert numbers == [f"INV-{number:06d}" for number in range(1, 13)]


async def test_only_the_newest_draft_is_deleted_and_its_number_is_given_again(invoice: Any) -> None:
    customer = await invoice.customer()
    first, second, third = [await invoice.estimate(customer["id"]) for _ in range(3)]
    await invoice.mark(third["id"], "sent")

    for estimate, why in ((second, "newest"), (third, "sent")):
        refused = await invoice.admin.delete(f"/v1/estimates/{estimate['id']}")
        assert invoice.refused(refused) == (409, "estimate_not_deletable")
        assert why in refused.json()["detail"]
    fourth = await invoice.estimate(customer["id"], notes="to be deleted")
    assert (await invoice.admin.delete(f"/v1/estimates/{fourth['id']}")).status_code == 204

    assert invoice.refused(await invoice.admin.get(f"/v1/estimates/{fourth['id']}")) == (404, "estimate_not_found")
    assert (await invoice.estimate(customer["id"]))["estimate_number"] == "EST-000004"
    verb, last, _ = next(told for told in await invoice.told("estimate") if told[0] == "deleted")
    assert (verb, last.estimate_number, last.version, last.deleted) == ("deleted", "EST-000004", 2, True)
    assert first["estimate_number"] == "EST-000001"


async def test_a_changed_prefix_is_of_the_estimates_made_from_then_on(invoice: Any) -> None:
    customer = await invoice.customer()
    (organization,) = invoice.ok(await invoice.admin.get("/v1/organizations"))["items"]
    before = await invoice.estimate(customer["id"])
    prefixes = {"number_prefixes": {"estimate": "Q/"}}
    await invoice.admin.patch(f"/v1/organizations/{organization['id']}", json=prefixes)

    assert (await invoice.estimate(customer["id"]))["estimate_number"] == "Q/000002"
    assert before["estimate_number"] == "EST-000001"
