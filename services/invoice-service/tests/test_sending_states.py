"""What becomes of a delivery, by what is reported of its recipients."""

import datetime
from typing import Any

import pytest
from invoice_service.sending.mail import Report, written
from invoice_service.sending.models import ENDED_MIDWAY, LEASE, Delivery, DeliveryNotFailed

NOW = datetime.datetime(2026, 3, 4, 9, 30, tzinfo=datetime.UTC)
A, B = "a@alfreds.example", "b@alfreds.example"
GONE, FULL = "550 no such user", "452 mailbox full"


def delivery(**values: Any) -> Delivery:
    usual: dict[str, Any] = {
        "to_addresses": [A],
        "cc_addresses": [B],
        "status": "queued",
        "attempts": 0,
        "taken": [],
        "refused": {},
        "last_error": "",
        "next_attempt_at": NOW,
    }
    return Delivery(**(usual | values))


@pytest.mark.parametrize(
    ("report", "status", "refused", "last_error"),
    [
        (Report(taken=(A, B)), "sent", {}, ""),
        (Report(taken=(A,), refused={B: GONE}), "sent", {B: GONE}, f"{B}: {GONE}"),
        (Report(refused={A: GONE, B: GONE}), "failed", {A: GONE, B: GONE}, f"{A}, {B}: {GONE}"),
        (Report(taken=(A,), deferred={B: FULL}), "queued", {}, f"{B}: {FULL}"),
        (Report(refused={A: GONE}, deferred={B: FULL}), "queued", {A: GONE}, f"{A}: {GONE}; {B}: {FULL}"),
        (Report(deferred={A: FULL, B: FULL}), "queued", {}, f"{A}, {B}: {FULL}"),
    ],
)
def test_it_is_over_once_nobody_is_waiting(
    report: Report, status: str, refused: dict[str, str], last_error: str
) -> None:
    one = delivery(attempts=1)

    one.report(report, NOW, again_in=60)

    assert (one.status, one.refused, one.last_error) == (status, refused, last_error)
    assert one.waiting == tuple(report.deferred)
    assert one.next_attempt_at == (NOW + datetime.timedelta(seconds=60) if report.deferred else None)
    assert one.sent_at == (NOW if status == "sent" else None)


@pytest.mark.parametrize(("taken", "status"), [([A], "sent"), ([], "failed")])
def test_after_the_last_attempt_those_who_wait_are_given_up(taken: list[str], status: str) -> None:
    one = delivery(attempts=3, taken=taken)
    waiting = one.waiting

    one.report(Report.all_deferred(waiting, FULL), NOW, again_in=None)

    assert (one.status, one.refused, one.waiting) == (status, dict.fromkeys(waiting, FULL), ())


def test_who_has_it_is_not_asked_again() -> None:
    one = delivery(attempts=1)
    one.report(Report(taken=(A,), deferred={B: FULL}), NOW, again_in=60)
    assert one.waiting == (B,)

    one.report(Report(taken=(B,)), NOW)

    assert (one.status, one.taken, one.last_error) == ("sent", [A, B], "")


def test_a_claim_is_for_a_time_and_there_are_only_so_many() -> None:
    one = delivery()
    for attempt in (1, 2, 3):
        assert one.claim(f"lease {attempt}", NOW, delays=(1, 1))
        assert (one.attempts, one.lease, one.next_attempt_at) == (attempt, f"lease {attempt}", NOW + LEASE)

    # Each of them ended without a word: a message that kills its process must not do so for ever.
    assert not one.claim("lease 4", NOW, delays=(1, 1))

    assert (one.status, one.refused, one.next_attempt_at) == ("failed", {A: ENDED_MIDWAY, B: ENDED_MIDWAY}, None)


@pytest.mark.parametrize("status", ["queued", "sent"])
def test_only_a_failed_one_is_tried_again(status: str) -> None:
    with pytest.raises(DeliveryNotFailed, match=status):
        delivery(status=status).retry(NOW)


def test_a_failed_one_is_tried_again_from_the_beginning() -> None:
    one = delivery(status="failed", attempts=10, refused={A: GONE, B: GONE}, next_attempt_at=None)

    one.retry(NOW)

    assert (one.status, one.attempts, one.waiting, one.next_attempt_at) == ("queued", 0, (A, B), NOW)


def test_a_server_s_words_are_kept_as_one_bounded_line() -> None:
    assert written(" 550-5.1.1 No\r\n550 such\x00\tuser ") == "550-5.1.1 No 550 such user"
    assert len(written("x" * 100_000)) == 500
