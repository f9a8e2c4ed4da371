"""What requests carry, and what answers look like."""

from datetime import datetime
from typing import Annotated, Self

from contracts.customers import CrmRecordType
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from servicekit.fields import Body, Edit, Email

from sync_service.runs import RunStatus


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


class Counts(BaseModel):
    """Records by what became of them; all but ``read`` add up to ``read``."""

    read: int
    created: int
    updated: int
    unchanged: int
    deleted: int
    made_inactive: int
    failed: int


class ImportOut(BaseModel):
    """An import run."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    organization_id: str
    status: RunStatus
    reason: str | None
    counts: Counts
    started_by: str
    created_at: datetime
    finished_at: datetime | None


class FailureOut(BaseModel):
    """A record that was not imported, and why."""

    model_config = ConfigDict(from_attributes=True)

    record_type: CrmRecordType
    record_id: str
    reason: str


class ImportDetails(ImportOut):
    """An import run with its failures; of very many the first are kept, ``counts.failed`` tells how many there were."""

    failures: list[FailureOut]


class ConnectionEdit(Edit):
    """What of the connection can be changed; only what is sent is."""

    auto_update: bool | None = None
    interval_hours: Annotated[int, Field(ge=1, le=168)] | None = None


class ConnectionOut(BaseModel):
    """The connection, and the import that was started last."""

    model_config = ConfigDict(from_attributes=True)

    organization_id: str
    organization_name: str
    email: str
    auto_update: bool
    interval_hours: int
    connected_at: datetime
    updated_at: datetime
    version: int
    last_import: ImportOut | None = None
