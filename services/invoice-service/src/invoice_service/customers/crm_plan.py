"""Decides what CRM records change (S22–S29). Pure: state and records in, state and outcomes out.

What holds, and is what the tests prove:

- Whatever the order and repetition in which the versions of records arrive, the customers that come of it are the
  same: those of a fresh import of the newest versions. A contact whose account is not known yet must be sent again.
- A command does what its records do one after another, in the order of their keys: how an import is divided into
  commands makes no difference.
- A customer made from CRM records goes away when no live record upholds it any more; with transactions it becomes
  inactive instead. It comes back with its record, as the same customer with the same persons (S25, S28).
- Only the imported fields of a customer are touched (S27).
- After merging (S29) several records have their home at one customer: it stays while one of them upholds it, and the
  first of these, by rank, says what its fields are; when it goes, the next one's fields take their place. They have the
  same home for good, even if the customer goes away meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from contracts.customers import CrmRecordResult, RecordOutcome

from invoice_service.customers import crm_explained
from invoice_service.customers.crm_ledger import Ledger
from invoice_service.customers.crm_state import Key, KnownPerson, Link, Record, State
from invoice_service.plans.room import CustomerRoom


@dataclass(frozen=True, slots=True)
class Plan:
    """``after``: the state to reach. ``results``: one for each record, in order.

    ``causes``: customer → the correlation id of the record that concerned it last; some of them are unchanged.
    ``emptied``: customers that went meanwhile, with all persons of the CRM who were there; some of them came back.
    ``more``: how many customers more there are.
    """

    after: State
    results: tuple[CrmRecordResult, ...]
    causes: dict[str, str | None]
    emptied: frozenset[str]
    more: int


def plan(
    before: State,
    records: Sequence[Record],
    new_id: Callable[[], str],
    room: CustomerRoom | None = None,
    *,
    reapply: bool = False,
    explain: bool = False,
) -> Plan:
    """Apply ``records`` to ``before``; of a record that comes several times only the highest version counts.

    ``new_id`` names new customers and persons. ``room``: what the organization's plan leaves for new customers (S13);
    a record that needs one more fails. ``reapply``: also what was applied already, see `Link.is_news`. ``explain``: the
    results tell their changes.
    """
    newest: dict[Key, int] = {}
    for index, record in enumerate(records):
        if record.key not in newest or record.version > records[newest[record.key]].version:
            newest[record.key] = index
    ledger = Ledger(before, new_id)
    work = _Work(ledger, before.names, room, reapply=reapply, explain=explain)
    results = {newest[key]: work.apply(records[newest[key]]) for key in sorted(newest)}
    for index in range(len(records)):
        if index not in results:
            results[index] = work.nothing_new(records[index])
    ordered = tuple(results[index] for index in range(len(records)))
    return Plan(ledger.state(), ordered, ledger.causes, frozenset(ledger.emptied), ledger.more)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """``ended``: the customer that the record no longer upholds; what becomes of it is known when that is settled."""

    outcome: RecordOutcome
    reason: str | None = None
    ended: str | None = None


_UNCHANGED = _Outcome("unchanged")
_CHANGES_NOTHING = ("unchanged", "failed", "account_missing")


class _Work:
    """Decides what each record does, and has the ledger do it."""

    def __init__(
        self, ledger: Ledger, names: Mapping[str, str], room: CustomerRoom | None, *, reapply: bool, explain: bool
    ) -> None:
        self._ledger = ledger
        self._names = names
        self._room = room
        self._reapply = reapply
        self._explain = explain
        self._accounts_without_place: set[str] = set()

    def apply(self, record: Record) -> CrmRecordResult:
        """Apply the record and settle what it left."""
        ledger = self._ledger
        link = ledger.links.get(record.key)
        if link is not None and not link.is_news(record.version, record.set_back_from, reapply=self._reapply):
            return self.nothing_new(record)
        before = ledger.seen(link)
        outcome = self._decide(record, link)
        made_inactive = ledger.settle()
        final = outcome.outcome
        if outcome.ended is not None and outcome.ended in made_inactive:
            final = "made_inactive"
        elif outcome.ended is not None and outcome.ended in ledger.customers:
            final = "updated"  # another record upholds the customer, as after merging
        now = ledger.links.get(record.key)
        after = ledger.seen(now)
        at = after.at or before.at
        known = link if record.deleted else now
        return CrmRecordResult(
            record_type=record.key.record_type,
            record_id=record.key.record_id,
            outcome=final,
            customer_id=after.at.id if after.at else None,
            customer_name=at.fields.customer_name if at else None,
            stands_alone=known.stands_alone if known else False,
            known_version=link.version if link else None,
            changes=crm_explained.changes(before, after) if self._explain and final not in _CHANGES_NOTHING else (),
            reason=outcome.reason,
        )

    def nothing_new(self, record: Record) -> CrmRecordResult:
        """The result of a version that says nothing new, or that a higher one in the command takes the place of."""
        link = self._ledger.links.get(record.key)
        at = (link and link.customer_id) or ""
        known = self._ledger.customers.get(at)
        name = known.fields.customer_name if known else self._names.get(at)
        return CrmRecordResult(
            record_type=record.key.record_type,
            record_id=record.key.record_id,
            outcome="unchanged",
            customer_id=None if name is None else at,
            customer_name=name,
            stands_alone=link.stands_alone if link else False,
            known_version=link.version if link else None,
        )

    def _decide(self, record: Record, link: Link | None) -> _Outcome:
        if record.refusal is not None:
            return _Outcome("failed", record.refusal)
        if record.deleted:
            return self._delete(record, link)
        if record.key.record_type == "account":
            return self._account(record, link)
        return self._contact(record, link)

    def _delete(self, record: Record, link: Link | None) -> _Outcome:
        ledger = self._ledger
        if link is None or link.deleted:
            known = link or Link(record.key, record.version)
            ledger.put(replace(known, version=record.version, deleted=True))
            return _UNCHANGED
        ended = link.upholds
        ledger.leave(link.customer_id, record)
        if record.key.record_type == "contact":
            ledger.persons.pop(link.contact_person_id or "", None)
            # What it had for itself is what a restored contact comes back to.
            link = replace(link, customer_id=link.own_customer_id, account_id=None, stands_alone=False)
        ledger.put(replace(link, version=record.version, deleted=True))
        return _Outcome("deleted", ended=ended)

    def _account(self, record: Record, link: Link | None) -> _Outcome:
        ledger, said = self._ledger, record.customer
        if said is None:
            return _Outcome("failed", "customer: an account that is not deleted needs it")
        known = ledger.customers.get((link and link.customer_id) or "")
        if known is None and (refused := self._refuse_place()) is not None:
            if link is None:  # one that is known as deleted lets its contacts stand alone, in this command or another
                self._accounts_without_place.add(record.key.record_id)
            return refused
        customer_id = known.id if known else ledger.home_to_make(link)
        rank = link.rank if link else 0
        ledger.put(Link(record.key, record.version, customer_id=customer_id, rank=rank))
        ledger.keep_customer(customer_id, record, said, reactivate=link is None or link.deleted)
        if link is not None and link.deleted:
            self._gather(record, customer_id)
        if known is None:
            return _Outcome("created" if link is None or link.deleted else "updated")
        changed = ledger.customers[customer_id] != known or (link is not None and link.deleted)
        return _Outcome("updated" if changed else "unchanged")

    def _gather(self, record: Record, customer_id: str) -> None:
        """Bring the account's contacts to its customer again: those that came while it was deleted, and those whose
        newest version had come before the deletion did, and who went with the customer."""
        ledger = self._ledger
        for link in ledger.contacts_of(record.key.record_id):
            if (person := ledger.person_of(link)) is not None and not link.deleted:
                ledger.leave(link.customer_id, record)
                ledger.keep_person(replace(person, customer_id=customer_id), record)
                ledger.put(replace(link, customer_id=customer_id, stands_alone=False))

    def _contact(self, record: Record, link: Link | None) -> _Outcome:
        ledger = self._ledger
        if record.contact_person is None:
            return _Outcome("failed", "contact_person: a contact that is not deleted needs it")
        account = ledger.links.get(Key("account", record.account_id)) if record.account_id else None
        if record.account_id in self._accounts_without_place:
            return self._no_place()
        if record.account_id and account is None:
            return _Outcome("account_missing", f"account {record.account_id} is not known yet; send the contact again")
        at = ledger.customers.get(account.customer_id or "") if account is not None and not account.deleted else None
        own = ledger.customers.get((link and link.own_customer_id) or "")
        before = (at or own, ledger.persons.get((link and link.contact_person_id) or ""))
        if at is None and record.customer is None:
            return _Outcome("failed", "customer: a contact that stands alone needs it")
        if at is None and own is None and (refused := self._refuse_place()) is not None:
            return refused
        home = link.own_customer_id if link else None
        if at is None:
            home = own.id if own else ledger.home_to_make(link)
        person_id = (link and link.contact_person_id) or ledger.new_id()
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
        if link is not None and (link.customer_id != now.customer_id or (link.stands_alone and not now.stands_alone)):
            ledger.leave(link.customer_id, record)
        ledger.put(now)
        if at is None and home is not None and record.customer is not None:
            ledger.keep_customer(home, record, record.customer, reactivate=link is None or link.upholds is None)
            at = ledger.customers[home]
        assert at is not None
        person = KnownPerson(person_id, at.id, record.contact_person)
        ledger.keep_person(person, record)
        if link is None or (link.deleted and (before[0] is None or not now.stands_alone)):
            return _Outcome("created")
        return _Outcome("unchanged" if before == (at, person) else "updated")

    def _refuse_place(self) -> _Outcome | None:
        """Why no customer may be made, if none may."""
        if self._room is None or self._room.used + self._ledger.more < self._room.cap:
            return None
        return self._no_place()

    def _no_place(self) -> _Outcome:
        return _Outcome("failed", self._room.refusal if self._room else None)
