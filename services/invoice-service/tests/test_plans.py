"""S13: plans, their caps, and what is said of one that is reached."""

import asyncio
import datetime
from typing import Any

import pytest
from invoice_service.organizations import queries as organizations
from invoice_service.plans import service
from invoice_service.plans.models import PlanCapReached
from invoice_service.plans.queries import documents_made, month_after
from servicekit.db import utc_now

LINE = {"name": "Line", "rate": "1"}


async def on_plan(invoice: Any, **caps: int | None) -> str:
    """The default organization's path; it is on a plan Starter with these caps from now on."""
    invoice.made(await invoice.admin.post("/v1/plans", json={"name": "Starter", **caps}))
    (organization,) = invoice.ok(await invoice.admin.get("/v1/organizations"))["items"]
    path = f"/v1/organizations/{organization['id']}"
    assert invoice.ok(await invoice.admin.patch(path, json={"plan": "Starter"}))["plan"] == "Starter"
    return path


async def test_s13_the_default_plan_has_no_caps(invoice: Any) -> None:
    (organization,) = invoice.ok(await invoice.admin.get("/v1/organizations"))["items"]
    (plan,) = invoice.ok(await invoice.admin.get("/v1/plans"))["items"]

    assert organization["plan"] == plan["name"] == "Unlimited"
    assert (plan["documents_per_month"], plan["customers"]) == (None, None)
    assert invoice.ok(await invoice.admin.get("/v1/plans/Unlimited")) == plan


async def test_an_administrator_sets_up_plans(invoice: Any) -> None:
    created = await invoice.admin.post("/v1/plans", json={"name": "Größer & mehr", "documents_per_month": 5})
    path = created.headers["location"]

    edited = await invoice.admin.patch(path, json={"documents_per_month": None, "customers": 7})

    assert invoice.made(created)["customers"] is None
    assert (edited.headers["etag"], invoice.ok(edited)["documents_per_month"]) == ('"2"', None)
    assert invoice.ok(await invoice.admin.get(path))["customers"] == 7
    late = await invoice.admin.patch(path, json={"customers": 8}, headers={"If-Match": '"1"'})
    assert invoice.refused(late) == (412, "version_conflict")
    again = await invoice.admin.post("/v1/plans", json={"name": "Größer & mehr"})
    assert invoice.refused(again) == (409, "plan_name_taken")
    assert invoice.refused(await invoice.admin.get("/v1/plans/Gold")) == (404, "plan_not_found")
    names = [plan["name"] for plan in invoice.ok(await invoice.admin.get("/v1/plans"))["items"]]
    assert names == ["Größer & mehr", "Unlimited"]


async def test_what_is_wrong_with_a_plan_is_named_and_only_an_administrator_makes_one(invoice: Any) -> None:
    for body, field in (
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "A", "customers": -1}, "customers"),
        ({"name": "A", "documents_per_month": 2**31}, "documents_per_month"),
    ):
        response = await invoice.admin.post("/v1/plans", json=body)
        assert invoice.refused(response) == (422, "validation_error")
        assert response.json()["errors"][0]["field"] == field
    member = await invoice.stack.person("invoice", "member")
    assert invoice.refused(await member.post("/v1/plans", json={"name": "Mine"})) == (403, "role_too_low")
    assert invoice.refused(await member.patch("/v1/plans/Unlimited", json={"customers": 1})) == (403, "role_too_low")


async def test_s13_over_the_cap_of_documents_nothing_is_made_and_the_answer_says_when_it_resets(invoice: Any) -> None:
    path = await on_plan(invoice, documents_per_month=2)
    customer = await invoice.customer()
    body = {"customer_id": customer["id"], "line_items": [LINE]}
    for _ in range(2):
        await invoice.estimate(customer["id"])
    told = await invoice.told("estimate")

    refused = await invoice.admin.post("/v1/estimates", json=body)

    assert invoice.refused(refused) == (402, "plan_cap_reached")
    problem = refused.json()
    resets_on = month_after(utc_now().date()).isoformat()
    assert {name: problem[name] for name in ("plan", "cap", "used", "what", "resets_on")} == {
        "plan": "Starter",
        "cap": 2,
        "used": 2,
        "what": "documents",
        "resets_on": resets_on,
    }
    assert len(invoice.ok(await invoice.admin.get("/v1/estimates"))["items"]) == 2
    assert await invoice.told("estimate") == told
    assert invoice.ok(await invoice.admin.get(f"{path}/use")) == {
        "plan": "Starter",
        "documents": {"used": 2, "cap": 2},
        "customers": {"used": 1, "cap": None},
        "resets_on": resets_on,
    }
    await invoice.admin.patch("/v1/plans/Starter", json={"documents_per_month": 3})
    assert (await invoice.estimate(customer["id"]))["estimate_number"] == "EST-000003"


async def test_s13_a_deleted_document_gives_its_place_back(invoice: Any) -> None:
    await on_plan(invoice, documents_per_month=1)
    customer = await invoice.customer()
    first = await invoice.estimate(customer["id"])

    assert (await invoice.admin.delete(f"/v1/estimates/{first['id']}")).status_code == 204

    await invoice.estimate(customer["id"])
    second = await invoice.admin.post("/v1/estimates", json={"customer_id": customer["id"], "line_items": [LINE]})
    assert invoice.refused(second) == (402, "plan_cap_reached")


