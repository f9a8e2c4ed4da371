"""What happens to an event after it was handled or could not be."""

import httpx
import pytest
from contracts.event import UndecodableEvent
from servicekit.bus.recovery import Ack, Dead, Retry, recover
from servicekit.errors import Conflict, Unavailable
from servicekit.faults import Permanent, Transient

DELAYS = (1, 5, 30, 120, 600)


def test_what_was_handled_is_acknowledged() -> None:
    assert recover(None, 1) == Ack()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UndecodableEvent("the message is not JSON"), "UndecodableEvent: the message is not JSON"),
        (Permanent("no such organization"), "Permanent: no such organization"),
        (Permanent(), "Permanent"),
    ],
)
def test_what_can_never_succeed_is_dead_at_once(error: Exception, reason: str) -> None:
    assert recover(error, 1, DELAYS) == Dead(reason)


@pytest.mark.parametrize(
    "error",
    [
        Transient("not there yet"),
        Unavailable("Invoice does not answer"),
        ConnectionRefusedError(111, "refused"),
        TimeoutError(),
    ],
)
@pytest.mark.parametrize(
    ("attempt", "delay"), [(1, 1), (2, 5), (3, 30), (4, 120), (5, 600), (6, 600), (30, 600), (59, 600)]
)
def test_what_may_succeed_later_is_tried_for_hours(error: Exception, attempt: int, delay: float) -> None:
    decision = recover(error, attempt, DELAYS)
    assert isinstance(decision, Retry)
    assert decision.delay == delay


def test_what_did_not_succeed_for_hours_is_dead() -> None:
    assert recover(Transient("down"), 60, DELAYS) == Dead("given up after 60 attempts: Transient: down")


@pytest.mark.parametrize("error", [KeyError("x"), Conflict("merged meanwhile"), httpx.InvalidURL("?")])
def test_what_we_cannot_tell_is_tried_a_few_times(error: Exception) -> None:
    delays = [recover(error, attempt, DELAYS) for attempt in (1, 2, 3, 4)]
    assert [one.delay for one in delays if isinstance(one, Retry)] == [1, 5, 30, 120]
    assert isinstance(recover(error, 5, DELAYS), Dead)


def test_a_reason_is_bounded() -> None:
    decision = recover(Permanent("x" * 100_000), 1)
    assert isinstance(decision, Dead)
    assert len(decision.reason) == 1000
