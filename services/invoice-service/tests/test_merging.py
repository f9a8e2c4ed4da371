"""Merging a customer into another one: what goes along, what is refused, preview, journal and undoing it (S29)."""

import asyncio
from typing import Any

import pytest

Json = dict[str, Any]
BERLIN = {"street": "Obere Str. 57", "city": "Berlin", "zip": "12209"}


async def merge(invoice: Any, gone: Json, into: Json, **query: Any) -> Json:
    path = f"/v1/customers/{gone['id']}/merge"
    body: Json = invoice.ok(await invoice.admin.post(path, json={"into": into["id"]}, params=query))
    return body


async def listed(invoice: Any, path: str, **query: Any) -> list[Json]:
    items: list[Json] = invoice.ok(await invoice.admin.get(path, params=query))["items"]
    return items


class Two:
    """A duplicate with an estimate, an invoice, a payment and a person, and the customer that is to stay."""

    def __init__(self, duplicate: Json, kept: Json, estimate: Json, bill: Json) -> None:
        self.duplicate = duplicate
        self.kept = kept
        self.estimate = estimate
        self.bill = bill

    @classmethod
    async def begin(cls, invoice: Any) -> "Two":
        kept = await invoice.customer("Alfreds Futterkiste", contact_persons=[{"last_name": "Anders"}])
        duplicate = await invoice.customer(
            "Alfred's Futterkiste GmbH",
            billing_address=BERLIN,
            contact_persons=[{"last_name": "Aalto"}, {"last_name": "Berg", "is_primary": True}],
        )
        estimate, bill = await invoice.estimate(duplicate["id"]), await invoice.bill(duplicate["id"])
        await invoice.pay(bill["id"], "20")
        return cls(duplicate, kept, estimate, bill)

    async def everything(self, invoice: Any) -> Json:
        """All that a merge touches, without what counts changes."""
        found: Json = {
            "customers": await invoice.customers(),
            "estimates": await listed(invoice, "/v1/estimates"),
            "invoices": await listed(invoice, "/v1/invoices"),
            "payments": await listed(invoice, "/v1/payments"),
            "duplicates": await listed(invoice, "/v1/customers/duplicates"),
            "berg": [one["id"] for one in await invoice.customers(q="berg")],
        }
        for records in found.values():
            for record in records:
                if isinstance(record, dict):
                    for name in ("version", "updated_at"):
                        record.pop(name, None)
        return found


async def test_s29_documents_payments_and_persons_go_to_the_one_that_stays(invoice: Any) -> None:
    two = await Two.begin(invoice)

    done = await merge(invoice, two.duplicate, two.kept)

    assert done["moved"] == {"estimates": 1, "invoices": 1, "payments": 1, "contact_persons": 2, "crm_links": 0}
    customer = done["customer"]
    people = [(one["last_name"], one["is_primary"]) for one in customer["contact_persons"]]
    assert people == [("Anders", True), ("Aalto", False), ("Berg", False)]
    assert (customer["id"], customer["customer_name"]) == (two.kept["id"], "Alfreds Futterkiste")
    assert (customer["version"], customer["has_transactions"]) == (2, True)
    assert await invoice.customers() == [customer]
    assert await invoice.customers(q="berg") == [customer]
    for path in ("/v1/estimates", "/v1/invoices", "/v1/payments"):
        assert {one["customer_id"] for one in await listed(invoice, path)} == {two.kept["id"]}
    bill = await invoice.shown("invoices", two.bill["id"])
    assert (bill["customer_name"], bill["billing_address"]["city"]) == ("Alfred's Futterkiste GmbH", "Berlin")
    assert (bill["amount_paid"], bill["version"]) == ("20.00", two.bill["version"] + 2)
    assert "merged" in bill["history"][-1]["what"]


