"""S21: a CRM user's ZSC key, until it is revoked or its user deactivated; what it opens is in `test_export`."""

from datetime import datetime, timedelta
from typing import Any

from crm_service.zsc_keys.models import ZscKey
from servicekit.db import utc_now
from sqlalchemy import text, update

EMAIL = "member@crm.test"


async def verify(crm: Any, email: str, key: str) -> Any:
    return await crm.stack.service("sync", "crm").post("/v1/zsc-keys/verify", json={"email": email, "zsc_key": key})


async def test_s21_the_key_is_shown_once_and_kept_as_a_hash(crm: Any) -> None:
    made = await crm.zsc_key()
    assert made["key"].startswith("zsc_")
    assert len(made["key"]) >= 4 + 43, "32 random bytes"
    assert made["key"].startswith(made["prefix"])
    assert len(made["prefix"]) <= 12
    [listed] = (await crm.read("zsc-keys"))["items"]
    assert listed == {name: value for name, value in made.items() if name != "key"}
    assert (listed["email"], listed["name"]) == (EMAIL, "Invoice")
    assert listed["revoked_at"] is listed["last_used_at"] is None
    async with crm.stack.database("crm").reading() as session:
        kept = (await session.execute(text("SELECT * FROM zsc_keys"))).one()
    assert made["key"] not in [str(value) for value in kept]
    assert (await crm.zsc_key())["key"] != made["key"]


async def test_s21_the_right_key_and_email_are_recognised(crm: Any) -> None:
    made = await crm.zsc_key()
    answer = await verify(crm, " Member@CRM.test ", made["key"])
    assert answer.status_code == 200
    assert answer.json() == {"zsc_key_id": made["id"], "email": EMAIL}


async def test_s21_a_wrong_email_or_key_is_refused_saying_which(crm: Any) -> None:
    made = await crm.zsc_key()
    anothers = await crm.zsc_key(await crm.stack.person("crm", "admin"))
    crm.refused(await verify(crm, "nobody@crm.test", made["key"]), 403, "zsc_email_unknown")
    for wrong in ("zsc_" + "x" * 43, "", "\x00", made["prefix"], anothers["key"]):
        crm.refused(await verify(crm, EMAIL, wrong), 403, "zsc_key_wrong")
    await crm.set_active(active=False)
    crm.refused(await verify(crm, EMAIL, made["key"]), 403, "zsc_user_inactive")
    await crm.set_active(active=True)
    assert (await verify(crm, EMAIL, made["key"])).status_code == 200


async def test_s21_a_revoked_key_stops_working_at_once(crm: Any) -> None:
    made, other = await crm.zsc_key(), await crm.zsc_key()
    await crm.delete(f"zsc-keys/{made['id']}")
    crm.refused(await verify(crm, EMAIL, made["key"]), 403, "zsc_key_revoked")
    assert (await verify(crm, EMAIL, other["key"])).status_code == 200
    [_, revoked] = (await crm.read("zsc-keys"))["items"]
    assert revoked["revoked_at"] is not None
    await crm.delete(f"zsc-keys/{made['id']}")
    assert (await crm.read("zsc-keys"))["items"][1] == revoked, "the first revocation counts"


async def test_each_person_has_their_own_keys_and_an_administrator_sees_all(crm: Any) -> None:
    admin = await crm.stack.person("crm", "admin")
    mine, theirs = await crm.zsc_key(), await crm.zsc_key(admin)
    assert [key["id"] for key in (await crm.read("zsc-keys"))["items"]] == [mine["id"]]
    assert [key["id"] for key in (await admin.get("/v1/zsc-keys")).json()["items"]] == [theirs["id"], mine["id"]]
    crm.refused(await crm.member.delete(f"/v1/zsc-keys/{theirs['id']}"), 404, "zsc_key_not_found")
    assert (await admin.delete(f"/v1/zsc-keys/{mine['id']}")).status_code == 204
    crm.refused(await verify(crm, EMAIL, mine["key"]), 403, "zsc_key_revoked")


async def test_only_people_have_keys_and_only_services_ask_about_them(crm: Any) -> None:
    crm.refused(await crm.stack.service("sync", "crm").post("/v1/zsc-keys"), 403, "people_only")
    viewer = await crm.stack.person("crm", "viewer")
    crm.refused(await viewer.post("/v1/zsc-keys"), 403, "role_too_low")
    body = {"email": EMAIL, "zsc_key": "zsc_x"}
    crm.refused(await crm.member.post("/v1/zsc-keys/verify", json=body), 403, "services_only")


async def test_the_list_says_when_a_key_was_used_last_to_within_five_minutes(crm: Any) -> None:
    made, unused = await crm.zsc_key(), await crm.zsc_key()

    async def last_used() -> datetime:
        newer, older = (await crm.read("zsc-keys"))["items"]
        assert (newer["id"], newer["last_used_at"]) == (unused["id"], None)
        return datetime.fromisoformat(older["last_used_at"])

    async def use_after(minutes: float) -> bool:
        """Use the key that long after it was used last; whether that was noted."""
        then = utc_now() - timedelta(minutes=minutes)
        async with crm.stack.database("crm").transaction() as session:
            await session.execute(update(ZscKey).where(ZscKey.id == made["id"]).values(last_used_at=then))
        feed = await crm.stack.service("sync", "crm").get("/v1/export/counts", headers={"X-ZSC-Key-Id": made["id"]})
        assert feed.status_code == 200
        return await last_used() > then

    begin = utc_now()
    assert (await verify(crm, EMAIL, made["key"])).status_code == 200
    assert begin <= await last_used() <= utc_now()
    assert not await use_after(minutes=4.5)
    assert await use_after(minutes=5.5)

    await crm.delete(f"zsc-keys/{made['id']}")
    before = await last_used()
    crm.refused(await verify(crm, EMAIL, made["key"]), 403, "zsc_key_revoked")
    assert await last_used() == before, "it was shown, and opened nothing"
