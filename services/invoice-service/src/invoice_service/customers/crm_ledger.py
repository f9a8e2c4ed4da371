"""The customers, persons and links while CRM records are applied to them, one record after another. Pure.

What a record leaves is settled before the next one comes: so many records in one command, or each in a command of
its own, come to the same.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from contracts.customers import ImportedCustomer

from invoice_service.customers.crm_explained import Seen
from invoice_service.customers.crm_state import Key, KnownCustomer, KnownPerson, Link, Record, State


class Ledger:
    """``emptied``: customers that went meanwhile, even if they came back; ``causes``: see `crm_plan.Plan`."""

    def __init__(self, before: State, new_id: Callable[[], str]) -> None:
        self.links = dict(before.links)
        self.customers = dict(before.customers)
        self.persons = dict(before.persons)
        self.departed = set(before.departed)
        self._departed_persons = dict(before.departed_persons)
        self.emptied: set[str] = set()
        self.causes: dict[str, str | None] = {}
        self.new_id = new_id
        self._customers_before = len(before.customers)
        self._at_home: dict[str, set[Key]] = defaultdict(set)
        self._contacts_at: dict[str, set[Key]] = defaultdict(set)
        self._contacts_of: dict[str, set[Key]] = defaultdict(set)
        self._left: dict[str, Key | None] = {}
        for link in before.links.values():
            self._note(link)

    @property
    def more(self) -> int:
        """How many customers more there are than before."""
        return len(self.customers) - self._customers_before

    def state(self) -> State:
        """All of it, as it is now."""
        return State(
            self.links,
            self.customers,
            self.persons,
            frozenset(self.departed),
            departed_persons=dict(self._departed_persons),
        )

    def seen(self, link: Link | None) -> Seen:
        """What a record shows of itself."""
        if link is None:
            return Seen()
        return Seen(
            home=self.customers.get(link.home or ""),
            at=self.customers.get(link.customer_id or ""),
            person=self.persons.get(link.contact_person_id or ""),
        )

    def put(self, link: Link) -> None:
        """Take the link in the place of the one that there was of the record."""
        known = self.links.get(link.key)
        if known is not None:
            self._at_home[known.home or ""].discard(link.key)
            self._contacts_at[known.customer_id or ""].discard(link.key)
            self._contacts_of[known.account_id or ""].discard(link.key)
        self.links[link.key] = link
        self._note(link)

    def _note(self, link: Link) -> None:
        if link.home is not None:
            self._at_home[link.home].add(link.key)
        if link.customer_id is not None and link.key.record_type == "contact":
            self._contacts_at[link.customer_id].add(link.key)
        if link.account_id is not None:
            self._contacts_of[link.account_id].add(link.key)

    def contacts_of(self, account_id: str) -> list[Link]:
        """The contacts that belong to the account in the CRM."""
        return [self.links[key] for key in self._contacts_of.get(account_id, ())]

    def person_of(self, link: Link) -> KnownPerson | None:
        """The contact's person: the one who is there, else as they were when they went with their customer."""
        person_id = link.contact_person_id or ""
        there, gone = self.persons.get(person_id), self._departed_persons.get(person_id)
        return there or (KnownPerson(person_id, "", gone) if gone else None)

    def home_to_make(self, link: Link | None) -> str:
        """The id of a customer to make: the one that went with the record, or a new one.

        A new one is for all that were merged with the record into one that is gone, too.
        """
        if link is not None and link.home is not None and link.home in self.departed:
            return link.home
        customer_id = self.new_id()
        if link is not None and link.home is not None:
            for key in [*self._at_home[link.home]]:
                self.put(self.links[key].at_home(customer_id))
        return customer_id

    def keep_customer(self, customer_id: str, record: Record, said: ImportedCustomer, *, reactivate: bool) -> None:
        """Make the customer that the record has its home at, or bring the known one up to date with what it says."""
        customer = self.customers.get(customer_id) or KnownCustomer(customer_id, said)
        if len(self._at_home[customer_id]) > 1:
            self.put(replace(self.links[record.key], fields=said))
        if (first := self._first(customer_id)) is not None and first.key == record.key:
            customer = replace(customer, fields=said)
        if reactivate:
            customer = replace(customer, active=True)
        self.customers[customer_id] = customer
        self.departed.discard(customer_id)
        self.causes[customer_id] = record.correlation_id

    def keep_person(self, person: KnownPerson, record: Record) -> None:
        """Take the person in, at their customer."""
        self.persons[person.id] = person
        self.causes[person.customer_id] = record.correlation_id

    def leave(self, customer_id: str | None, record: Record) -> None:
        """The record is about to leave the customer; what becomes of that is seen when it is done."""
        if customer_id is not None:
            first = self._first(customer_id)
            self._left.setdefault(customer_id, first.key if first else None)
            self.causes[customer_id] = record.correlation_id

    def settle(self) -> set[str]:
        """Customers that were left show the next record's fields; without one they go, or become inactive: which."""
        made_inactive = set()
        for customer_id, said_before in self._left.items():
            customer = self.customers.get(customer_id)
            if customer is None:
                continue
            first = self._first(customer_id)
            if first is not None:
                if first.key != said_before and first.fields is not None:
                    self.customers[customer_id] = replace(customer, fields=first.fields)
            elif customer.imported and customer.has_transactions:
                self.customers[customer_id] = replace(customer, active=False)
                made_inactive.add(customer_id)
            elif customer.imported:
                self._remove(customer_id)
        self._left.clear()
        return made_inactive

    def _first(self, customer_id: str) -> Link | None:
        """Of the records that uphold the customer the one that says what its fields are."""
        known = self._at_home.get(customer_id, ())
        upholding = [link for key in known if (link := self.links[key]).upholds == customer_id]
        return min(upholding, key=lambda link: (link.rank, link.key), default=None)

    def _remove(self, customer_id: str) -> None:
        """The customer goes, and with it its persons; their contacts have no place until they, or their account, are
        heard of again.

        Its records keep it for home: what was merged comes back as one.
        """
        del self.customers[customer_id]
        self.departed.add(customer_id)
        self.emptied.add(customer_id)
        for key in [*self._contacts_at[customer_id]]:
            link = self.links[key]
            person = self.persons.pop(link.contact_person_id or "", None)
            if person is not None:
                self._departed_persons[person.id] = person.fields
            self.put(replace(link, customer_id=None))
