"""What Invoice publishes of its customers, and the bulk command it takes from sync (S22–S28)."""

from typing import ClassVar, Literal

from pydantic import Field

from contracts.event import Event
from contracts.values import Address, CurrencyCode, Snapshot, Value

CrmRecordType = Literal["account", "contact"]


class CrmLink(Value):
    """Which CRM record a customer or contact person came from, and the record's version applied last."""

    record_type: CrmRecordType
    record_id: str
    version: int


def _nothing(value: object) -> bool:
    return not value


class ContactPersonSnapshot(Value):
    """A person at a customer. ``crm_contact_id``: the contact in the CRM who it is; left out of one added by hand."""

    id: str
    salutation: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    mobile: str = ""
    is_primary: bool = False
    crm_contact_id: str | None = Field(None, exclude_if=_nothing)


class CustomerSnapshot(Snapshot):
    """A customer in Invoice, as it was at ``version``.

    Its documents belong to the accounts of ``crm_links``, to the contacts in ``own_contact_ids``, which have or had it
    for themselves alone (S24), and each to the contact who is its contact person. A field that says nothing and came
    later than version 1 of the event is left out.
    """

    organization_id: str
    customer_name: str
    phone: str = ""
    fax: str = ""
    billing_address: Address = Address()
    shipping_address: Address = Address()
    currency_code: CurrencyCode
    status: Literal["active", "inactive"]
    source: Literal["crm", "manual"]
    contact_persons: tuple[ContactPersonSnapshot, ...] = ()
    crm_links: tuple[CrmLink, ...] = ()
    own_contact_ids: tuple[str, ...] = Field((), exclude_if=_nothing)


class MergedCustomerSnapshot(CustomerSnapshot):
    """What is left of a customer that was merged into another one (S29): inactive, without persons and CRM links.

    ``merged_into``: the customer that has them, and its documents, now; asking for the old id gives that one.
    """

    merged_into: str


class CustomerCreated(Event[CustomerSnapshot]):
    wire_type: ClassVar[str] = "invoice.customer.created.v1"


class CustomerUpdated(Event[CustomerSnapshot]):
    wire_type: ClassVar[str] = "invoice.customer.updated.v1"


class CustomerDeleted(Event[CustomerSnapshot]):
    wire_type: ClassVar[str] = "invoice.customer.deleted.v1"


class CustomerMerged(Event[MergedCustomerSnapshot]):
    wire_type: ClassVar[str] = "invoice.customer.merged.v1"


EVENTS = (CustomerCreated, CustomerUpdated, CustomerMerged, CustomerDeleted)


class ImportedCustomer(Value):
    """The fields of a customer that flow from the CRM (S27); nothing else does."""

    customer_name: str = Field(min_length=1)
    phone: str = ""
    fax: str = ""
    billing_address: Address = Address()
    shipping_address: Address = Address()


class ImportedContactPerson(Value):
    """The fields of a contact person that flow from the CRM (S27); nothing else does."""

    salutation: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    mobile: str = ""


class CrmRecord(Value):
    """One CRM record at one version, as Invoice is asked to hold it.

    An account: ``customer`` (cases 1 and 2, S22, S23). A contact: ``contact_person``, and ``customer``, which counts
    where it stands alone (S24); if it has an account, ``account_id`` too (S22): what the account is in Invoice decides.
    A deleted record: none of these. ``set_back_from``: the newer version that Invoice holds, known to be one that the
    CRM does not have any more, so that `ApplyCrmRecords` with ``reapply`` takes this older one in its place.
    """

    record_type: CrmRecordType
    record_id: str
    version: int = Field(ge=1)
    deleted: bool = False
    account_id: str | None = None
    customer: ImportedCustomer | None = None
    contact_person: ImportedContactPerson | None = None
    correlation_id: str | None = None
    set_back_from: int | None = None


class ApplyCrmRecords(Value):
    """``PUT /v1/crm/customers``: up to 1,000 records; each is applied if its version is newer than the last applied.

    ``reapply``: apply each that Invoice holds at this very version, too, which brings back what was changed there.
    Where it holds a newer one, it stays ``unchanged`` unless the record's ``set_back_from`` is that version.
    ``explain``: tell the changes of each record, field by field.
    """

    records: tuple[CrmRecord, ...] = Field(min_length=1, max_length=1000)
    reapply: bool = False
    explain: bool = False


class CrmRecordKey(Value):
    """Names a CRM record. Records are imported in the order of their keys: accounts first, then by id."""

    record_type: CrmRecordType
    record_id: str


class PlanCrmRecords(Value):
    """``POST /v1/crm/customers/plan``: what `ApplyCrmRecords` with ``records`` would do, changing nothing.

    ``earlier``: records that would have been applied before, as far as they matter to ``records``; ``refused``: those
    that would not, although they come before. ``places_taken``: how many customers the import would have made by then,
    less those it would have deleted; the organization's plan may cap them. With ``reapply`` the earlier records count
    as applied whatever version Invoice holds. ``after_all``: the CRM does not have ``records``, so all others come
    before; ``gone``: those of the same kind that come before, and would have been deleted after ``earlier``.
    """

    records: tuple[CrmRecord, ...] = Field(min_length=1, max_length=1000)
    earlier: tuple[CrmRecord, ...] = ()
    refused: tuple[CrmRecordKey, ...] = ()
    places_taken: int = 0
    reapply: bool = False
    after_all: bool = False
    gone: tuple[CrmRecordKey, ...] = ()


RecordOutcome = Literal["created", "updated", "unchanged", "deleted", "made_inactive", "account_missing", "failed"]


class FieldChange(Value):
    """One field that a record changes, as text; None where there is nothing before, or after.

    ``field``: ``customer.phone``, ``customer.billing_address.city``, ``customer.status``, ``contact_person.mobile``;
    ``contact_person.customer`` is the name of the customer that the person is at.
    """

    field: str
    before: str | None = None
    after: str | None = None


class CrmRecordResult(Value):
    """What became of one record of the command.

    ``unchanged``: this version, or a newer one, was applied before, or nothing differs. ``account_missing``: the
    contact's account is not known yet; nothing was changed, and trying again after the account came will succeed.
    ``failed``: refused for good, ``reason`` says why. ``stands_alone``: a contact that has a customer of its own (S24).
    ``known_version``: the version that Invoice held before; None: it held none. ``changes``: only where asked for.
    """

    record_type: CrmRecordType
    record_id: str
    outcome: RecordOutcome
    customer_id: str | None = None
    customer_name: str | None = None
    stands_alone: bool = False
    known_version: int | None = None
    changes: tuple[FieldChange, ...] = ()
    reason: str | None = None


class CrmRecordResults(Value):
    """The answer: one result for each record, in the order of the command."""

    results: tuple[CrmRecordResult, ...]


class CrmRecordPlan(Value):
    """The answer to `PlanCrmRecords`: results, or the records that come before and matter: send them, and ask again.

    ``places_taken``: how many customers ``records`` would make, less those they would delete.
    """

    results: tuple[CrmRecordResult, ...] = ()
    missing: tuple[CrmRecordKey, ...] = ()
    places_taken: int = 0


class HeldCrmRecord(CrmRecordKey):
    """A CRM record that is live in Invoice (``GET /v1/crm/links``), and its version applied last."""

    version: int
    customer_id: str | None = None
