"""The bulk command's body, read record by record: one that is wrong fails by itself, the others go on."""

from typing import Any

from contracts.customers import CrmRecordType, ImportedContactPerson, ImportedCustomer
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from servicekit.errors import from_validation
from servicekit.fields import AddressBody, Line, Name, Phone

from invoice_service.customers.crm_preview import Asked
from invoice_service.customers.crm_state import Key, Record


class RecordBody(BaseModel):
    """`contracts.customers.CrmRecord`, with its two parts not looked into yet."""

    model_config = ConfigDict(extra="ignore")

    record_type: CrmRecordType
    record_id: str = Field(min_length=1, max_length=64)
    version: int = Field(ge=1, lt=2**31)
    deleted: bool = False
    account_id: str | None = Field(None, max_length=64)
    customer: dict[str, Any] | None = None
    contact_person: dict[str, Any] | None = None
    correlation_id: str | None = None


class ApplyBody(BaseModel):
    """`contracts.customers.ApplyCrmRecords`."""

    records: list[RecordBody] = Field(min_length=1, max_length=1000)
    reapply: bool = False
    explain: bool = False


class KeyBody(BaseModel):
    """`contracts.customers.CrmRecordKey`."""

    record_type: CrmRecordType
    record_id: str = Field(max_length=64)


class PlanBody(BaseModel):
    """`contracts.customers.PlanCrmRecords`."""

    records: list[RecordBody] = Field(min_length=1, max_length=1000)
    earlier: list[RecordBody] = Field([], max_length=10_000)
    refused: list[KeyBody] = Field([], max_length=10_000)
    places_taken: int = Field(0, gt=-(2**31), lt=2**31)
    reapply: bool = False


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Address(AddressBody):
    model_config = ConfigDict(extra="ignore")


class _Customer(_Part):
    customer_name: Name
    phone: Phone = ""
    fax: Phone = ""
    billing_address: _Address = _Address()
    shipping_address: _Address = _Address()


class _ContactPerson(_Part):
    salutation: Line = ""
    first_name: Line = ""
    last_name: Line = ""
    phone: Phone = ""
    mobile: Phone = ""


class _Parts(_Part):
    """Both parts at once, so that an error names its field in full."""

    customer: _Customer | None = None
    contact_person: _ContactPerson | None = None


def read_asked(body: PlanBody) -> Asked:
    """What is asked for, to plan with."""
    return Asked(
        records=[read(record) for record in body.records],
        earlier=[read(record) for record in body.earlier],
        refused={Key(one.record_type, one.record_id) for one in body.refused},
        reapply=body.reapply,
    )


def read(body: RecordBody) -> Record:
    """The record to plan with; one that does not fit our fields says why in ``refusal``."""
    customer = contact_person = refusal = None
    if not body.deleted:
        try:
            parts = _Parts.model_validate({"customer": body.customer, "contact_person": body.contact_person})
        except ValidationError as error:
            refusal = from_validation(error.errors()).detail
        else:
            if parts.customer is not None:
                customer = ImportedCustomer.model_validate(parts.customer.model_dump())
            if parts.contact_person is not None:
                contact_person = ImportedContactPerson.model_validate(parts.contact_person.model_dump())
    return Record(
        key=Key(body.record_type, body.record_id),
        version=body.version,
        deleted=body.deleted,
        account_id=body.account_id,
        customer=customer,
        contact_person=contact_person,
        correlation_id=body.correlation_id,
        refusal=refusal,
    )
