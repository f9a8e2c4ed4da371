"""The bulk command's body, read record by record: one that is wrong fails by itself, the others go on."""

from typing import Annotated, Any, Required

from contracts.customers import CrmRecordType, ImportedContactPerson, ImportedCustomer
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from servicekit.errors import from_validation
from servicekit.fields import AddressBody, Line, Name, Phone
from typing_extensions import TypedDict

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
    set_back_from: int | None = None


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
    after_all: bool = False
    gone: list[KeyBody] = Field([], max_length=10_000)


_ONE_LINE = r"^[^\x00-\x08\x0a-\x1f\x7f]*$"
_PlainName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255, pattern=_ONE_LINE)]
_PlainLine = Annotated[str, StringConstraints(strip_whitespace=True, max_length=255, pattern=_ONE_LINE)]
_PlainPhone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=50, pattern=_ONE_LINE)]


class _PlainAddress(TypedDict, total=False):
    attention: _PlainLine
    street: _PlainLine
    street2: _PlainLine
    city: _PlainLine
    state: _PlainLine
    zip: _PlainPhone
    country: _PlainLine


class _PlainCustomer(TypedDict, total=False):
    """What `_Customer` accepts as it is, and nearly every record is: checked without a call of ours."""

    customer_name: Required[_PlainName]
    phone: _PlainPhone
    fax: _PlainPhone
    billing_address: _PlainAddress
    shipping_address: _PlainAddress


class _PlainPerson(TypedDict, total=False):
    """As `_PlainCustomer`."""

    salutation: _PlainLine
    first_name: _PlainLine
    last_name: _PlainLine
    phone: _PlainPhone
    mobile: _PlainPhone


_PLAIN_CUSTOMER, _PLAIN_PERSON = TypeAdapter(_PlainCustomer), TypeAdapter(_PlainPerson)


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
        after_all=body.after_all,
        gone=[Record(Key(one.record_type, one.record_id), 1, deleted=True) for one in body.gone],
    )


def key(body: RecordBody) -> Key:
    """Which record it is."""
    return Key(body.record_type, body.record_id)


def read(body: RecordBody, *, with_parts: bool = True) -> Record:
    """The record to plan with; one that does not fit our fields says why in ``refusal``.

    ``with_parts``: what it says of customer and contact person, too; nobody asks for that where it is nothing new.
    """
    customer = contact_person = refusal = None
    if with_parts and not body.deleted:
        try:
            customer, contact_person = _parts(body)
        except ValidationError as error:
            refusal = from_validation(error.errors()).detail
    return Record(
        key=key(body),
        version=body.version,
        deleted=body.deleted,
        account_id=body.account_id,
        customer=customer,
        contact_person=contact_person,
        correlation_id=body.correlation_id,
        refusal=refusal,
        set_back_from=body.set_back_from,
    )


def _parts(body: RecordBody) -> tuple[ImportedCustomer | None, ImportedContactPerson | None]:
    """Both parts of the record; raises `ValidationError`."""
    customer, contact_person = body.customer, body.contact_person
    try:
        if customer is not None:
            customer = {**_PLAIN_CUSTOMER.validate_python(customer)}
        if contact_person is not None:
            contact_person = {**_PLAIN_PERSON.validate_python(contact_person)}
    except ValidationError:  # what is wrong, or how it is put right, is said by the types of all our fields
        parts = _Parts.model_validate({"customer": customer, "contact_person": contact_person}).model_dump()
        customer, contact_person = parts["customer"], parts["contact_person"]
    return (
        None if customer is None else ImportedCustomer.model_validate(customer),
        None if contact_person is None else ImportedContactPerson.model_validate(contact_person),
    )