async def test_s29_the_old_id_leads_to_the_one_that_stayed_over_chains(invoice: Any) -> None:
    first, second, third = [await invoice.customer(name) for name in ("First", "Second", "Third")]
    await merge(invoice, first, second)
    await merge(invoice, second, third)
    old = f"/v1/customers/{first['id']}"

    assert invoice.ok(await invoice.admin.get(old))["id"] == third["id"]
    edited = await invoice.admin.patch(old, json={"notes": "Pays late"}, headers={"If-Match": '"2"'})
    assert (invoice.ok(edited)["id"], invoice.ok(edited)["notes"]) == (third["id"], "Pays late")
    assert (await invoice.estimate(first["id"]))["customer_id"] == third["id"]
    bill = await invoice.bill(first["id"])
    assert bill["customer_id"] == third["id"]
    await invoice.pay(bill["id"], "1")
    for path in ("/v1/estimates", "/v1/invoices", "/v1/payments"):
        (found,) = await listed(invoice, path, customer_id=first["id"])
        assert found["customer_id"] == third["id"]
    assert invoice.ok(await invoice.admin.get(f"{old}/statement"))["customer_id"] == third["id"]
    assert invoice.ok(await invoice.admin.get(f"{old}/balances"))["customer_id"] == third["id"]
    inactive = invoice.ok(await invoice.admin.post(f"{old}/inactive"))
    assert (inactive["id"], inactive["status"]) == (third["id"], "inactive")
    for removal in (await invoice.admin.delete(old), await invoice.admin.delete(old, headers={"If-Match": '"2"'})):
        assert invoice.refused(removal) == (409, "customer_already_merged")
    again = await invoice.admin.post(f"{old}/merge", json={"into": third["id"]})
    assert invoice.refused(again) == (409, "customer_already_merged")
    assert [one["customer_name"] for one in await invoice.customers()] == ["Third"]


async def test_s29_a_preview_says_what_would_be_and_changes_nothing(invoice: Any) -> None:
    two = await Two.begin(invoice)
    before, told = await two.everything(invoice), await invoice.told("customer")

    preview = await merge(invoice, two.duplicate, two.kept, dry_run=True)

    assert (preview["merge_id"], preview["merged_at"]) == (None, None)
    assert await two.everything(invoice) == before
    assert await invoice.told("customer") == told
    done = await merge(invoice, two.duplicate, two.kept)
    assert done | {"merge_id": None, "merged_at": None} == preview


async def test_s29_what_happened_is_told(invoice: Any) -> None:
    two = await Two.begin(invoice)
    before = {noun: len(await invoice.told(noun)) for noun in ("customer", "estimate", "invoice", "payment")}

    await merge(invoice, two.duplicate, two.kept)

    news = {noun: (await invoice.told(noun))[count:] for noun, count in before.items()}
    (verb, gone, _), (other, kept, _) = news["customer"]
    assert (verb, gone.id, gone.status, gone.version) == ("merged", two.duplicate["id"], "inactive", 2)
    assert (gone.merged_into, gone.contact_persons) == (two.kept["id"], ())
    assert (other, kept.id, len(kept.contact_persons)) == ("updated", two.kept["id"], 3)
    for noun in ("estimate", "invoice", "payment"):
        ((verb, data, _),) = news[noun]
        assert (verb, data.customer_id) == ("updated", two.kept["id"])


async def test_s29_undoing_it_makes_both_what_they_were(invoice: Any) -> None:
    two = await Two.begin(invoice)
    before = await two.everything(invoice)
    done = await merge(invoice, two.duplicate, two.kept)

    undone = invoice.ok(await invoice.admin.post(f"/v1/customers/merges/{done['merge_id']}/undo"))

    assert await two.everything(invoice) == before
    assert (undone["undone"], undone["undone_by"]) == (True, "admin@invoice.test")
    (entry,) = await listed(invoice, f"/v1/customers/{two.kept['id']}/merges")
    assert entry == undone
    assert entry["from"] == {"id": two.duplicate["id"], "customer_name": "Alfred's Futterkiste GmbH"}
    assert (entry["into"]["id"], entry["who"], entry["moved"]) == (two.kept["id"], "admin@invoice.test", done["moved"])
    told = [(verb, data.id, data.status) for verb, data, _ in (await invoice.told("customer"))[-2:]]
    assert told == [("updated", two.duplicate["id"], "active"), ("updated", two.kept["id"], "active")]
    again = await invoice.admin.post(f"/v1/customers/merges/{done['merge_id']}/undo")
    assert invoice.refused(again) == (409, "merge_not_undoable")


