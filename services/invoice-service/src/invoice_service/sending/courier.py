"""The courier takes queued deliveries to their recipients.

Guarantee: an e-mail is sent at least once, or shown as failed with the reason. If the process dies between handing a
message over and writing that down, it is handed over again; the repetition has the same Message-ID. Two processes never
send one delivery at the same time: it is leased (`models.LEASE`), and an attempt is cut off long before its lease ends.

No transaction is open while a PDF is made or a mail server is spoken to.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from servicekit.db import Database, new_id, utc_now
from servicekit.errors import Problem
from servicekit.telemetry import correlated, log
from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.documents import drafting
from invoice_service.documents import queries as documents
from invoice_service.sending.mail import Mailer, Report
from invoice_service.sending.mailable import Mailable
from invoice_service.sending.message import message_of
from invoice_service.sending.models import Delivery, summary

AT_ONCE = 4
ATTEMPT_SECONDS = 120.0
POLL_SECONDS = (0.05, 15.0)
"""How long to wait before looking again: at least, and at most for what another process has queued."""
FAULT_PAUSE_SECONDS = 5.0
"""How long to wait before going on after a fault, such as a database that is away."""
JITTER = (0.8, 1.2)
WHO = "system"


class Courier:
    """Sends what is due, some at a time. ``delays``: seconds until the second, third, … attempt; then it gives up."""

    def __init__(
        self, database: Database, mailer: Mailer, mailables: Mapping[str, Mailable[Any]], *, delays: Sequence[float]
    ) -> None:
        self._database = database
        self._mailer = mailer
        self._mailables = mailables
        self._delays = delays
        self._wake = asyncio.Event()

    def wake_after(self, session: AsyncSession) -> None:
        """Look for work as soon as the session's transaction is committed."""
        event.listen(session.sync_session, "after_commit", lambda _: self._wake.set(), once=True)

    async def run(self) -> None:
        """Send whatever becomes due, until cancelled or a fault, such as a database that is away, is raised."""
        while True:
            self._wake.clear()
            while await self.send_due():
                pass
            pause = await self._pause()
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue

    async def send_due(self) -> int:
        """Claim some deliveries that are due and carry them out; how many that were."""
        lease = new_id()
        async with self._database.transaction() as session:
            claimed = await self._claim(session, lease, utc_now())
        attempts = (self._attempt(delivery, lease) for delivery in claimed)
        for ended in await asyncio.gather(*attempts, return_exceptions=True):
            if ended is not None:
                raise ended
        return len(claimed)

    async def _claim(self, session: AsyncSession, lease: str, now: datetime) -> list[Delivery]:
        due = (
            select(Delivery)
            .where(Delivery.status == "queued", Delivery.next_attempt_at <= now)
            .order_by(Delivery.next_attempt_at)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        found = (await session.execute(due)).scalars().all()
        known = {delivery.id: delivery.refused for delivery in found}
        claimed = [delivery for delivery in found if delivery.claim(lease, now, self._delays)]
        for delivery in found:
            await self._tell(session, delivery, known[delivery.id])
        await session.flush()
        return claimed

    async def _attempt(self, delivery: Delivery, lease: str) -> None:
        with correlated(delivery.id):
            await self._attempt_once(delivery, lease)

    async def _attempt_once(self, delivery: Delivery, lease: str) -> None:
        report = await self._carry_out(delivery)
        async with self._database.transaction() as session:
            current = await session.get(Delivery, delivery.id, with_for_update=True)
            # Without the lease, what failed here is another's affair by now; what arrived has arrived.
            if current is None or (current.lease != lease and not report.taken):
                return
            known = current.refused
            current.report(report, utc_now(), again_in=self._again_in(current.attempts))
            await self._tell(session, current, known)
        log.info("delivery_attempted", status=current.status, attempts=current.attempts)

    async def _carry_out(self, delivery: Delivery) -> Report:
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                mailable = self._mailables[delivery.document_kind]
                mail = await message_of(self._database, mailable, delivery, sender=self._mailer.sender)
                return await self._mailer.send(mail)
        except Problem as refusal:  # the document must not go out any more, or is gone
            return Report.all_refused(delivery.waiting, refusal.detail)
        except TimeoutError:
            return Report.all_deferred(delivery.waiting, f"it took longer than {ATTEMPT_SECONDS:.0f} seconds")
        except Exception as error:
            log.exception("delivery_broke")
            return Report.all_deferred(delivery.waiting, f"a fault of ours ({type(error).__name__}); the log says more")

    def _again_in(self, attempts: int) -> float | None:
        """Seconds until the next attempt, give or take some, so that not all that failed together come together."""
        if attempts > len(self._delays):
            return None
        return self._delays[attempts - 1] * random.uniform(*JITTER)  # noqa: S311

    async def _tell(self, session: AsyncSession, delivery: Delivery, known: Mapping[str, str]) -> None:
        """Let the document's history say who never gets its e-mail, but for those ``known``, if it is still there."""
        refused = {one: why for one, why in delivery.refused.items() if one not in known}
        if not refused:
            return
        kind = self._mailables[delivery.document_kind].kind
        try:
            await documents.find(session, kind, delivery.organization_id, delivery.document_id, lock=True)
        except kind.not_found:
            return
        what = f"the e-mail did not reach {summary(refused)}"
        if delivery.status == "failed":
            what = f"the e-mail to {', '.join(delivery.to_addresses)} failed: {summary(refused)}"
        await drafting.remember(session, kind, delivery.document_id, WHO, [what])

    async def _pause(self) -> float:
        earliest = select(func.min(Delivery.next_attempt_at)).where(Delivery.status == "queued")
        async with self._database.reading() as session:
            due: datetime | None = (await session.execute(earliest)).scalar()
        if due is None:
            return POLL_SECONDS[1]
        return min(POLL_SECONDS[1], max(POLL_SECONDS[0], (due - utc_now()).total_seconds()))
