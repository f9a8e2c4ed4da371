"""What of a customer comes from the CRM: which record, which version, when; its next update overwrites it (S27)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Self

from contracts.customers import CrmRecordType, ImportedContactPerson, ImportedCustomer
from pydantic import BaseModel

from invoice_service.customers.models import CrmLink
from invoice_service.customers.queries import WholeCustomer, record_type_of


class CrmLinkOut(BaseModel):
    """A CRM record that is at the customer. ``applied_at``: when the CRM last changed what it is here."""

    record_type: CrmRecordType
    record_id: str
    version: int
    applied_at: datetime
    contact_person_id: str | None

    @classmethod
    def of(cls, link: CrmLink) -> Self:
        """The link as it is shown."""
        return cls(
            record_type=record_type_of(link),
            record_id=link.record_id,
            version=link.version,
            applied_at=link.updated_at,
            contact_person_id=link.contact_person_id,
        )


class CrmOwnedField(BaseModel):
    """A field that comes from the CRM, and the record that says it: its next update overwrites the field."""

    field: str
    record_type: CrmRecordType
    record_id: str
    version: int
    applied_at: datetime


def of_customer(whole: WholeCustomer) -> list[CrmOwnedField]:
    """The customer's fields that come from the CRM."""
    return _owned(ImportedCustomer.model_fields, whole.said_by)


def of_person(whole: WholeCustomer, person_id: str) -> list[CrmOwnedField]:
    """The fields of a contact person that come from the CRM."""
    return _owned(ImportedContactPerson.model_fields, whole.imported_persons.get(person_id))


def warnings(whole: WholeCustomer, edited: Iterable[str], persons: Mapping[str, Iterable[str]]) -> list[str]:
    """What to tell someone who edited these fields, and these of each contact person."""
    told = [_warning(field, whole.said_by) for field in edited if field in ImportedCustomer.model_fields]
    names = {person.id: person.full_name for person in whole.persons}
    for person_id, fields in persons.items():
        link = whole.imported_persons.get(person_id)
        told += [
            _warning(f"{field} of {names[person_id]}", link)
            for field in fields
            if field in ImportedContactPerson.model_fields
        ]
    return [warning for warning in told if warning is not None]


def _owned(fields: Iterable[str], link: CrmLink | None) -> list[CrmOwnedField]:
    if link is None:
        return []
    kind = record_type_of(link)
    return [
        CrmOwnedField(
            field=field, record_type=kind, record_id=link.record_id, version=link.version, applied_at=link.updated_at
        )
        for field in fields
    ]


def _warning(what: str, link: CrmLink | None) -> str | None:
    if link is None:
        return None
    return (
        f"{what} comes from {link.record_type} {link.record_id} in the CRM: its next update overwrites what you entered"
    )
