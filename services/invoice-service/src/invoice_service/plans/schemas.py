"""Plans in JSON."""

from typing import Annotated, Self

from pydantic import BaseModel, Field, StringConstraints
from servicekit.fields import Body, Edit, Name

from invoice_service.plans.models import Plan

PlanName = Annotated[Name, StringConstraints(max_length=100, pattern=r"^\w[\w .+()&-]*$")]
"""Letters, digits and a few signs: a plan's name stands in paths."""
Cap = Annotated[int, Field(ge=0, lt=2**31)]


class PlanBody(Body):
    """``documents_per_month`` counts estimates and invoices by the day they were made (UTC). Null: no cap."""

    name: PlanName
    documents_per_month: Cap | None = None
    customers: Cap | None = None


class PlanEdit(Edit):
    """Only the fields sent change. A lower cap takes nothing away, but stops more."""

    documents_per_month: Cap | None = None
    customers: Cap | None = None


class PlanOut(BaseModel):
    id: str
    version: int
    name: str
    documents_per_month: int | None
    customers: int | None

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """The plan as it is shown."""
        return cls(
            id=plan.id,
            version=plan.version,
            name=plan.name,
            documents_per_month=plan.documents_per_month,
            customers=plan.customers,
        )
