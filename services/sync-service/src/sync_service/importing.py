"""Carrying out imports: page by page from the CRM's feed to Invoice, accounts first, then contacts (S30).

Guarantees: one import at a time; after a page was applied its cursor is saved, so an interrupted import goes on there,
at worst with one page a second time, which changes nothing (Invoice goes by the records' versions) and counts as
unchanged. A service that does not answer is tried again with growing delays, and then the run fails with the reason.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from contracts.accounts import AccountSnapshot
from contracts.contacts import ContactSnapshot
from contracts.customers import CrmRecord, CrmRecordType, RecordOutcome
from pydantic import ValidationError
from servicekit.db import Database, new_id
from servicekit.errors import Unavailable
from servicekit.http import Refused
from servicekit.telemetry import correlated, log

from sync_service import runs
from sync_service.clients import Crm, FeedPage, Invoice
from sync_service.mapping import CrmSnapshot, Unmappable, to_crm_record
from sync_service.runs import Failure, ImportRun, Overtaken

LOOK_AGAIN_SECONDS = 10.0
LONGEST_DELAY = 60.0
"""Shorter than `runs.ABANDONED_AFTER`: a run that waits is not abandoned."""

_SNAPSHOTS: dict[CrmRecordType, type[CrmSnapshot]] = {"account": AccountSnapshot, "contact": ContactSnapshot}


class Importer:
    """This process's worker. ``delays``: seconds to wait after the first, second … failed attempt at a page."""

    def __init__(self, database: Database, crm: Crm, invoice: Invoice, *, delays: Sequence[float]) -> None:
        self._database = database
        self._crm = crm
        self._invoice = invoice
        self._delays = delays
        self._worker = new_id()
        self._wake = asyncio.Event()
        self._just_started = True

    def wake(self) -> None:
        """There is a run to carry out."""
        self._wake.set()

    async def run(self) -> None:
        """Carry out what is there and what will come; ends only by being cancelled."""
        while True:
            self._wake.clear()
            run = await runs.take(self._database, self._worker, at_start=self._just_started)
            self._just_started = False
            if run is not None:
                with correlated(run.correlation_id):
                    await self._carry_out(run)
                continue
            # Not wait_for: in Python 3.11 it may swallow the cancellation that ends this.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                    await self._wake.wait()

    async def _carry_out(self, run: ImportRun) -> None:
        log.info("import_begins", import_id=run.id, record_type=run.record_type, cursor=run.cursor)
        try:
            while run.status == "running":
                run = await self._page(run)
        except Overtaken:
            log.info("import_overtaken", import_id=run.id)
            return
        except (Refused, Unavailable) as error:
            await self._fail(run, str(error))
        except Exception as error:
            # Left as it is, it would be tried again and again, and nobody told.
            log.error("import_failed", import_id=run.id, exc_info=error)
            await self._fail(run, f"a fault of ours ({type(error).__name__}); see the log")
        else:
            log.info("import_ended", import_id=run.id, **run.counts)

    async def _page(self, run: ImportRun) -> ImportRun:
        """Apply the run's next page and give the run as it is then; raises `Overtaken`."""
        for delay in [*self._delays, None]:
            try:
                page = await self._crm.export(run.record_type, zsc_key_id=run.zsc_key_id, cursor=run.cursor)
                outcomes, failures = await self._apply(run, page)
                break
            except Unavailable as error:
                if delay is None:
                    raise
                log.warning("import_waits", import_id=run.id, reason=str(error), delay=min(delay, LONGEST_DELAY))
                await self._give_sign(run)
                await asyncio.sleep(min(delay, LONGEST_DELAY))
        async with self._database.transaction() as session:
            current = await runs.mine(session, run.id, self._worker)
            current.page_applied(len(page.items), outcomes, page.next_cursor)
            await runs.keep_failures(session, run.id, failures)
        return current

    async def _apply(self, run: ImportRun, page: FeedPage) -> tuple[Counter[RecordOutcome], list[Failure]]:
        outcomes: Counter[RecordOutcome] = Counter()
        failures: list[Failure] = []
        records: list[CrmRecord] = []
        for item in page.items:
            try:
                records.append(_record(run, item))
            except (Unmappable, ValidationError) as error:
                outcomes["failed"] += 1
                failures.append(Failure(run.record_type, str(item.get("id", "")), _why(error)))
        for result in await self._invoice.apply(run.organization_id, records):
            outcomes[result.outcome] += 1
            if result.outcome == "account_missing":
                reason = "its account is not in Invoice; import again"
                failures.append(Failure(result.record_type, result.record_id, reason))
            elif result.outcome == "failed":
                failures.append(Failure(result.record_type, result.record_id, result.reason or "refused by Invoice"))
        return outcomes, failures

    async def _give_sign(self, run: ImportRun) -> None:
        async with self._database.transaction() as session:
            (await runs.mine(session, run.id, self._worker)).claim(self._worker)

    async def _fail(self, run: ImportRun, reason: str) -> None:
        log.warning("import_failed", import_id=run.id, reason=reason)
        async with self._database.transaction() as session:
            try:
                (await runs.mine(session, run.id, self._worker)).end("failed", reason)
            except Overtaken:
                return


def _record(run: ImportRun, item: dict[str, Any]) -> CrmRecord:
    snapshot = _SNAPSHOTS[run.record_type].model_validate(item)
    return to_crm_record(snapshot, correlation_id=run.correlation_id)


def _why(error: Unmappable | ValidationError) -> str:
    if isinstance(error, Unmappable):
        return str(error)
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"not a record as the CRM describes it: {'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
