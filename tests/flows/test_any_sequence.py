"""Any sequence of changes in the CRM, told in any order and as often as may be, ends in the right customers (S25).

Each example is a story that Hypothesis makes up: records are created, edited, moved, deleted and restored in the real
CRM; its events come to sync in pieces, out of order, some again and again, some only at the end; imports run in
between; customers get estimates, and are merged. What is compared then, customer by customer (the imported fields,
contact persons and their order, CRM records with their versions):

- the organization that followed all that, with one that a fresh import of the CRM's final state has just filled. Who
  has no transaction must not be there any more if its record is gone. Inactive customers are left out: a fresh import
  knows nothing of them. Each of them has a transaction, and no CRM record;
- after merges (S29) with what the fresh customers would be if they were merged likewise;
- one more import into the first organization, which finds everything unchanged (S30).

EXAMPLES says how many stories (5; 1000 for the whole proof).
"""

import asyncio
import logging
import os
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.flows.two_books import ImpatientBroker, RecordKey, TwoBooks, as_merged
from tests.servers import Databases

EXAMPLES = int(os.environ.get("EXAMPLES", "5"))
STEPS = 12

names = st.sampled_from(["Alfreds", "Bólido", "Ernst 🦊 Handel", "مقهى"])
numbers = st.sampled_from(["", "030-1", "030-2"])
addresses = st.sampled_from([{}, {"city": "Berlin"}, {"street": "Obere Str. 57", "city": "Berlin", "zip": "12209"}])
account_fields = st.fixed_dictionaries(
    {},
    optional={
        "account_name": names,
        "phone": numbers,
        "fax": numbers,
        "billing_address": addresses,
        "shipping_address": addresses,
        "website": st.sampled_from(["", "alfreds.test"]),  # does not flow, but is a new version
    },
)
contact_fields = st.fixed_dictionaries(
    {},
    optional={
        "last_name": names,
        "first_name": st.sampled_from(["", "Maria"]),
        "salutation": st.sampled_from(["", "Ms."]),
        "phone": numbers,
        "mobile": numbers,
        "email": st.sampled_from(["", "maria@alfreds.test"]),
    },
)


def steps(story: "Story") -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """What can happen next: the name of the step, and what it is told. What is here twice happens twice as often."""
    account, contact, gone = (st.sampled_from(some or ["-"]) for some in (story.accounts, story.contacts, story.gone))
    home = st.sampled_from([*story.accounts, None])
    customers = st.integers(0, 5)
    possible = [
        ("import_again", {}),
        ("bill", {"number": customers}),
        ("merge", {"number": customers, "into": customers}),
    ]
    if len(story.accounts) < 3:
        possible.append(("create_account", {"name": names, "fields": account_fields}))
    if len(story.contacts) < 4:
        possible.append(("create_contact", {"name": names, "at": home, "fields": contact_fields}))
    if story.accounts:
        possible += [("edit", {"record": account, "fields": account_fields}), *[("delete", {"record": account})] * 2]
    if story.contacts:
        possible += [("edit", {"record": contact, "fields": contact_fields}), ("delete", {"record": contact})]
        possible += [("move", {"contact": contact, "to": home})] * 3
    if story.gone:
        possible += [("restore", {"record": gone})] * 3
    if story.told:
        some = st.lists(st.sampled_from(story.told), min_size=1, max_size=4)
        possible += [("tell", {"events": some, "together": st.booleans()})] * 3
    return st.one_of(*(st.tuples(st.just(name), st.fixed_dictionaries(told)) for name, told in possible))


