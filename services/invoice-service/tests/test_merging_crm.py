"""Merged customers and the CRM: their records stay linked to the one that stays, whatever comes after (S29)."""

from typing import Any

Json = dict[str, Any]


async def named(invoice: Any, name: str) -> Json:
    (customer,) = [one for one in await invoice.customers() if one["customer_name"] == name]
    return dict(customer)


async def merge(invoice: Any, gone: str, into: str) -> Json:
    """Merge the customer with one name into the one with the other."""
    path = f"/v1/customers/{(await named(invoice, gone))['id']}/merge"
    done: Json = invoice.ok(await invoice.admin.post(path, json={"into": (await named(invoice, into))["id"]}))
    return done


async def undo(invoice: Any, done: Json) -> None:
    invoice.ok(await invoice.admin.post(f"/v1/customers/merges/{done['merge_id']}/undo"))


async def shown(invoice: Any) -> list[tuple[str, str, list[str]]]:
    return sorted(
        (one["customer_name"], one["status"], [person["last_name"] for person in one["contact_persons"]])
        for one in await invoice.customers()
    )


async def test_s29_no_later_event_or_import_brings_the_duplicate_back(invoice: Any) -> None:
    records = [invoice.account("a"), invoice.account("b"), invoice.contact("c", at="b")]
    await invoice.apply(*records)

    done = await merge(invoice, "Company b", "Company a")

    assert (done["moved"]["crm_links"], done["moved"]["contact_persons"]) == (2, 1)
    links = [(one["record_type"], one["record_id"]) for one in done["customer"]["crm_links"]]
    assert links == [("account", "a"), ("account", "b"), ("contact", "c")]
    assert await invoice.outcomes(*records) == ["unchanged"] * 3
    assert await invoice.outcomes(
        invoice.account("b", 2, name="Renamed"), invoice.contact("c", 2, at="b"), invoice.contact("d", at="b")
    ) == ["unchanged", "unchanged", "created"]
    assert await shown(invoice) == [("Company a", "active", ["Person c", "Person d"])]
    assert (await invoice.outcomes(invoice.account("a", 2, name="A"))) == ["updated"]
    assert await shown(invoice) == [("A", "active", ["Person c", "Person d"])]


async def test_s29_documents_are_seen_at_both_records(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.account("b"))
    estimate = await invoice.estimate(crm_account_id="b")

    await merge(invoice, "Company b", "Company a")

    other = await invoice.estimate(crm_account_id="b")
    for record in ("a", "b"):
        page = invoice.ok(await invoice.admin.get("/v1/estimates", params={"crm_account_id": record}))
        assert [one["id"] for one in page["items"]] == [other["id"], estimate["id"]]
    _, moved, _ = (await invoice.told("estimate"))[1]
    assert [link.record_id for link in moved.crm_links] == ["a", "b"]


async def test_s28_the_one_that_stayed_goes_when_no_record_upholds_it(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.account("b"))
    await merge(invoice, "Company b", "Company a")

    assert await invoice.outcomes(invoice.deleted("account", "a", 2)) == ["updated"]
    assert await shown(invoice) == [("Company b", "active", [])]
    assert await invoice.outcomes(invoice.deleted("account", "b", 2)) == ["deleted"]
    assert await shown(invoice) == []
    assert await invoice.outcomes(invoice.account("a", 3), invoice.account("b", 3)) == ["created", "updated"]
    assert await shown(invoice) == [("Company a", "active", [])]


async def test_s28_with_documents_it_becomes_inactive_and_comes_back(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.account("b"))
    await invoice.estimate(crm_account_id="b")
    await merge(invoice, "Company b", "Company a")

    gone = [invoice.deleted("account", "b", 2), invoice.deleted("account", "a", 2)]
    assert await invoice.outcomes(*gone) == ["made_inactive", "updated"]  # in the order of their keys
    assert [status for _, status, _ in await shown(invoice)] == ["inactive"]
    assert await invoice.outcomes(invoice.account("b", 3, name="Back")) == ["updated"]
    assert await shown(invoice) == [("Back", "active", [])]


