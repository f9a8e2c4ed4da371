"""Events of potentials, and runs that a person tries again: from what happened to a run with its outcome."""

from contracts.event import Event
from contracts.potentials import PotentialSnapshot
from contracts.topology import WORKFLOW_POTENTIALS
from servicekit.bus.consumer import Received
from servicekit.bus.dead_letters import dead_letters
from servicekit.db import Database
from servicekit.errors import Conflict, Transient
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from workflow_service import activation, runs
from workflow_service.activation import Activation
from workflow_service.clients import Estimates
from workflow_service.reconciling import Result, reconcile
from workflow_service.runs import Occurrence, RunNotRetriable, WorkflowRun


class NotActive(Conflict):
    """The workflow is not active."""

    code = "workflow_not_active"


class Workflow:
    """Carries out what the policy decides, and writes it down. No transaction is open while Invoice is called."""

    def __init__(self, database: Database, estimates: Estimates) -> None:
        self._database = database
        self._estimates = estimates

    async def handle(self, received: Received) -> None:
        """Handle one event of a potential; while the workflow is not active it causes nothing (S14).

        Raises what the attempt ended with, `Transient` or `Permanent`, after it was written down.
        """
        event: Event[PotentialSnapshot] = received.event
        envelope = received.envelope
        occurrence = Occurrence(envelope.id, envelope.type, envelope.correlationid, event.data)
        async with self._database.reading() as session:
            setting = await activation.read(session)
            run = await runs.of_event(session, occurrence.event_id)
            newest = await runs.handled_version(session, occurrence.potential.id)
        if run is not None and run.outcome in runs.HANDLED:
            return
        if setting.active:
            result = await self._attempt(setting, occurrence.potential, newest)
        elif run is not None:
            result = Result("skipped", "the workflow was deactivated before it got to this")
        else:
            return
        await self._write(setting, occurrence, result)
        if result.error is not None:
            raise result.error

    async def retry(self, run_id: str) -> WorkflowRun:
        """Carry a run out again, now, with the potential as its event told of it.

        Raises `runs.RunNotFound`, `RunNotRetriable`, `NotActive`. How it ends this time is in the run.
        """
        async with self._database.reading() as session:
            setting = await activation.read(session)
            run = await runs.get(session, run_id)
            newest = await runs.handled_version(session, run.potential_id)
        if run.outcome in runs.HANDLED:
            raise RunNotRetriable(f"the run {run_id} is {run.outcome}; only failed and waiting ones are tried again")
        if not setting.active:
            raise NotActive("the workflow is not active; activate it first: PUT /v1/workflow")
        occurrence = run.occurrence
        result = await self._attempt(setting, occurrence.potential, newest)
        return await self._write(setting, occurrence, result)

    async def _attempt(self, setting: Activation, potential: PotentialSnapshot, newest: int) -> Result:
        if newest > potential.version:
            return Result("skipped", f"superseded: version {newest} of the potential was followed already")
        return await reconcile(setting.trigger, potential, self._estimates)

    async def _write(self, setting: Activation, occurrence: Occurrence, result: Result) -> WorkflowRun:
        try:
            async with self._database.transaction() as session:
                run = await runs.of_event(session, occurrence.event_id, locked=True)
                if run is None:
                    run = WorkflowRun.of(occurrence, started_at=result.started_at)
                    session.add(run)
                run.attempted(setting.trigger, result)
                if run.attempts > 1 and run.outcome in runs.HANDLED:
                    # It may have been given up on before, and is not any more.
                    letter = dead_letters.c
                    is_its = (letter.queue == WORKFLOW_POTENTIALS.name) & (letter.event_id == occurrence.event_id)
                    await session.execute(delete(dead_letters).where(is_its))
        except IntegrityError as error:
            raise Transient("another process is handling the same event") from error
        return run
