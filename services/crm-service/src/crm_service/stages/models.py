"""A stage, and the pipeline they make."""

from collections.abc import Sequence

from contracts.potentials import PotentialStatus
from servicekit.errors import Invalid
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from crm_service.base import Base


class UnknownStage(Invalid):
    """No stage has this name."""

    code = "stage_not_found"


class Stage(Base):
    """A step of the pipeline; ``status`` is what a potential in it counts as."""

    __tablename__ = "stages"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    position: Mapped[int] = mapped_column(unique=True)
    status: Mapped[PotentialStatus] = mapped_column(String(8))


class Pipeline:
    """The stages, in order; there is always one."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages = stages
        self._by_name = {stage.name: stage for stage in stages}

    def stage(self, name: str | None) -> Stage:
        """The stage of this name; the first one for None. Raises `UnknownStage`, which names the valid ones."""
        if name is None:
            return self.stages[0]
        if (found := self._by_name.get(name)) is None:
            message = f"there is no stage {name!r}; the stages are {', '.join(self._by_name)}"
            raise UnknownStage(
                f"stage: {message}", errors=[{"field": "stage", "code": UnknownStage.code, "message": message}]
            )
        return found
