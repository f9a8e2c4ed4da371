"""How CRM records become customers (S22–S28), decided without a database."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from contracts.customers import ImportedContactPerson, ImportedCustomer
from hypothesis import given, settings
from hypothesis import strategies as st
from invoice_service.customers import crm_changes
from invoice_service.customers.crm_plan import plan
from invoice_service.customers.crm_state import Key, KnownCustomer, KnownPerson, Link, Record, State


def account(id_: str, version: int = 1, *, name: str = "", deleted: bool = False) -> Record:
    key = Key("account", id_)
    if deleted:
        return Record(key, version, deleted=True)
    return Record(key, version, customer=ImportedCustomer(customer_name=name or f"Company {id_}"))


def contact(id_: str, version: int = 1, *, at: str | None = None, name: str = "", deleted: bool = False) -> Record:
    key = Key("contact", id_)
    if deleted:
        return Record(key, version, deleted=True)
    name = name or f"Person {id_}"
    return Record(
        key,
        version,
        account_id=at,
        customer=ImportedCustomer(customer_name=name),
        contact_person=ImportedContactPerson(last_name=name),
    )


@dataclass
class Books:
    """Invoice's customers, links and persons: gives a plan what the database would, and keeps what it says."""

    links: dict[Key, Link] = field(default_factory=dict)
    customers: dict[str, KnownCustomer] = field(default_factory=dict)
    persons: dict[str, KnownPerson] = field(default_factory=dict)
    ids: Iterable[int] = field(default_factory=itertools.count)

    def apply(self, *records: Record) -> list[str]:
        """Carry out a command; the outcomes."""
        before = self._loaded(records)
        made = plan(before, records, lambda: f"new {next(iter(self.ids))}")
        changes = crm_changes.between(before, made.after)
        gone = set(changes.deleted_customers)
        self.customers |= made.after.customers
        self.customers = {id_: one for id_, one in self.customers.items() if id_ not in gone}
        self.persons |= made.after.persons
        self.persons = {
            id_: one
            for id_, one in self.persons.items()
            if one.customer_id not in gone and id_ not in changes.deleted_persons
        }
        for key, link in self.links.items():
            if key.record_type == "contact" and link.customer_id in gone:
                self.links[key] = replace(link, customer_id=None, contact_person_id=None)
        self.links |= made.after.links
        return [result.outcome for result in made.results]

    def _loaded(self, records: Sequence[Record]) -> State:
        """What `State` promises to hold for these records, and nothing else."""
        keys = {record.key for record in records}
        keys |= {Key("account", record.account_id) for record in records if record.account_id}
        links = {key: link for key, link in self.links.items() if key in keys}
        restored = {
            record.key.record_id
            for record in records
            if not record.deleted and record.key.record_type == "account"
            if record.key in links and links[record.key].deleted
        }
        links |= {key: link for key, link in self.links.items() if link.account_id in restored and not link.deleted}
        ids = {id_ for link in links.values() for id_ in (link.customer_id, link.own_customer_id)} - {None}
        links |= {key: link for key, link in self.links.items() if link.home in ids}
        person_ids = {link.contact_person_id for link in links.values()}
        return State(
            links,
            {id_: one for id_, one in self.customers.items() if id_ in ids},
            {id_: one for id_, one in self.persons.items() if id_ in person_ids},
        )

    def merge(self, gone_id: str, into_id: str) -> list[Key]:
        """Merge a customer into another one, as `merging.joining` does; the records that had their home at it."""
        gone, stays = self.customers[gone_id], self.customers[into_id]
        for customer in (gone, stays):
            upholding = [link for link in self.links.values() if link.upholds == customer.id]
            if upholding:
                first = min(upholding, key=lambda link: (link.rank, link.key))
                self.links[first.key] = replace(first, fields=customer.fields)
        ranks = [link.rank for link in self.links.values() if link.home == into_id]
        moved = sorted((link for link in self.links.values() if link.home == gone_id), key=lambda one: one.rank)
        for link in [*self.links.values()]:
            ids = {name: getattr(link, name) for name in ("customer_id", "own_customer_id")}
            ids = {name: into_id if id_ == gone_id else id_ for name, id_ in ids.items()}
            offset = max(ranks) + 1 if ranks and link in moved else 0
            self.links[link.key] = replace(link, **ids, rank=link.rank + offset)
        self.persons = {
            id_: replace(one, customer_id=into_id) if one.customer_id == gone_id else one
            for id_, one in self.persons.items()
        }
        transactions = gone.has_transactions or stays.has_transactions
        self.customers[into_id] = replace(stays, has_transactions=transactions)
        del self.customers[gone_id]
        return [link.key for link in moved]

    def transact(self) -> None:
        """Every customer there is gets a document."""
        self.customers = {id_: replace(one, has_transactions=True) for id_, one in self.customers.items()}

    def shown(self, *, active: bool = True) -> list[tuple[str, list[str]]]:
        """Each active (or inactive) customer's name with its persons' names."""
        return sorted(
            (
                customer.fields.customer_name,
                sorted(one.fields.last_name for one in self.persons.values() if one.customer_id == customer.id),
            )
            for customer in self.customers.values()
            if customer.active == active
        )


