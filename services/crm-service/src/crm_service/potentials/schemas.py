"""The form of potentials in requests and answers."""

from datetime import date
from decimal import Decimal

from contracts.potentials import PotentialStatus
from contracts.values import CurrencyCode
from servicekit.fields import Body, Day, Edit, Name

from crm_service.answers import RecordOut, Reference


class NewPotential(Body):
    """Without a stage it begins in the first one, without a currency in the CRM's default."""

    potential_name: Name
    account_id: Reference = None
    contact_id: Reference = None
    stage: Name | None = None
    amount: Decimal | None = None
    currency_code: CurrencyCode | None = None
    closing_date: Day | None = None


class PotentialEdit(Edit, NewPotential):
    potential_name: Name = ""
    stage: Name = ""
    currency_code: CurrencyCode = ""


class PotentialOut(RecordOut):
    potential_name: str
    account_id: str | None
    contact_id: str | None
    stage: str
    status: PotentialStatus
    amount: Decimal | None
    currency_code: str
    closing_date: date | None
