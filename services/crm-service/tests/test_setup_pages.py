"""The pages of the CRM's set-up, as someone with a browser sees them."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

pytestmark = pytest.mark.parametrize("stack", ["embedded"], indirect=True)

SETTING = {
    "active": False,
    "trigger": "estimates",
    "version": 1,
    "updated_by": "boss@example.com",
    "updated_at": "2026-11-25T10:00:00Z",
}
CONNECTION = {
    "organization_name": "Northwind & Co",
    "email": "boss@example.com",
    "auto_update": True,
    "interval_hours": 4,
    "connected_at": "2026-11-01T10:00:00Z",
    "next_run_at": "2026-11-25T14:00:00Z",
    "last_import": {
        "status": "completed",
        "reason": None,
        "created_at": "2026-11-25T10:00:00Z",
        "started_at": "2026-11-25T10:00:00Z",
        "finished_at": "2026-11-25T10:01:00Z",
        "counts": {"read": 1200, "created": 7, "updated": 3, "failed": 1},
    },
}


@pytest.fixture
async def others(crm: Any) -> AsyncIterator[Any]:
    """A workflow and a sync that answer as ``others`` says."""
    said: dict[str, Any] = {"workflow": dict(SETTING), "connection": None}
    workflow, sync = FastAPI(), FastAPI()

    @workflow.get("/v1/workflow")
    async def read() -> Any:
        return said["workflow"]

    @workflow.put("/v1/workflow")
    async def write(request: Request) -> Any:
        if request.headers["if-match"] != f'"{said["workflow"]["version"]}"':
            return JSONResponse({"code": "precondition_failed", "detail": "stale", "status": 412}, 412)
        said["workflow"] |= await request.json() | {"version": said["workflow"]["version"] + 1}
        return said["workflow"]

    @sync.get("/v1/connection")
    async def connection() -> Any:
        missing = JSONResponse({"code": "not_connected", "detail": "nothing is connected", "status": 404}, 404)
        return said["connection"] or missing

    crm.stack.apps |= {"workflow": workflow, "sync": sync}
    yield said
    del crm.stack.apps["workflow"], crm.stack.apps["sync"]


def secret_in(sheet: Any) -> str:
    found = re.search(r'<code id="secret">(.*?)</code>', sheet.html)
    assert found
    return found.group(1)


async def test_s14_the_workflow_is_activated_and_who_is_late_is_told(crm: Any, others: Any) -> None:
    admin, viewer = await crm.stack.visitor("crm", "admin"), await crm.stack.visitor("crm", "viewer")
    opened = await admin.get("/workflow")
    assert "winning it accepts that estimate" in opened.text
    done = await admin.follow(await admin.submit(opened, "/workflow", active="true", trigger="estimates"))
    assert "The workflow is active." in done.text
    assert others["workflow"]["active"] is True
    late = await admin.submit(opened, "/workflow", active="false", trigger="estimates")
    assert late.status == 412
    assert "Active false true" in late.text
    theirs = await viewer.get("/workflow")
    assert "An administrator can change this." in theirs.text
    token = theirs.forms[0].fields
    assert (await viewer.post("/workflow", token | {"active": "false", "trigger": "estimates"})).status == 403
    assert others["workflow"]["active"] is True


async def test_the_connection_is_told_of_also_while_there_is_none(crm: Any, others: Any) -> None:
    viewer = await crm.stack.visitor("crm", "viewer")
    assert "Invoice is not connected" in (await viewer.get("/connection")).text
    others["connection"] = CONNECTION
    told = (await viewer.get("/connection")).text
    for fact in ("Northwind & Co", "Every 4 hours", "Completed", "1,200 records: 7 created, 3 updated, 1 failed"):
        assert fact in told


async def test_what_does_not_answer_is_calm(crm: Any) -> None:
    admin = await crm.stack.visitor("crm", "admin")
    for path in ("/workflow", "/connection"):
        assert "Not available right now" in (await admin.get(path, status=503)).text
    assert "Closed Won Won" in (await admin.get("/stages")).text


async def test_s21_a_zsc_key_is_shown_once_and_revoked(crm: Any) -> None:
    member, viewer = await crm.stack.visitor("crm", "member"), await crm.stack.visitor("crm", "viewer")
    assert "No ZSC keys yet" in (await member.get("/zsc-keys")).text
    made = await member.submit("/zsc-keys", "/zsc-keys", name="Invoice <1>")
    secret = secret_in(made)
    verify = {"email": "member@crm.test", "zsc_key": secret}
    sync = crm.stack.service("sync", "crm")
    assert (await sync.post("/v1/zsc-keys/verify", json=verify)).status_code == 200
    again = await member.get("/zsc-keys")
    assert secret not in again.html
    [revoke] = [form.action for form in again.forms if form.action.endswith("/revoke")]
    assert "Create key" not in (await viewer.get("/zsc-keys")).text
    assert (await viewer.post(revoke, (await viewer.get("/zsc-keys")).forms[0].fields)).status == 403
    assert "Revoked" in (await member.follow(await member.submit(again, revoke))).text
    assert (await sync.post("/v1/zsc-keys/verify", json=verify)).status_code == 403


async def test_an_api_token_is_shown_once_and_revoked(crm: Any) -> None:
    viewer = await crm.stack.visitor("crm", "viewer")
    refused = await viewer.submit("/api-tokens", "/api-tokens", name=" ")
    assert refused.error("name") == "Must not be empty"
    made = await viewer.submit("/api-tokens", "/api-tokens", name="My script")
    client = crm.stack.anonymous("crm")
    client.headers["Authorization"] = f"Bearer {secret_in(made)}"
    assert (await client.get("/v1/accounts")).status_code == 200
    again = await viewer.get("/api-tokens")
    [revoke] = [form.action for form in again.forms if form.action.endswith("/revoke")]
    assert "No tokens yet" in (await viewer.follow(await viewer.submit(again, revoke))).text
    assert (await client.get("/v1/accounts")).status_code == 401


async def test_users_are_added_changed_and_deactivated_but_never_the_last_administrator(crm: Any) -> None:
    admin = await crm.stack.visitor("crm", "admin")
    new = "/users/new"
    refused = await admin.submit(new, new, email="new@example.com", password="short")
    assert "at least 10" in (refused.error("password") or "")
    assert "short" not in refused.html
    typed = {"email": "New@example.com", "password": "long enough, surely", "name": "Newcomer", "role": "viewer"}
    added = await admin.follow(await admin.submit(new, new, **typed))
    assert "new@example.com was added." in added.text
    assert (await admin.submit(new, new, **typed)).status == 409
    edit = admin_edit = ""
    for path in re.findall(r'href="(/users/[^"]*/edit)"[^>]*aria-label="Edit ([^"]*)"', added.html):
        edit, admin_edit = (
            (path[0] if path[1] == "new@example.com" else edit),
            (path[0] if path[1] == "admin@crm.test" else admin_edit),
        )
    changed = await admin.follow(await admin.submit(edit, edit, role="member", is_active="false", name=""))
    assert "Newcomer" not in changed.text
    assert "Deactivated" in changed.text
    last = await admin.submit(admin_edit, admin_edit, role="member")
    assert last.status == 409
    assert "Somebody must be an active administrator" in last.text
    member = await crm.stack.visitor("crm", "member")
    await member.get("/users", status=403)
    assert ">Users<" not in (await member.get("/api-tokens")).html