class TestThreeCases:
    def test_s22_an_account_with_contacts_is_one_customer_with_contact_persons(self) -> None:
        books = Books()

        assert books.apply(account("a"), contact("c", at="a"), contact("d", at="a")) == ["created"] * 3

        assert books.shown() == [("Company a", ["Person c", "Person d"])]

    def test_s22_the_order_within_a_command_does_not_matter(self) -> None:
        books = Books()

        assert books.apply(contact("c", at="a"), account("a")) == ["created", "created"]

        assert books.shown() == [("Company a", ["Person c"])]

    def test_s22_a_contact_whose_account_is_not_known_changes_nothing_and_may_come_again(self) -> None:
        books = Books()

        assert books.apply(contact("c", at="a")) == ["account_missing"]
        assert books == Books(ids=books.ids)
        assert books.apply(account("a")) == ["created"]
        assert books.apply(contact("c", at="a")) == ["created"]

        assert books.shown() == [("Company a", ["Person c"])]

    def test_s23_a_standalone_account_is_a_customer_without_contact_persons(self) -> None:
        books = Books()
        books.apply(account("a"))
        assert books.shown() == [("Company a", [])]

    def test_s24_a_contact_without_account_is_a_customer_with_itself_as_contact_person(self) -> None:
        books = Books()
        books.apply(contact("c"))
        assert books.shown() == [("Person c", ["Person c"])]


class TestVersions:
    def test_a_version_that_was_applied_changes_nothing(self) -> None:
        books = Books()
        books.apply(account("a", 2, name="New"))

        assert books.apply(account("a", 1, name="Old"), account("a", 2, name="Other")) == ["unchanged", "unchanged"]

        assert books.shown() == [("New", [])]

    def test_of_a_record_named_twice_only_the_highest_version_counts(self) -> None:
        books = Books()

        outcomes = books.apply(account("a", 1, name="Old"), account("a", 3, name="New"), account("a", 2, name="Middle"))

        assert outcomes == ["unchanged", "created", "unchanged"]
        assert books.shown() == [("New", [])]

    def test_a_newer_version_that_says_the_same_leaves_the_customer_unchanged(self) -> None:
        books = Books()
        books.apply(account("a"), contact("c", at="a"), contact("d"))
        before = books._loaded([account("a"), contact("c"), contact("d")])

        records = [account("a", 2), contact("c", 2, at="a"), contact("d", 2)]
        made = plan(before, records, lambda: "never used")

        assert [result.outcome for result in made.results] == ["unchanged"] * 3
        changes = crm_changes.between(before, made.after)
        assert len(changes.changed_links) == 3
        assert changes == crm_changes.Changes([], [], [], [], [], [], [], changes.changed_links, [])


