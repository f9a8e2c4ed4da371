"""Events that a consumer gave up on, kept in the consumer's own database until a person replays or discards them.

Guarantees: there is one row per event and queue; a row goes only when its event was handled in a replay, or when it is
discarded.

A letter whose replay fails for good, or by a bug, stays with the new reason, and its replay has ended. One that fails
for now (`Transient`) stays asked for, and is tried again after a pause until it is handled, fails otherwise, or is
discarded. If the process dies meanwhile, the letter is replayed again when its lease has ended.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, Self, TypeVar

from contracts.event import Envelope
from pydantic import ValidationError
from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.bus.recovery import describe
from servicekit.db import Database, UtcDateTime, new_id, utc_now
from servicekit.faults import Transient
from servicekit.tasks import being_cancelled, end
from servicekit.telemetry import log

metadata = MetaData()

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("queue", String(128), nullable=False),
    Column("event_id", Text),
    Column("event_type", Text),
    Column("subject", Text),
    Column("body", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("correlation_id", Text),
    Column("traceparent", Text),
    Column("died_at", UtcDateTime, nullable=False),
    Column("replay_requested_at", UtcDateTime),
    Column("replay_at", UtcDateTime),
    Index("ix_dead_letters_event", "queue", "event_id", unique=True),
    Index("ix_dead_letters_replay_at", "replay_at"),
)
"""``body`` is what arrived, byte for byte: it may be no event at all, and then what it says of itself is null.

``replay_requested_at``: when a person asked for a replay that has not ended yet; ``replay_at``: when it is due.
"""

_columns = dead_letters.c

_REPLAYED_AT_ONCE = 100


@dataclass(frozen=True)
class DeadLetter:
    """One event that was given up on, and why. ``attempts`` counts all tries, replays too."""

    queue: str
    body: bytes
    reason: str
    attempts: int
    event_id: str | None = None
    event_type: str | None = None
    subject: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None
    id: str = field(default_factory=new_id)
    died_at: datetime = field(default_factory=utc_now)
    replay_requested_at: datetime | None = None

    @classmethod
    def of(cls, queue: str, body: bytes, *, reason: str, attempts: int) -> Self:
        """The letter of what arrived; tells what it says of itself, if it can be read."""
        letter = cls(queue=queue, body=body, reason=_storable(reason), attempts=attempts)
        try:
            envelope = Envelope.model_validate_json(body)
        except ValidationError:
            return letter
        return replace(
            letter,
            event_id=_storable(envelope.id),
            event_type=_storable(envelope.type),
            subject=_storable(envelope.subject),
            correlation_id=_storable(envelope.correlationid),
            traceparent=_storable(envelope.traceparent),
        )


GivenUp = Callable[[AsyncSession, Sequence[DeadLetter]], Awaitable[None]]
"""Notes, in the session's transaction, that these events were given up on."""

T = TypeVar("T", str, str | None)


def _storable(text: T) -> T:
    """PostgreSQL refuses some characters that JSON allows; a letter that cannot be kept would come again for ever."""
    return text and text.replace("\x00", "\ufffd").encode(errors="replace").decode()


_KEPT = [_columns[one.name] for one in fields(DeadLetter)]