class Story(RuleBasedStateMachine):
    """What happens, step by step. One rule for all steps: of several, Hypothesis would leave out half in each story."""

    def __init__(self, books: TwoBooks, loop: asyncio.Runner) -> None:
        super().__init__()
        self.books, self.loop = books, loop
        self.failed = False
        self.accounts: list[str] = []
        self.contacts: list[str] = []
        self.gone: list[str] = []
        self.told: list[str] = []
        self.untold: list[str] = []
        self.merged: list[tuple[RecordKey, ...]] = []
        self.do(books.begin())

    def do(self, what: Coroutine[Any, Any, Any]) -> Any:
        self.failed = True
        result = self.loop.run(what)
        self.failed = False
        new = [name for name in self.books.told if name not in self.told]
        self.told += new
        self.untold += new
        return result

    @initialize(
        accounts=st.lists(names, min_size=1, max_size=2),
        contacts=st.lists(st.tuples(names, st.sampled_from(["a1", None])), min_size=1, max_size=3),
        imported=st.booleans(),
        keys=st.lists(st.integers(0, 9), min_size=8, max_size=8),
        at_once=st.integers(1, 3),
    )
    def begin(
        self,
        accounts: list[str],
        contacts: list[tuple[str, str | None]],
        imported: bool,
        keys: list[int],
        at_once: int,
    ) -> None:
        """Something is there, and perhaps imported.

        What is not told until the end comes then: sorted by ``keys``, so many ``at_once``; that with a 9 twice.
        """
        self.keys, self.at_once = keys, at_once
        for name in accounts:
            self.create_account(name, {})
        for name, at in contacts:
            self.create_contact(name, at, {})
        if imported:
            self.import_again()

    @rule(step=st.runner().flatmap(steps))
    def step(self, step: tuple[str, dict[str, Any]]) -> None:
        name, told = step
        getattr(self, name)(**told)

    def create_account(self, name: str, fields: dict[str, Any]) -> None:
        made = f"a{1 + sum(one.startswith('a') for one in self.books.ids)}"
        self.do(self.books.create("accounts", made, **{"account_name": name, **fields}))
        self.accounts.append(made)

    def create_contact(self, name: str, at: str | None, fields: dict[str, Any]) -> None:
        made = f"c{1 + sum(one.startswith('c') for one in self.books.ids)}"
        account_id = self.books.ids[at] if at else None
        self.do(self.books.create("contacts", made, **{"last_name": name, "account_id": account_id, **fields}))
        self.contacts.append(made)

    def edit(self, record: str, fields: dict[str, Any]) -> None:
        self.do(self.books.change(record, **fields))

    def move(self, contact: str, to: str | None) -> None:
        self.do(self.books.change(contact, account_id=self.books.ids[to] if to else None))

    def delete(self, record: str) -> None:
        self.do(self.books.delete(record))
        (self.accounts if record in self.accounts else self.contacts).remove(record)
        self.gone.append(record)

    def restore(self, record: str) -> None:
        self.do(self.books.restore(record))
        self.gone.remove(record)
        (self.accounts if record.startswith("a") else self.contacts).append(record)

    def tell(self, events: list[str], together: bool) -> None:
        """Some events come, for the first time or once more."""
        for piece in [events] if together else [[one] for one in events]:
            self.do(self.books.deliver(piece))
        self.untold = [one for one in self.untold if one not in events]

    def import_again(self) -> None:
        self.do(self.books.import_again())

    def bill(self, number: int) -> None:
        """A customer gets a transaction, so that it never goes."""
        if active := self.do(self.books.customers(self.books.live, status="active")):
            customer = active[number % len(active)]
            note(f"# {customer['customer_name']} gets an estimate")
            self.do(self.books.bill(customer))

    def merge(self, number: int, into: int) -> None:
        """Two customers become one (S29)."""
        active = self.do(self.books.customers(self.books.live, status="active"))
        if len(active) < 2:
            return
        customer = active.pop(number % len(active))
        stays = active[into % len(active)]
        note(f"# {customer['customer_name']} is merged into {stays['customer_name']}")
        group = self.do(self.books.merge(customer, stays))
        self.merged = [*(one for one in self.merged if not set(one) & set(group)), group]

    def teardown(self) -> None:
        try:
            if not self.failed and hasattr(self, "keys"):
                self.tell_the_rest()
                self.compare()
        finally:
            self.loop.run(self.books.end())

    def tell_the_rest(self) -> None:
        keys = {name: self.keys[number % len(self.keys)] for number, name in enumerate(self.untold)}
        rest = sorted((name for name in self.untold for _ in range(2 if keys[name] == 9 else 1)), key=keys.__getitem__)
        note(f"# the rest is told: {', '.join(rest)}")
        for start in range(0, len(rest), self.at_once):
            self.do(self.books.deliver(rest[start : start + self.at_once]))
        self.do(self.books.all_done())

    def compare(self) -> None:
        books, merged = self.books, bool(self.merged)
        live = self.do(books.customers(books.live))
        counts = self.do(books.import_again())["counts"]
        assert counts["read"] == counts["unchanged"], counts
        self.do(books.connect(books.fresh))
        fresh = as_merged(self.do(books.customers(books.fresh)), self.merged)

        active = [one for one in live if one["status"] == "active"]
        assert books.comparable(active, merged=merged) == books.comparable(fresh, merged=merged)
        for one in live:
            assert one in active or (one["has_transactions"] and not one["crm_links"]), one


@pytest.fixture(params=["embedded", pytest.param("servers", marks=pytest.mark.servers)])
def two_books(request: pytest.FixtureRequest, databases: Databases) -> Iterator[tuple[TwoBooks, asyncio.Runner]]:
    """The services on each of the two set-ups, in an event loop that runs while the story has something to do."""
    broker = ImpatientBroker(f"test_{os.urandom(4).hex()}_")
    logging_as_before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))  # the story is what tells
    with asyncio.Runner() as loop:
        books = TwoBooks(request.param, databases, broker)
        loop.run(books.open())
        yield books, loop
        loop.run(books.stack.close())
        if request.param == "servers":
            loop.run(broker.bus().delete_everything())
    structlog.configure(**logging_as_before)


def test_s25_s28_s29_any_sequence_of_changes_ends_as_a_fresh_import(
    two_books: tuple[TwoBooks, asyncio.Runner],
) -> None:
    run_state_machine_as_test(
        lambda: Story(*two_books),
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
