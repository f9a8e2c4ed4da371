"""Any sequence of changes in the CRM, told in any order and as often as may be, ends in the right customers (S25).

Each example is a story that Hypothesis makes up: records are created, edited, moved, deleted and restored in the real
CRM; its events come to sync in pieces, out of order, some again and again, some only at the end; imports run in
between; customers get estimates, and are merged. What is compared then, customer by customer (the imported fields,
contact persons and their order, CRM records with their versions):

- the organization that followed all that, with one that a fresh import of the CRM's final state has just filled. Who
  has no transaction must not be there any more if its record is gone. Inactive customers are left out: a fresh import
  knows nothing of them. Each of them has a transaction, and no CRM record;
- after merges (S29) with what the fresh customers would be if they were merged likewise;
- whether a record's customer is always the same one, gone and back again or not (S28);
- one more import into the first organization, which finds everything unchanged (S30).

A step that is not possible just then is left out, so that steps mean the same when Hypothesis takes others away.
EXAMPLES says how many stories (5; 1000 for the whole proof).
"""

import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NamedTuple

import pytest
import structlog
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.flows.two_books import ImpatientBroker, Json, RecordKey, TwoBooks, as_merged, home_of
from tests.servers import Databases

EXAMPLES = int(os.environ.get("EXAMPLES", "5"))
AS_BEFORE = "as before"


class Put(NamedTuple):
    """Create the record, or edit it."""

    record: str
    fields: dict[str, Any]
    at: str | None = AS_BEFORE


class Delete(NamedTuple):
    """Delete the record, and if that was a mistake restore it at once."""

    record: str
    by_mistake: bool = False


class Restore(NamedTuple):
    """One of the records that are deleted."""

    number: int


class Tell(NamedTuple):
    """These events come (a record, and which of its versions), perhaps once more, together or one after the other."""

    events: list[tuple[str, int]]
    together: bool


class Import(NamedTuple):
    pass


class Bill(NamedTuple):
    """A customer gets a transaction, so that it never goes."""

    customer: int


class Merge(NamedTuple):
    """Two customers become one (S29)."""

    customer: int
    into: int


Step = Put | Delete | Restore | Tell | Import | Bill | Merge

accounts, contacts = st.sampled_from(["a1", "a1", "a2"]), st.sampled_from(["c1", "c2", "c3"])
names = st.sampled_from(["Alfreds", "Bólido", "Ernst 🦊 Handel", "مقهى"])
numbers = st.sampled_from(["", "030-1", "030-2"])
addresses = st.sampled_from([{}, {"city": "Berlin"}, {"street": "Obere Str. 57", "city": "Berlin", "zip": "12209"}])
some_account_fields = {
    "account_name": names,
    "phone": numbers,
    "fax": numbers,
    "billing_address": addresses,
    "shipping_address": addresses,
    "website": st.sampled_from(["", "alfreds.test"]),  # does not flow, but is a new version
}
some_contact_fields = {
    "last_name": names,
    "first_name": st.sampled_from(["", "Maria"]),
    "salutation": st.sampled_from(["", "Ms."]),
    "phone": numbers,
    "mobile": numbers,
    "email": st.sampled_from(["", "maria@alfreds.test"]),  # does not flow either
}
homes = st.sampled_from(["a1", "a1", "a2", None, AS_BEFORE])
CONTACTS_FIRST = "contacts newest first, then accounts"
ORDERS: dict[str, Callable[[int, str, int], Any]] = {
    "as it happened": lambda number, name, key: number,
    "newest first": lambda number, name, key: -number,
    CONTACTS_FIRST: lambda number, name, key: (name < "b", -number if name > "b" else number),
    "accounts newest first, then contacts": lambda number, name, key: (name > "b", number if name > "b" else -number),
    "shuffled": lambda number, name, key: key,
    "contacts anywhere between the accounts": lambda number, name, key: 3 * key if name > "b" else number,
}
"""What is told at the end comes sorted by this: of an event's number, its name, and a key that chance gives it."""
customers = st.integers(0, 4)
versions = st.integers(0, 5)
put_account = st.builds(Put, accounts, st.fixed_dictionaries({}, optional=some_account_fields))
put_contact = st.builds(Put, contacts, st.fixed_dictionaries({}, optional=some_contact_fields), homes)
tell = st.builds(
    Tell, st.lists(st.tuples(accounts | contacts, versions), min_size=1, max_size=4), together=st.booleans()
)
# What is here twice happens twice as often.
steps = st.one_of(
    *[put_account] * 2,
    *[put_contact] * 3,
    *[st.builds(Delete, accounts, st.booleans())] * 3,
    st.builds(Delete, contacts, st.booleans()),
    *[st.builds(Restore, st.integers(0, 4))] * 2,
    *[tell] * 3,
    *[st.builds(Import), st.builds(Bill, customers), st.builds(Merge, customers, customers)],
)
beginnings = st.tuples(
    st.just(Put("a1", {})),
    st.builds(Put, st.just("c1"), st.just({}), homes),
    st.builds(Put, st.just("c2"), st.just({}), homes),
    st.builds(Import) | st.builds(Tell, st.just([("a1", 0)]), together=st.just(True)),
)
"""Where most stories would come to only after many steps."""
middles = st.tuples(*[st.lists(steps, max_size=10)] * 3).map(lambda some: [step for part in some for step in part])


