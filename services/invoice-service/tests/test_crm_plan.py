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
            if link.customer_id in gone:
                link = replace(link, customer_id=None, contact_person_id=None)
            self.links[key] = replace(link, own_customer_id=None) if link.own_customer_id in gone else link
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
        ids = {id_ for link in links.values() for id_ in (link.customer_id, link.own_customer_id)}
        links |= {key: link for key, link in self.links.items() if link.upholds in ids - {None}}
        person_ids = {link.contact_person_id for link in links.values()}
        return State(
            links,
            {id_: one for id_, one in self.customers.items() if id_ in ids},
            {id_: one for id_, one in self.persons.items() if id_ in person_ids},
        )

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
        assert changes == crm_changes.Changes([], [], [], [], [], [], [], changes.changed_links)


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

    def test_a_customer_that_two_accounts_uphold_stays_until_both_are_deleted(self) -> None:
        books = Books()
        books.apply(account("a"), account("b"))
        kept = books.links[Key("account", "a")].customer_id
        merged = books.links[Key("account", "b")]
        del books.customers[merged.customer_id or ""]
        books.links[merged.key] = replace(merged, customer_id=kept)  # as merging b into a will do (S29)

        assert books.apply(account("b", 2, deleted=True)) == ["updated"]
        assert books.shown() == [("Company a", [])]
        assert books.apply(account("a", 2, deleted=True)) == ["deleted"]
        assert books.shown() == []

    def test_s29_a_contact_merged_into_an_account_s_customer_does_not_rename_it(self) -> None:
        books = Books()
        books.apply(account("a"), contact("c"))
        kept = books.links[Key("account", "a")].customer_id or ""
        merged = books.links[Key("contact", "c")]
        del books.customers[merged.customer_id or ""]
        books.links[merged.key] = replace(merged, customer_id=kept, own_customer_id=kept)
        person_id = merged.contact_person_id or ""
        books.persons[person_id] = replace(books.persons[person_id], customer_id=kept)

        assert books.apply(contact("c", 2, name="Renamed")) == ["updated"]

        assert books.shown() == [("Company a", ["Renamed"])]


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

    def customers(self) -> list[tuple[str, list[str]]]:
        """The customers that a fresh import makes."""
        live = [record for record in self.newest.values() if not record.deleted]
        return sorted(
            (
                record.customer.customer_name,
                [record.customer.customer_name]
                if record.key.record_type == "contact"
                else sorted(
                    one.contact_person.last_name
                    for one in live
                    if one.account_id == record.key.record_id and one.contact_person
                ),
            )
            for record in live
            if record.account_id is None and record.customer
        )


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


@settings(max_examples=400, deadline=None)
@given(doings=doings, data=st.data())
def test_s25_any_order_and_repetition_ends_with_the_customers_of_a_fresh_import(
    doings: list[dict[str, object]], data: st.DataObject
) -> None:
    crm = Crm()
    for doing in doings:
        crm.do(**doing)  # type: ignore[arg-type]
    arriving = data.draw(st.permutations(crm.published))
    arriving += data.draw(st.lists(st.sampled_from(crm.published), max_size=5))
    books = Books()

    while arriving:
        size = data.draw(st.integers(1, 4))
        command, arriving = arriving[:size], arriving[size:]
        outcomes = books.apply(*command)
        if data.draw(st.booleans()):
            books.transact()
        # As sync does: a contact whose account is missing comes again, later.
        missing = [one for one, outcome in zip(command, outcomes, strict=True) if outcome == "account_missing"]
        arriving += missing

    assert books.shown() == crm.customers()
    assert all(one.has_transactions for one in books.customers.values() if not one.active)
