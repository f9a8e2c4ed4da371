"""What is to be written to get from one state of customers and links to another. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.customers import ImportedCustomer

from invoice_service.customers.crm_state import KnownCustomer, KnownPerson, Link, State


@dataclass(frozen=True, slots=True)
class Changes:
    """``changed_customers`` are all whose record shows something else now: a field, a person or a CRM link.

    ``deleted_persons`` and ``changed_links`` are those of the state; a deleted customer takes all its others with it.
    ``changed_fields`` are links, new or changed ones, that say something else of their customer.
    """

    new_customers: list[KnownCustomer]
    changed_customers: list[KnownCustomer]
    deleted_customers: list[str]
    new_persons: list[KnownPerson]
    changed_persons: list[KnownPerson]
    deleted_persons: list[str]
    new_links: list[Link]
    changed_links: list[Link]
    changed_fields: list[Link]


def between(before: State, after: State) -> Changes:
    """The changes that lead from ``before`` to ``after``."""
    touched = set(_touched(before, after))
    kept = [one for one in after.customers.values() if one.id in before.customers]
    return Changes(
        new_customers=[one for one in after.customers.values() if one.id not in before.customers],
        changed_customers=[one for one in kept if one.id in touched or before.customers[one.id] != one],
        deleted_customers=[id_ for id_ in before.customers if id_ not in after.customers],
        new_persons=[one for one in after.persons.values() if one.id not in before.persons],
        changed_persons=[one for one in after.persons.values() if before.persons.get(one.id, one) != one],
        deleted_persons=[id_ for id_ in before.persons if id_ not in after.persons],
        new_links=[link for key, link in after.links.items() if key not in before.links],
        changed_links=[link for key, link in after.links.items() if before.links.get(key, link) != link],
        changed_fields=[link for key, link in after.links.items() if _fields(before.links.get(key)) != link.fields],
    )


def _touched(before: State, after: State) -> Iterator[str | None]:
    """The customers whose persons or live links differ."""
    for id_ in before.persons.keys() | after.persons.keys():
        was, now = before.persons.get(id_), after.persons.get(id_)
        if was != now:
            yield from (one.customer_id for one in (was, now) if one is not None)
    for key, link in after.links.items():
        was_at, now_at = _shown_at(before.links.get(key)), _shown_at(link)
        if was_at != now_at:
            yield from (was_at, now_at)


def _fields(link: Link | None) -> ImportedCustomer | None:
    return None if link is None else link.fields


def _shown_at(link: Link | None) -> str | None:
    return None if link is None or link.deleted else link.customer_id
