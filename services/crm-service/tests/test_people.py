"""Users of the CRM: made at the same moment, demoted, deactivated."""

import asyncio
from typing import Any

NEW = {"email": "Maria@alfreds.example", "password": "a long enough password"}


async def test_of_several_users_made_at_once_with_one_address_one_is_made(stack: Any) -> None:
    await stack.start("crm")
    admin = await stack.person("crm", "admin")
    answers = await asyncio.gather(*(admin.post("/v1/users", json=NEW) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_the_last_administrator_stays_one(stack: Any) -> None:
    await stack.start("crm")
    admin = await stack.person("crm", "admin")
    me = (await admin.get("/v1/users")).json()["items"][0]
    for change in ({"role": "member"}, {"is_active": False}):
        answer = await admin.patch(f"/v1/users/{me['id']}", json=change)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")
    assert (await admin.get("/v1/users")).json()["items"][0]["role"] == "admin"


async def test_who_is_deactivated_is_out_at_once(stack: Any) -> None:
    await stack.start("crm")
    admin = await stack.person("crm", "admin")
    made = (await admin.post("/v1/users", json=NEW)).json()
    signed_in = await stack.anonymous("crm").post("/v1/tokens", json={**NEW, "email": "maria@ALFREDS.example"})
    person = stack.anonymous("crm")
    person.headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"
    token = (await person.post("/v1/api-tokens", json={"name": "script"})).json()["token"]
    assert (await person.get("/v1/accounts")).status_code == 200
    await admin.patch(f"/v1/users/{made['id']}", json={"is_active": False})
    assert (await person.get("/v1/accounts")).status_code == 401
    assert (await person.get("/v1/accounts", headers={"Authorization": f"Bearer {token}"})).status_code == 401
    assert (await stack.anonymous("crm").post("/v1/tokens", json=NEW)).status_code == 401