class DeadLetters:
    """The dead letters in one service's database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.on_replay_requested: Callable[[], None] = lambda: None

    async def keep(self, letters: Sequence[DeadLetter], *, tell: GivenUp | None = None) -> None:
        """Keep them all, or raise. A letter takes the place of an older one of the same event and queue.

        ``tell``: is told of them in the same transaction.
        """
        newest = {(letter.queue, letter.event_id or letter.id): letter for letter in letters}
        known: dict[str, list[str]] = defaultdict(list)
        for letter in newest.values():
            if letter.event_id is not None:
                known[letter.queue].append(letter.event_id)
        async with self.database.transaction() as session:
            for queue, ids in known.items():
                await session.execute(delete(dead_letters).where(_columns.queue == queue, _columns.event_id.in_(ids)))
            await session.execute(insert(dead_letters), [asdict(letter) for letter in newest.values()])
            if tell is not None:
                await tell(session, letters)

    async def page(self, *, queue: str | None = None, before: str | None = None, limit: int = 50) -> list[DeadLetter]:
        """A page, newest first: those whose id is below ``before``, the last id of the page before it."""
        found = select(*_KEPT).order_by(_columns.id.desc()).limit(limit)
        if queue is not None:
            found = found.where(_columns.queue == queue)
        if before is not None:
            found = found.where(_columns.id < before)
        async with self.database.reading() as session:
            return [DeadLetter(**row) for row in (await session.execute(found)).mappings()]

    async def get(self, letter_id: str) -> DeadLetter | None:
        """One of them, or None if it is not there (any more)."""
        async with self.database.reading() as session:
            row = (await session.execute(select(*_KEPT).where(_columns.id == letter_id))).mappings().first()
        return DeadLetter(**row) if row else None

    async def request_replay(self, *, letter_id: str | None = None, queue: str | None = None) -> int:
        """Have one letter, or all of a queue, handled again soon; give how many that are.

        Raises `ValueError` unless exactly one of the two is given.
        """
        if (letter_id is None) == (queue is None):
            raise ValueError("either letter_id or queue must be given")
        asked = _columns.id == letter_id if letter_id is not None else _columns.queue == queue
        now = utc_now()
        async with self.database.transaction() as session:
            count = await _count(
                session, update(dead_letters).where(asked).values(replay_requested_at=now, replay_at=now)
            )
        self.on_replay_requested()
        return count

    async def discard(self, letter_id: str) -> bool:
        """Forget one for good; give whether it was there."""
        async with self.database.transaction() as session:
            return await _count(session, delete(dead_letters).where(_columns.id == letter_id)) > 0

    async def claim(self, queues: Sequence[str], *, limit: int, lease: float) -> list[DeadLetter]:
        """Take letters whose replay is due, oldest first, so that no other process does for ``lease`` seconds."""
        now = utc_now()
        is_due = (_columns.replay_at <= now) & _columns.queue.in_(queues)
        async with self.database.reading() as session:
            # Asked every second, and hardly ever true: without the write lock.
            if (await session.execute(select(_columns.id).where(is_due).limit(1))).first() is None:
                return []
        due = select(*_KEPT).where(is_due).order_by(_columns.id).limit(limit).with_for_update(skip_locked=True)
        async with self.database.transaction() as session:
            letters = [DeadLetter(**row) for row in (await session.execute(due)).mappings()]
            taken = _columns.id.in_([letter.id for letter in letters])
            await session.execute(update(dead_letters).where(taken).values(replay_at=now + timedelta(seconds=lease)))
        return letters

    async def settle(self, replayed: Sequence[str], failed: Sequence[tuple[str, str, float | None]]) -> None:
        """Delete the ``replayed`` ids; of the ``failed`` (id, reason, seconds until the next try) keep the new reason.

        Without a next try the letter's replay has ended.
        """
        now = utc_now()
        async with self.database.transaction() as session:
            if replayed:
                await session.execute(delete(dead_letters).where(_columns.id.in_(replayed)))
            for letter_id, reason, delay in failed:
                values: dict[str, Any] = {"reason": reason, "attempts": _columns.attempts + 1}
                if delay is None:
                    values |= {"replay_requested_at": None, "replay_at": None}
                else:
                    values["replay_at"] = now + timedelta(seconds=delay)
                await session.execute(update(dead_letters).where(_columns.id == letter_id).values(values))


async def _count(session: AsyncSession, statement: Any) -> int:
    return int(getattr(await session.execute(statement), "rowcount", 0))


class Handles(Protocol):
    """What a replay needs of a `consumer.Consumer`."""

    @property
    def queue(self) -> str:
        """Its queue's name."""

    async def handle(self, bodies: Sequence[bytes]) -> Sequence[Exception | None]:
        """Handle encoded events; give for each what it failed with, or None."""


class Replayer:
    """Looks for letters to replay every ``poll`` seconds, and when it is woken.

    ``pause``: seconds until a letter that failed for now is tried again. ``lease``: seconds after which another process
    takes over what this one has begun; longer than handling a hundred events takes.
    """

    def __init__(
        self,
        dead_letters: DeadLetters,
        consumers: Iterable[Handles],
        *,
        poll: float = 1.0,
        pause: float = 30.0,
        lease: float = 300.0,
    ) -> None:
        self._dead_letters = dead_letters
        self._consumers = {consumer.queue: consumer for consumer in consumers}
        self._poll = poll
        self._pause = pause
        self._lease = lease
        self._asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._dead_letters.on_replay_requested = self._asked.set
        self._task = asyncio.create_task(self._run(), name="dead letters' replay")

    async def stop(self, *, within: float = 5.0) -> None:
        """Let what is being replayed end, for at most ``within`` seconds."""
        if self._task is not None:
            task, self._task = self._task, None
            self._asked.set()
            await end([task], within=within)

    async def replay_due(self) -> int:
        """Replay one lot of the letters that are due; give how many that were."""
        queues = list(self._consumers)
        letters = await self._dead_letters.claim(queues, limit=_REPLAYED_AT_ONCE, lease=self._lease)
        by_queue: dict[str, list[DeadLetter]] = defaultdict(list)
        for letter in letters:
            by_queue[letter.queue].append(letter)
        for queue, some in by_queue.items():
            await self._replay(self._consumers[queue], some)
        return len(letters)

    async def _replay(self, consumer: Handles, letters: Sequence[DeadLetter]) -> None:
        replayed: list[str] = []
        failed: list[tuple[str, str, float | None]] = []
        outcomes = await consumer.handle([letter.body for letter in letters])
        for letter, error in zip(letters, outcomes, strict=True):
            if error is None:
                replayed.append(letter.id)
            else:
                later = self._pause if isinstance(error, Transient | OSError) else None
                failed.append((letter.id, describe(error), later))
        await self._dead_letters.settle(replayed, failed)
        log.info("dead_letters_replayed", queue=consumer.queue, replayed=len(replayed), failed=len(failed))

    async def _run(self) -> None:
        while self._task is not None:
            self._asked.clear()
            try:
                if await self.replay_due():
                    continue
            except asyncio.CancelledError:
                if being_cancelled():
                    raise
            except Exception as error:
                log.error("replay_failed", exc_info=error)
            try:
                await asyncio.wait_for(self._asked.wait(), self._poll)
            except TimeoutError:
                continue
