"""Connecting an organization with a ZSC key, and what is refused."""

import asyncio
from typing import Any

from servicekit.migrations import drift
from sync_service.tables import METADATA

GOOD = {"email": "ada@crm.test", "zsc_key": "zsc_good", "auto_update": True}


async def test_the_migrated_database_is_what_the_models_declare(stack: Any) -> None:
    await stack.start("sync")
    assert await drift(stack.database("sync"), METADATA) == []


async def test_s21_a_good_key_connects_and_imports(world: Any) -> None:
    assert (await world.person.get("/v1/connection")).json()["code"] == "not_connected"
    answer = await world.person.post("/v1/imports", json=GOOD)
    assert answer.status_code == 202
    run = answer.json()
    assert answer.headers["Location"] == f"/v1/imports/{run['id']}"
    assert (run["status"], run["started_by"]) == ("queued", "admin@crm.test")

    await world.finished(run["id"])
    connection = (await world.person.get("/v1/connection")).json()
    assert connection["organization_name"] == "Northwind Ltd"
    assert (connection["email"], connection["auto_update"], connection["interval_hours"]) == ("ada@crm.test", True, 12)
    assert connection["last_import"]["status"] == "completed"


async def test_s21_the_key_is_nowhere_in_answers_or_database(world: Any) -> None:
    await world.connect()
    told = [await world.person.get(path) for path in ("/v1/connection", "/v1/imports")]
    assert all("zsc_good" not in answer.text for answer in told)
    async with world.stack.database("sync").engine.connect() as connection:
        for metadata in METADATA:
            for table in metadata.sorted_tables:
                rows = (await connection.execute(table.select())).all()
                assert "zsc_good" not in repr(rows)


async def test_s21_wrong_credentials_are_refused_and_nothing_changes(world: Any) -> None:
    world.crm.keys["zsc_old"] = "key-0"
    world.crm.revoked.add("key-0")
    for body, code, field in (
        ({"email": "eve@crm.test"}, "zsc_email_unknown", "email"),
        ({"zsc_key": "zsc_guessed"}, "zsc_key_wrong", "zsc_key"),
        ({"zsc_key": "zsc_old"}, "zsc_key_revoked", "zsc_key"),
    ):
        answer = await world.person.post("/v1/imports", json=GOOD | body)
        assert answer.status_code == 422
        assert (answer.json()["code"], answer.json()["errors"][0]["field"]) == (code, field)
    assert (await world.person.get("/v1/connection")).status_code == 404
    assert (await world.person.get("/v1/imports")).json()["items"] == []


async def test_half_a_request_is_refused_with_what_to_do(world: Any) -> None:
    for body, told in (
        ({"email": "ada@crm.test"}, "zsc_key is missing"),
        ({"zsc_key": "zsc_good"}, "email is missing"),
        ({"auto_update": True}, "PATCH /v1/connection"),
        ({"dry_run": True}, "dry_run"),
        (GOOD | {"email": "ada"}, "email"),
    ):
        answer = await world.person.post("/v1/imports", json=body)
        assert answer.status_code == 422
        assert told in answer.json()["detail"]
        assert "zsc_good" not in answer.text


async def test_s5_a_second_organization_is_refused_and_the_first_goes_on(world: Any) -> None:
    await world.connect()
    for body in (GOOD, {}):
        answer = await world.person.post("/v1/imports", json=body, headers={"X-Organization-Id": "org-2"})
        assert answer.status_code == 409
        problem = answer.json()
        assert problem["code"] == "organization_already_connected"
        assert problem["connected_organization_id"] == "org-1"
        assert "Northwind Ltd" in problem["detail"]
        assert "DELETE /v1/connection" in problem["detail"]
    assert (await world.person.get("/v1/connection")).json()["organization_id"] == "org-1"
    again = await world.person.post("/v1/imports", json={})
    assert (await world.finished(again.json()["id"]))["status"] == "completed"