async def test_s29_one_made_by_hand_takes_its_fields_from_the_first_merged_one_and_never_goes(invoice: Any) -> None:
    await invoice.customer("By hand", notes="Pays late")
    await invoice.apply(invoice.account("a"), invoice.contact("c"))
    await merge(invoice, "Company a", "By hand")
    done = await merge(invoice, "Person c", "By hand")

    assert done["customer"]["crm_owned_fields"][0]["field"] == "customer_name"
    await invoice.apply(invoice.contact("c", 2), invoice.account("a", 2, name="A"))
    assert await shown(invoice) == [("A", "active", ["Person c"])]
    await invoice.apply(invoice.deleted("account", "a", 3), invoice.deleted("contact", "c", 3))
    (left,) = await invoice.customers()
    assert (left["status"], left["notes"], left["crm_owned_fields"]) == ("active", "Pays late", [])


async def test_s29_undoing_gives_each_its_records_back(invoice: Any) -> None:
    await invoice.apply(
        invoice.account("a"), invoice.account("b"), invoice.contact("c", at="b"), invoice.contact("e", at="a")
    )
    before = await shown(invoice)
    done = await merge(invoice, "Company b", "Company a")
    assert await invoice.outcomes(invoice.account("b", 2, name="B")) == ["unchanged"]

    await undo(invoice, done)

    renamed = {"Company b": "B"}
    assert await shown(invoice) == sorted((renamed.get(name, name), *others) for name, *others in before)
    assert await invoice.outcomes(
        invoice.account("b", 3, name="Company b"),
        invoice.account("a", 2, name="A"),
        invoice.contact("c", 2, at="b", phone="1"),
        invoice.deleted("contact", "e", 2),
    ) == ["updated", "updated", "updated", "deleted"]
    assert await shown(invoice) == [("A", "active", []), ("Company b", "active", ["Person c"])]
    assert await invoice.outcomes(invoice.deleted("account", "a", 3)) == ["deleted"]


async def test_s29_a_contact_merged_with_its_account_s_customer(invoice: Any) -> None:
    """It stood alone, has a document of its own, and belongs to the account now."""
    await invoice.apply(invoice.account("a"), invoice.contact("c"))
    await invoice.estimate(crm_contact_id="c")
    await invoice.apply(invoice.contact("c", 2, at="a"))
    assert await shown(invoice) == [("Company a", "active", ["Person c"]), ("Person c", "inactive", [])]

    done = await merge(invoice, "Person c", "Company a")

    assert await shown(invoice) == [("Company a", "active", ["Person c"])]
    await invoice.apply(invoice.contact("c", 3))
    assert await shown(invoice) == [("Company a", "active", ["Person c"])]
    refused = await invoice.admin.post(f"/v1/customers/merges/{done['merge_id']}/undo")
    assert invoice.refused(refused) == (409, "merge_not_undoable")
    assert "contact c changed" in refused.json()["detail"]
    assert await invoice.outcomes(invoice.deleted("account", "a", 2)) == ["updated"]
    assert await shown(invoice) == [("Person c", "active", ["Person c"])]


async def test_a_command_that_touches_merged_customers_takes_few_statements(invoice: Any) -> None:
    counts = []
    for size in (1, 10):
        ids = [f"{size}-{number}" for number in range(size)]
        await invoice.apply(*(invoice.account(f"{kind}{id_}") for kind in "ab" for id_ in ids))
        for id_ in ids:
            await merge(invoice, f"Company b{id_}", f"Company a{id_}")
        with invoice.statements() as sent:
            await invoice.apply(
                *(invoice.account(f"b{id_}", 2, name=f"New {id_}") for id_ in ids),
                *(invoice.deleted("account", f"a{id_}", 2) for id_ in ids),
            )
        counts.append(len(sent))
        assert {f"New {id_}" for id_ in ids} <= {name for name, _, _ in await shown(invoice)}
    assert counts[0] == counts[1] <= 30
