"""Organizations in JSON."""

from typing import Annotated, Self

from contracts.values import Address, CurrencyCode
from pydantic import AfterValidator, BaseModel, StringConstraints
from servicekit.fields import AddressBody, Body, Line, Name

from invoice_service.organizations.models import Organization


def _no_digit_at_the_end(prefix: str) -> str:
    # Otherwise two prefixes could make the same number: "A1" with 000001, and "A" with 1000001.
    if prefix and prefix[-1].isdigit():
        raise ValueError("must not end in a digit")
    return prefix


NumberPrefix = Annotated[Line, StringConstraints(max_length=20), AfterValidator(_no_digit_at_the_end)]


class NumberPrefixesBody(Body):
    """What documents' numbers begin with; only the ones sent change."""

    estimate: NumberPrefix = "EST-"
    invoice: NumberPrefix = "INV-"


class OrganizationBody(Body):
    name: Name
    address: AddressBody = AddressBody()
    currency_code: CurrencyCode
    number_prefixes: NumberPrefixesBody = NumberPrefixesBody()


class OrganizationEdit(Body):
    """Only the fields sent change."""

    name: Name = ""
    address: AddressBody = AddressBody()
    currency_code: CurrencyCode = ""
    number_prefixes: NumberPrefixesBody = NumberPrefixesBody()


class NumberPrefixes(BaseModel):
    estimate: str
    invoice: str


class OrganizationOut(BaseModel):
    id: str
    version: int
    name: str
    address: Address
    currency_code: str
    number_prefixes: NumberPrefixes
    is_default: bool

    @classmethod
    def of(cls, organization: Organization) -> Self:
        """The organization as it is shown."""
        return cls(
            id=organization.id,
            version=organization.version,
            name=organization.name,
            address=organization.address,
            currency_code=organization.currency_code,
            number_prefixes=NumberPrefixes(estimate=organization.estimate_prefix, invoice=organization.invoice_prefix),
            is_default=organization.is_default,
        )
