"""The form of a stage."""

from contracts.potentials import PotentialStatus
from pydantic import BaseModel, ConfigDict


class StageOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    position: int
    status: PotentialStatus