async def test_s13_of_requests_racing_for_the_last_place_one_wins(invoice: Any) -> None:
    await on_plan(invoice, documents_per_month=3, customers=3)
    customer = await invoice.customer()
    document = {"customer_id": customer["id"], "line_items": [LINE]}

    documents = await asyncio.gather(*(invoice.admin.post("/v1/estimates", json=document) for _ in range(8)))
    customers = await asyncio.gather(
        *(invoice.admin.post("/v1/customers", json={"customer_name": f"Racer {number}"}) for number in range(8))
    )

    assert sorted(response.status_code for response in documents) == [201] * 3 + [402] * 5
    assert sorted(response.status_code for response in customers) == [201] * 2 + [402] * 6
    assert len(await invoice.customers()) == 3


async def test_s13_each_month_has_its_own_places(invoice: Any) -> None:
    await on_plan(invoice, documents_per_month=1)
    january, february = datetime.date(2024, 1, 31), datetime.date(2024, 2, 29)

    async def count(on: datetime.date, by: int = 1) -> int:
        async with invoice.database.transaction() as session:
            organization = await organizations.get(session, None)
            await service.count_document(session, organization, on=on, by=by)
            return await documents_made(session, organization.id, on)

    assert await count(january) == 1
    assert await count(february) == 1
    with pytest.raises(PlanCapReached) as refused:
        await count(january)
    assert refused.value.extra["resets_on"] == "2024-02-01"
    assert await count(january, by=-1) == 0
    assert await count(january, by=-1) == 0
    with pytest.raises(PlanCapReached):
        await count(january, by=2)
    assert await count(january) == 1
    assert month_after(datetime.date(2024, 12, 31)) == datetime.date(2025, 1, 1)


async def test_s13_a_customer_beyond_the_cap_is_refused_and_a_lowered_cap_takes_none_away(invoice: Any) -> None:
    path = await on_plan(invoice, customers=2)
    first = await invoice.customer("First")
    await invoice.customer("Second")

    refused = await invoice.admin.post("/v1/customers", json={"customer_name": "Third"})

    assert invoice.refused(refused) == (402, "plan_cap_reached")
    problem = refused.json()
    assert (problem["plan"], problem["cap"], problem["used"], problem["what"]) == ("Starter", 2, 2, "customers")
    assert problem["resets_on"] is None
    await invoice.admin.patch("/v1/plans/Starter", json={"customers": 1})
    assert len(await invoice.customers()) == 2
    assert invoice.ok(await invoice.admin.get(f"{path}/use"))["customers"] == {"used": 2, "cap": 1}
    assert (await invoice.admin.delete(f"/v1/customers/{first['id']}")).status_code == 204
    still = await invoice.admin.post("/v1/customers", json={"customer_name": "Third"})
    assert invoice.refused(still) == (402, "plan_cap_reached")


async def test_s13_of_imported_records_those_beyond_the_cap_fail_and_the_others_go_on(invoice: Any) -> None:
    await on_plan(invoice, customers=2)
    await invoice.apply(invoice.account("a-1"))

    results = await invoice.apply(
        invoice.account("a-2"),
        invoice.account("a-3"),
        invoice.contact("c-1", at="a-1"),
        invoice.contact("c-3", at="a-3"),
        invoice.contact("c-4"),
        invoice.account("a-1", 2, name="Renamed"),
    )

    outcomes = {result["record_id"]: result["outcome"] for result in results}
    assert outcomes == {
        "a-2": "created",
        "a-3": "failed",
        "c-1": "created",
        "c-3": "failed",
        "c-4": "failed",
        "a-1": "updated",
    }
    reasons = {result["reason"] for result in results if result["outcome"] == "failed"}
    assert reasons == {"plan 'Starter' allows 2 customers, and they are all there"}
    assert sorted(customer["customer_name"] for customer in await invoice.customers()) == ["Company a-2", "Renamed"]
    await invoice.admin.patch("/v1/plans/Starter", json={"customers": None})
    again = (invoice.account("a-3"), invoice.contact("c-3", at="a-3"), invoice.contact("c-4"))
    assert await invoice.outcomes(*again) == ["created", "created", "created"]


async def test_an_organization_names_a_plan_that_is_there(invoice: Any) -> None:
    (organization,) = invoice.ok(await invoice.admin.get("/v1/organizations"))["items"]
    path = f"/v1/organizations/{organization['id']}"

    refused = await invoice.admin.patch(path, json={"plan": "Gold"})

    assert invoice.refused(refused) == (422, "plan_not_found")
    assert refused.json()["errors"][0]["field"] == "plan"
    assert invoice.ok(await invoice.admin.get(path)) == organization
    member = await invoice.stack.person("invoice", "member")
    assert invoice.refused(await member.patch(path, json={"plan": "Unlimited"})) == (403, "role_too_low")
