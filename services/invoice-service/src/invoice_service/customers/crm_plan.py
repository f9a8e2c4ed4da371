"""Decides what CRM records change (S22–S29). Pure: state and records in, state and outcomes out.

What holds, and is what the tests prove:

- Whatever the order and repetition in which the versions of records arrive, the customers that come of it are the
  same: those of a fresh import of the newest versions. A contact whose account is not known yet must be sent again.
- A customer made from CRM records goes away when no live record upholds it any more; with transactions it becomes
  inactive instead, and comes back with its record (S25, S28).
- Only the imported fields of a customer are touched (S27).
- After merging (S29) several records have their home at one customer: it stays while one of them upholds it, and the
  first of these, by rank, says what its fields are; when it goes, the next one's fields take their place. They have the
  same home for good, even if the customer goes away meanwhile.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from contracts.customers import CrmRecordResult, RecordOutcome

from invoice_service.customers.crm_state import Key, KnownCustomer, KnownPerson, Link, Record, State
from invoice_service.plans.room import CustomerRoom


@dataclass(frozen=True, slots=True)
class Plan:
    """``after``: the state to reach. ``results``: one for each record, in order.

    ``causes``: customer → the correlation id of the record that concerned it last; some of them are unchanged.
    """

    after: State
    results: tuple[CrmRecordResult, ...]
    causes: dict[str, str | None]


def plan(before: State, records: Sequence[Record], new_id: Callable[[], str], room: CustomerRoom | None = None) -> Plan:
    """Apply ``records`` to ``before``; of a record that comes several times only the highest version counts.

    Accounts come before contacts, and what is left by a record is looked at in the end: so the order within a command
    does not matter. ``new_id`` names new customers and persons. ``room``: what the organization's plan leaves for new
    customers (S13); a record that needs one more fails, and what comes free counts from the next command on.
    """
    work = _Work(before, new_id, room)
    newest: dict[Key, int] = {}
    for index, record in enumerate(records):
        if record.key not in newest or record.version > records[newest[record.key]].version:
            newest[record.key] = index
    outcomes: dict[int, _Outcome] = {}
    for index in sorted(newest.values(), key=lambda index: records[index].key.record_type):
        outcomes[index] = work.apply(records[index])
    work.settle_what_was_left()
    results = [work.result(record, outcomes.get(index, _Outcome("unchanged"))) for index, record in enumerate(records)]
    return Plan(State(work.links, work.customers, work.persons), tuple(results), work.causes)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """``ended``: the customer that the record no longer upholds; what becomes of it is known at the end."""

    outcome: RecordOutcome
    reason: str | None = None
    ended: str | None = None


class _Work:
    """The state while records are applied to it."""

    def __init__(self, before: State, new_id: Callable[[], str], room: CustomerRoom | None) -> None:
        self.links = dict(before.links)
        self.customers = dict(before.customers)
        self.persons = dict(before.persons)
        self.causes: dict[str, str | None] = {}
        self._before = before.links
        self._new_id = new_id
        self._room = room
        self._places = room.left if room else 0
        self._accounts_without_place: set[str] = set()
        self._at_home: dict[str, set[Key]] = defaultdict(set)
        self._left: set[str] = set()
        self._made_inactive: set[str] = set()
        for link in before.links.values():
            self._at_home[link.home or ""].add(link.key)

    def apply(self, record: Record) -> _Outcome:
        link = self.links.get(record.key)
        if link is not None and record.version <= link.version:
            return _Outcome("unchanged")
        if record.refusal is not None:
            return _Outcome("failed", record.refusal)
        if record.deleted:
            return self._delete(record, link)
        if record.key.record_type == "account":
            return self._account(record, link)
        return self._contact(record, link)

    def _delete(self, record: Record, link: Link | None) -> _Outcome:
        if link is None or link.deleted:
            known = link or Link(record.key, record.version)
            self._put(replace(known, version=record.version, deleted=True))
            return _Outcome("unchanged")
        left, ended = link.customer_id, link.upholds
        if record.key.record_type == "contact":
            self.persons.pop(link.contact_person_id or "", None)
            # What it had for itself is what a restored contact comes back to.
            home = link.own_customer_id
            link = replace(link, customer_id=home, contact_person_id=None, account_id=None, stands_alone=False)
        self._put(replace(link, version=record.version, deleted=True))
        self._leave(left, record)
        return _Outcome("deleted", ended=ended)

    def _account(self, record: Record, link: Link | None) -> _Outcome:
        if record.customer is None:
            return _Outcome("failed", "customer: an account that is not deleted needs it")
        known = self.customers.get((link and link.customer_id) or "")
        if known is None and (refused := self._take_place()) is not None:
            self._accounts_without_place.add(record.key.record_id)
            return refused
        customer_id = known.id if known else self._new_home(link)
        rank = link.rank if link else 0
        self._put(Link(record.key, record.version, customer_id=customer_id, rank=rank))
        customer = self._keep_customer(customer_id, record, reactivate=link is None or link.deleted)
        if link is not None and link.deleted:
            self._gather(record, customer.id)
        if known is None:
            return _Outcome("created" if link is None or link.deleted else "updated")
        changed = customer != known or (link is not None and link.deleted)
        return _Outcome("updated" if changed else "unchanged")

    def _gather(self, record: Record, customer_id: str) -> None:
        """Bring the contacts that came while their account was deleted to the account's customer again."""
        for link in [*self.links.values()]:
            person = self.persons.get(link.contact_person_id or "")
            if link.account_id == record.key.record_id and not link.deleted and person is not None:
                self._leave(link.customer_id, record)
                self.persons[person.id] = replace(person, customer_id=customer_id)
                self._put(replace(link, customer_id=customer_id, stands_alone=False))

    def _contact(self, record: Record, link: Link | None) -> _Outcome:
        if record.contact_person is None:
            return _Outcome("failed", "contact_person: a contact that is not deleted needs it")
        account = self.links.get(Key("account", record.account_id)) if record.account_id else None
        if record.account_id in self._accounts_without_place:
            return self._no_place()
        if record.account_id and account is None:
            return _Outcome("account_missing", f"account {record.account_id} is not known yet; send the contact again")
        at = self.customers.get(account.customer_id or "") if account is not None and not account.deleted else None
        own = self.customers.get((link and link.own_customer_id) or "")
        before = (at or own, self.persons.get((link and link.contact_person_id) or ""))
        if at is None and record.customer is None:
            return _Outcome("failed", "customer: a contact that stands alone needs it")
        if at is None and own is None and (refused := self._take_place()) is not None:
            return refused
        home = link.own_customer_id if link else None
        if at is None:
            home = own.id if own else self._new_home(link)
        person_id = before[1].id if before[1] else self._new_id()
        now = Link(
            record.key,
            record.version,
            customer_id=at.id if at else home,
            contact_person_id=person_id,
            own_customer_id=home,
            account_id=record.account_id,
            stands_alone=at is None,
            rank=link.rank if link else 0,
        )
        self._put(now)
        if at is None:
            at = self._keep_customer(home or "", record, reactivate=link is None or link.upholds is None)
        person = KnownPerson(person_id, at.id, record.contact_person)
        self.persons[person.id] = person
        self.causes[at.id] = record.correlation_id
        if link is not None and (link.customer_id != at.id or (link.stands_alone and not now.stands_alone)):
            self._leave(link.customer_id, record)
        if link is None or (link.deleted and (before[0] is None or not now.stands_alone)):
            return _Outcome("created")
        return _Outcome("unchanged" if before == (at, person) else "updated")

    def _take_place(self) -> _Outcome | None:
        """Take one of the plan's places for a customer to make; why not, if there is none."""
        if self._room is None:
            return None
        if self._places == 0:
            return self._no_place()
        self._places -= 1
        return None

    def _no_place(self) -> _Outcome:
        return _Outcome("failed", self._room.refusal if self._room else None)

    def _new_home(self, link: Link | None) -> str:
        """The id of a customer to make: for the record, and for all that were merged with it into one that is gone."""
        customer_id = self._new_id()
        if link is not None and link.home is not None:
            for key in [*self._at_home[link.home]]:
                self._put(self.links[key].at_home(customer_id))
        return customer_id

    def _keep_customer(self, customer_id: str, record: Record, *, reactivate: bool) -> KnownCustomer:
        """Make the customer that the record has its home at, or bring the known one up to date."""
        assert record.customer is not None
        customer = self.customers.get(customer_id) or KnownCustomer(customer_id, record.customer)
        if len(self._at_home[customer_id]) > 1:
            self._put(replace(self.links[record.key], fields=record.customer))
        if (first := self._first(customer_id, self.links)) is not None and first.key == record.key:
            customer = replace(customer, fields=record.customer)
        if reactivate:
            customer = replace(customer, active=True)
        self.customers[customer_id] = customer
        self.causes[customer_id] = record.correlation_id
        return customer

    def _put(self, link: Link) -> None:
        known = self.links.get(link.key)
        if known is not None and known.home != link.home:
            self._at_home[known.home or ""].discard(link.key)
        self._at_home[link.home or ""].add(link.key)
        self.links[link.key] = link

    def _first(self, customer_id: str, links: Mapping[Key, Link]) -> Link | None:
        """Of the records that uphold the customer the one that says what its fields are."""
        known = (links[key] for key in self._at_home[customer_id] if key in links)
        upholding = [link for link in known if link.upholds == customer_id]
        return min(upholding, key=lambda link: (link.rank, link.key), default=None)

    def _leave(self, customer_id: str | None, record: Record) -> None:
        if customer_id is not None:
            self._left.add(customer_id)
            self.causes[customer_id] = record.correlation_id

    def settle_what_was_left(self) -> None:
        """Customers that a record left show the next one's fields; without one they go, or become inactive."""
        deleted = set()
        for customer_id in self._left & self.customers.keys():
            customer, first = self.customers[customer_id], self._first(customer_id, self.links)
            if first is not None:
                said_before = self._first(customer_id, self._before)
                if (said_before is None or said_before.key != first.key) and first.fields is not None:
                    self.customers[customer_id] = replace(customer, fields=first.fields)
            elif customer.imported and customer.has_transactions:
                self.customers[customer_id] = replace(customer, active=False)
                self._made_inactive.add(customer_id)
            elif customer.imported:
                del self.customers[customer_id]
                deleted.add(customer_id)
        if deleted:
            self.persons = {id_: one for id_, one in self.persons.items() if one.customer_id not in deleted}
            self.links = {key: _without(link, deleted) for key, link in self.links.items()}

    def result(self, record: Record, outcome: _Outcome) -> CrmRecordResult:
        """What became of a record, now that all are applied."""
        link = self.links.get(record.key)
        final = outcome.outcome
        if outcome.ended is not None and outcome.ended in self._made_inactive:
            final = "made_inactive"
        elif outcome.ended is not None and outcome.ended in self.customers:
            final = "updated"  # another record upholds the customer, as after merging
        return CrmRecordResult(
            record_type=record.key.record_type,
            record_id=record.key.record_id,
            outcome=final,
            customer_id=link.customer_id if link and link.customer_id in self.customers else None,
            reason=outcome.reason,
        )


def _without(link: Link, deleted: set[str]) -> Link:
    """The link of a contact without customers that are gone, and without the person, who went with the customer.

    Its home it keeps, as an account does: what was merged comes back as one.
    """
    if link.key.record_type == "contact" and link.customer_id in deleted:
        return replace(link, customer_id=None, contact_person_id=None)
    return link
