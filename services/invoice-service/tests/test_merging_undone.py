"""Undoing a merge after something happened: what comes of it, and when it is refused (S25, S29, S13)."""

from collections import defaultdict
from itertools import permutations
from typing import Any, NamedTuple

Json = dict[str, Any]


async def merge(invoice: Any, gone_id: str, into_id: str) -> str:
    """Merge the one into the other; the path that undoes it."""
    done = invoice.ok(await invoice.admin.post(f"/v1/customers/{gone_id}/merge", json={"into": into_id}))
    return f"/v1/customers/merges/{done['merge_id']}/undo"


async def test_s29_a_document_that_stays_names_nobody_who_would_go_back(invoice: Any) -> None:
    gone = await invoice.customer("Gone", contact_persons=[{"last_name": "Aalto"}])
    kept = await invoice.customer("Kept")
    (aalto,) = gone["contact_persons"]
    documents = {"estimates": await invoice.estimate(kept["id"]), "invoices": await invoice.bill(kept["id"], "draft")}
    undo = await merge(invoice, gone["id"], kept["id"])

    for kind, document in documents.items():
        path = f"/v1/{kind}/{document['id']}"
        invoice.ok(await invoice.admin.patch(path, json={"contact_person_id": aalto["id"]}))
        refused = await invoice.admin.post(undo)
        assert invoice.refused(refused) == (409, "merge_not_undoable")
        assert document["id"] in refused.json()["detail"]
        assert [one["id"] for one in await invoice.customers()] == [kept["id"]]
        invoice.ok(await invoice.admin.patch(path, json={"contact_person_id": None}))
    assert invoice.ok(await invoice.admin.post(undo))["undone"] is True


async def test_s13_undoing_a_merge_needs_room_for_one_customer_more(invoice: Any) -> None:
    gone, kept = await invoice.customer("Gone"), await invoice.customer("Kept")
    undo = await merge(invoice, gone["id"], kept["id"])
    plan = await invoice.admin.post("/v1/plans", json={"name": "Starter", "customers": 1})
    (organization,) = invoice.ok(await invoice.admin.get("/v1/organizations"))["items"]
    await invoice.admin.patch(f"/v1/organizations/{organization['id']}", json={"plan": "Starter"})
    told = await invoice.told("customer")

    refused = await invoice.admin.post(undo)

    assert invoice.refused(refused) == (402, "plan_cap_reached")
    assert (refused.json()["plan"], refused.json()["cap"], refused.json()["used"]) == ("Starter", 1, 1)
    assert [one["id"] for one in await invoice.customers()] == [kept["id"]]
    assert await invoice.told("customer") == told
    invoice.ok(await invoice.admin.patch(plan.headers["location"], json={"customers": 2}))
    assert invoice.ok(await invoice.admin.post(undo))["undone"] is True
    assert len(await invoice.customers()) == 2


async def test_s29_an_inactive_one_is_merged_away_and_comes_back_inactive(invoice: Any) -> None:
    gone, kept = await invoice.customer("Gone"), await invoice.customer("Kept")
    await invoice.admin.post(f"/v1/customers/{gone['id']}/inactive")

    undo = await merge(invoice, gone["id"], kept["id"])
    invoice.ok(await invoice.admin.post(undo))

    assert (await invoice.shown("customers", gone["id"]))["status"] == "inactive"


async def test_s29_whoever_is_deleted_takes_those_merged_into_it_along(invoice: Any) -> None:
    gone, kept = await invoice.customer("Gone"), await invoice.customer("Kept")
    undo = await merge(invoice, gone["id"], kept["id"])

    assert (await invoice.admin.delete(f"/v1/customers/{kept['id']}")).status_code == 204

    for one in (gone, kept):
        assert invoice.refused(await invoice.admin.get(f"/v1/customers/{one['id']}")) == (404, "customer_not_found")
    assert invoice.refused(await invoice.admin.post(undo)) == (404, "merge_not_found")


class Story(NamedTuple):
    """Accounts a and b, and a contact c: the places it had, which customer was merged into which, its place after it.

    A place is an account, or "c" where it stands alone; a customer is named after the record that it was made for.
    """

    number: int
    places: str
    gone: str
    into: str
    after: str

    def contact(self, invoice: Any, version: int, place: str) -> Json:
        return dict(invoice.contact(f"c{self.number}", version, at=None if place == "c" else f"{place}{self.number}"))

    def upholding(self) -> list[list[str]]:
        """The CRM links of each active customer, were the records imported afresh."""
        links = {key: [key] for key in "ab"}
        links.setdefault(self.after, []).append("c")
        return sorted(links.values())


# One that stood alone and has an account now left an inactive customer, which has a document; into that nothing goes.
STORIES = [
    Story(number, *story)
    for number, story in enumerate(
        (places, gone, into, after)
        for places, customers in (("a", "ab"), ("c", "abc"), ("ca", "abc"))
        for gone, into in permutations(customers, 2)
        if (places, into) != ("ca", "c")
        for after in "abc"
    )
]


async def test_s25_after_undoing_customers_look_as_if_the_records_were_imported_afresh(invoice: Any) -> None:
    """Wherever the contact went meanwhile; where that cannot be done, undoing is refused.

    All records say the same of their customers, so that these give no sign of who moved.
    """
    name = {one.number: f"Person c{one.number}" for one in STORIES}
    made = await invoice.apply(
        *(invoice.account(f"{kind}{one.number}", name=name[one.number]) for one in STORIES for kind in "ab"),
        *(one.contact(invoice, 1, one.places[0]) for one in STORIES),
    )
    ids = {result["record_id"]: result["customer_id"] for result in made}
    moving = [one for one in STORIES if one.places == "ca"]
    for one in moving:
        await invoice.estimate(crm_contact_id=f"c{one.number}")
    await invoice.apply(*(one.contact(invoice, 2, "a") for one in moving))
    undo = {}
    for one in STORIES:
        undo[one] = await merge(invoice, ids[f"{one.gone}{one.number}"], ids[f"{one.into}{one.number}"])
    await invoice.apply(*(one.contact(invoice, 3, one.after) for one in STORIES))

    undone = [one for one, path in undo.items() if (await invoice.admin.post(path)).status_code == 200]

    found = defaultdict(list)
    for customer in await invoice.customers(limit=200, status="active"):
        links = [link["record_id"] for link in customer["crm_links"]]
        found[links[0][1:] if links else "nothing"].append([link[0] for link in links])
        assert len(customer["contact_persons"]) == sum(link[0] == "c" for link in links)
    assert "nothing" not in found
    assert [one for one in undone if sorted(found[str(one.number)]) != one.upholding()] == []
    assert [one for one in STORIES if one.places[-1] == one.after and one not in undone] == []