CHANGES = ["the one that stays is edited", "it gets a document", "a moved document is edited", "a moved one is paid"]


@pytest.mark.parametrize("change", CHANGES)
async def test_s29_what_has_changed_since_cannot_be_undone(invoice: Any, change: str) -> None:
    two = await Two.begin(invoice)
    done = await merge(invoice, two.duplicate, two.kept)
    match CHANGES.index(change):
        case 0:
            await invoice.admin.patch(f"/v1/customers/{two.kept['id']}", json={"notes": "Pays late"})
        case 1:
            await invoice.estimate(two.kept["id"])
        case 2:
            await invoice.admin.patch(f"/v1/estimates/{two.estimate['id']}", json={"notes": "Thank you"})
        case _:
            await invoice.pay(two.bill["id"], "1")
    before = await two.everything(invoice)

    refused = await invoice.admin.post(f"/v1/customers/merges/{done['merge_id']}/undo")

    assert invoice.refused(refused) == (409, "merge_not_undoable")
    named = two.estimate["id"] if change == CHANGES[2] else "Alfreds Futterkiste"
    assert named in refused.json()["detail"]
    assert await two.everything(invoice) == before


async def test_s29_a_chain_is_undone_from_its_end(invoice: Any) -> None:
    two = await Two.begin(invoice)
    last = await invoice.customer("Last")
    before = await two.everything(invoice)
    inner = await merge(invoice, two.duplicate, two.kept)
    outer = await merge(invoice, two.kept, last)

    too_early = await invoice.admin.post(f"/v1/customers/merges/{inner['merge_id']}/undo")
    assert invoice.refused(too_early) == (409, "merge_not_undoable")
    assert "undo that merge first" in too_early.json()["detail"]
    journal = await listed(invoice, f"/v1/customers/{two.duplicate['id']}/merges")
    assert [one["merge_id"] for one in journal] == [outer["merge_id"], inner["merge_id"]]
    for done in (outer, inner):
        invoice.ok(await invoice.admin.post(f"/v1/customers/merges/{done['merge_id']}/undo"))
    assert await two.everything(invoice) == before


async def test_s29_two_merged_into_one_are_undone_in_reverse(invoice: Any) -> None:
    two = await Two.begin(invoice)
    other = await invoice.customer("Other")
    await invoice.estimate(other["id"])
    before = await two.everything(invoice)
    first = await merge(invoice, two.duplicate, two.kept)
    second = await merge(invoice, other, two.kept)

    for done, status in ((first, 409), (second, 200), (first, 200)):
        response = await invoice.admin.post(f"/v1/customers/merges/{done['merge_id']}/undo")
        assert response.status_code == status, response.text
    assert await two.everything(invoice) == before


