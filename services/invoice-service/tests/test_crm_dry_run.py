"""``POST /v1/crm/customers/plan``, what is told of changes, and the list of the records that are live (S30)."""

from typing import Any

Json = dict[str, Any]


async def plan(invoice: Any, *records: Json, **asked: Any) -> Json:
    """What is answered."""
    body = {"records": records, **asked}
    answer: Json = invoice.ok(await invoice.sync.post("/v1/crm/customers/plan", json=body))
    return answer


async def everything(invoice: Any) -> tuple[list[Json], list[Any]]:
    return await invoice.customers(), await invoice.told("customer")


def unnamed(results: list[Json]) -> list[Json]:
    return [{**one, "customer_id": None} for one in results]


async def test_s30_the_plan_is_what_is_then_applied_and_changes_nothing(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.account("b"), invoice.contact("c", at="b"), invoice.contact("d"))
    (own,) = await invoice.customers(crm_contact_id="d")
    await invoice.estimate(own["id"])
    before = await everything(invoice)
    accounts = [invoice.account("a", 2, name="Renamed", phone="1"), invoice.deleted("account", "b", 2)]
    contacts = [
        invoice.contact("c", 2, at="a", mobile="2"),
        invoice.deleted("contact", "d", 2),
        invoice.contact("e", at="b"),
        invoice.contact("f", at="?"),
        invoice.contact("g") | {"contact_person": {"last_name": "x" * 256}},
        invoice.contact("h"),
    ]

    planned = await plan(invoice, *accounts)
    asks = await plan(invoice, *contacts, places_taken=planned["places_taken"])
    assert asks["results"] == []
    assert [one["record_id"] for one in asks["missing"]] == ["?", "a", "b"]
    unknown = {"refused": [{"record_type": "account", "record_id": "?"}]}
    rest = await plan(invoice, *contacts, earlier=accounts, **unknown, places_taken=planned["places_taken"])

    assert await everything(invoice) == before
    told: Json = invoice.ok(
        await invoice.sync.put("/v1/crm/customers", json={"records": [*accounts, *contacts], "explain": True})
    )
    assert unnamed(told["results"]) == unnamed([*planned["results"], *rest["results"]])
    assert {one["record_id"]: one["outcome"] for one in told["results"]} == {
        "a": "updated",
        "b": "deleted",
        "c": "updated",
        "d": "made_inactive",
        "e": "created",
        "f": "account_missing",
        "g": "failed",
        "h": "created",
    }
    renamed, _, moved, *_ = told["results"]
    assert renamed["known_version"] == 1
    assert renamed["changes"] == [
        {"field": "customer.customer_name", "before": "Company a", "after": "Renamed"},
        {"field": "customer.phone", "before": None, "after": "1"},
    ]
    assert moved["customer_name"] == "Renamed"
    assert {"field": "contact_person.customer", "before": None, "after": "Renamed"} in moved["changes"]
    assert planned["places_taken"] + rest["places_taken"] == len(await invoice.customers()) - len(before[0])


async def test_s13_the_plan_counts_the_places_that_were_taken_before(invoice: Any) -> None:
    invoice.made(await invoice.admin.post("/v1/plans", json={"name": "Starter", "customers": 2}))
    (organization,) = invoice.ok(await invoice.admin.get("/v1/organizations"))["items"]
    await invoice.admin.patch(f"/v1/organizations/{organization['id']}", json={"plan": "Starter"})
    await invoice.customer("By hand")

    for taken, outcomes in ((0, ["created", "failed"]), (1, ["failed"] * 2), (-1, ["created"] * 2)):
        planned = await plan(invoice, invoice.account("a"), invoice.account("b"), places_taken=taken)
        assert [one["outcome"] for one in planned["results"]] == outcomes
        assert planned["places_taken"] == outcomes.count("created")