class TestCaseChanges:
    def test_s25_a_contact_moves_to_another_account_and_stays_the_same_person(self) -> None:
        books = Books()
        books.apply(account("a"), account("b"), contact("c", at="a"))
        persons = list(books.persons)

        assert books.apply(contact("c", 2, at="b")) == ["updated"]

        assert books.shown() == [("Company a", []), ("Company b", ["Person c"])]
        assert list(books.persons) == persons

    def test_s25_a_contact_that_gains_an_account_leaves_no_customer_of_its_own(self) -> None:
        books = Books()
        books.apply(account("a"), contact("c"))

        assert books.apply(contact("c", 2, at="a")) == ["updated"]

        assert books.shown() == [("Company a", ["Person c"])]
        assert books.shown(active=False) == []

    def test_s25_its_own_customer_with_transactions_becomes_inactive_and_comes_back_with_it(self) -> None:
        books = Books()
        books.apply(account("a"), contact("c"))
        books.transact()

        books.apply(contact("c", 2, at="a"))
        assert books.shown() == [("Company a", ["Person c"])]
        assert books.shown(active=False) == [("Person c", [])]

        assert books.apply(contact("c", 3, name="Renamed")) == ["updated"]
        assert books.shown() == [("Company a", []), ("Renamed", ["Renamed"])]
        assert books.shown(active=False) == []

    @pytest.mark.parametrize("account_first", [True, False])
    def test_s25_an_account_is_deleted_and_its_contacts_stand_alone(self, account_first: bool) -> None:
        books = Books()
        books.apply(account("a"), contact("c", at="a"))
        commands = [account("a", 2, deleted=True), contact("c", 2)]

        for record in commands if account_first else reversed(commands):
            books.apply(record)

        assert books.shown() == [("Person c", ["Person c"])]

    def test_s25_a_contact_of_a_deleted_account_stands_alone_until_the_account_is_back(self) -> None:
        books = Books()
        books.apply(account("a"))
        books.apply(account("a", 2, deleted=True))

        assert books.apply(contact("c", at="a")) == ["created"]
        assert books.shown() == [("Person c", ["Person c"])]
        assert books.apply(account("a", 3)) == ["created"]

        assert books.shown() == [("Company a", ["Person c"])]


class TestDeleting:
    def test_s28_a_deleted_account_takes_its_customer_along(self) -> None:
        books = Books()
        books.apply(account("a"))
        assert books.apply(account("a", 2, deleted=True)) == ["deleted"]
        assert books.shown() == books.shown(active=False) == []

    def test_s28_with_transactions_the_customer_becomes_inactive_and_comes_back_when_restored(self) -> None:
        books = Books()
        books.apply(account("a"), contact("c"))
        customers = set(books.customers)
        books.transact()

        assert books.apply(account("a", 2, deleted=True), contact("c", 2, deleted=True)) == ["made_inactive"] * 2
        assert books.shown(active=False) == [("Company a", []), ("Person c", [])]
        assert books.apply(account("a", 3), contact("c", 3)) == ["updated", "updated"]

        assert books.shown() == [("Company a", []), ("Person c", ["Person c"])]
        assert set(books.customers) == customers

    def test_s28_a_deleted_contact_leaves_its_account_s_customer(self) -> None:
        books = Books()
        books.apply(account("a"), contact("c", at="a"))
        assert books.apply(contact("c", 2, deleted=True)) == ["deleted"]
        assert books.shown() == [("Company a", [])]

    def test_a_late_older_version_does_not_bring_a_deleted_record_back(self) -> None:
        books = Books()

        assert books.apply(account("a", 2, deleted=True), contact("c", 2, deleted=True)) == ["unchanged"] * 2
        assert books.apply(account("a", 1), contact("c", 1)) == ["unchanged"] * 2

        assert books.shown() == []


