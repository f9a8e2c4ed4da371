"""What a CRM record changes, field by field, for people to read. Pure."""

from dataclasses import dataclass

from contracts.customers import FieldChange, ImportedContactPerson, ImportedCustomer
from contracts.values import Address

from invoice_service.customers.crm_state import KnownCustomer, KnownPerson


@dataclass(frozen=True, slots=True)
class Seen:
    """What a record shows of itself: the customer it has for home, the customer that it is at, and the person."""

    home: KnownCustomer | None = None
    at: KnownCustomer | None = None
    person: KnownPerson | None = None


def changes(before: Seen, after: Seen) -> tuple[FieldChange, ...]:
    """Each field of customer and person that differs; nothing, and empty text, are None."""
    was = {**_customer_texts(before.home), **_person_texts(before.person)}
    now = {**_customer_texts(after.home), **_person_texts(after.person)}
    changed = [
        FieldChange(field=field, before=was.get(field), after=now.get(field))
        for field in {**was, **now}
        if was.get(field) != now.get(field)
    ]
    if _customer_id(before.person) != _customer_id(after.person):  # another one: a new name of the same does not move
        changed.append(FieldChange(field="contact_person.customer", before=_name(before), after=_name(after)))
    return tuple(changed)


def _customer_texts(customer: KnownCustomer | None) -> dict[str, str | None]:
    if customer is None:
        return {}
    texts: dict[str, str | None] = {}
    for name in ImportedCustomer.model_fields:
        value: str | Address = getattr(customer.fields, name)
        if isinstance(value, Address):
            texts |= {f"customer.{name}.{part}": getattr(value, part) or None for part in Address.model_fields}
        else:
            texts[f"customer.{name}"] = value or None
    return texts | {"customer.status": "active" if customer.active else "inactive"}


def _person_texts(person: KnownPerson | None) -> dict[str, str | None]:
    if person is None:
        return {}
    return {
        f"contact_person.{name}": getattr(person.fields, name) or None for name in ImportedContactPerson.model_fields
    }


def _customer_id(person: KnownPerson | None) -> str | None:
    return None if person is None else person.customer_id


def _name(seen: Seen) -> str | None:
    """Of the customer that the person is at."""
    return None if seen.person is None or seen.at is None else seen.at.fields.customer_name