class Story:
    """What happens, step by step."""

    def __init__(self, books: TwoBooks) -> None:
        self.books = books
        self.gone: set[str] = set()
        self.untold: list[str] = []
        self.merged: list[tuple[RecordKey, ...]] = []
        self.customer_ids: dict[str, str] = {}

    async def happens(self, step: Step) -> None:
        known = set(self.books.told)
        match step:
            case Put(record, fields, at) if record not in self.gone:
                await self._put(record, fields, at)
            case Delete(record, by_mistake) if record in self.books.ids and record not in self.gone:
                await self.books.delete(record)
                self.gone.add(record)
                if by_mistake:
                    await self._restore(record)
            case Restore(number) if self.gone:
                await self._restore(sorted(self.gone)[number % len(self.gone)])
            case Tell(events, together):
                await self._tell(events, together=together)
            case Import():
                await self.books.import_again()
            case Bill(number):
                await self._bill(number)
            case Merge(number, into):
                await self._merge(number, into)
        self.untold += [name for name in self.books.told if name not in known]

    async def _put(self, record: str, fields: dict[str, Any], at: str | None) -> None:
        known = record in self.books.ids
        given = dict(fields)
        if record.startswith("c") and not (known and at == AS_BEFORE):
            account_is_there = at in self.books.ids and at not in self.gone
            given["account_id"] = self.books.ids[str(at)] if account_is_there else None
        if known:
            await self.books.change(record, **given)
        elif record.startswith("a"):
            await self.books.create("accounts", record, **{"account_name": "Alfreds", **given})
        else:
            await self.books.create("contacts", record, **{"last_name": "Anders", **given})

    async def _restore(self, record: str) -> None:
        await self.books.restore(record)
        self.gone.remove(record)

    async def _tell(self, events: Sequence[tuple[str, int]], *, together: bool) -> None:
        names = []
        for record, number in events:
            if its := [name for name in self.books.told if name.startswith(f"{record} ")]:
                names.append(its[number % len(its)])
        for piece in [names] if together else [[name] for name in names]:
            await self.books.deliver(piece)
        self.untold = [name for name in self.untold if name not in names]

    async def _bill(self, number: int) -> None:
        if active := await self._active():
            await self.books.bill(active[number % len(active)])

    async def _merge(self, number: int, into: int) -> None:
        active = await self._active()
        if len(active) < 2:
            return
        customer = active.pop(number % len(active))
        group = await self.books.merge(customer, active[into % len(active)])
        self.merged = [*(one for one in self.merged if not set(one) & set(group)), group]

    async def _active(self) -> list[Json]:
        """The active customers; the customer of a record is always the same one, whatever went on (S28)."""
        found = await self.books.customers(self.books.live, status="active")
        for one in found:
            known = self.customer_ids.setdefault(home_of(one)[1], one["id"])
            assert known == one["id"] or self.merged, f"{one['customer_name']} is another customer now"
        return found

    async def the_rest_is_told(self, order: str, keys: Sequence[int], at_once: int) -> None:
        """What was not told yet comes in one of `ORDERS`, so many at once; what has a 9 of ``keys`` comes twice."""
        key_of = {name: keys[number % len(keys)] for number, name in enumerate(self.untold)}
        numbered = enumerate(self.untold)
        ordered = [name for _, name in sorted(numbered, key=lambda one: ORDERS[order](*one, key_of[one[1]]))]
        rest = [name for name in ordered for _ in range(2 if key_of[name] == 9 else 1)]
        note(f"all events: {', '.join(self.books.told)}")
        note(f"told at the end: {', '.join(rest)}")
        for start in range(0, len(rest), at_once):
            await self.books.deliver(rest[start : start + at_once])
        await self.books.all_done()

    async def ends_as_a_fresh_import(self) -> None:
        books, merged = self.books, bool(self.merged)
        live, active = await books.customers(books.live), await self._active()
        counts = (await books.import_again())["counts"]
        await books.connect(books.fresh)
        fresh = as_merged(await books.customers(books.fresh), self.merged)

        assert books.comparable(active, merged=merged) == books.comparable(fresh, merged=merged)
        for one in live:
            assert one in active or (one["has_transactions"] and not one["crm_links"]), one
        assert counts["read"] == counts["unchanged"], counts


@pytest.fixture(params=["embedded", pytest.param("servers", marks=pytest.mark.servers)])
async def two_books(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[TwoBooks]:
    """The services on each of the two set-ups, started once for all stories."""
    broker = ImpatientBroker(f"test_{os.urandom(4).hex()}_")
    logging_as_before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # the story tells enough
    books = TwoBooks(request.param, databases, broker)
    await books.open()
    yield books
    await books.stack.close()
    structlog.configure(**logging_as_before)
    if request.param == "servers":
        await broker.bus().delete_everything()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    beginning=beginnings,
    steps=middles,
    order=st.sampled_from([*ORDERS, CONTACTS_FIRST]),
    keys=st.lists(st.integers(0, 9), min_size=8, max_size=8),
    at_once=st.sampled_from([1, 1, 1, 2, 4]),
)
async def test_s25_s28_s29_any_sequence_of_changes_ends_as_a_fresh_import(
    two_books: TwoBooks,
    beginning: Sequence[Step],
    steps: Sequence[Step],
    order: str,
    keys: Sequence[int],
    at_once: int,
) -> None:
    await two_books.begin()
    try:
        story = Story(two_books)
        for step in (*beginning, *steps):
            await story.happens(step)
        await story.the_rest_is_told(order, keys, at_once)
        await story.ends_as_a_fresh_import()
    finally:
        await two_books.end()