class TestMerged:
    """S29: after customers were merged."""

    def merged(self, *records: Record) -> Books:
        """The customers of the first two records, the second one merged into the first."""
        books = Books()
        books.apply(*records)
        kept, gone = (books.links[record.key].customer_id or "" for record in records[:2])
        books.merge(gone, kept)
        return books

    def test_s29_the_customer_stays_until_both_accounts_are_deleted(self) -> None:
        books = self.merged(account("a"), account("b"))

        assert books.apply(account("b", 2, deleted=True)) == ["updated"]
        assert books.shown() == [("Company a", [])]
        assert books.apply(account("a", 2, deleted=True)) == ["deleted"]
        assert books.shown() == books.shown(active=False) == []

    def test_s29_no_later_version_brings_the_duplicate_back_or_renames_the_one_that_stayed(self) -> None:
        books = self.merged(account("a"), account("b"), contact("c", at="b"))

        assert books.apply(account("b", 2, name="B"), contact("c", 2, at="b", name="C")) == ["unchanged", "updated"]
        assert books.apply(account("a", 2, name="A")) == ["updated"]

        assert books.shown() == [("A", ["C"])]

    @pytest.mark.parametrize("deleted_first", [True, False])
    def test_s29_when_the_first_account_is_deleted_the_second_one_takes_over(self, deleted_first: bool) -> None:
        books = self.merged(account("a"), account("b"))
        records = [account("a", 2, deleted=True), account("b", 2, name="Renamed")]

        for record in records if deleted_first else reversed(records):
            books.apply(record)

        assert books.shown() == [("Renamed", [])]
        books.apply(account("a", 3, name="Back"))
        assert books.shown() == [("Back", [])]

    def test_s29_both_deleted_they_come_back_as_one(self) -> None:
        books = self.merged(account("a"), account("b"))
        books.apply(account("a", 2, deleted=True), account("b", 2, deleted=True))
        assert books.shown() == []

        assert books.apply(account("b", 3)) == ["created"]
        assert books.shown() == [("Company b", [])]
        assert books.apply(account("a", 3)) == ["updated"]
        assert books.shown() == [("Company a", [])]

    def test_s29_a_customer_made_by_hand_never_goes(self) -> None:
        books = Books()
        by_hand = KnownCustomer("by hand", ImportedCustomer(customer_name="By hand"), imported=False)
        books.customers[by_hand.id] = by_hand
        books.apply(account("a"), account("b"))
        for id_ in ("a", "b"):
            books.merge(books.links[Key("account", id_)].customer_id or "", by_hand.id)

        books.apply(account("b", 2, name="B"))
        assert books.shown() == [("By hand", [])]
        books.apply(account("a", 2, name="A"))
        assert books.shown() == [("A", [])]
        books.apply(account("a", 3, deleted=True))
        assert books.shown() == [("B", [])]
        books.apply(account("b", 3, deleted=True))
        assert books.shown() == [("B", [])]

    def test_s29_a_contact_merged_into_an_account_s_customer_does_not_rename_it(self) -> None:
        books = self.merged(account("a"), contact("c"))

        assert books.apply(contact("c", 2, name="Renamed")) == ["updated"]

        assert books.shown() == [("Company a", ["Renamed"])]

    def test_s29_an_account_merged_into_a_contact_s_customer_takes_over_when_that_moves_to_it(self) -> None:
        books = self.merged(contact("c"), account("a"))
        books.apply(account("a", 2, name="A"))
        assert books.shown() == [("Person c", ["Person c"])]

        books.apply(contact("c", 2, at="a", name="C"))

        assert books.shown() == [("A", ["C"])]

    def test_s29_a_contact_that_moves_to_the_merged_account_comes_to_the_one_that_stayed(self) -> None:
        books = self.merged(account("a"), account("b"), contact("c"))

        books.apply(contact("c", 2, at="b"))

        assert books.shown() == [("Company a", ["Person c"])]


class TestRefusals:
    def test_a_record_that_fails_does_not_stop_the_others(self) -> None:
        books = Books()
        nameless = replace(account("a"), customer=None, refusal="customer.customer_name: too long")

        assert books.apply(nameless, account("b")) == ["failed", "created"]
        assert books.apply(account("a")) == ["created"]

    def test_a_record_without_its_part_fails(self) -> None:
        books = Books()
        incomplete = [replace(account("a"), customer=None), replace(contact("c"), contact_person=None)]
        assert books.apply(*incomplete, replace(contact("d"), customer=None)) == ["failed"] * 3
        assert books.links == {}


ACCOUNTS, CONTACTS = ("a", "b", "e"), ("c", "d", "f")


