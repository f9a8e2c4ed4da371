"""Merges in JSON."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field
from servicekit.auth import Principal
from servicekit.fields import Body, Id

from invoice_service.customers.schemas import CustomerOut
from invoice_service.merging.models import Merge
from invoice_service.merging.service import Merged


class MergeBody(Body):
    """``into``: the customer that stays."""

    into: Id


class Moved(BaseModel):
    """How many of each went from one customer to the other."""

    estimates: int
    invoices: int
    payments: int
    contact_persons: int
    crm_links: int


class MergeOut(BaseModel):
    """A merge that was done; a preview has no ``merge_id`` and ``merged_at``. ``customer``: the one that stays."""

    merge_id: str | None
    merged_at: datetime | None
    moved: Moved
    customer: CustomerOut

    @classmethod
    def of(cls, made: Merged, principal: Principal, *, preview: bool) -> Self:
        """The merge as it is shown."""
        return cls(
            merge_id=None if preview else made.merge.id,
            merged_at=None if preview else made.merge.merged_at,
            moved=Moved.model_validate(made.merge, from_attributes=True),
            customer=CustomerOut.of(made.customer, principal),
        )


class MergeSide(BaseModel):
    """One of the two customers, with the name that it had then."""

    id: str
    customer_name: str


class MergeEntry(BaseModel):
    """A merge in the journal."""

    model_config = ConfigDict(serialize_by_alias=True)

    merge_id: str
    merged_at: datetime
    who: str
    source: MergeSide = Field(serialization_alias="from")
    into: MergeSide
    moved: Moved
    undone: bool
    undone_at: datetime | None
    undone_by: str | None

    @classmethod
    def of(cls, merge: Merge) -> Self:
        """The merge as it is shown."""
        return cls(
            merge_id=merge.id,
            merged_at=merge.merged_at,
            who=merge.who,
            source=MergeSide(id=merge.from_id, customer_name=merge.from_name),
            into=MergeSide(id=merge.into_id, customer_name=merge.into_name),
            moved=Moved.model_validate(merge, from_attributes=True),
            undone=merge.undone_at is not None,
            undone_at=merge.undone_at,
            undone_by=merge.undone_by,
        )
