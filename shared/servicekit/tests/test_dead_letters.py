"""Dead letters: looking through them, replaying and discarding them. On both databases."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from servicekit.bus.dead_letters import DeadLetter, DeadLetters, Replayer, dead_letters
from servicekit.db import Database
from servicekit.faults import Permanent, Transient
from sqlalchemy import select, update


def letter(event_id: str, queue: str = "sync.records") -> DeadLetter:
    return DeadLetter(queue=queue, body=f"body of {event_id}".encode(), reason="first", attempts=2, event_id=event_id)


class Handling:
    """Stands for a consumer: fails with what ``errors`` has for a body."""

    queue = "sync.records"

    def __init__(self) -> None:
        self.errors: dict[str, Exception] = {}
        self.bodies: list[str] = []

    async def handle(self, bodies: Sequence[bytes]) -> Sequence[Exception | None]:
        texts = [body.decode().removeprefix("body of ") for body in bodies]
        self.bodies += texts
        return [self.errors.get(text) for text in texts]


@pytest.fixture
def letters(database: Database) -> DeadLetters:
    return DeadLetters(database)


async def kept(letters: DeadLetters) -> dict[str | None, DeadLetter]:
    return {one.event_id: one for one in await letters.page()}


async def pass_time(letters: DeadLetters, seconds: float) -> None:
    """Have every replay come due so much sooner, as if so much time had passed."""
    async with letters.database.transaction() as session:
        for id_, at in (await session.execute(select(dead_letters.c.id, dead_letters.c.replay_at))).all():
            sooner = (
                update(dead_letters).where(dead_letters.c.id == id_).values(replay_at=at - timedelta(seconds=seconds))
            )
            await session.execute(sooner)


async def test_there_is_one_letter_per_event_and_queue(letters: DeadLetters) -> None:
    await letters.keep([letter("twice"), letter("twice"), letter("twice", queue="workflow.potentials")])
    await asyncio.gather(*(letters.keep([letter("twice")]) for _ in range(4)), return_exceptions=True)
    assert sorted(one.queue for one in await letters.page()) == ["sync.records", "workflow.potentials"]


async def test_pages_go_from_the_newest_to_the_oldest(letters: DeadLetters) -> None:
    for number in range(5):
        await letters.keep([letter(str(number))])
    await letters.keep([letter("other", queue="workflow.potentials")])
    first = await letters.page(queue="sync.records", limit=3)
    rest = await letters.page(queue="sync.records", before=first[-1].id, limit=3)
    assert [one.event_id for one in (*first, *rest)] == ["4", "3", "2", "1", "0"]
    assert len(await letters.page()) == 6


async def test_one_of_them(letters: DeadLetters) -> None:
    made = letter("a")
    await letters.keep([made])
    assert await letters.get(made.id) == made
    assert await letters.get("nothing") is None


async def test_characters_that_a_database_refuses_are_no_reason_to_lose_one(letters: DeadLetters) -> None:
    body = b'{"specversion": "1.0", "id": "a\\u0000b", "source": "/x", "type": "t", "data": {}}'
    await letters.keep([DeadLetter.of("sync.records", body, reason="no \x00 \ud800", attempts=1)])
    [one] = await letters.page()
    assert (one.event_id, one.reason, one.body) == ("a\ufffdb", "no \ufffd ?", body)


async def test_a_discarded_one_is_gone(letters: DeadLetters) -> None:
    made = letter("a")
    await letters.keep([made])
    assert await letters.discard(made.id)
    assert not await letters.discard(made.id)
    assert await letters.page() == []


async def test_only_what_was_asked_for_is_replayed_and_goes_once_it_is_handled(letters: DeadLetters) -> None:
    a, b = letter("a"), letter("b")
    await letters.keep([a, b])
    handling = Handling()
    replayer = Replayer(letters, [handling])
    assert await replayer.replay_due() == 0
    assert await letters.request_replay(letter_id=a.id) == 1
    assert await replayer.replay_due() == 1
    assert handling.bodies == ["a"]
    assert list(await kept(letters)) == ["b"]


async def test_all_of_a_queue_but_of_no_other(letters: DeadLetters) -> None:
    await letters.keep([letter("a"), letter("b"), letter("other", queue="workflow.potentials")])
    assert await letters.request_replay(queue="sync.records") == 2
    assert await letters.request_replay(queue="workflow.potentials") == 1
    assert await Replayer(letters, [Handling()]).replay_due() == 2
    assert list(await kept(letters)) == ["other"]


async def test_one_that_fails_again_stays_with_the_new_reason_and_its_replay_has_ended(letters: DeadLetters) -> None:
    await letters.keep([letter("a"), letter("b")])
    handling = Handling()
    handling.errors = {"a": Permanent("still wrong"), "b": KeyError("a bug")}
    await letters.request_replay(queue="sync.records")
    replayer = Replayer(letters, [handling])
    await replayer.replay_due()
    assert await replayer.replay_due() == 0
    now = await kept(letters)
    assert [(now[key].reason, now[key].attempts) for key in "ab"] == [
        ("Permanent: still wrong", 3),
        ("KeyError: 'a bug'", 3),
    ]
    assert now["a"].replay_requested_at is None
    assert now["a"].body == b"body of a"


async def test_one_that_fails_for_now_stays_asked_for_and_is_tried_again(letters: DeadLetters) -> None:
    await letters.keep([letter("a")])
    handling = Handling()
    handling.errors = {"a": Transient("Invoice is down")}
    await letters.request_replay(queue="sync.records")
    replayer = Replayer(letters, [handling], pause=30)
    await replayer.replay_due()
    assert await replayer.replay_due() == 0
    [waiting] = await letters.page()
    assert (waiting.reason, waiting.attempts) == ("Transient: Invoice is down", 3)
    assert waiting.replay_requested_at is not None
    handling.errors = {}
    await pass_time(letters, 30)
    await replayer.replay_due()
    assert await letters.page() == []


async def test_nothing_is_lost_if_the_process_dies_during_a_replay(letters: DeadLetters) -> None:
    await letters.keep([letter("a")])
    await letters.request_replay(queue="sync.records")
    assert len(await letters.claim(["sync.records"], limit=10, lease=300)) == 1  # and here it dies
    other = Replayer(letters, [Handling()])
    assert await other.replay_due() == 0
    await pass_time(letters, 300)
    assert await other.replay_due() == 1
    assert await letters.page() == []


async def test_the_loop_is_woken_by_a_request_and_survives_a_failure(letters: DeadLetters, eventually: Any) -> None:
    handling = Handling()
    replayer = Replayer(letters, [handling], poll=60)
    handle = handling.handle

    async def fail_once(bodies: Sequence[bytes]) -> Sequence[Exception | None]:
        handling.handle = handle  # type: ignore[method-assign]
        raise RuntimeError("a bug in the consumer itself")

    handling.handle = fail_once  # type: ignore[method-assign]
    replayer.start()
    await letters.keep([letter("a"), letter("b")])
    for made in await letters.page():
        await letters.request_replay(letter_id=made.id)
        await asyncio.sleep(0.1)
    # The first to be taken waits for its lease to end; the second went through.
    assert handling.bodies == ["a"]
    await replayer.stop()


async def test_either_one_or_a_queue(letters: DeadLetters) -> None:
    with pytest.raises(ValueError, match="either"):
        await letters.request_replay()
