"""Importing one record of the CRM now (S6)."""

from typing import Any

import pytest


async def import_one(person: Any, record_type: str, record_id: str) -> Any:
    return await person.post("/v1/records/import", json={"record_type": record_type, "record_id": record_id})


async def test_s6_one_record_is_imported_alone_and_the_account_of_a_contact_with_it(world: Any) -> None:
    await world.connect(auto_update=False)
    world.crm.fill()
    account = await import_one(world.person, "account", "a4")
    assert (account.status_code, account.json()) == (200, {"customer_id": "customer-of-a4", "outcome": "created"})
    contact = await import_one(world.person, "contact", "c0")
    assert contact.json() == {"customer_id": "customer-of-a0", "outcome": "created"}
    alone = await import_one(world.stack.service("crm", "sync"), "contact", "z-alone")
    assert alone.json() == {"customer_id": "customer-of-z-alone", "outcome": "created"}
    assert set(world.invoice.records) == {
        ("account", "a0"), ("account", "a4"), ("contact", "c0"), ("contact", "z-alone"),
    }  # fmt: skip
    again = await import_one(world.person, "account", "a4")
    assert again.json() == {"customer_id": "customer-of-a4", "outcome": "unchanged"}


async def test_what_cannot_be_imported_is_told_with_the_reason(world: Any) -> None:
    assert (await import_one(world.person, "account", "a0")).json()["code"] == "not_connected"
    await world.connect(auto_update=False)
    world.crm.fill()
    world.crm.change("a3", deleted=True)
    world.crm.record("a2")["account_name"] = " "
    world.invoice.refused["a1"] = "customer_name: too strange"
    for record, status, code, told in (
        (("account", "nowhere"), 404, "record_not_found", "does not have"),
        (("account", "a3"), 404, "record_not_found", "has deleted"),
        (("account", "a2"), 422, "record_refused", "has no name"),
        (("account", "a1"), 422, "record_refused", "too strange"),
        (("contact", "c1"), 422, "record_refused", "contact c1"),
        (("potential", "a1"), 422, "validation_error", "record_type"),
    ):
        answer = await import_one(world.person, *record)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert told in answer.json()["detail"]
    world.crm.revoked.add("key-1")
    answer = await import_one(world.person, "account", "a0")
    assert (answer.status_code, answer.json()["code"]) == (409, "zsc_key_revoked")
    assert world.invoice.names == []


@pytest.mark.parametrize("who", ["crm", "invoice"])
async def test_while_a_service_is_away_it_is_said_which(world: Any, who: str) -> None:
    await world.connect(auto_update=False)
    world.crm.fill()
    getattr(world, who).down = True
    answer = await import_one(world.person, "account", "a0")
    assert answer.status_code == 503
    assert who in answer.json()["detail"]


async def test_a_viewer_imports_nothing(world: Any) -> None:
    await world.connect(auto_update=False)
    crm = world.stack.apps.pop("crm")
    viewer = await world.stack.person("sync", "viewer")
    world.stack.apps["crm"] = crm
    assert (await import_one(viewer, "account", "a0")).status_code == 403
