"""Invoice's customers and a CRM in memory: what the tests of `crm_plan` and `crm_preview` apply records to."""

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from contracts.customers import CrmRecordResult, ImportedContactPerson, ImportedCustomer
from hypothesis import strategies as st
from invoice_service.customers import crm_changes
from invoice_service.customers.crm_plan import plan
from invoice_service.customers.crm_state import Key, KnownCustomer, KnownPerson, Link, Record, State
from invoice_service.plans.room import CustomerRoom


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
    departed: set[str] = field(default_factory=set)
    departed_persons: dict[str, ImportedContactPerson] = field(default_factory=dict)
    ids: Iterator[int] = field(default_factory=itertools.count)

    def apply(self, *records: Record) -> list[str]:
        """Carry out a command; the outcomes."""
        return [result.outcome for result in self.results(records)]

    def results(
        self, records: Sequence[Record], room: CustomerRoom | None = None, *, reapply: bool = False
    ) -> tuple[CrmRecordResult, ...]:
        """Carry out a command; what is answered."""
        known = {record.key: self.links[record.key] for record in records if record.key in self.links}
        news = [
            one
            for one in records
            if one.key not in known or known[one.key].is_news(one.version, one.set_back_from, reapply=reapply)
        ]
        before = self.loaded(news, known)
        made = plan(before, records, self.new_id, room, reapply=reapply, explain=True)
        changes = crm_changes.between(before, made)
        gone, emptied = set(changes.deleted_customers), {*changes.deleted_customers, *changes.emptied_customers}
        self.customers = {
            id_: one for id_, one in {**self.customers, **made.after.customers}.items() if id_ not in gone
        }
        self.departed = {*self.departed, *gone} - {one.id for one in changes.new_customers}
        persons = {id_: one for id_, one in self.persons.items() if one.customer_id not in emptied}
        persons |= {one.id: one for one in [*changes.new_persons, *changes.changed_persons]}
        went = self.persons.keys() - persons.keys() | set(changes.deleted_persons)
        self.departed_persons |= {id_: self.persons[id_].fields for id_ in went & self.persons.keys()}
        self.persons = {id_: one for id_, one in persons.items() if id_ not in changes.deleted_persons}
        for key, link in self.links.items():
            if key.record_type == "contact" and link.customer_id in emptied:
                self.links[key] = replace(link, customer_id=None)
        self.links |= {link.key: link for link in [*changes.new_links, *changes.changed_links]}
        assert made.after.links.items() <= self.links.items()
        assert made.after.customers.items() <= self.customers.items()
        assert made.after.persons.items() <= self.persons.items()
        return made.results

    def new_id(self) -> str:
        """The next id that is free."""
        return f"new {next(self.ids)}"

    def copy(self) -> "Books":
        """Books to go on with by themselves."""
        return replace(
            self,
            links=dict(self.links),
            departed=set(self.departed),
            departed_persons=dict(self.departed_persons),
            ids=copy.copy(self.ids),
        )

    def loaded(self, records: Sequence[Record], known: Mapping[Key, Link] | None = None) -> State:
        """What `State` promises to hold for these records, and nothing else; ``known``: links of others, too."""
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
            {**(known or {}), **links},
            {id_: one for id_, one in self.customers.items() if id_ in ids},
            {id_: one for id_, one in self.persons.items() if id_ in person_ids},
            frozenset(self.departed & {link.home or "" for link in links.values()}),
            {id_: one.fields.customer_name for id_, one in self.customers.items() if id_ not in ids},
            {
                id_: self.departed_persons[id_]
                for link in links.values()
                if link.account_id in restored
                and (id_ := link.contact_person_id) in self.departed_persons.keys() - self.persons.keys()
            },
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

    def remove_by_hand(self, customer_id: str) -> None:
        """Someone deletes a customer that no live record stands behind."""
        del self.customers[customer_id]
        self.persons = {id_: one for id_, one in self.persons.items() if one.customer_id != customer_id}
        for key, link in self.links.items():
            if key.record_type == "contact" and link.customer_id == customer_id:
                self.links[key] = replace(link, customer_id=None, contact_person_id=None)

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


ACCOUNTS, CONTACTS = ("a", "b", "e"), ("c", "d", "f")


class Crm:
    """A CRM: what is done to it gives the records it would publish, and what a fresh import would find.

    A deleted account leaves its contacts standing alone; restored, it takes back those that nobody has edited since.
    """

    def __init__(self) -> None:
        self._left: dict[str, str] = {}
        self.newest: dict[Key, Record] = {}
        self.published: list[Record] = []

    def do(self, id_: str, *, at: str | None, deleted: bool, name: str) -> None:
        """Create, edit, delete or restore a record (S25)."""
        if id_ in ACCOUNTS:
            was = self.newest.get(Key("account", id_))
            self._publish(account(id_, self._next("account", id_), name=name, deleted=deleted))
            if deleted:
                for record in [*self.newest.values()]:
                    if record.account_id == id_:
                        self._left[record.key.record_id] = id_
                        self._move(record, None)
            elif was is not None and was.deleted:
                for contact_id in [one for one, left in self._left.items() if left == id_]:
                    del self._left[contact_id]
                    self._move(self.newest[Key("contact", contact_id)], id_)
            return
        self._left.pop(id_, None)
        exists = at is not None and not self.newest.get(Key("account", at), account(at, deleted=True)).deleted
        version = self._next("contact", id_)
        self._publish(contact(id_, version, at=at if exists else None, name=name, deleted=deleted))

    def _move(self, record: Record, at: str | None) -> None:
        assert record.contact_person is not None
        name = record.contact_person.last_name
        self._publish(contact(record.key.record_id, record.version + 1, at=at, name=name))

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


def run(
    doings: list[dict[str, object]], data: st.DataObject, *, merging: bool, wholly: bool = True
) -> tuple[Crm, Books, list[list[Key]]]:
    """What is done in a CRM comes to Invoice in any order, some of it twice; with merges in between, their groups.

    Not ``wholly``: only the beginning of it comes, and people delete what they may.
    """
    crm = Crm()
    for doing in doings:
        crm.do(**doing)  # type: ignore[arg-type]
    arriving = data.draw(st.permutations(crm.published))
    arriving += data.draw(st.lists(st.sampled_from(crm.published), max_size=5))
    books = Books()
    groups: list[list[Key]] = []
    while arriving and (wholly or data.draw(st.booleans())):
        size = data.draw(st.integers(1, 4))
        command, arriving = arriving[:size], arriving[size:]
        outcomes = books.apply(*command)
        if data.draw(st.booleans()):
            books.transact()
        # As sync does: a contact whose account is missing comes again, later.
        missing = [one for one, outcome in zip(command, outcomes, strict=True) if outcome == "account_missing"]
        arriving += missing
        inactive = [id_ for id_, one in books.customers.items() if not one.active]
        if not wholly and inactive and data.draw(st.booleans()):
            books.remove_by_hand(inactive[0])
        active = [id_ for id_, one in books.customers.items() if one.active]
        if merging and len(active) > 1 and data.draw(st.booleans()):
            gone_id, into_id, *_ = data.draw(st.permutations(active))
            homes = sorted((link for link in books.links.values() if link.home == into_id), key=lambda one: one.rank)
            moved = books.merge(gone_id, into_id)
            group = [*(link.key for link in homes), *moved]
            groups = [*(one for one in groups if not set(one) & set(group)), group]
    return crm, books, groups
