"""What requests about runs carry, and what answers look like."""

from datetime import datetime
from typing import Annotated, Self

from contracts.customers import CrmRecordType, FieldChange, RecordOutcome
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from servicekit.fields import Body, Email, Id

from sync_service.runs.models import Case, Difference, ImportChange, RunKind, RunStatus

FAILURES_SHOWN = 100

WHY: dict[Difference, str] = {
    "missing_in_invoice": "Invoice does not have it",
    "update_not_arrived": "a change in the CRM has not come to Invoice",
    "edited_in_invoice": "it was changed in Invoice; the CRM's values would come back",
    "crm_set_back": "Invoice has a newer version: the CRM was set back, as from a backup",
    "not_in_crm": "Invoice has it, and the CRM does not know it at all",
}


class StartImport(Body):
    """``email``, ``zsc_key`` and perhaps ``auto_update``: connect and import. Nothing: import again (S21)."""

    email: Email = ""
    zsc_key: Annotated[SecretStr, Field(max_length=200)] = SecretStr("")
    auto_update: bool | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if self.with_key and not self.email:
            raise ValueError("email is missing: whose ZSC key is it?")
        if self.email and not self.with_key:
            raise ValueError("zsc_key is missing; generate one in the CRM")
        if self.auto_update is not None and not self.with_key:
            raise ValueError("auto_update goes with email and zsc_key; change it with PATCH /v1/connection")
        return self

    @property
    def with_key(self) -> bool:
        """Whether credentials were sent."""
        return bool(self.zsc_key.get_secret_value())


class StartCheck(Body):
    """``mend``: also carry out what the check would list."""

    mend: bool = False


class ImportRecord(Body):
    """Which record of the CRM to import."""

    record_type: CrmRecordType
    record_id: Id


class ImportedRecord(BaseModel):
    """The customer that the record is, or is a contact person of, in Invoice."""

    customer_id: str
    outcome: RecordOutcome


class Counts(BaseModel):
    """Records by what became of them, or would; all but ``read`` add up to ``read``."""

    read: int
    created: int
    updated: int
    unchanged: int
    deleted: int
    made_inactive: int
    failed: int


class ImportOut(BaseModel):
    """A run. ``total``: how many records it will read; null while unknown. ``changes``: how many are listed.

    ``reason``: why it failed; of a running one: what it is waiting for, null if nothing.
    """

    model_config = ConfigDict(from_attributes=True)

    id: str
    kind: RunKind
    retry_of: str | None
    organization_id: str
    status: RunStatus
    reason: str | None
    total: int | None
    counts: Counts
    changes: int
    started_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class FailureOut(BaseModel):
    """A record that was not imported, and why."""

    model_config = ConfigDict(from_attributes=True)

    record_type: CrmRecordType
    record_id: str
    name: str
    reason: str


class ImportDetails(ImportOut):
    """A run with its first failures; ``counts.failed`` tells how many there are, and ``…/failures`` has all."""

    failures: list[FailureOut]


class ChangeOut(BaseModel):
    """A record that the run changed in Invoice, or would change.

    ``case``: what the customer is made of: an account with contacts (S22), an account alone (S23), a contact alone
    (S24); null for a deleted record. ``known_version``: what Invoice held before; null: nothing. ``difference``, and
    ``why`` in words: only of a check, and of mending.
    """

    record_type: CrmRecordType
    record_id: str
    name: str
    case: Case | None
    outcome: RecordOutcome
    known_version: int | None
    version: int
    customer_name: str | None
    changes: list[FieldChange]
    difference: Difference | None
    why: str | None

    @classmethod
    def of(cls, change: ImportChange) -> "ChangeOut":
        """The change as it is told."""
        return cls(
            record_type=change.record_type,
            record_id=change.record_id,
            name=change.name,
            case=change.case,
            outcome=change.outcome,
            known_version=change.known_version,
            version=change.version,
            customer_name=change.customer_name,
            changes=[FieldChange(field=field, before=before, after=after) for field, before, after in change.fields],
            difference=change.difference,
            why=None if change.difference is None else WHY[change.difference],
        )
