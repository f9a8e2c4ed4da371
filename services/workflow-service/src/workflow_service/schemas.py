"""What requests carry, and what answers look like."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict
from servicekit.fields import Edit

from workflow_service.activation import TriggerName
from workflow_service.policy import Trigger
from workflow_service.reconciling import Outcome


class ActivationEdit(Edit):
    """The whole set-up."""

    active: bool
    trigger: TriggerName


class ActivationOut(BaseModel):
    """The set-up, who set it and when."""

    model_config = ConfigDict(from_attributes=True)

    active: bool
    trigger: TriggerName
    version: int
    updated_at: datetime
    updated_by: str | None


class CommandOut(BaseModel):
    """One thing the workflow did, or tried to do, in Invoice."""

    command: Literal["create_estimate", "accept_estimate", "decline_estimate"]
    outcome: Outcome
    estimate_id: str | None = None
    estimate_number: str | None = None


class RunOut(BaseModel):
    """What the workflow did for one event of a potential; ``reason`` says why it did nothing, or not all."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    event_id: str
    event_type: str
    potential_id: str
    potential_version: int
    trigger: Trigger
    outcome: Outcome
    reason: str | None
    commands: list[CommandOut]
    attempts: int
    correlation_id: str | None
    started_at: datetime
    finished_at: datetime | None
