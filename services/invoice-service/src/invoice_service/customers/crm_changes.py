"""What is to be written to get from one state of customers and links to another. Pure."""

from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from contracts.customers import ImportedCustomer

from invoice_service.customers.crm_plan import Plan
from invoice_service.customers.crm_state import KnownCustomer, KnownPerson, Link, State


@dataclass(frozen=True, slots=True)
class Changes:
    """``changed_customers`` have other fields now; ``touched_customers`` show another person or CRM link alone.

    ``renamed_customers`` are the new ones, and those of both that are found by other words now.
    ``returned_customers`` are those of the new ones that were there before they went with their records;
    ``emptied_customers`` those that went and came back at once, without the persons of the CRM. ``returned_persons``:
    those of the new ones who were there before. ``deleted_persons`` and ``changed_links`` are those of the state; a
    customer that is deleted or emptied leaves all its others behind, too. ``changed_fields`` are links, new or changed
    ones, that say something else of their customer.
    """

    new_customers: list[KnownCustomer] = field(default_factory=list)
    returned_customers: list[str] = field(default_factory=list)
    changed_customers: list[KnownCustomer] = field(default_factory=list)
    touched_customers: list[str] = field(default_factory=list)
    renamed_customers: set[str] = field(default_factory=set)
    deleted_customers: list[str] = field(default_factory=list)
    emptied_customers: list[str] = field(default_factory=list)
    new_persons: list[KnownPerson] = field(default_factory=list)
    returned_persons: list[str] = field(default_factory=list)
    changed_persons: list[KnownPerson] = field(default_factory=list)
    deleted_persons: list[str] = field(default_factory=list)
    new_links: list[Link] = field(default_factory=list)
    changed_links: list[Link] = field(default_factory=list)
    changed_fields: list[Link] = field(default_factory=list)


def between(before: State, made: Plan) -> Changes:
    """The changes that lead from ``before`` to what was planned."""
    after = made.after
    emptied = made.emptied & before.customers.keys()
    touched = {id_ for id_ in (*emptied, *_touched(before, after)) if id_ is not None}
    new = [one for one in after.customers.values() if one.id not in before.customers]
    changed = [one for id_, one in after.customers.items() if before.customers.get(id_, one) != one]
    other_names = {one.id for one in changed if _words(one) != _words(before.customers[one.id])}
    # Those at an emptied customer go with the others there, whom the state does not know, and come back.
    persons = {id_: one for id_, one in before.persons.items() if one.customer_id not in emptied}
    new_persons = [one for one in after.persons.values() if one.id not in persons]
    known_persons = {link.contact_person_id for link in before.links.values()} if new_persons else set()
    return Changes(
        new_customers=new,
        returned_customers=[one.id for one in new if one.id in before.departed],
        changed_customers=changed,
        touched_customers=sorted(
            touched & before.customers.keys() & after.customers.keys() - {one.id for one in changed}
        ),
        renamed_customers={one.id for one in new} | other_names | emptied | set(_persons_renamed(before, after)),
        deleted_customers=[id_ for id_ in before.customers if id_ not in after.customers],
        emptied_customers=[id_ for id_ in emptied if id_ in after.customers],
        new_persons=new_persons,
        returned_persons=[one.id for one in new_persons if one.id in known_persons],
        changed_persons=[one for one in after.persons.values() if persons.get(one.id, one) != one],
        deleted_persons=[id_ for id_ in persons if id_ not in after.persons],
        new_links=[link for key, link in after.links.items() if key not in before.links],
        changed_links=[
            link
            for key, link in after.links.items()
            if (was := before.links.get(key)) is not None and (was != link or _was_at(was, emptied))
        ],
        changed_fields=[link for key, link in after.links.items() if _fields(before.links.get(key)) != link.fields],
    )


def _was_at(link: Link, emptied: Set[str]) -> bool:
    return link.key.record_type == "contact" and link.customer_id in emptied


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


def _persons_renamed(before: State, after: State) -> Iterator[str]:
    """The customers at which other names of persons are."""
    for id_ in before.persons.keys() | after.persons.keys():
        was, now = before.persons.get(id_), after.persons.get(id_)
        if _names(was) != _names(now):
            yield from (one.customer_id for one in (was, now) if one is not None)


def _words(customer: KnownCustomer) -> tuple[str, str]:
    """What it is found by, without its persons; see `queries.WholeCustomer.search_texts`."""
    return customer.fields.customer_name, customer.fields.phone


def _names(person: KnownPerson | None) -> tuple[str, str, str] | None:
    return None if person is None else (person.customer_id, person.fields.first_name, person.fields.last_name)


def _fields(link: Link | None) -> ImportedCustomer | None:
    return None if link is None else link.fields


def _shown_at(link: Link | None) -> str | None:
    return None if link is None or link.deleted else link.customer_id
