"""This process's worker: carries out runs, page by page (S30).

Guarantees: after a page was carried out, the run's counts, lists and cursor are saved together, so an interrupted run
goes on there, at worst with one page a second time, which changes nothing (Invoice goes by the records' versions) and
counts as unchanged. A service that does not answer, or answers nonsense, is tried again with growing delays; then the
run fails, saying why and what to do. Memory does not grow with the number of records: two pages are held at a time.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from servicekit import tasks
from servicekit.db import Database, new_id
from servicekit.errors import Unavailable
from servicekit.http import Refused
from servicekit.telemetry import correlated, log
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sync_service import connections, schedule
from sync_service.clients.crm import KEY_REFUSALS, Crm
from sync_service.clients.invoice import Invoice
from sync_service.importing.carrying import Applying, Carried, Carrier, Checking, Mending, Planning
from sync_service.importing.listing import Listed, listed
from sync_service.importing.reading import Portion
from sync_service.importing.sources import Failures, Feed, FeedAndHeld, ReadAhead, Source
from sync_service.runs import leases, records
from sync_service.runs.leases import Overtaken
from sync_service.runs.models import ImportRun, PageDone, RunKind

LOOK_AGAIN_SECONDS = 2.0
LONGEST_DELAY = 60.0

_CARRIERS: dict[RunKind, type[Applying | Planning]] = {
    "import": Applying,
    "retry": Applying,
    "dry_run": Planning,
    "check": Checking,
    "mend": Mending,
}

T = TypeVar("T")


class Worker:
    """``delays``: seconds to wait after the first, second … failed attempt. For ``lease_seconds`` see `leases`."""

    def __init__(
        self, database: Database, crm: Crm, invoice: Invoice, *, delays: Sequence[float], lease_seconds: float
    ) -> None:
        self._database = database
        self._crm = crm
        self._invoice = invoice
        self._delays = delays
        self._lease_seconds = lease_seconds
        self._id = new_id()
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There is a run to carry out."""
        self._wake.set()

    async def run(self) -> None:
        """Carry out what is there and what will come; ends only by being cancelled."""
        while True:
            self._wake.clear()
            run = await leases.take(self._database, self._id, seconds=self._lease_seconds)
            if run is not None:
                with correlated(run.correlation_id):
                    await self._under_lease(run)
                await records.forget_old(self._database)
                continue
            # Not wait_for: in Python 3.11 it may swallow the cancellation that ends this.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                    await self._wake.wait()

    async def _under_lease(self, run: ImportRun) -> None:
        """Carry the run out while the lease holds; without it, or when this process stops, let go of it at once."""
        work = asyncio.create_task(self._carry_out(run))
        keeping = asyncio.create_task(self._keep_lease(run.id))
        try:
            await asyncio.wait({work, keeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await tasks.end([work, keeping])
            with contextlib.suppress(OSError, DBAPIError, PoolTimeout):  # then it runs out by itself
                await leases.renew(self._database, run.id, self._id, seconds=0)
        if not work.cancelled():
            work.result()

    async def _keep_lease(self, run_id: str) -> None:
        """Renew the lease; returns when it was lost."""
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            try:
                if not await leases.renew(self._database, run_id, self._id, seconds=self._lease_seconds):
                    log.info("import_overtaken", import_id=run_id)
                    return
            except (OSError, DBAPIError, PoolTimeout) as error:
                log.warning("lease_not_renewed", import_id=run_id, error=type(error).__name__)

    async def _carry_out(self, run: ImportRun) -> None:
        log.info("import_begins", import_id=run.id, kind=run.kind, stage=run.stage, cursor=run.cursor)
        ahead = ReadAhead(self._source(run))
        try:
            run = await self._count(run)
            while run.status == "running":
                run = await self._page(run, ahead)
        except Overtaken:
            log.info("import_overtaken", import_id=run.id)
            return
        except (Refused, Unavailable) as error:
            await self._fail(run, _what_to_do(error), transient=isinstance(error, Unavailable))
        except Exception as error:
            if _database_is_away(error):
                raise  # the run is taken again
            # Left as it is, it would be tried again and again, and nobody told.
            log.error("import_failed", import_id=run.id, exc_info=error)
            await self._fail(run, f"a fault of ours ({type(error).__name__}); see the log", transient=False)
        else:
            told = log.warning if run.kind == "check" and run.changes + run.failed else log.info
            told("import_ended", import_id=run.id, kind=run.kind, differences=run.changes, **run.counts)
        finally:
            await ahead.close()

    def _source(self, run: ImportRun) -> Source:
        match run.kind:
            case "retry":
                return Failures(self._database, self._crm, run)
            case "check" | "mend":
                return FeedAndHeld(self._crm, self._invoice, run)
            case _:
                return Feed(self._crm, run)

    async def _count(self, run: ImportRun) -> ImportRun:
        """Find out how many records there are to read, if that is not known yet."""
        if run.total is not None:
            return run
        total = await self._patiently(run, lambda: self._crm.counts(zsc_key_id=run.zsc_key_id))
        async with self._database.transaction() as session:
            current = await leases.mine(session, run.id, self._id)
            current.total = total
            current.reason = None
        return current

    async def _page(self, run: ImportRun, ahead: ReadAhead) -> ImportRun:
        """Carry out the run's next page and give the run as it is then; raises `Overtaken`."""
        portion = await self._patiently(run, lambda: ahead.portion(run.position))
        carrier: Carrier = _CARRIERS[run.kind](self._database, self._crm, self._invoice, run)
        carried = Carried([])
        if portion.reads:
            carried = await self._patiently(run, lambda: carrier.carry(portion.reads))
        told = listed(
            carried.done, [*portion.broken, *carried.broken], kind=run.kind, held=run.position.stage == "held"
        )
        return await self._save(run, portion, carried, told)

    async def _save(self, run: ImportRun, portion: Portion, carried: Carried, told: Listed) -> ImportRun:
        async with self._database.transaction() as session:
            # Before the run's own row, as everywhere.
            connection = await connections.lock(session) if portion.then is None else None
            current = await leases.mine(session, run.id, self._id)
            await records.keep_failures(session, current, told.failures)
            await records.keep_changes(session, current, told.changes)
            if current.changes:
                await records.have_contacts(session, current.id, told.with_contacts)
            current.page_done(
                PageDone(
                    read=told.outcomes.total(),
                    outcomes=told.outcomes,
                    then=portion.then,
                    changes=len(told.changes),
                    failures=len(told.failures),
                    places=carried.places,
                )
            )
            if connection is not None:
                schedule.ended(connection, current)
        return current

    async def _patiently(self, run: ImportRun, attempt: Callable[[], Awaitable[T]]) -> T:
        """What the attempt gives, tried again for a while if a service is away; raises `Unavailable` in the end."""
        for delay in self._delays:
            try:
                return await attempt()
            except Unavailable as error:
                wait = min(delay, LONGEST_DELAY)
                log.warning("import_waits", import_id=run.id, reason=str(error), delay=wait)
                await leases.tell(self._database, run.id, self._id, f"waits and tries again: {error}")
                await asyncio.sleep(wait)
        return await attempt()

    async def _fail(self, run: ImportRun, reason: str, *, transient: bool) -> None:
        log.warning("import_failed", import_id=run.id, reason=reason)
        async with self._database.transaction() as session:
            connection = await connections.lock(session)
            with contextlib.suppress(Overtaken):
                current = await leases.mine(session, run.id, self._id)
                current.end("failed", records.storable(reason))
                schedule.ended(connection, current, transient=transient)


def _what_to_do(error: Refused | Unavailable) -> str:
    if isinstance(error, Unavailable):
        return f"{error}. Nothing is lost: import again when it answers."
    if error.code in KEY_REFUSALS:
        return (
            f"{error}. Make a ZSC key in the CRM and import with it (POST /v1/imports with email and zsc_key): what "
            "was imported stays, and the import goes on from there."
        )
    return f"{error}. What was imported stays; import again when this is mended."


def _database_is_away(error: Exception) -> bool:
    away = isinstance(error, DBAPIError) and error.connection_invalidated
    return away or isinstance(error, OSError | PoolTimeout)
