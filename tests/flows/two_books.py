"""One CRM, and two organizations in Invoice to compare: one that followed every event, one imported just now.

The CRM's relay is stopped: its events stay in the outbox, as it recorded them, until a test has the bus carry them, in
whatever order and however often. Everything else is real, and started once for any number of examples: each begins
with an empty CRM and two new organizations.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import httpx
from crm_service.accounts.models import Account
from crm_service.contacts.models import Contact
from invoice_service.customers.models import CrmLink
from servicekit import search
from servicekit.bus import Outgoing
from servicekit.bus.amqp import AmqpBus
from servicekit.outbox import outbox
from sqlalchemy import and_, delete, or_, select

from tests.servers import AMQP_URL, Broker, Databases
from tests.stack import Stack

RETRY_DELAYS = (0.03, 0.1)
"""How long a contact waits for its account. An event is given up after 60 attempts: examples must end by then."""
CUSTOMER_FIELDS = ("customer_name", "phone", "fax", "billing_address", "shipping_address", "status", "source")
PERSON_FIELDS = ("salutation", "first_name", "last_name", "phone", "mobile", "source")
LINE = {"name": "Tea", "quantity": "1", "rate": "3.50"}

Json = dict[str, Any]
RecordKey = tuple[str, str]


class ImpatientBroker(Broker):
    """One whose events are tried again soon."""

    def bus(self) -> AmqpBus:
        return AmqpBus(AMQP_URL, namespace=self.namespace, delays=RETRY_DELAYS)


class TwoBooks:
    """CRM, Invoice and sync; ``live`` is the organization that follows the CRM's events, ``fresh`` the other one.

    Records go by short names: ``a1`` is the first account of an example, ``c2`` its second contact; ``a1 v2`` is the
    event that tells of the second version of ``a1``.
    """

    def __init__(self, kind: str, databases: Databases, broker: Broker) -> None:
        self.stack = Stack(kind, databases, broker)
        self._broker = broker
        self._count = 0

    async def open(self) -> None:
        """Start the services."""
        await self.stack.start("crm", "invoice", "sync", retry_delays=RETRY_DELAYS)
        await self.stack.apps["crm"].state.service.relay.stop()
        self.crm, self.invoice, self.sync = [await self.stack.person(one) for one in ("crm", "invoice", "sync")]
        self.key = read(await self.crm.post("/v1/zsc-keys", json={}), 201)

    async def begin(self) -> None:
        """An example begins: nothing is in the CRM, and ``live`` follows it."""
        self.ids: dict[str, str] = {}
        self.told: dict[str, Outgoing] = {}
        self._position = self._published = 0
        self._publishing: list[asyncio.Task[None]] = []
        self._seen = self._handled()
        async with self.stack.database("crm").transaction() as session:
            for table in (Contact, Account, outbox, search.search_words):
                await session.execute(delete(table))
        self._count += 1
        self.live, self.fresh = [await self._organization(f"{name} {self._count}") for name in ("Live", "Fresh")]
        await self.connect(self.live)

    async def end(self) -> None:
        """Whatever became of the example, the next one finds nothing of it on the bus."""
        for task in self._publishing:
            task.cancel()
        await asyncio.gather(*self._publishing, return_exceptions=True)
        if self.stack.kind == "servers" and self._handled()["done"] - self._seen["done"] < self._published:
            await self._broker.empty()

    async def _organization(self, name: str) -> str:
        made = read(await self.invoice.post("/v1/organizations", json={"name": name, "currency_code": "EUR"}), 201)
        organization_id: str = made["id"]
        return organization_id

    # What people do

    async def create(self, path: str, name: str, **fields: Any) -> None:
        """A new record in the CRM, called ``name`` from now on."""
        self.ids[name] = read(await self.crm.post(f"/v1/{path}", json=fields), 201)["id"]
        await self._hear()

    async def change(self, name: str, **fields: Any) -> None:
        read(await self.crm.patch(self._path(name), json=fields))
        await self._hear()

    async def delete(self, name: str) -> None:
        answer = await self.crm.delete(self._path(name))
        assert answer.status_code == 204, answer.text
        await self._hear()

    async def restore(self, name: str) -> None:
        read(await self.crm.post(f"{self._path(name)}/restore"))
        await self._hear()

    async def bill(self, customer: Json) -> None:
        """A customer of ``live`` gets an estimate."""
        body = {"customer_id": customer["id"], "line_items": [LINE]}
        read(await self.invoice.post("/v1/estimates", json=body, headers=_in(self.live)), 201)

    async def merge(self, customer: Json, into: Json) -> tuple[RecordKey, ...]:
        """Merge two customers of ``live``; the records that are one customer from now on, the first ones first."""
        group = (*await self._at_home(into), *await self._at_home(customer))
        path = f"/v1/customers/{customer['id']}/merge"
        read(await self.invoice.post(path, json={"into": into["id"]}, headers=_in(self.live)))
        return group

    async def connect(self, organization_id: str) -> Json:
        """Connect this organization in the place of any other, and import; the import."""
        await self.sync.delete("/v1/connection")
        body = {"email": self.key["email"], "zsc_key": self.key["key"], "auto_update": True}
        answer = await self.sync.post("/v1/imports", json=body, headers=_in(organization_id))
        return await self._ended(read(answer, 202))

    async def import_again(self) -> Json:
        return await self._ended(read(await self.sync.post("/v1/imports", json={}), 202))

    async def _ended(self, run: Json) -> Json:
        async def ended() -> Json | None:
            found = read(await self.sync.get(f"/v1/imports/{run['id']}"))
            return found if found["status"] in ("completed", "failed") else None

        found: Json = await self.stack.eventually(ended)
        assert (found["status"], found["counts"]["failed"], found["reason"]) == ("completed", 0, None), found
        return found

    # What the CRM tells, and how it comes

    async def deliver(self, names: Iterable[str]) -> None:
        """Have these events come, all at once, and wait until each was handled, or has to wait for its account."""
        events = [self.told[name] for name in names]
        before = sum(self._handled().values())
        self._publishing += [asyncio.create_task(self._publish(event)) for event in events]
        self._published += len(events)

        async def each_was_tried() -> bool:
            return sum(self._handled().values()) >= before + len(events)

        await self.stack.eventually(each_was_tried)

    async def all_done(self) -> None:
        """Wait until every event that came was handled for good."""

        async def done() -> bool:
            handled = self._handled()
            assert handled["dead"] == self._seen["dead"], "an event was given up"
            return handled["done"] - self._seen["done"] >= self._published

        await self.stack.eventually(done)

    async def _publish(self, event: Outgoing) -> None:
        while True:
            try:
                await self.stack.apps["crm"].state.service.bus.publish([event])
                return
            except ConnectionError:  # as the relay does
                await asyncio.sleep(0.02)

    def _handled(self) -> dict[str, int]:
        """What the consumer counts."""
        counted = self.stack.apps["sync"].state.service.metrics.events
        outcomes = ("done", "retried", "dead")
        return {outcome: int(counted.labels("sync.records", outcome)._value.get()) for outcome in outcomes}

    async def _hear(self) -> None:
        """Take notice of what the CRM has recorded."""
        names = {record_id: name for name, record_id in self.ids.items()}
        async with self.stack.database("crm").reading() as session:
            new = select(outbox).where(outbox.c.position > self._position).order_by(outbox.c.position)
            for row in (await session.execute(new)).all():
                data = json.loads(row.body)["data"]
                event = Outgoing(row.event_id, row.exchange, row.routing_key, bytes(row.body))
                self.told[f"{names[data['id']]} v{data['version']}"] = event
                self._position = row.position

    # What came of it

    async def customers(self, organization_id: str, **query: str) -> list[Json]:
        """The organization's customers, as Invoice shows them."""
        answer = await self.invoice.get("/v1/customers", params={"limit": 200, **query}, headers=_in(organization_id))
        items: list[Json] = read(answer)["items"]
        return items

    def comparable(self, customers: Iterable[Json], *, merged: bool) -> list[Json]:
        """What two organizations' customers of the same CRM records have in common, without ids of Invoice's own.

        ``merged``: some were, so that nothing can be said of whose contact person is the first.
        """
        names = {record_id: name for name, record_id in self.ids.items()}
        person_fields = [*PERSON_FIELDS] if merged else [*PERSON_FIELDS, "is_primary"]
        found = []
        for customer in customers:
            persons = [{field: one[field] for field in person_fields} for one in customer["contact_persons"]]
            found.append(
                {
                    "records": sorted(f"{names[one['record_id']]} v{one['version']}" for one in customer["crm_links"]),
                    "persons": sorted(persons, key=str) if merged else persons,
                    **{field: customer[field] for field in CUSTOMER_FIELDS},
                }
            )
        return sorted(found, key=lambda one: str(one["records"]))

    async def _at_home(self, customer: Json) -> list[RecordKey]:
        """All records, deleted ones too, that this customer is there for, in the order in which they count."""
        account = and_(CrmLink.record_type == "account", CrmLink.customer_id == customer["id"])
        links = select(CrmLink).where(or_(account, CrmLink.own_customer_id == customer["id"]))
        async with self.stack.database("invoice").reading() as session:
            found = (await session.scalars(links.order_by(CrmLink.rank, CrmLink.record_type, CrmLink.record_id))).all()
        return [(link.record_type, link.record_id) for link in found]

    def _path(self, name: str) -> str:
        return f"/v1/{'accounts' if name.startswith('a') else 'contacts'}/{self.ids[name]}"


def as_merged(customers: Sequence[Json], groups: Iterable[Sequence[RecordKey]]) -> list[Json]:
    """What freshly imported customers would be if those of each group of records were merged (S29).

    The fields are those of the first of the group that is there; persons and records are those of all.
    """
    rank = {key: (number, place) for number, group in enumerate(groups) for place, key in enumerate(group)}
    together: dict[Any, dict[int, Json]] = defaultdict(dict)
    for customer in customers:
        home = home_of(customer)
        number, place = rank.get(home, (home, 0))
        together[number][place] = customer
    return [_as_one([some[place] for place in sorted(some)]) for some in together.values()]


def home_of(customer: Json) -> RecordKey:
    """The record that an imported customer is there for: its account, or the contact that stands alone."""
    return min((link["record_type"], link["record_id"]) for link in customer["crm_links"])  # accounts before contacts


def _as_one(customers: Sequence[Json]) -> Json:
    lists = ("crm_links", "contact_persons")
    return customers[0] | {name: [one for customer in customers for one in customer[name]] for name in lists}


def _in(organization_id: str) -> dict[str, str]:
    return {"X-Organization-Id": organization_id}


def read(answer: httpx.Response, status: int = 200) -> Json:
    """The body of an answer that is to have this status."""
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body
