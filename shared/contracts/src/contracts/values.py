"""Values that more than one record uses: currencies, exact amounts, addresses."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

# ISO 4217: the active currencies with two decimals, and those that differ.
_TWO_DECIMALS = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC "
    "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD "
    "KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO "
    "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG"
).split()
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split()
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND".split()

MINOR_UNITS: dict[str, int] = (
    dict.fromkeys(_TWO_DECIMALS, 2) | dict.fromkeys(_NO_DECIMALS, 0) | dict.fromkeys(_THREE_DECIMALS, 3)
)
"""ISO 4217 code → how many decimals its minor unit has."""

MAX_AMOUNT = Decimal(10) ** 12
"""No amount of a record reaches this: what is below it fits a database's 64-bit integer at six decimals."""


def check_currency(code: str) -> str:
    """Give ``code`` back if it is an active ISO 4217 code in capitals; raise `ValueError` otherwise."""
    if code not in MINOR_UNITS:
        raise ValueError(f"{code!r} is not an active ISO 4217 currency code in capitals, such as EUR or USD")
    return code


def check_amount(amount: Decimal, currency_code: str) -> Decimal:
    """Give ``amount`` back with exactly the currency's number of decimals.

    Raises `ValueError` for NaN and infinities, for an amount that cannot be written in the currency's minor unit
    (0.005 USD), and for one of 10^12 and more. Nothing is ever rounded here.
    """
    if not amount.is_finite():
        raise ValueError("the amount must be a finite number")
    if abs(amount) >= MAX_AMOUNT:
        raise ValueError(f"the amount must be below {MAX_AMOUNT:,f}")
    exponent = MINOR_UNITS[currency_code]
    exact = amount.quantize(Decimal(1).scaleb(-exponent))
    if exact != amount:
        decimals = "no decimals" if exponent == 0 else f"at most {exponent} decimals"
        raise ValueError(f"{amount} has more decimals than {currency_code} has; {currency_code} takes {decimals}")
    return exact


CurrencyCode = Annotated[str, AfterValidator(check_currency)]


class Value(BaseModel):
    """Base of all values and snapshots: frozen, and tolerant of fields that a later version adds."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Money(Value):
    """An exact amount in a currency; the amount has the currency's number of decimals (ISO 4217)."""

    amount: Decimal
    currency_code: CurrencyCode

    @model_validator(mode="after")
    def _exact(self) -> Self:
        check_amount(self.amount, self.currency_code)
        return self


class Address(Value):
    """A postal address; every part is text and may be empty."""

    attention: str = ""
    street: str = ""
    street2: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country: str = ""


class Snapshot(Value):
    """The full state of one record at one version."""

    id: str
    version: int
    deleted: bool = False