class Crm:
    """A CRM: what is done to it gives the records it would publish, and what a fresh import would find."""

    def __init__(self) -> None:
        self.newest: dict[Key, Record] = {}
        self.published: list[Record] = []

    def do(self, id_: str, *, at: str | None, deleted: bool, name: str) -> None:
        """Create, edit, delete or restore a record; a deleted account leaves its contacts standing alone (S25)."""
        if id_ in ACCOUNTS:
            self._publish(account(id_, self._next("account", id_), name=name, deleted=deleted))
            if deleted:
                for record in [*self.newest.values()]:
                    if record.account_id == id_:
                        key, person = record.key, record.contact_person
                        assert person is not None
                        self._publish(contact(key.record_id, record.version + 1, name=person.last_name))
            return
        exists = at is not None and not self.newest.get(Key("account", at), account(at, deleted=True)).deleted
        version = self._next("contact", id_)
        self._publish(contact(id_, version, at=at if exists else None, name=name, deleted=deleted))

    def _next(self, record_type: str, id_: str) -> int:
        known = self.newest.get(Key("account" if record_type == "account" else "contact", id_))
        return known.version + 1 if known else 1

    def _publish(self, record: Record) -> None:
        self.newest[record.key] = record
        self.published.append(record)

    def customers(self, groups: Sequence[Sequence[Key]] = ()) -> list[tuple[str, list[str]]]:
        """The customers that a fresh import makes; of each of ``groups``, merged in that order, one."""
        merged = {key for group in groups for key in group}
        alone = [[key] for key in self.newest if key not in merged]
        found = (self._customer(group) for group in [*groups, *alone])
        return sorted(customer for customer in found if customer is not None)

    def _customer(self, group: Sequence[Key]) -> tuple[str, list[str]] | None:
        live = {key: record for key, record in self.newest.items() if not record.deleted}
        homes = [live[key] for key in group if key in live and live[key].account_id is None]
        names = [record.customer.customer_name for record in homes if record.customer]
        persons = [
            record.contact_person.last_name
            for record in live.values()
            if record.contact_person and (record in homes or Key("account", record.account_id or "") in group)
        ]
        return (names[0], sorted(persons)) if names else None


doings = st.lists(
    st.fixed_dictionaries(
        {
            "id_": st.sampled_from([*ACCOUNTS, *CONTACTS]),
            "at": st.sampled_from([None, *ACCOUNTS]),
            "deleted": st.booleans(),
            "name": st.sampled_from(["", "Alfreds", "Bólido"]),
        }
    ),
    min_size=1,
    max_size=12,
)


def run(doings: list[dict[str, object]], data: st.DataObject, *, merging: bool) -> tuple[Crm, Books, list[list[Key]]]:
    """What is done in a CRM comes to Invoice in any order, some of it twice; with merges in between, their groups."""
    crm = Crm()
    for doing in doings:
        crm.do(**doing)  # type: ignore[arg-type]
    arriving = data.draw(st.permutations(crm.published))
    arriving += data.draw(st.lists(st.sampled_from(crm.published), max_size=5))
    books = Books()
    groups: list[list[Key]] = []
    while arriving:
        size = data.draw(st.integers(1, 4))
        command, arriving = arriving[:size], arriving[size:]
        outcomes = books.apply(*command)
        if data.draw(st.booleans()):
            books.transact()
        # As sync does: a contact whose account is missing comes again, later.
        missing = [one for one, outcome in zip(command, outcomes, strict=True) if outcome == "account_missing"]
        arriving += missing
        active = [id_ for id_, one in books.customers.items() if one.active]
        if merging and len(active) > 1 and data.draw(st.booleans()):
            gone_id, into_id, *_ = data.draw(st.permutations(active))
            homes = sorted((link for link in books.links.values() if link.home == into_id), key=lambda one: one.rank)
            moved = books.merge(gone_id, into_id)
            group = [*(link.key for link in homes), *moved]
            groups = [*(one for one in groups if not set(one) & set(group)), group]
    return crm, books, groups


@settings(max_examples=400, deadline=None)
@given(doings=doings, data=st.data())
def test_s25_any_order_and_repetition_ends_with_the_customers_of_a_fresh_import(
    doings: list[dict[str, object]], data: st.DataObject
) -> None:
    crm, books, _ = run(doings, data, merging=False)

    assert books.shown() == crm.customers()
    assert all(one.has_transactions for one in books.customers.values() if not one.active)


@settings(max_examples=400, deadline=None)
@given(doings=doings, data=st.data())
def test_s29_after_merges_too_and_what_was_merged_stays_one(
    doings: list[dict[str, object]], data: st.DataObject
) -> None:
    crm, books, groups = run(doings, data, merging=True)

    assert books.shown() == crm.customers(groups)
    assert all(one.has_transactions for one in books.customers.values() if not one.active)
