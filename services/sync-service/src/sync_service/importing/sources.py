"""Where the records of a run come from: the CRM's export feed, a run's failures, and what Invoice holds besides."""

import asyncio
from collections import defaultdict
from typing import Protocol

from contracts.customers import CrmRecord, CrmRecordType, HeldCrmRecord
from servicekit import tasks
from servicekit.db import Database

from sync_service.clients.crm import Crm
from sync_service.clients.invoice import Invoice
from sync_service.importing.reading import Portion, Read, read, read_all
from sync_service.runs import records
from sync_service.runs.models import ImportRun, Position
from sync_service.runs.records import Failure

RETRIED_AT_ONCE = 500
GONE = "the CRM does not have it any more"


class Source(Protocol):
    """Gives the pages of one run. Raises `Unavailable` and `Refused`."""

    async def portion(self, at: Position) -> Portion:
        """The page at this position."""
        ...


class Feed:
    """The CRM's export feed: accounts, then contacts. ``last``: what comes after the contacts, if anything."""

    def __init__(self, crm: Crm, run: ImportRun, *, last: Position | None = None) -> None:
        self._crm = crm
        self._run = run
        self._last = last

    async def portion(self, at: Position) -> Portion:
        assert at.stage != "held"
        page = await self._crm.export(at.stage, zsc_key_id=self._run.zsc_key_id, cursor=at.cursor)
        reads, broken = read_all(at.stage, page.items, correlation_id=self._run.correlation_id)
        if page.next_cursor is not None:
            return Portion(reads, Position(at.stage, page.next_cursor), broken)
        return Portion(reads, Position("contact") if at.stage == "account" else self._last, broken)


class FeedAndHeld:
    """The feed, and after it the records that are live in Invoice while the CRM does not have them at all.

    These are read as deleted, at the version after the one that Invoice holds.
    """

    def __init__(self, crm: Crm, invoice: Invoice, run: ImportRun) -> None:
        self._feed = Feed(crm, run, last=Position("held"))
        self._crm = crm
        self._invoice = invoice
        self._run = run

    async def portion(self, at: Position) -> Portion:
        if at.stage != "held":
            return await self._feed.portion(at)
        page = await self._invoice.held(self._run.organization_id, at.cursor)
        by_type: dict[CrmRecordType, list[HeldCrmRecord]] = defaultdict(list)
        for one in page.items:
            by_type[one.record_type].append(one)
        reads: list[Read] = []
        for record_type, held in by_type.items():
            ids = [one.record_id for one in held]
            there = await self._crm.lookup(record_type, ids, zsc_key_id=self._run.zsc_key_id)
            reads += [Read(self._gone(one), "") for one in held if one.record_id not in there]
        return Portion(reads, Position("held", page.next_cursor) if page.next_cursor is not None else None)

    def _gone(self, held: HeldCrmRecord) -> CrmRecord:
        return CrmRecord(
            record_type=held.record_type,
            record_id=held.record_id,
            version=held.version + 1,
            deleted=True,
            correlation_id=self._run.correlation_id,
        )


class Failures:
    """What another run failed at, as it is in the CRM now: accounts, then contacts."""

    def __init__(self, database: Database, crm: Crm, run: ImportRun) -> None:
        self._database = database
        self._crm = crm
        self._run = run

    async def portion(self, at: Position) -> Portion:
        assert at.stage != "held"
        async with self._database.reading() as session:
            failed = await records.failures_after(
                session, self._run.retry_of or "", at.stage, at.cursor, RETRIED_AT_ONCE
            )
        found = await self._crm.lookup(at.stage, [one.record_id for one in failed], zsc_key_id=self._run.zsc_key_id)
        reads: list[Read] = []
        broken: list[Failure] = []
        for one in failed:
            if one.record_id not in found:
                broken.append(Failure(at.stage, one.record_id, one.name, GONE if one.record_id else one.reason))
                continue
            match read(at.stage, found[one.record_id], correlation_id=self._run.correlation_id):
                case Read() as well:
                    reads.append(well)
                case Failure() as failure:
                    broken.append(failure)
        if len(failed) == RETRIED_AT_ONCE:
            return Portion(reads, Position(at.stage, failed[-1].id), broken)
        return Portion(reads, Position("contact") if at.stage == "account" else None, broken)


class ReadAhead:
    """Reads the next page of a source while this one is worked on; one that could not be read is read again."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._ahead: tuple[Position, asyncio.Task[Portion]] | None = None

    async def portion(self, at: Position) -> Portion:
        """The page at this position; from now on the one after it is being read."""
        known, self._ahead = self._ahead, None
        if known is not None and known[0] == at:
            found = await known[1]
        else:
            await self._end(known)
            found = await self._source.portion(at)
        if found.then is not None:
            self._ahead = (found.then, asyncio.create_task(self._source.portion(found.then)))
        return found

    async def close(self) -> None:
        """Read no further."""
        known, self._ahead = self._ahead, None
        await self._end(known)

    async def _end(self, known: tuple[Position, asyncio.Task[Portion]] | None) -> None:
        if known is not None:
            await tasks.end([known[1]])