async def test_s29_what_cannot_be_merged_is_refused_and_nothing_changes(invoice: Any) -> None:
    ours, other = await invoice.customer("Ours"), await invoice.customer("Other")
    inactive, euro = await invoice.customer("Inactive"), await invoice.customer("Euro", currency_code="EUR")
    await invoice.admin.post(f"/v1/customers/{inactive['id']}/inactive")
    books = invoice.made(await invoice.admin.post("/v1/organizations", json={"name": "B", "currency_code": "USD"}))
    elsewhere = {"X-Organization-Id": books["id"]}
    theirs = invoice.made(await invoice.admin.post("/v1/customers", json={"customer_name": "T"}, headers=elsewhere))
    before = await invoice.customers()

    refusals = [
        (ours["id"], ours["id"], (409, "merge_into_itself")),
        (ours["id"], inactive["id"], (409, "merge_into_inactive")),
        (ours["id"], euro["id"], (409, "merge_currency_differs")),
        (ours["id"], theirs["id"], (422, "customer_not_found")),
        (ours["id"], "nobody", (422, "customer_not_found")),
        (theirs["id"], ours["id"], (404, "customer_not_found")),
        ("nobody", ours["id"], (404, "customer_not_found")),
    ]
    for gone, into, refusal in refusals:
        for dry_run in (True, False):
            response = await invoice.admin.post(
                f"/v1/customers/{gone}/merge", json={"into": into}, params={"dry_run": dry_run}
            )
            assert invoice.refused(response) == refusal
    path = f"/v1/customers/{ours['id']}/merge"
    for query in ({}, {"dry_run": True}):
        old = await invoice.admin.post(path, json={"into": other["id"]}, params=query, headers={"If-Match": '"7"'})
        assert invoice.refused(old) == (412, "version_conflict")
    assert invoice.refused(await invoice.admin.post(path, json={})) == (422, "validation_error")
    viewer = await invoice.stack.person("invoice", "viewer")
    assert invoice.refused(await viewer.post(path, json={"into": other["id"]})) == (403, "role_too_low")
    assert await invoice.customers() == before
    done = await merge(invoice, ours, other)
    undo = f"/v1/customers/merges/{done['merge_id']}/undo"
    assert invoice.refused(await invoice.admin.post(undo, headers=elsewhere)) == (404, "merge_not_found")
    journal = f"/v1/customers/{other['id']}/merges"
    assert invoice.refused(await invoice.admin.get(journal, headers=elsewhere)) == (404, "customer_not_found")


async def test_s29_a_merge_takes_the_same_few_statements_for_each_two_hundred_documents(invoice: Any) -> None:
    kept = await invoice.customer("Kept")
    counts = []
    for number in (1, 15):
        gone = await invoice.customer("Gone")
        for _ in range(number):
            await invoice.estimate(gone["id"])
        with invoice.statements() as sent:
            await merge(invoice, gone, kept)
        counts.append(len(sent))
    assert counts[0] == counts[1]


async def test_s29_documents_made_meanwhile_go_to_the_one_that_stays(invoice: Any) -> None:
    gone, kept = await invoice.customer("Gone"), await invoice.customer("Kept")

    done, *estimates = await asyncio.gather(
        merge(invoice, gone, kept), *(invoice.estimate(gone["id"]) for _ in range(5))
    )

    found = await listed(invoice, "/v1/estimates")
    assert len(found) == len(estimates) == 5
    assert {one["customer_id"] for one in found} == {kept["id"]}
    assert done["moved"]["estimates"] <= 5
    refused = await invoice.admin.delete(f"/v1/customers/{kept['id']}")
    assert invoice.refused(refused) == (409, "customer_has_transactions")
    assert refused.json()["detail"].startswith("5 ")


async def test_s29_of_two_merges_of_one_customer_at_once_one_is_done(invoice: Any) -> None:
    gone, left, right = [await invoice.customer(name) for name in ("Gone", "Left", "Right")]
    path = f"/v1/customers/{gone['id']}/merge"

    responses = await asyncio.gather(
        invoice.admin.post(path, json={"into": left["id"]}),
        invoice.admin.post(path, json={"into": right["id"]}),
        invoice.admin.post(f"/v1/customers/{left['id']}/merge", json={"into": gone["id"]}),
    )

    assert all(response.status_code in (200, 409) for response in responses)
    assert sorted(response.status_code for response in responses[:2]) != [200, 200]
    assert (await invoice.shown("customers", gone["id"]))["id"] in {left["id"], right["id"]}
