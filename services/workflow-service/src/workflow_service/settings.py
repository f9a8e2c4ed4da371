"""What the workflow service takes as settings."""

from pydantic import Field
from servicekit.settings import Settings


class WorkflowSettings(Settings):
    """The workflow service's settings."""

    port: int = Field(8004, ge=0, le=65535)
