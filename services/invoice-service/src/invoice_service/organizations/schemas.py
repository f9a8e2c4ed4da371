"""Organizations in JSON."""

import datetime
import re
from typing import Annotated, Literal, Self

from babel import Locale, UnknownLocaleError
from contracts.values import Address, CurrencyCode
from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from servicekit.fields import AddressBody, Body, Edit, Email, Line, Name, Phone, Text

from invoice_service.organizations.models import Organization
from invoice_service.plans.models import DEFAULT_PLAN
from invoice_service.plans.queries import Use

_LANGUAGE_TAG = re.compile(r"^[a-z]{2,3}([-_][a-z]{4})?([-_]([a-z]{2}|\d{3}))?$", re.IGNORECASE | re.ASCII)


def _no_digit_at_the_end(prefix: str) -> str:
    # Otherwise two prefixes could make the same number: "A1" with 000001, and "A" with 1000001.
    if prefix and prefix[-1].isdigit():
        raise ValueError("must not end in a digit")
    return prefix


def _known_language(tag: str) -> str:
    refused = f"{tag!r} is no language that documents can be written in; write it like en-US, de-DE or ar-EG"
    if _LANGUAGE_TAG.match(tag) is None:
        raise ValueError(refused)
    try:
        return str(Locale.parse(tag.replace("_", "-"), sep="-")).replace("_", "-")
    except (UnknownLocaleError, ValueError):
        raise ValueError(refused) from None


NumberPrefix = Annotated[Line, StringConstraints(max_length=20), AfterValidator(_no_digit_at_the_end)]
NumberStart = Annotated[int, Field(ge=1, le=10**12)]
Language = Annotated[str, StringConstraints(strip_whitespace=True, max_length=35), AfterValidator(_known_language)]
"""A BCP 47 tag of a locale that Babel knows, written as Babel does: ``de-DE``, ``zh-Hans-CN``."""
PaymentTerms = Annotated[int, Field(ge=0, le=1000)]
Paper = Literal["A4", "Letter"]


class NumberPrefixesBody(Body):
    """What documents' numbers begin with; only the ones sent change."""

    estimate: NumberPrefix = "EST-"
    invoice: NumberPrefix = "INV-"


class NumberStartsBody(Body):
    """The first number of each kind; only the ones sent change, and only while no document has one."""

    estimate: NumberStart = 1
    invoice: NumberStart = 1


class OrganizationBody(Body):
    """``plan``: a plan's name. ``payment_terms``: days until an invoice is due, where the customer has none.

    ``default_notes`` and ``default_terms`` stand on new documents that bring none. ``logo``: a PNG or JPEG image as a
    data URI (``data:image/png;base64,…``), up to 500,000 bytes and 4000 x 4000 pixels; one larger than 600 x 216, as
    fine as it is printed, is made smaller and kept so.
    """

    name: Name
    address: AddressBody = AddressBody()
    currency_code: CurrencyCode
    plan: Name = DEFAULT_PLAN
    language: Language = "en-US"
    paper: Paper = "A4"
    tax_number: Line = ""
    email: Email = ""
    phone: Phone = ""
    website: Line = ""
    payment_terms: PaymentTerms = 0
    default_notes: Text = ""
    default_terms: Text = ""
    number_prefixes: NumberPrefixesBody = NumberPrefixesBody()
    number_starts: NumberStartsBody = NumberStartsBody()
    logo: str | None = None


class OrganizationEdit(Edit):
    """Only the fields sent change; a null ``logo`` takes it away."""

    name: Name = ""
    address: AddressBody = AddressBody()
    currency_code: CurrencyCode = ""
    plan: Name = ""
    language: Language = ""
    paper: Paper = "A4"
    tax_number: Line = ""
    email: Email = ""
    phone: Phone = ""
    website: Line = ""
    payment_terms: PaymentTerms = 0
    default_notes: Text = ""
    default_terms: Text = ""
    number_prefixes: NumberPrefixesBody = NumberPrefixesBody()
    number_starts: NumberStartsBody = NumberStartsBody()
    logo: str | None = None


class NumberPrefixes(BaseModel):
    estimate: str
    invoice: str


class NumberStarts(BaseModel):
    estimate: int
    invoice: int


class OrganizationOut(BaseModel):
    """``logo``: the path where it is, or null."""

    id: str
    version: int
    name: str
    address: Address
    currency_code: str
    plan: str
    language: str
    paper: str
    tax_number: str
    email: str
    phone: str
    website: str
    payment_terms: int
    default_notes: str
    default_terms: str
    number_prefixes: NumberPrefixes
    number_starts: NumberStarts
    logo: str | None
    is_default: bool

    @classmethod
    def of(cls, organization: Organization) -> Self:
        """The organization as it is shown."""
        own = {name: getattr(organization, name) for name in cls.model_fields if hasattr(organization, name)}
        return cls(
            **own,
            number_prefixes=NumberPrefixes(estimate=organization.estimate_prefix, invoice=organization.invoice_prefix),
            number_starts=NumberStarts(estimate=organization.estimate_start, invoice=organization.invoice_start),
            logo=f"/v1/organizations/{organization.id}/logo" if organization.logo_digest else None,
        )


class UsedOut(BaseModel):
    """``cap``: null, if the plan has none."""

    used: int
    cap: int | None


class UseOut(BaseModel):
    """``documents`` are those made in the month (UTC) that ends before ``resets_on``."""

    plan: str
    documents: UsedOut
    customers: UsedOut
    resets_on: datetime.date

    @classmethod
    def of(cls, use: Use) -> Self:
        """The use as it is shown."""
        return cls(
            plan=use.plan.name,
            documents=UsedOut(used=use.documents, cap=use.plan.documents_per_month),
            customers=UsedOut(used=use.customers, cap=use.plan.customers),
            resets_on=use.resets_on,
        )
