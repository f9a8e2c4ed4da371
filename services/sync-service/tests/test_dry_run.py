"""The dry run: exactly what an import would do, changing nothing."""

import random
from typing import Any

from contracts.accounts import AccountSnapshot
from contracts.contacts import ContactSnapshot

GOOD = {"email": "ada@crm.test", "zsc_key": "zsc_good", "auto_update": True}
DRY = "/v1/imports?dry_run=true"


async def same_as_done(world: Any) -> Any:
    """A dry run, and then the import: both list and count the same. Gives the dry run."""
    before = world.invoice.books.copy()
    dry = await world.start(DRY)
    assert world.invoice.books == before
    run = await world.start()
    for what in ("changes", "failures"):
        assert await world.listed(dry, what) == await world.listed(run, what)
    assert (dry["counts"], dry["changes"], dry["total"]) == (run["counts"], run["changes"], run["total"])
    assert (dry["kind"], run["kind"]) == ("dry_run", "import")
    return dry


async def test_s30_an_import_does_exactly_what_the_dry_run_said(world: Any) -> None:
    await world.connect()
    world.crm.fill()
    world.invoice.refused = {"a1": "too strange"}  # and so its contact has no account
    world.crm.put(ContactSnapshot(id="c8", version=1, last_name="Lost", account_id="a-nowhere"))
    first = await same_as_done(world)
    assert (first["counts"]["read"], first["counts"]["created"], first["counts"]["failed"]) == (10, 7, 3)

    world.crm.change("a0", phone="030-1", billing_address={"city": "Berlin"})
    world.crm.change("c0", account_id=None)
    world.crm.change("c2", account_id="a3", mobile="0170")
    world.crm.change("a4", deleted=True)
    world.crm.put(AccountSnapshot(id="a7", version=1, account_name="New"))
    second = await same_as_done(world)
    counts = dict.fromkeys(second["counts"], 0)
    assert second["counts"] == counts | {
        "read": 11, "created": 1, "updated": 3, "deleted": 1, "unchanged": 3, "failed": 3,
    }  # fmt: skip
    last = await same_as_done(world)
    assert (last["counts"]["unchanged"], last["changes"]) == (8, 0)


async def test_s13_a_dry_run_counts_the_plan_s_places_over_all_pages(world: Any) -> None:
    await world.connect()
    world.crm.fill()
    for places, failed in ((0, 9), (3, 3), (5, 1)):
        world.invoice.places = places
        assert (await same_as_done(world))["counts"]["failed"] == failed


async def test_a_record_that_cannot_be_read_fails_alone_in_a_dry_run_too(world: Any) -> None:
    await world.connect()
    world.crm.page_size = 10
    world.crm.fill()
    world.invoice.unreadable.add("a1")
    assert (await same_as_done(world))["counts"]["failed"] == 2


async def test_what_comes_before_a_record_and_is_refused_does_not_make_the_record_fail(world: Any) -> None:
    await world.connect()
    world.crm.page_size = 10
    world.crm.fill(accounts=2, contacts=1)
    await world.start()
    world.invoice.merged = {("account", "a1"), ("contact", "c0")}
    world.invoice.unreadable.add("a1")
    world.crm.forget("a1")

    def late(kind: str, _: str | None) -> None:  # so that the run has not failed at it when it matters
        if kind == "contacts":
            world.crm.put(AccountSnapshot(id="a1", version=2, account_name="Late"))

    world.crm.on_page = late
    dry = await world.start(DRY)
    assert world.invoice.plans[-1].refused != ()
    assert [one["record_id"] for one in dry["failures"]] == []

    world.invoice.unreadable.clear()
    world.invoice.most_earlier = 0
    ended = await world.start(DRY)
    assert (ended["status"], ended["counts"]["failed"]) == ("failed", 0)
    assert "earlier: too many" in ended["reason"]


async def test_whatever_happens_in_the_crm_an_import_does_what_the_dry_run_said(world: Any) -> None:
    chance = random.Random(4)
    await world.connect()
    world.crm.page_size = 3
    for _ in range(8):
        for _ in range(chance.randint(1, 8)):
            number = chance.randrange(6)
            account_id = chance.choice([None, *(f"a{other}" for other in range(6))])
            version, deleted = chance.randint(1, 30), chance.random() < 0.2
            if chance.random() < 0.5:
                name = chance.choice(["Alfreds", "Berglund", " "])
                world.crm.put(AccountSnapshot(id=f"a{number}", version=version, deleted=deleted, account_name=name))
            else:
                said = {"last_name": chance.choice(["Moos", "Anders"]), "mobile": chance.choice(["", "0170"])}
                world.crm.put(
                    ContactSnapshot(id=f"c{number}", version=version, deleted=deleted, account_id=account_id, **said)
                )
        world.invoice.refused = {chance.choice(["a1", "c2", "nobody"]): "too strange"}
        world.invoice.places = chance.choice([2, 4, None])
        await same_as_done(world)


async def test_a_dry_run_before_anything_is_connected_connects_nothing(world: Any) -> None:
    world.crm.fill()
    dry = await world.start(DRY, **GOOD)
    assert (dry["status"], dry["counts"]["created"], dry["changes"]) == ("completed", 9, 9)
    assert world.invoice.commands == []
    assert (await world.person.get("/v1/connection")).status_code == 404
    assert (await world.person.post(DRY, json={})).json()["code"] == "not_connected"
    refused = await world.person.post(DRY, json=GOOD | {"zsc_key": "zsc_guessed"})
    assert refused.json()["code"] == "zsc_key_wrong"


async def test_a_dry_run_of_another_organization_is_refused_like_its_import(world: Any) -> None:
    await world.connect()
    answer = await world.person.post(DRY, json=GOOD, headers={"X-Organization-Id": "org-2"})
    assert answer.json()["code"] == "organization_already_connected"


async def test_a_word_that_is_not_understood_imports_nothing(world: Any) -> None:
    await world.connect()
    for word in ("1", "yes", "True", "", "dry"):
        answer = await world.person.post("/v1/imports", params={"dry_run": word}, json={})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "dry_run")
    assert len((await world.person.get("/v1/imports")).json()["items"]) == 1


async def test_one_idempotency_key_is_not_taken_for_the_other(world: Any) -> None:
    await world.connect()
    key = {"Idempotency-Key": "the same"}
    dry = (await world.person.post(DRY, json={}, headers=key)).json()
    await world.finished(dry["id"])
    run = (await world.person.post("/v1/imports", json={}, headers=key)).json()
    assert (dry["kind"], run["kind"]) == ("dry_run", "import")
    listed = (await world.person.get("/v1/imports", params={"kind": "dry_run"})).json()["items"]
    assert [one["id"] for one in listed] == [dry["id"]]
