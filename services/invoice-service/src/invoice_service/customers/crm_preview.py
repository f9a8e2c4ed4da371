"""What an import would do at one of its pages, decided without the pages before it having been applied. Pure.

What holds, and is what the tests prove: results are those that applying page after page gives. Of what would have been
applied before only what can matter to the page is needed, and `preview` says what that is.
"""

import itertools
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace

from contracts.customers import CrmRecordKey, CrmRecordPlan

from invoice_service.customers.crm_plan import plan
from invoice_service.customers.crm_state import Key, Record, State
from invoice_service.plans.room import CustomerRoom


@dataclass(frozen=True, slots=True)
class Asked:
    """See `contracts.customers.PlanCrmRecords`; ``records`` is not empty."""

    records: Sequence[Record]
    earlier: Sequence[Record] = ()
    refused: Set[Key] = frozenset()
    reapply: bool = False
    after_all: bool = False
    gone: Sequence[Record] = ()

    @property
    def all(self) -> list[Record]:
        """All records that the state is to be loaded for."""
        return [*self.earlier, *self.gone, *self.records]


def preview(before: State, asked: Asked, room: CustomerRoom | None) -> CrmRecordPlan:
    """The plan for ``asked.records`` once ``asked.earlier`` were applied to ``before``, or what is missing for it.

    ``room``: what there will be when the page comes.
    """
    if absent := missing(before, asked):
        return CrmRecordPlan(missing=tuple(CrmRecordKey(record_type=key[0], record_id=key[1]) for key in absent))
    numbers = itertools.count()
    made_up: set[str] = set()

    def new_id() -> str:
        made_up.add(id_ := f"to be made {next(numbers)}")
        return id_

    by_then = plan(before, _applied(before, asked.earlier), new_id, reapply=asked.reapply).after
    if asked.gone:
        by_then = plan(by_then, _applied(by_then, asked.gone), new_id, reapply=True).after
    made = plan(by_then, asked.records, new_id, room, reapply=asked.reapply, explain=True)
    results = [
        result.model_copy(update={"customer_id": None}) if result.customer_id in made_up else result
        for result in made.results
    ]
    return CrmRecordPlan(results=tuple(results), places_taken=made.more)


def _applied(before: State, earlier: Sequence[Record]) -> list[Record]:
    """Earlier records: each takes the place of what is here, since that was found out when it was applied."""
    known = before.links
    return [replace(one, set_back_from=known[one.key].version) if one.key in known else one for one in earlier]


def missing(before: State, asked: Asked) -> list[Key]:
    """The records that come before the page, may change what it does, and were not spoken of; in order.

    They are the other ones at the customers concerned, any of which may uphold a customer or say its fields, and the
    accounts that contacts belong to, now or until now. Not the contacts that just wait for an account of these, and may
    be as many as there are: they come to it, and change nothing for anyone else.
    """
    first = min(record.key for record in asked.records)
    links = before.links
    near = {record.key for record in asked.all}
    spoken_of = near | asked.refused
    near |= _accounts({one.account_id for one in asked.all} | {links[key].account_id for key in near & links.keys()})
    there = [links[key] for key in near & links.keys()]
    places = {id_ for link in there for id_ in (link.customer_id, link.own_customer_id) if id_ is not None}
    at_home = {key: link.account_id for key, link in links.items() if link.home in places}
    concerned = near | at_home.keys() | _accounts(at_home.values())
    return sorted(key for key in concerned - spoken_of if asked.after_all or key < first)


def _accounts(ids: Iterable[str | None]) -> set[Key]:
    return {Key("account", id_) for id_ in ids if id_ is not None}
