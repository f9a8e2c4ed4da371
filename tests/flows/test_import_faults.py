"""Imports in which something goes wrong, and records that are hard to carry: nothing lost, nothing doubled."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from crm_service.accounts.models import Account
from sqlalchemy import update
from starlette.types import ASGIApp, Receive, Scope, Send

Json = dict[str, Any]
COMMAND = ("PUT", "/v1/crm/customers")
PAGE = 500
"""How many records the import reads and writes at a time."""

HARD_NAMES = [
    "Ä" * 255,
    "👨‍👩‍👧‍👦" * 36 + "🏳️",  # 254 code points, in several of which one character consists
    "مقهى السلام للتجارة",
    "בית קפה (Tel Aviv) 12",
    "\u202eright to left\u202c override",
    "e\u0301 and é, ﬁ and fi, 𝔘nicode",
    "zero width\u200b, line\u2028separator, next\u0085line, tab\there",
    "O'Brien & <b>Sons</b>; DROP TABLE customers; -- 100 %_\\",
]


class Before:
    """Stands before a service: before the nth request of a kind reaches it, something else happens."""

    def __init__(self, app: Any, kind: tuple[str, str], happens: dict[int, Callable[[ASGIApp, Scope, Receive], Any]]):
        self._app, self._kind, self._happens = app, kind, happens
        self.count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (scope["method"], scope["path"]) == self._kind:
            self.count += 1
            if (happens := self._happens.get(self.count)) is not None:
                await happens(self._app, scope, receive)
        await self._app(scope, receive, send)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)


class AnswerLost(Exception):
    """The request was carried out; whoever made it gets a 500."""


async def lose_the_answer(app: ASGIApp, scope: Scope, receive: Receive) -> None:
    async def nowhere(_: Any) -> None:
        return

    await app(scope, receive, nowhere)
    raise AnswerLost


async def enter(company: Any, count: int) -> None:
    """So many accounts in the CRM."""
    rows = "\n".join(f"Company {number}" for number in range(count))
    answer = await company.crm.post(
        "/v1/accounts/import", content=f"account_name\n{rows}".encode(), headers={"Content-Type": "text/csv"}
    )
    assert answer.is_success, answer.text


async def start(company: Any) -> Json:
    """Connect and begin to import; the run, and the key's id."""
    key = await company.make("zsc-keys")
    body = {"email": key["email"], "zsc_key": key["key"], "auto_update": False}
    run: Json = (await company.sync.post("/v1/imports", json=body)).json()
    return run | {"key_id": key["id"]}


async def ended(company: Any, run: Json) -> Json:
    async def found() -> Json | None:
        one: Json = (await company.sync.get(f"/v1/imports/{run['id']}")).json()
        return one if one["status"] in ("completed", "failed") else None

    one: Json = await company.stack.eventually(found, seconds=30)
    counts = one["counts"]
    assert counts["read"] == sum(count for name, count in counts.items() if name != "read"), counts
    return one


async def all_customers(company: Any) -> Counter[str]:
    """The customers' names, and how often there is each."""
    names: Counter[str] = Counter()
    params = {"limit": "200"}
    while True:
        page = (await company.invoice.get("/v1/customers", params=params)).json()
        names.update(one["customer_name"] for one in page["items"])
        if page["next_cursor"] is None:
            return names
        params["cursor"] = page["next_cursor"]


async def test_s21_s30_a_key_revoked_halfway_stops_the_import_and_a_new_one_goes_on(company: Any) -> None:
    count = 4 * PAGE
    await enter(company, count)
    run: Json = {}

    async def revoke(*_: Any) -> None:
        answer = await company.crm.delete(f"/v1/zsc-keys/{run['key_id']}")
        assert answer.status_code == 204, answer.text

    company.stack.apps["invoice"] = Before(company.stack.apps["invoice"], COMMAND, {2: revoke})
    # Held until the run is known here: its worker may be quick.
    run |= await start(company)
    stopped = await ended(company, run)
    assert stopped["status"] == "failed"
    assert "revoked" in stopped["reason"]
    assert "make a new one in the CRM" in stopped["reason"]
    so_far = stopped["counts"]["read"]
    assert 2 * PAGE <= so_far < count
    assert stopped["counts"]["created"] == so_far == (await all_customers(company)).total()

    done = await company.connect()
    assert done["counts"] == dict.fromkeys(done["counts"], 0) | {
        "read": count,
        "created": count - so_far,
        "unchanged": so_far,
    }
    assert await all_customers(company) == Counter(f"Company {number}" for number in range(count))


