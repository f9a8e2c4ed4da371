"""Bringing Invoice to where a potential's snapshot asks it to be: decide, take the step, decide again.

Guarantee: whatever happened before (nothing, half of it, all of it), going through it again ends in the same state.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from contracts.potentials import PotentialSnapshot
from servicekit.db import utc_now
from servicekit.errors import Permanent, Transient
from servicekit.http import Refused
from servicekit.telemetry import log

from workflow_service.clients import Estimates, KeyUsed, Superseded
from workflow_service.policy import (
    AcceptEstimate,
    CreateEstimate,
    DeclineEstimate,
    Document,
    Nothing,
    Step,
    Trigger,
    decide,
)

Outcome = Literal["done", "skipped", "failed", "waiting"]
MOST_STEPS = 6
"""Creating and accepting are two; the others are for people and other processes that change things meanwhile."""

_NAMES = {CreateEstimate: "create_estimate", AcceptEstimate: "accept_estimate", DeclineEstimate: "decline_estimate"}


@dataclass
class Result:
    """What came of it. ``error`` is what the consumer is to be told; None: the event is done with."""

    outcome: Outcome = "skipped"
    reason: str | None = None
    started_at: datetime = field(default_factory=utc_now)
    commands: list[dict[str, Any]] = field(default_factory=list)
    error: Exception | None = None


async def reconcile(trigger: Trigger, potential: PotentialSnapshot, estimates: Estimates, *, was_due: bool) -> Result:
    """Do what `policy.decide` says, until there is nothing left; whatever happens is told in the result."""
    result = Result()
    try:
        await _reconcile(trigger, potential, estimates, result, was_due=was_due)
    except Superseded as error:
        result.outcome, result.reason = "skipped", f"superseded: {error}"
    except Transient as error:
        result.outcome, result.reason, result.error = "waiting", str(error), error
    except Permanent as error:
        result.outcome, result.reason, result.error = "failed", str(error), error
    except Exception as error:
        log.error("workflow_failed", potential_id=potential.id, exc_info=error)
        result.outcome, result.reason, result.error = "failed", f"a fault of ours: {type(error).__name__}", error
    return result


async def _reconcile(
    trigger: Trigger, potential: PotentialSnapshot, estimates: Estimates, result: Result, *, was_due: bool
) -> None:
    documents = await estimates.of(potential.id)
    refused: tuple[Step, Refused] | None = None
    for _ in range(MOST_STEPS):
        decision = decide(trigger, potential, documents, was_due=was_due)
        if isinstance(decision, Nothing):
            done = any(command["outcome"] == "done" for command in result.commands)
            result.outcome, result.reason = ("done", None) if done else ("skipped", decision.reason)
            return
        if refused is not None and refused[0] == decision:
            raise refused[1]
        command: dict[str, Any] = {"command": _NAMES[type(decision)], "outcome": "waiting"}
        result.commands.append(command)
        try:
            changed = await _take(decision, potential, estimates)
        except KeyUsed:
            documents = await estimates.of(potential.id)
            command["outcome"] = "skipped"
            if not documents:
                result.reason = "its estimate was deleted in Invoice; the workflow does not make it again"
                return
        except Refused as error:
            # Someone may have changed it between our look and our step.
            command["outcome"] = "failed"
            refused = (decision, error)
            documents = await estimates.of(potential.id)
        except Superseded:
            command["outcome"] = "skipped"
            raise
        else:
            command |= {"outcome": "done", "estimate_id": changed.id, "estimate_number": changed.number}
            documents = [*(one for one in documents if one.id != changed.id), changed]
    raise Transient("the estimate kept changing while it was worked on")


async def _take(step: Step, potential: PotentialSnapshot, estimates: Estimates) -> Document:
    match step:
        case CreateEstimate():
            return await estimates.create(potential)
        case AcceptEstimate(estimate_id):
            return await estimates.set_status(estimate_id, "accepted", potential)
        case DeclineEstimate(estimate_id):
            return await estimates.set_status(estimate_id, "declined", potential)