async def test_s5_after_disconnecting_another_organization_can_be_connected(world: Any) -> None:
    await world.connect()
    assert (await world.person.delete("/v1/connection")).status_code == 204
    assert (await world.person.post("/v1/imports", json={})).json()["code"] == "not_connected"
    answer = await world.person.post("/v1/imports", json=GOOD, headers={"X-Organization-Id": "org-2"})
    await world.finished(answer.json()["id"])
    assert (await world.person.get("/v1/connection")).json()["organization_name"] == "Southwind Ltd"


async def test_an_organization_that_invoice_does_not_have_is_refused(world: Any) -> None:
    answer = await world.person.post("/v1/imports", json=GOOD, headers={"X-Organization-Id": "org-9"})
    assert (answer.status_code, answer.json()["code"]) == (404, "organization_not_found")


async def test_connecting_needs_crm_and_invoice_and_says_which_is_away(world: Any) -> None:
    del world.stack.apps["crm"]
    answer = await world.person.post("/v1/imports", json=GOOD)
    assert answer.status_code == 503
    assert "crm does not answer" in answer.json()["detail"]
    assert (await world.person.get("/v1/connection")).status_code == 404


async def test_two_who_connect_at_once_get_one_connection_and_one_import(world: Any) -> None:
    world.crm.gate.clear()
    first, second = await asyncio.gather(
        world.person.post("/v1/imports", json=GOOD),
        world.person.post("/v1/imports", json=GOOD, headers={"X-Organization-Id": "org-2"}),
    )
    assert sorted([first.status_code, second.status_code]) == [202, 409]
    assert len((await world.person.get("/v1/imports")).json()["items"]) == 1


async def test_the_connection_is_edited_with_etags(world: Any) -> None:
    await world.connect()
    etag = (await world.person.get("/v1/connection")).headers["ETag"]
    same = await world.person.patch("/v1/connection", json={"interval_hours": 12}, headers={"If-Match": etag})
    assert same.headers["ETag"] == etag
    edited = await world.person.patch("/v1/connection", json={"interval_hours": 24}, headers={"If-Match": etag})
    assert (edited.json()["interval_hours"], edited.json()["auto_update"]) == (24, True)
    late = await world.person.patch("/v1/connection", json={"auto_update": False}, headers={"If-Match": etag})
    assert late.status_code == 412
    for hours in (0, 169, "often"):
        assert (await world.person.patch("/v1/connection", json={"interval_hours": hours})).status_code == 422


async def test_a_viewer_looks_and_changes_nothing(world: Any) -> None:
    await world.connect()
    crm = world.stack.apps.pop("crm")
    viewer = await world.stack.person("sync", "viewer")
    world.stack.apps["crm"] = crm
    assert (await viewer.get("/v1/connection")).status_code == 200
    for refused in (
        viewer.post("/v1/imports", json={}),
        viewer.patch("/v1/connection", json={"auto_update": False}),
        viewer.delete("/v1/connection"),
    ):
        assert (await refused).status_code == 403


async def test_a_member_may_import_again_but_not_connect_or_disconnect(world: Any) -> None:
    member = await world.stack.person("sync", "member")
    body = {"email": "a@b.test", "zsc_key": "zsc_x", "auto_update": True}
    assert (await member.post("/v1/imports", json=body)).status_code == 403
    assert (await member.delete("/v1/connection")).status_code == 403
    assert (await member.post("/v1/imports", json={})).json()["code"] == "not_connected"


async def test_without_a_default_organization_it_is_said_what_to_do(world: Any) -> None:
    world.invoice.default = None
    body = {"email": "ada@crm.test", "zsc_key": "zsc_good"}
    answer = await world.person.post("/v1/imports", json=body)
    assert (answer.status_code, "X-Organization-Id" in answer.json()["detail"]) == (503, True)
    answer = await world.person.post("/v1/imports", json=body, headers={"X-Organization-Id": "org-2"})
    assert answer.status_code == 202