async def test_s30_with_an_answer_lost_and_invoice_gone_for_a_while_the_import_goes_on(company: Any) -> None:
    count = 2 * PAGE + 100
    await enter(company, count)
    gone = asyncio.Event()

    async def go(*_: Any) -> None:
        await company.stack.stop("invoice")
        gone.set()
        raise ConnectionError("stopped")

    invoice = Before(company.stack.apps["invoice"], COMMAND, {2: lose_the_answer, 3: go})
    company.stack.apps["invoice"] = invoice
    run = await start(company)
    await asyncio.wait_for(gone.wait(), 30)

    waiting = (await company.sync.get(f"/v1/imports/{run['id']}")).json()
    assert (waiting["status"], waiting["counts"]["read"], waiting["counts"]["created"]) == ("running", PAGE, PAGE)
    await company.stack.start("invoice")
    done = await ended(company, run)
    assert (done["status"], done["reason"], done["failures"]) == ("completed", None, [])
    # The page whose answer was lost had been written: the second time it was there already.
    assert done["counts"] == dict.fromkeys(done["counts"], 0) | {
        "read": count,
        "created": count - PAGE,
        "unchanged": PAGE,
    }
    assert await all_customers(company) == Counter(f"Company {number}" for number in range(count))


async def test_s30_of_imports_started_at_once_one_runs_and_the_others_are_told_which(company: Any) -> None:
    await company.connect()
    await enter(company, PAGE + 1)
    answers = await asyncio.gather(*(company.sync.post("/v1/imports", json={}) for _ in range(5)))

    [run] = [answer.json() for answer in answers if answer.status_code == 202]
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert [(one["code"], one["import_id"]) for one in refused] == [("import_running", run["id"])] * 4
    await ended(company, run)
    assert (await all_customers(company)).total() == PAGE + 1
    listed = (await company.sync.get("/v1/imports")).json()["items"]
    assert len(listed) == 2


async def test_names_in_any_script_and_of_the_greatest_length_come_as_they_are(company: Any) -> None:
    accounts = [await company.account(name) for name in HARD_NAMES]
    for account, name in zip(accounts, HARD_NAMES, strict=True):
        assert account["account_name"] == name
        await company.contact(name, first_name=name, salutation=name[:255], account_id=account["id"])
    alone = [await company.contact(name, first_name=name) for name in HARD_NAMES]
    run = await company.connect()
    assert run["counts"] == dict.fromkeys(run["counts"], 0) | {"read": 24, "created": 24}

    for account, name in zip(accounts, HARD_NAMES, strict=True):
        customer = await company.customer_of(account)
        assert customer["customer_name"] == name
        assert [[one["salutation"], one["first_name"], one["last_name"]] for one in customer["contact_persons"]] == [
            [name, name, name]
        ]
    for contact, name in zip(alone, HARD_NAMES, strict=True):
        [customer] = await company.customers(crm_contact_id=contact["id"])
        # First and last name together may be longer than a customer's name.
        assert customer["customer_name"] == f"{name} {name}"[:255].rstrip()
        [person] = customer["contact_persons"]
        assert (person["first_name"], person["last_name"]) == (name, name)
    for words in ("السلام", "בית", "zero", "sons drop"):
        assert len(await company.customers(q=words)) == 2, words
    again = await company.import_again()
    assert again["counts"] == dict.fromkeys(again["counts"], 0) | {"read": 24, "unchanged": 24}


async def test_s30_what_no_name_can_have_is_refused_by_the_crm_and_if_it_is_there_fails_alone_and_can_be_tried_again(
    company: Any,
) -> None:
    for name in ("Bell\x07", "Nul\x00", "Es\x1bcape", "Two\nlines", "Half \ud83e", "long" * 2500):
        refused = await company.crm.post("/v1/accounts", content=_json(name), headers=_AS_JSON)
        assert refused.status_code == 422, name
        assert refused.json()["errors"][0]["field"] == "account_name"

    good, bad = await company.account("Alfreds"), await company.account("Bell")
    async with company.stack.database("crm").transaction() as session:  # as an older version may have let it in
        await session.execute(update(Account).where(Account.id == bad["id"]).values(account_name="Bell\x07"))
    await company.contact("Anders", account_id=good["id"])
    run = await company.connect(auto_update=False)
    assert run["counts"] == dict.fromkeys(run["counts"], 0) | {"read": 3, "created": 2, "failed": 1}
    [failure] = run["failures"]
    assert (failure["record_type"], failure["record_id"]) == ("account", bad["id"])
    assert "control character (U+0007)" in failure["reason"]
    assert await company.names() == ["Alfreds"]

    await company.change(f"accounts/{bad['id']}", account_name="Bell")
    tried = await company.sync.post(f"/v1/imports/{run['id']}/retry", json={})
    again = await ended(company, tried.json())
    assert again["counts"] == dict.fromkeys(again["counts"], 0) | {"read": 1, "created": 1}
    assert await company.names() == ["Alfreds", "Bell"]


_AS_JSON = {"Content-Type": "application/json"}


def _json(name: str) -> bytes:
    escaped = "".join(f"\\u{ord(char):04x}" for char in name)
    return f'{{"account_name": "{escaped}"}}'.encode()
