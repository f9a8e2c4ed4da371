"""What requests carry, and what answers look like."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from servicekit.fields import Edit

from workflow_service.policy import DocumentKind, Trigger
from workflow_service.results import CommandName, Outcome


class ActivationEdit(Edit):
    """The whole set-up."""

    active: bool
    trigger: Trigger


class ActivationOut(BaseModel):
    """The set-up, who set it and when."""

    model_config = ConfigDict(from_attributes=True)

    active: bool
    trigger: Trigger
    version: int
    updated_at: datetime
    updated_by: str | None


class CommandOut(BaseModel):
    """One thing the workflow did, or tried to do, in Invoice; ``reason`` says why it failed.

    ``record_id`` and ``customer_id``: the account or contact that had to be imported first, and the customer it became.
    """

    command: CommandName
    outcome: Outcome
    at: datetime | None = None
    reason: str | None = None
    document_type: DocumentKind | None = None
    document_id: str | None = None
    document_number: str | None = None
    estimate_id: str | None = None
    estimate_number: str | None = None
    record_id: str | None = None
    customer_id: str | None = None


class RunOut(BaseModel):
    """What the workflow did for one event of a potential; ``reason`` says why it did nothing or not all, and of a
    done one, in what the document differs from the potential as it is now.

    ``decision``: from what it decided what, in words. ``event_time``: when it happened in the CRM; ``started_at`` and
    ``attempted_at``: the first and the last attempt; ``finished_at``: null while it waits.
    """

    model_config = ConfigDict(from_attributes=True)

    id: str
    event_id: str
    event_type: str
    event_time: datetime | None
    potential_id: str
    potential_version: int
    trigger: Trigger
    outcome: Outcome
    reason: str | None
    decision: str | None
    commands: list[CommandOut]
    attempts: int
    correlation_id: str | None
    started_at: datetime
    attempted_at: datetime | None
    finished_at: datetime | None
