"""Use case: the contact persons that a customer's editor sends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from servicekit.db import new_id
from servicekit.errors import invalid_field
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers.models import ContactPerson
from invoice_service.customers.queries import WholeCustomer
from invoice_service.customers.schemas import ContactPersonBody

_FIELDS = ("salutation", "first_name", "last_name", "email", "phone", "mobile")


@dataclass(frozen=True)
class Replaced:
    """Whether anything changed, and which fields of the persons who were there."""

    changed: bool
    fields: Mapping[str, Sequence[str]]


async def replace_manual(session: AsyncSession, whole: WholeCustomer, sent: Sequence[ContactPersonBody]) -> Replaced:
    """Make ``sent`` the customer's persons; what changed.

    One with an id is that person, changed; one without is new. Persons made here who are not sent go; those from the
    CRM stay, and what is changed of theirs lasts until the CRM's next update (S27). Raises `Invalid`.
    """
    known = {person.id: person for person in whole.persons}
    _check(sent, known)
    fields = {person.id: _change(known[person.id], person) for person in sent if person.id is not None}
    ids = [person.id or new_id() for person in sent]
    new = [
        {"id": id_, "customer_id": whole.customer.id, **person.model_dump(include=set(_FIELDS))}
        for id_, person in zip(ids, sent, strict=True)
        if person.id is None
    ]
    if new:
        await session.execute(insert(ContactPerson), new)
    gone = known.keys() - set(ids) - whole.imported_persons.keys()
    if gone:
        await session.execute(delete(ContactPerson).where(ContactPerson.id.in_(gone)))
    chosen = next((id_ for id_, person in zip(ids, sent, strict=True) if person.is_primary), None)
    chose = chosen is not None and chosen != whole.primary_id
    if chose:
        whole.customer.chosen_primary_id = chosen
    return Replaced(bool(any(fields.values()) or new or gone or chose), fields)


def _check(sent: Sequence[ContactPersonBody], known: dict[str, ContactPerson]) -> None:
    ids = [person.id for person in sent if person.id is not None]
    for index, person in enumerate(sent):
        field = f"contact_persons.{index}"
        if person.id is not None and person.id not in known:
            raise invalid_field(f"{field}.id", f"there is no contact person {person.id} at this customer")
        if person.id is not None and ids.count(person.id) > 1:
            raise invalid_field(f"{field}.id", "is named twice")
        if person.id is None and not (person.first_name or person.last_name or person.email):
            raise invalid_field(field, "needs a first_name, a last_name or an email")
    if sum(person.is_primary for person in sent) > 1:
        raise invalid_field("contact_persons", "only one can be primary")


def _change(person: ContactPerson, sent: ContactPersonBody) -> list[str]:
    values: dict[str, Any] = sent.model_dump(include=set(_FIELDS), exclude_unset=True)
    changed = {name: value for name, value in values.items() if getattr(person, name) != value}
    for name, value in changed.items():
        setattr(person, name, value)
    return [*changed]
