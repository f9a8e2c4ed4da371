"""What the sync service takes as settings."""

from pydantic import Field
from servicekit.settings import Settings


class SyncSettings(Settings):
    """The sync service's settings."""

    port: int = Field(8003, ge=0, le=65535)
