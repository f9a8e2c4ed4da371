"""What requests about the connection carry, and what answers look like."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from servicekit.fields import Edit

from sync_service.runs.schemas import ImportOut


class ConnectionEdit(Edit):
    """What of the connection can be changed; only what is sent is."""

    auto_update: bool | None = None
    interval_hours: Annotated[int, Field(ge=1, le=168)] | None = None


class ConnectionOut(BaseModel):
    """The connection, the import and the check that were started last, and when the next ones are due.

    ``next_run_at``: null without auto-update, and while an import is under way.
    """

    model_config = ConfigDict(from_attributes=True)

    organization_id: str
    organization_name: str
    email: str
    auto_update: bool
    interval_hours: int
    connected_at: datetime
    updated_at: datetime
    version: int
    next_run_at: datetime | None
    next_check_at: datetime | None
    last_import: ImportOut | None = None
    last_check: ImportOut | None = None
