"""Activating the workflow: who may, what is refused, and that potentials cause nothing before."""

from typing import Any

from servicekit.migrations import drift
from workflow_service.tables import METADATA


async def test_the_migrated_database_is_what_the_models_declare(stack: Any) -> None:
    await stack.start("workflow")
    assert await drift(stack.database("workflow"), METADATA) == []


async def test_s14_it_is_inactive_until_an_admin_activates_it(world: Any) -> None:
    before = await world.admin.get("/v1/workflow")
    assert (before.json()["active"], before.json()["trigger"]) == (False, "estimates")
    activated = await world.activate()
    assert (activated.json()["active"], activated.json()["updated_by"]) == (True, "admin@crm.test")
    assert activated.headers["ETag"] == '"2"'
    assert (await world.activate()).headers["ETag"] == '"2"'
    late = await world.admin.put(
        "/v1/workflow", json={"active": False, "trigger": "estimates"}, headers={"If-Match": '"1"'}
    )
    assert late.status_code == 412


async def test_s14_only_admins_set_it_up(world: Any) -> None:
    member = await world.stack.person("workflow", "member")
    assert (await member.put("/v1/workflow", json={"active": True, "trigger": "estimates"})).status_code == 403
    assert (await member.get("/v1/workflow")).status_code == 200


async def test_s14_either_trigger_can_be_chosen_and_no_other(world: Any) -> None:
    assert (await world.activate(trigger="invoices")).json()["trigger"] == "invoices"
    assert (await world.activate(trigger="estimates")).json()["trigger"] == "estimates"
    answer = await world.activate(trigger="sometimes")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "trigger")
    assert (await world.admin.put("/v1/workflow", json={"active": True})).status_code == 422
    assert (await world.admin.get("/v1/workflow")).json()["trigger"] == "estimates"
