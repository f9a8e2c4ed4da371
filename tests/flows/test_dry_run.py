"""A dry run says what the import does, and a check what mending does: with the real CRM and Invoice."""

import random
from typing import Any

import pytest
from sync_service.clients import crm as client

Json = dict[str, Any]


async def run(company: Any, path: str, **body: Any) -> Json:
    answer = await company.sync.post(path, json=body)
    assert answer.status_code == 202, answer.text

    async def ended() -> Json | None:
        found: Json = (await company.sync.get(f"/v1/imports/{answer.json()['id']}")).json()
        return found if found["finished_at"] else None

    found: Json = await company.stack.eventually(ended)
    assert found["status"] == "completed", found
    return found


async def told(company: Any, found: Json) -> Any:
    """All that a run tells of what it did, or would do."""
    lists = []
    for what in ("changes", "failures"):
        page = (await company.sync.get(f"/v1/imports/{found['id']}/{what}", params={"limit": 200})).json()
        assert page["next_cursor"] is None
        lists.append(page["items"])
    return found["counts"], *lists


class Life:
    """What people do in CRM and Invoice, by chance."""

    def __init__(self, company: Any, chance: random.Random) -> None:
        self.company, self.chance = company, chance
        self.records: dict[str, list[str]] = {"accounts": [], "contacts": []}

    async def goes_on(self) -> None:
        for _ in range(self.chance.randint(2, 8)):
            await self._in_the_crm()
        customers = await self.company.customers()
        if len(customers) > 2 and self.chance.random() < 0.6:
            one, other = self.chance.sample(customers, 2)
            await self.company.invoice.post(f"/v1/customers/{one['id']}/merge", json={"into": other["id"]})
        if customers:
            edited = self.chance.choice(customers)["id"]
            await self.company.invoice.patch(f"/v1/customers/{edited}", json={"phone": "typed by hand"})

    async def _in_the_crm(self) -> None:
        kind = self.chance.choice(["accounts", "contacts"])
        there = self.records[kind]
        said: Json = {"phone": self.chance.choice(["", "030-1"])}
        if kind == "accounts":
            said["account_name"] = self.chance.choice(["Alfreds", "Berglund", "Chop-suey"])
        else:
            said |= {"last_name": "Moos", "account_id": self.chance.choice([None, *self.records["accounts"]])}
        what = self.chance.random()
        if what < 0.5 or not there:
            there.append((await self.company.make(kind, **said))["id"])
        elif what < 0.8:
            await self.company.change(f"{kind}/{self.chance.choice(there)}", **said)
        else:
            gone = self.chance.choice(there)
            there.remove(gone)
            await self.company.crm.delete(f"/v1/{kind}/{gone}")


async def test_s30_imports_and_mending_do_what_was_said_before(company: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FEED_PAGE", 3)  # many pages of few records
    await company.connect(auto_update=False)
    life = Life(company, random.Random(4))
    for _ in range(4):
        await life.goes_on()
        dry = await run(company, "/v1/imports?dry_run=true")
        assert await told(company, dry) == await told(company, await run(company, "/v1/imports"))
    check = await run(company, "/v1/checks")
    assert check["changes"]  # typed by hand
    assert await told(company, check) == await told(company, await run(company, "/v1/checks", mend=True))
    assert (await run(company, "/v1/checks"))["changes"] == 0
