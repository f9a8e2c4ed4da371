"""What the sync service takes as settings."""

from pydantic import Field
from servicekit.settings import Settings


class SyncSettings(Settings):
    """The sync service's settings."""

    port: int = Field(8003, ge=0, le=65535)
    sync_lease_seconds: float = Field(15, ge=0.5, le=300)
    sync_look_seconds: float = Field(2, ge=0.05, le=60)
    sync_check_hours: int = Field(24, ge=0, le=24 * 31)
