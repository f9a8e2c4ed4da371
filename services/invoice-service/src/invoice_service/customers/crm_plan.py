"""Decides what CRM records change (S22–S28). Pure: state and records in, state and outcomes out.

What holds, and is what the tests prove:

- Whatever the order and repetition in which the versions of records arrive, the customers that come of it are the
  same: those of a fresh import of the newest versions. A contact whose account is not known yet must be sent again.
- A customer made from CRM records goes away when no live record upholds it any more; with transactions it becomes
  inactive instead, and comes back with its record (S25, S28).
- Only the imported fields of a customer are touched (S27).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from contracts.customers import CrmRecordResult, RecordOutcome

from invoice_service.customers.crm_state import Key, KnownCustomer, KnownPerson, Link, Record, State


@dataclass(frozen=True, slots=True)
class Plan:
    """``after``: the state to reach. ``results``: one for each record, in order.

    ``causes``: customer → the correlation id of the record that concerned it last; some of them are unchanged.
    """

    after: State
    results: tuple[CrmRecordResult, ...]
    causes: dict[str, str | None]


def plan(before: State, records: Sequence[Record], new_id: Callable[[], str]) -> Plan:
    """Apply ``records`` to ``before``; of a record that comes several times only the highest version counts.

    Accounts come before contacts, and what nobody upholds is removed at the end: so the order within a command does not
    matter. ``new_id`` names new customers and persons.
    """
    work = _Work(before, new_id)
    newest: dict[Key, int] = {}
    for index, record in enumerate(records):
        if record.key not in newest or record.version > records[newest[record.key]].version:
            newest[record.key] = index
    outcomes: dict[int, _Outcome] = {}
    for index in sorted(newest.values(), key=lambda index: records[index].key.record_type):
        outcomes[index] = work.apply(records[index])
    work.remove_what_nobody_upholds()
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

    def __init__(self, before: State, new_id: Callable[[], str]) -> None:
        self.links = dict(before.links)
        self.customers = dict(before.customers)
        self.persons = dict(before.persons)
        self.causes: dict[str, str | None] = {}
        self._new_id = new_id
        self._of_accounts: set[str | None] | None = None
        self._perhaps_unneeded: set[str] = set()
        self._made_inactive: set[str] = set()

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
            self.links[record.key] = replace(known, version=record.version, deleted=True)
            return _Outcome("unchanged")
        left, ended = link.customer_id, link.upholds
        if record.key.record_type == "contact":
            self.persons.pop(link.contact_person_id or "", None)
            # What it had for itself is what a restored contact comes back to.
            link = replace(link, customer_id=link.own_customer_id, contact_person_id=None, account_id=None)
        self.links[record.key] = replace(link, version=record.version, deleted=True)
        self._leave(left, record)
        return _Outcome("deleted", ended=ended)

    def _account(self, record: Record, link: Link | None) -> _Outcome:
        if record.customer is None:
            return _Outcome("failed", "customer: an account that is not deleted needs it")
        known = self.customers.get((link and link.customer_id) or "")
        customer = self._keep_customer(known, record, reactivate=link is None or link.deleted)
        self.links[record.key] = Link(record.key, record.version, customer_id=customer.id)
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
                self.links[link.key] = replace(link, customer_id=customer_id)

    def _contact(self, record: Record, link: Link | None) -> _Outcome:
        if record.contact_person is None:
            return _Outcome("failed", "contact_person: a contact that is not deleted needs it")
        account = self.links.get(Key("account", record.account_id)) if record.account_id else None
        if record.account_id and account is None:
            return _Outcome("account_missing", f"account {record.account_id} is not known yet; send the contact again")
        at = self.customers.get(account.customer_id or "") if account is not None and not account.deleted else None
        own = self.customers.get((link and link.own_customer_id) or "")
        before = (at or own, self.persons.get((link and link.contact_person_id) or ""))
        stood_alone = link is not None and link.upholds is not None
        if at is None:
            if record.customer is None:
                return _Outcome("failed", "customer: a contact that stands alone needs it")
            at = own = self._keep_customer(own, record, reactivate=not stood_alone)
        person = KnownPerson(before[1].id if before[1] else self._new_id(), at.id, record.contact_person)
        self.persons[person.id] = person
        self.links[record.key] = Link(
            record.key,
            record.version,
            customer_id=at.id,
            contact_person_id=person.id,
            own_customer_id=own.id if own else None,
            account_id=record.account_id,
        )
        self.causes[at.id] = record.correlation_id
        if link is not None and link.customer_id != at.id:
            self._leave(link.customer_id, record)
        if link is None or (link.deleted and (before[0] is None or at is not own)):
            return _Outcome("created")
        return _Outcome("unchanged" if before == (at, person) else "updated")

    def _keep_customer(self, known: KnownCustomer | None, record: Record, *, reactivate: bool) -> KnownCustomer:
        """Make the record's own customer, or bring the known one up to date."""
        assert record.customer is not None
        customer = known or KnownCustomer(self._new_id(), record.customer)
        if record.key.record_type == "account" or not self._has_account(customer.id):
            customer = replace(customer, fields=record.customer)
        if reactivate:
            customer = replace(customer, active=True)
        self.customers[customer.id] = customer
        self.causes[customer.id] = record.correlation_id
        return customer

    def _has_account(self, customer_id: str) -> bool:
        """Whether an account stands behind the customer: then its name and addresses are the account's."""
        if self._of_accounts is None:  # it stays as it is from the first contact on
            self._of_accounts = {link.upholds for link in self.links.values() if link.key.record_type == "account"}
        return customer_id in self._of_accounts

    def _leave(self, customer_id: str | None, record: Record) -> None:
        if customer_id is not None:
            self._perhaps_unneeded.add(customer_id)
            self.causes[customer_id] = record.correlation_id

    def remove_what_nobody_upholds(self) -> None:
        """Delete the customers left without a live record, or make them inactive."""
        upheld = {link.upholds for link in self.links.values()}
        deleted = set()
        for customer_id in self._perhaps_unneeded - upheld:
            customer = self.customers.get(customer_id)
            if customer is None or not customer.imported:
                continue
            if customer.has_transactions:
                self.customers[customer_id] = replace(customer, active=False)
                self._made_inactive.add(customer_id)
            else:
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
            customer_id=link.customer_id if link else None,
            reason=outcome.reason,
        )


def _without(link: Link, deleted: set[str]) -> Link:
    """The link without customers that are gone, and without the person, who went with the customer."""
    if link.customer_id in deleted:
        link = replace(link, customer_id=None, contact_person_id=None)
    if link.own_customer_id in deleted:
        link = replace(link, own_customer_id=None)
    return link
