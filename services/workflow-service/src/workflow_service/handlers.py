"""Events of potentials, and runs that a person tries again: from what happened to a run with its outcome."""

from typing import Any

from contracts.event import Event
from contracts.potentials import PotentialSnapshot
from contracts.topology import WORKFLOW_POTENTIALS
from servicekit.bus.consumer import Received
from servicekit.bus.dead_letters import dead_letters
from servicekit.db import Database
from servicekit.errors import Conflict, Unavailable
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from workflow_service import activation, potentials, runs
from workflow_service.policy import Trigger
from workflow_service.potentials import Known
from workflow_service.reconciling import Reconciling
from workflow_service.results import Result
from workflow_service.runs import Occurrence, RunNotRetriable, WorkflowRun

MOST_ROUNDS = 5
"""How often others may learn more of a potential while it is worked on, before it is left for later."""


class NotActive(Conflict):
    """The workflow is not active."""

    code = "workflow_not_active"


class Workflow:
    """Carries out what the policy decides, and writes it down. No transaction is open while Invoice is called."""

    def __init__(self, database: Database, reconciling: Reconciling) -> None:
        self._database = database
        self._reconciling = reconciling

    async def handle(self, received: Received) -> None:
        """Handle one event of a potential; of a time at which the workflow was not active it is only learnt (S14).

        Raises what the attempt ended with (transient or permanent), after it was written down.
        """
        event: Event[PotentialSnapshot] = received.event
        envelope = received.envelope
        occurrence = Occurrence(envelope.id, envelope.type, envelope.time, envelope.correlationid, event.data)
        async with self._database.reading() as session:
            setting = await activation.read(session)
            was_active = await activation.was_active(session, occurrence.event_time)
            run = await runs.of_event(session, occurrence.event_id)
        if run is not None and run.outcome in runs.HANDLED:
            return
        if not (setting.active and was_active):
            await self._learn(None, occurrence, was_active=was_active)
            if was_active:
                await self._give_up(setting.trigger, occurrence)
            return
        _, error = await self._carry_out(setting.trigger, occurrence)
        if error is not None:
            raise error

    async def retry(self, run_id: str) -> WorkflowRun:
        """Carry a run out again, now. Raises `runs.RunNotFound`, `RunNotRetriable`, `NotActive`, `Unavailable`.

        How it ends this time is in the run.
        """
        async with self._database.reading() as session:
            setting = await activation.read(session)
            run = await runs.get(session, run_id)
        if run.outcome in runs.HANDLED:
            raise RunNotRetriable(f"the run {run_id} is {run.outcome}; only failed and waiting ones are tried again")
        if not setting.active:
            raise NotActive("the workflow is not active; activate it first: PUT /v1/workflow")
        tried, _ = await self._carry_out(setting.trigger, run.occurrence)
        return tried

    async def _carry_out(self, trigger: Trigger, occurrence: Occurrence) -> tuple[WorkflowRun, Exception | None]:
        """Bring Invoice to where the newest known state of the potential asks it to be, and write that down.

        An event that is older than what is known leads there, too: what it may have done before more was known, half
        an attempt of another process perhaps, is put right by it.
        """
        done: list[dict[str, Any]] = []
        for _ in range(MOST_ROUNDS):
            known = await self._learn(trigger, occurrence, was_active=True)
            result = await self._reconciling.reconcile(trigger, known)
            if result.outcome == "skipped" and known.newest.version > occurrence.potential.version:
                result.reason = (
                    f"superseded: version {known.newest.version} of the potential is followed; {result.reason}"
                )
            result.commands = [*done, *result.commands]
            run = await self._write(trigger, occurrence, known, result)
            if run is not None:
                return run, result.error
            done = [command for command in result.commands if command["outcome"] == "done"]
        raise Unavailable("other processes keep learning more of the same potential; try again later")

    async def _learn(self, trigger: Trigger | None, occurrence: Occurrence, *, was_active: bool) -> Known:
        return await potentials.learn(
            self._database,
            trigger,
            occurrence.potential,
            was_active=was_active,
            new_status=occurrence.new_status,
        )

    async def _write(
        self, trigger: Trigger, occurrence: Occurrence, known: Known, result: Result
    ) -> WorkflowRun | None:
        """The run as it is then; None, and nothing is written, if more is known of the potential by now."""
        try:
            async with self._database.transaction() as session:
                if not await potentials.note(session, known, result.memory):
                    return None
                return await self._note(session, trigger, occurrence, result)
        except IntegrityError as error:
            raise Unavailable("another process is handling the same event; try again later") from error

    async def _give_up(self, trigger: Trigger, occurrence: Occurrence) -> None:
        async with self._database.transaction() as session:
            result = Result("skipped", "the workflow was deactivated before it got to this")
            await self._note(session, trigger, occurrence, result)

    async def _note(
        self, session: AsyncSession, trigger: Trigger, occurrence: Occurrence, result: Result
    ) -> WorkflowRun:
        run = await runs.of_event(session, occurrence.event_id, locked=True)
        if run is None:
            run = WorkflowRun.of(occurrence, started_at=result.started_at)
            session.add(run)
        run.attempted(trigger, result)
        if run.attempts > 1 and run.outcome in runs.HANDLED:
            # It may have been given up on before, and is not any more.
            letter = dead_letters.c
            is_its = (letter.queue == WORKFLOW_POTENTIALS.name) & (letter.event_id == occurrence.event_id)
            await session.execute(delete(dead_letters).where(is_its))
        await session.flush()
        return run
