"""Customers in JSON."""

from collections.abc import Sequence
from typing import Literal, Self

from contracts.values import Address, CurrencyCode
from pydantic import BaseModel, Field
from servicekit.auth import Principal
from servicekit.fields import AddressBody, Body, Edit, Email, Line, Name, Phone, Text

from invoice_service.allowed_actions import AllowedAction
from invoice_service.customers import crm_owned
from invoice_service.customers.actions import allowed_actions
from invoice_service.customers.crm_owned import CrmLinkOut, CrmOwnedField
from invoice_service.customers.likeness import KINDS, LikenessKind
from invoice_service.customers.models import ContactPerson, Customer, DuplicatePair
from invoice_service.customers.queries import WholeCustomer

MAX_CONTACT_PERSONS = 500


class ContactPersonBody(Body):
    """A person to add, or with ``id`` one to change: then only the fields sent change."""

    id: str | None = None
    salutation: Line = ""
    first_name: Line = ""
    last_name: Line = ""
    email: Email = ""
    phone: Phone = ""
    mobile: Phone = ""
    is_primary: bool = False


class CustomerBody(Body):
    """``currency_code``: the organization's, if left out. ``payment_terms``: days until an invoice is due."""

    customer_name: Name
    phone: Phone = ""
    fax: Phone = ""
    billing_address: AddressBody = AddressBody()
    shipping_address: AddressBody = AddressBody()
    currency_code: CurrencyCode | None = None
    payment_terms: int | None = Field(None, ge=0, le=1000)
    notes: Text = ""
    contact_persons: list[ContactPersonBody] = Field([], max_length=MAX_CONTACT_PERSONS)


class CustomerEdit(Edit):
    """Only the fields sent change. ``contact_persons`` takes the place of those added here; those of the CRM stay."""

    customer_name: Name = ""
    phone: Phone = ""
    fax: Phone = ""
    billing_address: AddressBody = AddressBody()
    shipping_address: AddressBody = AddressBody()
    currency_code: CurrencyCode = ""
    payment_terms: int | None = Field(None, ge=0, le=1000)
    notes: Text = ""
    contact_persons: list[ContactPersonBody] = Field([], max_length=MAX_CONTACT_PERSONS)


class ContactPersonOut(BaseModel):
    """``source``: one from the CRM cannot be removed here. ``crm_owned_fields``: what its next update overwrites."""

    id: str
    salutation: str
    first_name: str
    last_name: str
    email: str
    phone: str
    mobile: str
    is_primary: bool
    source: Literal["crm", "manual"]
    crm_owned_fields: list[CrmOwnedField]

    @classmethod
    def of(cls, person: ContactPerson, whole: WholeCustomer) -> Self:
        """The person as they are shown at their customer."""
        return cls(
            id=person.id,
            salutation=person.salutation,
            first_name=person.first_name,
            last_name=person.last_name,
            email=person.email,
            phone=person.phone,
            mobile=person.mobile,
            is_primary=person.id == whole.primary_id,
            source="crm" if person.id in whole.imported_persons else "manual",
            crm_owned_fields=crm_owned.of_person(whole, person.id),
        )


class CustomerOut(BaseModel):
    """``crm_owned_fields``: what the next update from the CRM overwrites (S27).

    ``warnings``: of an edit, which of what was entered will be overwritten.
    """

    id: str
    version: int
    customer_name: str
    status: str
    source: str
    phone: str
    fax: str
    billing_address: Address
    shipping_address: Address
    currency_code: str
    payment_terms: int | None
    notes: str
    contact_persons: list[ContactPersonOut]
    crm_links: list[CrmLinkOut]
    has_transactions: bool
    crm_owned_fields: list[CrmOwnedField]
    warnings: list[str]
    allowed_actions: list[AllowedAction]

    @classmethod
    def of(cls, whole: WholeCustomer, principal: Principal, warnings: Sequence[str] = ()) -> Self:
        """The customer as it is shown to ``principal``."""
        customer = whole.customer
        return cls(
            id=customer.id,
            version=customer.version,
            customer_name=customer.customer_name,
            status=customer.status,
            source=customer.source,
            phone=customer.phone,
            fax=customer.fax,
            billing_address=customer.billing_address,
            shipping_address=customer.shipping_address,
            currency_code=customer.currency_code,
            payment_terms=customer.payment_terms,
            notes=customer.notes,
            contact_persons=[ContactPersonOut.of(person, whole) for person in whole.persons],
            crm_links=[CrmLinkOut.of(link) for link in whole.links],
            has_transactions=customer.has_transactions,
            crm_owned_fields=crm_owned.of_customer(whole),
            warnings=list(warnings),
            allowed_actions=allowed_actions(whole, principal),
        )


class LikelyDuplicate(BaseModel):
    """One of two customers that are likely the same: as much of it as tells them apart."""

    id: str
    customer_name: str
    source: str
    phone: str
    billing_address: Address
    currency_code: str
    has_transactions: bool

    @classmethod
    def of(cls, customer: Customer) -> Self:
        """The customer as it is shown in a pair."""
        return cls.model_validate(customer, from_attributes=True)


class DuplicateReason(BaseModel):
    """``same``: what the two have in common. ``value``: it, reduced to what is compared."""

    same: LikenessKind
    value: str


class DuplicateOut(BaseModel):
    """Two customers, the older one first, and why they are likely the same."""

    customers: tuple[LikelyDuplicate, LikelyDuplicate]
    reasons: list[DuplicateReason]

    @classmethod
    def of(cls, pair: DuplicatePair, first: Customer, second: Customer) -> Self:
        """The pair as it is shown."""
        values = {kind: getattr(pair, f"{kind}_key") for kind in KINDS}
        return cls(
            customers=(LikelyDuplicate.of(first), LikelyDuplicate.of(second)),
            reasons=[DuplicateReason(same=kind, value=value) for kind, value in values.items() if value],
        )
