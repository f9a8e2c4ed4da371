"""What may be done with a record now, and why not: by the same rules that refuse it when it is tried."""

from collections.abc import Mapping

from pydantic import BaseModel
from servicekit.auth import Principal, Role, refusal
from servicekit.errors import Problem


class AllowedAction(BaseModel):
    """``reason``: why not, if it is not allowed."""

    action: str
    allowed: bool
    reason: str | None = None


def listed(
    refusals: Mapping[str, Problem | None], principal: Principal, needing: Mapping[str, Role]
) -> list[AllowedAction]:
    """Every action with the reason that its rule gives; ``needing``: the role for one that takes more than member's."""
    return [
        _judged(action, refusal(needing.get(action, "member"), principal) or why) for action, why in refusals.items()
    ]


def _judged(action: str, why: Problem | None) -> AllowedAction:
    return AllowedAction(action=action, allowed=why is None, reason=why.detail if why else None)
