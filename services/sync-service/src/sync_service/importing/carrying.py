"""What is done with the records that a run has read: they are applied, or it is planned how they would be.

Both go through the same commands in the same order, and both take in what the records stand on: a contact's account
that Invoice does not know comes along from the CRM, unless this run has failed at it.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from contracts.customers import CrmRecord, CrmRecordKey, CrmRecordResult, CrmRecordType
from servicekit.db import Database
from servicekit.errors import Unavailable
from servicekit.http import Refused

from sync_service.clients.crm import Crm
from sync_service.clients.invoice import Invoice, commands, failed, for_the_records
from sync_service.importing.reading import Read, key_of, read_all
from sync_service.runs import records
from sync_service.runs.models import ImportRun
from sync_service.runs.records import Failure

LET_EVENTS_ARRIVE_SECONDS = 0.5


@dataclass(frozen=True)
class Carried:
    """What became of each record. ``broken``: what came along and could not be read. ``places``: as planned."""

    done: Sequence[tuple[Read, CrmRecordResult]]
    broken: Sequence[Failure] = field(default=())
    places: int = 0


class Carrier(Protocol):
    """Does what a run is there for with a page of its records. Raises `Unavailable` and `Refused`."""

    async def carry(self, reads: Sequence[Read]) -> Carried: ...


class _Of:
    """What all of them need, for one run."""

    def __init__(self, database: Database, crm: Crm, invoice: Invoice, run: ImportRun) -> None:
        self._database = database
        self._crm = crm
        self._invoice = invoice
        self._run = run

    async def _failed_before(self, keys: Iterable[CrmRecordKey]) -> set[CrmRecordKey]:
        async with self._database.reading() as session:
            return await records.failed_among(session, self._run.id, keys)

    async def _look_up(self, keys: Iterable[CrmRecordKey]) -> tuple[list[Read], list[Failure]]:
        """These records as they are in the CRM now, as far as it has them; accounts first."""
        ids: dict[CrmRecordType, list[str]] = {"account": [], "contact": []}
        for key in keys:
            ids[key.record_type].append(key.record_id)
        reads: list[Read] = []
        broken: list[Failure] = []
        for record_type, wanted in ids.items():
            found = await self._crm.lookup(record_type, wanted, zsc_key_id=self._run.zsc_key_id) if wanted else {}
            well, not_well = read_all(record_type, [*found.values()], correlation_id=self._run.correlation_id)
            reads += well
            broken += not_well
        return reads, broken


class Applying(_Of):
    """Applies the records, each if it is newer than what Invoice holds."""

    reapply = False

    async def carry(self, reads: Sequence[Read]) -> Carried:
        done = await self._apply(reads)
        wanted = {_account_of(one) for one, result in done if result.outcome == "account_missing"}
        wanted -= await self._failed_before(wanted)
        accounts, broken = await self._look_up(wanted)
        if accounts:
            along = await self._apply(accounts)
            waiting = [one for one, result in done if result.outcome == "account_missing"]
            again = {one.key: (one, result) for one, result in await self._apply(waiting)}
            done = along + [again.get(one.key, (one, result)) for one, result in done]
        return Carried(done, broken)

    async def _apply(self, reads: Sequence[Read]) -> list[tuple[Read, CrmRecordResult]]:
        results = await self._invoice.apply(
            self._run.organization_id,
            [one.record for one in reads],
            # What the CRM does not have goes at the next version; that may have come live, with the record back.
            reapply=self.reapply and self._run.position.stage != "held",
            explain=True,
        )
        return list(zip(reads, results, strict=True))


class Mending(Applying):
    """Applies the records again where Invoice holds the same version, too: what was changed there comes back.

    A page may be older than what a live event has brought meanwhile. So Invoice keeps what is newer, however often it
    is asked, and the CRM is asked for it again. What is older there even then was set back in the CRM, for an event
    comes after its change; it goes to Invoice in the place of just that newer version.
    """

    reapply = True

    async def _apply(self, reads: Sequence[Read]) -> list[tuple[Read, CrmRecordResult]]:
        done = await super()._apply(reads)
        older = {one.key: result for one, result in done if _kept(one.record, result)}
        now = [_in_place_of(one, older[one.key]) for one in (await self._look_up(older))[0]]
        if now:
            again = {one.key: (one, result) for one, result in await super()._apply(now)}
            done = [again.get(one.key, (one, result)) for one, result in done]
        return done


class Planning(_Of):
    """Plans what `Applying` would do, and changes nothing.

    Invoice names what else of the records that would have been applied before matters to a command, and gets it: from
    the CRM, or the word that the run has failed at it.
    """

    reapply = False

    async def carry(self, reads: Sequence[Read]) -> Carried:
        planned = _Planned()
        for command in commands([one.record for one in reads]):
            await self._plan(command, planned)
        return Carried(list(zip(reads, planned.results, strict=True)), places=planned.places)

    async def _plan(self, command: Sequence[CrmRecord], planned: "_Planned") -> None:
        """Plan one command; if Invoice cannot even read a record, that one fails by itself."""
        try:
            await self._ask(command, planned)
        except Refused as refused:
            if not for_the_records(refused):
                raise
            if len(command) == 1:
                if planned.with_others and not _blames(refused, "records"):
                    raise
                planned.add(command, [failed(command[0], refused)])
                return
            half = len(command) // 2
            await self._plan(command[:half], planned)
            await self._plan(command[half:], planned)

    async def _ask(self, command: Sequence[CrmRecord], planned: "_Planned") -> None:
        earlier: dict[CrmRecordKey, CrmRecord] = {}
        refused: set[CrmRecordKey] = set()
        gone: set[CrmRecordKey] = set()
        after_all = self._run.position.stage == "held"
        while True:
            planned.with_others = bool(earlier or refused or gone)
            sent = sorted(earlier, key=_order)
            try:
                plan = await self._invoice.plan(
                    self._run.organization_id,
                    command,
                    earlier=[earlier[key] for key in sent],
                    refused=sorted(refused, key=_order),
                    places_taken=self._run.places_taken + planned.places,
                    reapply=self.reapply,
                    after_all=after_all,
                    gone=sorted(gone, key=_order),
                )
            except Refused as no:
                # What Invoice cannot even read would have failed by itself before.
                failed_before = [key for index, key in enumerate(sent) if _blames(no, f"earlier.{index}.")]
                if not failed_before:
                    raise
                for key in failed_before:
                    del earlier[key]
                refused.update(failed_before)
                continue
            if not plan.missing:
                planned.add(command, plan.results)
                planned.places += plan.places_taken
                return
            asked = set(plan.missing) - earlier.keys() - refused - gone
            if not asked:
                raise Unavailable("invoice asks for records that it was sent already; see its log", service="invoice")
            found, unknown = await self._come_before(asked, planned)
            if after_all:  # page by page, as the feed before
                gone |= {key for key in unknown if _order(key) < _order(key_of(command[0]))}
            earlier |= found
            refused |= asked - found.keys() - gone

    async def _come_before(
        self, keys: set[CrmRecordKey], planned: "_Planned"
    ) -> tuple[dict[CrmRecordKey, CrmRecord], set[CrmRecordKey]]:
        """Those of these records that the run would have applied by now; and those that the CRM does not know."""
        known = {key: planned.applied[key] for key in keys & planned.applied.keys()}
        others = keys - known.keys() - planned.failed
        others -= await self._failed_before(others)
        reads, broken = await self._look_up(others)
        found = known | {one.key: one.record for one in reads}
        there = {CrmRecordKey(record_type=one.record_type, record_id=one.record_id) for one in broken}
        return found, others - found.keys() - there


class Checking(Planning):
    """Plans what `Mending` would do: each difference between CRM and Invoice.

    An event may be on its way, or may have come after the page was read. So what differs, and what Invoice holds at a
    newer version, is read again a moment later, and planned anew.
    """

    reapply = True

    async def carry(self, reads: Sequence[Read]) -> Carried:
        carried = await super().carry(reads)
        differing = {
            one.key: result
            for one, result in carried.done
            if result.outcome not in ("unchanged", "failed") or _kept(one.record, result)
        }
        if not differing:
            return carried
        await asyncio.sleep(LET_EVENTS_ARRIVE_SECONDS)
        now = {one.key: _in_place_of(one, differing[one.key]) for one in (await self._look_up(differing))[0]}
        return await super().carry([now.get(one.key, one) for one in reads])


class _Planned:
    """What of a page is planned by now. ``with_others``: the command was last sent with records that come before."""

    def __init__(self) -> None:
        self.results: list[CrmRecordResult] = []
        self.applied: dict[CrmRecordKey, CrmRecord] = {}
        self.failed: set[CrmRecordKey] = set()
        self.places = 0
        self.with_others = False

    def add(self, command: Sequence[CrmRecord], results: Iterable[CrmRecordResult]) -> None:
        """Take in a command that was planned."""
        for record, result in zip(command, results, strict=True):
            self.results.append(result)
            if result.outcome in ("failed", "account_missing") or _kept(record, result):
                self.failed.add(key_of(record))
            else:
                self.applied[key_of(record)] = record


def _blames(refused: Refused, field: str) -> bool:
    """Whether the refusal names a field that begins like this."""
    return any(str(one.get("field", "")).startswith(field) for one in refused.problem.get("errors") or ())


def _kept(record: CrmRecord, result: CrmRecordResult) -> bool:
    """Whether Invoice holds a newer version than this, and kept it."""
    return result.outcome == "unchanged" and (result.known_version or 0) > record.version


def _in_place_of(one: Read, held: CrmRecordResult) -> Read:
    """The record as the CRM has it; if that is older than what Invoice holds, it may take the place of that."""
    if (held.known_version or 0) <= one.record.version:
        return one
    return replace(one, record=one.record.model_copy(update={"set_back_from": held.known_version}))


def _account_of(one: Read) -> CrmRecordKey:
    return CrmRecordKey(record_type="account", record_id=one.record.account_id or "")


def _order(key: CrmRecordKey) -> tuple[str, str]:
    return key.record_type, key.record_id
