"""S2–S4, S8, S9: the documents of accounts, contacts and potentials, told by events and fetched from Invoice."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from contracts.customers import CustomerCreated, CustomerUpdated
from contracts.documents import EstimateUpdated, InvoiceUpdated
from contracts.event import Event, encode
from crm_service.documents import reflection
from crm_service.documents.models import Document, Told, ToldCustomer, records, versions
from fastapi.responses import HTMLResponse, Response
from servicekit.bus import Outgoing
from servicekit.db import new_id, utc_now
from sqlalchemy import event, func, select

from tests.fake_invoice import FakeInvoice, FakeSync, refusal

Json = dict[str, Any]


class Selling:
    """A CRM beside an Invoice and a sync that do as they are told."""

    def __init__(self, crm: Any) -> None:
        self.crm = crm
        self.invoice = FakeInvoice()
        self.sync = FakeSync(self.invoice)
        crm.stack.apps |= {"invoice": self.invoice.app, "sync": self.sync.app}

    async def take_in(self, told: Iterable[Told]) -> None:
        """Tell the CRM, as one batch."""
        async with self.crm.stack.database("crm").transaction() as session:
            await reflection.take_in(session, told)

    async def take_in_customers(self, *told: ToldCustomer) -> None:
        async with self.crm.stack.database("crm").transaction() as session:
            await reflection.take_in_customers(session, told)

    async def tell(self, *documents: Json) -> None:
        """Of the documents and their customers."""
        await self.take_in_customers(*(ToldCustomer.by(self.invoice.customer(document)) for document in documents))
        await self.take_in(Told.by_event(self.invoice.snapshot(document)) for document in documents)

    async def publish(self, *events: Event[Any]) -> None:
        """Over the bus."""
        bus = self.crm.stack.apps["crm"].state.service.bus
        for told in events:
            outgoing = Outgoing(
                new_id(), "invoice", told.routing_key(), encode(told, event_id=new_id(), source="/invoice")
            )

            async def published(outgoing: Outgoing = outgoing) -> bool:
                try:
                    await bus.publish([outgoing])
                except ConnectionError:
                    return False
                return True

            await self.crm.stack.eventually(published)

    async def listed(self, path: str, **query: Any) -> Json:
        answer = await self.crm.member.get(f"/v1/{path}/documents", params=query)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def refresh(self, path: str) -> Json:
        answer = await self.crm.member.post(f"/v1/{path}/documents/refresh")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found


def numbers(found: Json) -> list[str]:
    """What is listed, estimates first."""
    return [one["estimate_number"] for one in found["estimates"]] + [one["invoice_number"] for one in found["invoices"]]


def renamed(told: Told, document_id: str) -> Told:
    """The same of another document and customer."""
    names = {"id": document_id, "customer_id": f"of {document_id}"}
    return replace(told, id=document_id, values=told.values and {**told.values, **names})


@pytest.fixture
async def selling(crm: Any) -> AsyncIterator[Selling]:
    made = Selling(crm)
    yield made
    for name in ("invoice", "sync"):
        crm.stack.apps.pop(name, None)


async def test_s2_s8_what_events_tell_is_listed_within_a_second(selling: Selling) -> None:
    account = await selling.crm.account()
    whose = ("account", account["id"])
    estimate, invoice = selling.invoice.add("estimate", whose), selling.invoice.add("invoice", whose)
    empty = await selling.listed(f"accounts/{account['id']}")
    assert (empty["fetched_at"], empty["estimates"], empty["invoices"]) == (None, [], [])  # never fetched: not "empty"

    customers = [CustomerCreated(data=selling.invoice.customer(document)) for document in (estimate, invoice)]
    await selling.publish(
        EstimateUpdated(data=selling.invoice.snapshot(estimate)),  # type: ignore[arg-type]
        InvoiceUpdated(data=selling.invoice.snapshot(invoice)),  # type: ignore[arg-type]
        *customers,
    )

    async def both() -> Json | None:
        found = await selling.listed(f"accounts/{account['id']}")
        return found if len(numbers(found)) == 2 else None

    found = await selling.crm.stack.eventually(both, seconds=1)
    [shown] = found["invoices"]
    assert shown | {"status": "draft", "total": "440.00", "balance": "440.00", "currency_code": "EUR"} == shown
    assert (shown["due_date"], shown["workflow_locked"], shown["id"]) == ("2026-03-15", False, invoice["id"])
    assert found["estimates"][0]["estimate_number"] == estimate["estimate_number"]


async def test_in_any_order_and_twice_the_newest_version_decides(selling: Selling) -> None:
    first, second = await selling.crm.account("First"), await selling.crm.account("Second")
    ends: dict[str, list[Told | ToldCustomer]] = {}
    for end in ("moved", "unlinked", "deleted"):
        document = selling.invoice.add("estimate", ("account", first["id"]))
        states: list[Told | ToldCustomer] = [
            Told.by_event(selling.invoice.snapshot(document)),
            ToldCustomer.by(selling.invoice.customer(document)),
        ]
        selling.invoice.links[document["id"]] = {("account", second["id"])} if end != "unlinked" else set()
        selling.invoice.change(document, status="accepted")
        states.append(Told.by_event(selling.invoice.snapshot(document, deleted=end == "deleted")))
        states.append(ToldCustomer.by(selling.invoice.customer(document)))
        ends[end] = states
    expected = set()
    for end, states in ends.items():
        for number, order in enumerate(permutations(states)):
            name = f"{end}-{number}"
            for told in (*order, *order):
                if isinstance(told, Told):
                    await selling.take_in([renamed(told, name)])
                else:
                    await selling.take_in_customers(replace(told, id=f"of {name}"))
            expected |= {name} if end == "moved" else set()
    assert (await selling.listed(f"accounts/{first['id']}"))["estimates"] == []
    found = (await selling.listed(f"accounts/{second['id']}"))["estimates"]
    assert {one["id"] for one in found} == expected
    assert {(one["status"], one["version"]) for one in found} == {("accepted", 2)}


async def test_s3_s4_a_document_of_nobody_in_the_crm_is_not_shown_and_nothing_is_kept_of_it(selling: Selling) -> None:
    document = selling.invoice.add("invoice", customer_name="Made by hand")
    await selling.tell(document)
    answer = await selling.crm.member.get(f"/v1/invoices/{document['id']}")
    selling.crm.refused(answer, 404, "invoice_not_found")
    assert selling.invoice.asked == []
    async with selling.crm.stack.database("crm").reading() as session:
        assert (await session.execute(select(versions.c.document_id, versions.c.version))).all() == [
            (document["id"], 1)
        ]
        for table in (Document, records):
            assert (await session.execute(select(func.count()).select_from(table))).scalar_one() == 0


async def test_documents_of_who_becomes_somebody_come_by_themselves_even_if_invoice_is_away(selling: Selling) -> None:
    account = await selling.crm.account()
    document = selling.invoice.add("invoice", customer_name="Made by hand")
    await selling.tell(document)  # of which nothing is kept
    selling.invoice.links[document["id"]] = {("account", account["id"])}
    selling.invoice.down = refusal(503, "unavailable", "down")
    became = selling.invoice.customer(document).model_copy(update={"version": 2})
    publishing = asyncio.create_task(selling.publish(CustomerUpdated(data=became)))  # within a process, until handled
    await asyncio.sleep(0.3)
    assert numbers(await selling.listed(f"accounts/{account['id']}")) == []
    selling.invoice.down = None

    async def shown() -> bool:
        return numbers(await selling.listed(f"accounts/{account['id']}")) == [document["invoice_number"]]

    await selling.crm.stack.eventually(shown)
    await publishing
    selling.invoice.links[document["id"]] = set()
    await selling.publish(CustomerUpdated(data=selling.invoice.customer(document).model_copy(update={"version": 3})))

    async def forgotten() -> bool:
        async with selling.crm.stack.database("crm").reading() as session:
            return not (await session.execute(select(func.count()).select_from(Document))).scalar_one()

    await selling.crm.stack.eventually(forgotten)


async def test_versions_of_what_is_not_shown_are_forgotten_in_the_end_and_of_what_is_shown_never(
    selling: Selling,
) -> None:
    account = await selling.crm.account()
    shown, deleted = (selling.invoice.add("invoice", ("account", account["id"])) for _ in range(2))
    await selling.tell(shown, deleted, selling.invoice.add("invoice", customer_name="Made by hand"))
    await selling.take_in([Told.by_event(selling.invoice.snapshot(selling.invoice.change(deleted), deleted=True))])
    async with selling.crm.stack.database("crm").transaction() as session:
        for before, left in ((-1, 3), (1, 1)):
            await reflection.forget_old(session, utc_now() + timedelta(seconds=before))
            assert (await session.execute(select(func.count()).select_from(versions))).scalar_one() == left
    await selling.take_in([Told.by_event(selling.invoice.snapshot(shown))])
    assert numbers(await selling.listed(f"accounts/{account['id']}")) == [shown["invoice_number"]]


async def test_a_batch_takes_as_many_statements_for_one_document_as_for_many(selling: Selling) -> None:
    account = await selling.crm.account()
    many = [selling.invoice.add("estimate", ("account", account["id"]), potential_id=new_id()) for _ in range(200)]
    await selling.tell(*many)
    for document in many:
        selling.invoice.change(document, status="sent")
    sent: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "documents" in statement or "document_versions" in statement:  # others are at work, too
            sent.append(statement.split()[0])

    engine = selling.crm.stack.database("crm").engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    await selling.tell(many[0])
    one = list(sent)
    sent.clear()
    await selling.tell(*many[1:])
    event.remove(engine, "before_cursor_execute", note)
    assert sent == one == ["INSERT", "INSERT", "DELETE"]


async def test_s8_an_account_has_its_contacts_documents_and_pages_newest_first(selling: Selling) -> None:
    account, other = await selling.crm.account(), await selling.crm.account("Other")
    contact = await selling.crm.contact(account_id=account["id"])
    both = selling.invoice.add("estimate", ("account", account["id"]), ("contact", contact["id"]))
    its = [selling.invoice.add("estimate", ("contact", contact["id"])) for _ in range(3)]
    last = selling.invoice.add("estimate", ("account", account["id"]))
    await selling.tell(both, *its, last)
    newest_first = [one["estimate_number"] for one in (last, *its[::-1], both)]

    seen: list[str] = []
    cursor: Json = {}
    while True:
        page = await selling.listed(f"accounts/{account['id']}", limit=2, **cursor)
        seen += numbers(page)
        if page["estimates_cursor"] is None:
            break
        cursor = {"estimates_cursor": page["estimates_cursor"]}
    assert seen == newest_first
    assert numbers(await selling.listed(f"contacts/{contact['id']}")) == newest_first[1:]

    await selling.crm.change(f"contacts/{contact['id']}", account_id=other["id"])
    assert numbers(await selling.listed(f"accounts/{other['id']}")) == newest_first[1:-1]  # not what is the account's
    assert numbers(await selling.listed(f"accounts/{account['id']}")) == [newest_first[0], newest_first[-1]]


async def test_s9_refresh_repairs_additions_changes_and_deletions(selling: Selling) -> None:
    potential = await selling.crm.potential()
    path, whose = f"potentials/{potential['id']}", potential["id"]
    kept, changed, deleted, taken = (selling.invoice.add("invoice", potential_id=whose) for _ in range(4))
    await selling.tell(kept, changed, deleted, taken)
    late = selling.invoice.snapshot(selling.invoice.change(deleted))
    selling.invoice.change(changed, status="sent", customer_name="Another name")
    selling.invoice.delete(deleted)
    selling.invoice.change(taken, crm_potential_id=None)
    added = [selling.invoice.add("estimate", potential_id=whose) for _ in range(3)]

    found = await selling.refresh(path)
    assert numbers(found) == [*(one["estimate_number"] for one in added[::-1]), "INV-000002", "INV-000001"]
    assert found["fetched_at"] is not None
    assert (found["invoices"][0]["status"], found["invoices"][0]["customer_name"]) == ("sent", "Another name")
    await selling.take_in([Told.by_event(late)])  # of one that is gone
    assert await selling.listed(path) == found
    again = await selling.refresh(path)
    assert numbers(again) == numbers(found)
    assert again["fetched_at"] > found["fetched_at"]


async def test_s9_refresh_leaves_what_an_event_tells_meanwhile(selling: Selling) -> None:
    account = await selling.crm.account()
    whose = ("account", account["id"])
    changed, deleted = selling.invoice.add("estimate", whose), selling.invoice.add("estimate", whose)
    unlinked = selling.invoice.add("estimate", whose)
    await selling.tell(changed, deleted, unlinked)
    old_list = dict(selling.invoice.documents), dict(changed)
    new: list[Json] = []

    async def meanwhile() -> None:
        """After Invoice has read its list, and before the CRM has it."""
        selling.invoice.between = None
        selling.invoice.change(changed, status="accepted")
        selling.invoice.change(deleted)
        selling.invoice.links[unlinked["id"]] = set()
        selling.invoice.change(unlinked)
        new.append(selling.invoice.add("estimate", whose))
        await selling.tell(changed, unlinked, new[0])
        await selling.take_in([Told.by_event(selling.invoice.snapshot(deleted, deleted=True))])
        # The list that Invoice is about to give is the one from before all that.
        selling.invoice.documents = old_list[0] | {changed["id"]: old_list[1]}
        selling.invoice.links[unlinked["id"]] = {whose}
        for document in (deleted, unlinked):
            document["version"] = 1

    selling.invoice.between = meanwhile
    found = await selling.refresh(f"accounts/{account['id']}")
    assert [(one["id"], one["status"]) for one in found["estimates"]] == [
        (new[0]["id"], "draft"),
        (changed["id"], "accepted"),
    ]


async def test_s9_fetching_an_account_fetches_its_contacts_documents(selling: Selling) -> None:
    account = await selling.crm.account()
    contact = await selling.crm.contact(account_id=account["id"])
    selling.invoice.account_of[contact["id"]] = account["id"]
    selling.invoice.add("invoice", ("contact", contact["id"]))
    assert numbers(await selling.refresh(f"accounts/{account['id']}")) == ["INV-000001"]
    assert numbers(await selling.listed(f"contacts/{contact['id']}")) == ["INV-000001"]


@pytest.mark.parametrize(
    ("down", "said"),
    [
        (refusal(503, "unavailable", "down"), "invoice answered 503"),
        (HTMLResponse("<h1>Please sign in to the network</h1>"), "invoice answered with something"),
        (Response(status_code=302, headers={"Location": "/login"}), "invoice answered 302"),
    ],
    ids=["down", "page", "redirect"],
)
async def test_with_invoice_down_the_list_shows_what_was_last_known_and_since_when(
    selling: Selling, down: Response, said: str
) -> None:
    account = await selling.crm.account()
    path = f"accounts/{account['id']}"
    selling.invoice.add("estimate", ("account", account["id"]))
    fetched = await selling.refresh(path)
    selling.invoice.down = down
    answer = await selling.crm.member.post(f"/v1/{path}/documents/refresh")
    document = selling.crm.refused(answer, 503, "unavailable")
    assert document["service"] == "invoice"
    found = await selling.listed(path)
    assert (numbers(found), found["fetched_at"]) == (["EST-000001"], fetched["fetched_at"])
    assert found["refresh_failed_at"] > fetched["fetched_at"]
    assert said in found["last_error"]
    opened = await selling.crm.member.get(f"/v1/estimates/{found['estimates'][0]['id']}")
    assert (opened.status_code, opened.json()["service"]) == (503, "invoice")

    selling.invoice.down = None

    async def back() -> bool:
        return (await selling.crm.member.post(f"/v1/{path}/documents/refresh")).status_code == 200

    await selling.crm.stack.eventually(back)
    found = await selling.listed(path)
    assert (found["refresh_failed_at"], found["last_error"]) == (None, None)


async def test_without_a_connection_there_is_nothing_to_fetch_from(selling: Selling) -> None:
    selling.sync.organization_id = None
    account = await selling.crm.account()
    answer = await selling.crm.member.post(f"/v1/accounts/{account['id']}/documents/refresh")
    selling.crm.refused(answer, 409, "not_connected")
    assert (await selling.listed(f"accounts/{account['id']}"))["fetched_at"] is None


async def test_only_records_that_are_there_have_lists(selling: Selling) -> None:
    for path, code in (("accounts", "account"), ("contacts", "contact"), ("potentials", "potential")):
        for method, end in (("GET", ""), ("POST", "/refresh")):
            answer = await selling.crm.member.request(method, f"/v1/{path}/{new_id()}/documents{end}")
            selling.crm.refused(answer, 404, f"{code}_not_found")
