"""How a CRM record becomes a customer in Invoice (S22-S27); nothing else decides that.

Pure. Live events, the import, and the import of one record all go through `to_crm_record`.

A contact does not know what became of its account: Invoice may hold it, may have merged it, or may know that it was
deleted. So a contact's record always says both, what it is as a contact person and what it would be as a customer of
its own, and Invoice goes by what it holds of ``account_id``.
"""

from contracts.accounts import AccountSnapshot
from contracts.contacts import ContactSnapshot
from contracts.customers import CrmRecord, CrmRecordType, ImportedContactPerson, ImportedCustomer

CrmSnapshot = AccountSnapshot | ContactSnapshot

LONGEST_NAME = 255
"""A customer's name in Invoice; a contact's first and last name together may be longer, and are cut there."""


LONGEST_ID = 64
NO_VERSION = 2**31


class Unmappable(ValueError):
    """The record cannot be a customer as it is; the message says why."""


def record_type(snapshot: CrmSnapshot) -> CrmRecordType:
    """Which kind of CRM record this is."""
    return "account" if isinstance(snapshot, AccountSnapshot) else "contact"


def name_of(snapshot: CrmSnapshot) -> str:
    """What people call the record; a deleted one too, and perhaps nothing."""
    if isinstance(snapshot, AccountSnapshot):
        return _joined(snapshot.account_name)
    return _joined(snapshot.first_name, snapshot.last_name)


def to_crm_record(snapshot: CrmSnapshot, *, correlation_id: str | None = None) -> CrmRecord:
    """What Invoice is asked to hold of this record; only the fields of S27 go along.

    A deleted record carries its version and nothing else. Raises `Unmappable` for one that has no name, or that Invoice
    could not keep a link of.
    """
    _check_key(snapshot)
    customer: ImportedCustomer | None = None
    contact_person: ImportedContactPerson | None = None
    account_id: str | None = None
    if not snapshot.deleted:
        if isinstance(snapshot, AccountSnapshot):
            customer = _account_as_customer(snapshot)
        else:
            customer = _contact_as_customer(snapshot)
            contact_person = _contact_person(snapshot)
            account_id = snapshot.account_id or None
    return CrmRecord(
        record_type=record_type(snapshot),
        record_id=snapshot.id,
        version=snapshot.version,
        deleted=snapshot.deleted,
        account_id=account_id,
        customer=customer,
        contact_person=contact_person,
        correlation_id=correlation_id,
    )


def _check_key(snapshot: CrmSnapshot) -> None:
    what = record_type(snapshot)
    if not 1 <= len(snapshot.id) <= LONGEST_ID:
        raise Unmappable(f"the {what}'s id has {len(snapshot.id)} characters; 1 to {LONGEST_ID} can be kept")
    if not 1 <= snapshot.version < NO_VERSION:
        raise Unmappable(f"the {what}'s version is {snapshot.version}; it must be 1 or more, and below 2^31")
    if isinstance(snapshot, ContactSnapshot) and len(snapshot.account_id or "") > LONGEST_ID:
        raise Unmappable(f"the id of the contact's account has more than {LONGEST_ID} characters")


def _account_as_customer(account: AccountSnapshot) -> ImportedCustomer:
    """Cases 1 and 2 (S22, S23): whether it has contacts makes no difference to the customer itself."""
    return ImportedCustomer(
        customer_name=_name("account", account.account_name),
        phone=account.phone,
        fax=account.fax,
        billing_address=account.billing_address,
        shipping_address=account.shipping_address,
    )


def _contact_as_customer(contact: ContactSnapshot) -> ImportedCustomer:
    """Case 3 (S24): the customer that a contact becomes if it stands alone."""
    return ImportedCustomer(
        customer_name=_name("contact", contact.first_name, contact.last_name), phone=contact.phone or contact.mobile
    )


def _contact_person(contact: ContactSnapshot) -> ImportedContactPerson:
    return ImportedContactPerson(
        salutation=contact.salutation,
        first_name=contact.first_name,
        last_name=contact.last_name,
        phone=contact.phone,
        mobile=contact.mobile,
    )


def _name(what: str, *parts: str) -> str:
    name = _joined(*parts)
    if not name:
        raise Unmappable(f"the {what} has no name, and a customer needs one; name it in the CRM")
    return name


def _joined(*parts: str) -> str:
    return " ".join(stripped for part in parts if (stripped := part.strip()))[:LONGEST_NAME].rstrip()