async def test_what_was_edited_in_invoice_is_brought_back_by_applying_again(invoice: Any) -> None:
    records = [invoice.account("a", phone="1"), invoice.contact("c", at="a")]
    await invoice.apply(*records)
    (before,) = await invoice.customers()
    person = {"id": before["contact_persons"][0]["id"], "last_name": "Edited", "email": "c@a.test"}
    path = f"/v1/customers/{before['id']}"
    invoice.ok(await invoice.admin.patch(path, json={"phone": "2", "notes": "Kept", "contact_persons": [person]}))
    again = {"records": records, "reapply": True}

    assert await invoice.outcomes(*records) == ["unchanged"] * 2
    planned = await plan(invoice, *records, reapply=True)
    mended: Json = invoice.ok(await invoice.sync.put("/v1/crm/customers", json={**again, "explain": True}))

    assert mended["results"] == planned["results"]
    assert [(one["outcome"], one["changes"]) for one in mended["results"]] == [
        ("updated", [{"field": "customer.phone", "before": "2", "after": "1"}]),
        ("updated", [{"field": "contact_person.last_name", "before": "Edited", "after": "Person c"}]),
    ]
    after = await invoice.shown("customers", before["id"])
    assert (after["phone"], after["notes"]) == ("1", "Kept")
    assert [(one["last_name"], one["email"]) for one in after["contact_persons"]] == [("Person c", "c@a.test")]
    quiet: Json = invoice.ok(await invoice.sync.put("/v1/crm/customers", json=again))
    assert [(one["outcome"], one["changes"]) for one in quiet["results"]] == [("unchanged", [])] * 2
    assert (await invoice.shown("customers", before["id"]))["version"] == after["version"]


async def test_an_older_version_takes_the_place_of_the_newer_one_that_it_names_alone(invoice: Any) -> None:
    await invoice.apply(invoice.account("a", 5, name="Live"))
    old = invoice.account("a", 2, name="Old")
    for record, outcome, name in (
        (old, "unchanged", "Live"),
        ({**old, "set_back_from": 4}, "unchanged", "Live"),
        ({**old, "set_back_from": 5}, "updated", "Old"),
    ):
        planned = await plan(invoice, record, reapply=True)
        body = {"records": [record], "reapply": True, "explain": True}
        mended: Json = invoice.ok(await invoice.sync.put("/v1/crm/customers", json=body))
        assert mended["results"] == planned["results"]
        assert [(one["outcome"], one["known_version"]) for one in mended["results"]] == [(outcome, 5)]
        assert [one["customer_name"] for one in await invoice.customers()] == [name]


async def test_s29_what_the_crm_does_not_have_is_planned_after_all_that_it_has(invoice: Any) -> None:
    """a and b are merged; the CRM has deleted b, and does not have a any more."""
    a, b = await invoice.apply(invoice.account("a"), invoice.account("b"))
    invoice.ok(await invoice.admin.post(f"/v1/customers/{b['customer_id']}/merge", json={"into": a["customer_id"]}))
    feed, held = invoice.deleted("account", "b", 2), invoice.deleted("account", "a", 2)
    key_a, key_b = ({"record_type": "account", "record_id": id_} for id_ in "ab")

    first = await plan(invoice, feed, reapply=True, refused=[key_a])
    assert (await plan(invoice, held, reapply=True, after_all=True))["missing"] == [key_b]
    then = await plan(invoice, held, reapply=True, after_all=True, earlier=[feed])
    other_way = await plan(invoice, feed, reapply=True, after_all=True, gone=[key_a])

    told = [one["outcome"] for one in (*first["results"], *then["results"])]
    done = []
    for record in (feed, held):
        body = {"records": [record], "reapply": True}
        done += invoice.ok(await invoice.sync.put("/v1/crm/customers", json=body))["results"]
    assert told == [one["outcome"] for one in done] == ["updated", "deleted"]
    assert [one["outcome"] for one in other_way["results"]] == ["deleted"]


async def test_the_records_that_are_live_are_listed_page_by_page(invoice: Any) -> None:
    await invoice.apply(
        *(invoice.account(id_, 2) for id_ in "bac"), invoice.contact("d", at="a"), invoice.contact("e", 7)
    )
    await invoice.apply(invoice.deleted("account", "c", 3))
    found: list[Json] = []
    cursor = {}
    for _ in range(2):
        page = invoice.ok(await invoice.sync.get("/v1/crm/links", params={"limit": 3, **cursor}))
        found += page["items"]
        cursor = {"cursor": page["next_cursor"]}

    assert cursor == {"cursor": None}
    assert [(one["record_type"], one["record_id"], one["version"]) for one in found] == [
        ("account", "a", 2),
        ("account", "b", 2),
        ("contact", "d", 1),
        ("contact", "e", 7),
    ]
    ids = {one["customer_id"] for one in found}
    assert ids == {customer["id"] for customer in await invoice.customers()}
    assert invoice.refused(await invoice.sync.get("/v1/crm/links", params={"limit": 1001})) == (422, "validation_error")


async def test_only_services_may_ask(invoice: Any) -> None:
    asked = await invoice.admin.post("/v1/crm/customers/plan", json={"records": [invoice.account("a")]})
    for response in (asked, await invoice.admin.get("/v1/crm/links")):
        assert invoice.refused(response) == (403, "services_only")
