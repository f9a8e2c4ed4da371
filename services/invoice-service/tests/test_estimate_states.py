"""What an estimate may become, be edited and deleted: every state with every action."""

import datetime
from typing import get_args

import pytest
from contracts.documents import EstimateStatus
from invoice_service.allowed_actions import AllowedAction
from invoice_service.customers.models import Customer
from invoice_service.documents.models import StalePotentialVersion
from invoice_service.documents.queries import WholeDocument
from invoice_service.estimates.actions import allowed_actions
from invoice_service.estimates.models import (
    Estimate,
    EstimateAlreadyInvoiced,
    EstimateNotConvertible,
    EstimateTransitionRefused,
)
from servicekit.auth import Principal
from servicekit.errors import Conflict

TODAY = datetime.date(2025, 6, 15)
YESTERDAY = TODAY - datetime.timedelta(days=1)
MEMBER = Principal("u", "Mia", "member")
VIEWER = Principal("v", "Vic", "viewer")
STATES: tuple[EstimateStatus, ...] = get_args(EstimateStatus)

# From interfaces.md, "States and who may move them".
EXPECTED: dict[EstimateStatus, set[EstimateStatus]] = {
    "draft": {"sent", "accepted", "declined"},
    "sent": {"accepted", "declined"},
    "accepted": {"declined"},
    "declined": {"sent", "accepted"},
    "expired": {"sent", "accepted"},
    "invoiced": set(),
}


def estimate(status: EstimateStatus, *, expiry_date: datetime.date | None = None) -> Estimate:
    return Estimate(
        id="e",
        version=1,
        number=7,
        estimate_number="EST-000007",
        status=status,
        expiry_date=expiry_date,
        expiry_waived=False,
    )


def actions_of(one: Estimate, principal: Principal = MEMBER, newest: int = 7) -> list[AllowedAction]:
    customer = Customer(id="c", customer_name="Alfreds Futterkiste", status="active")
    return allowed_actions(WholeDocument(one, [], [], newest, customer, False), principal, TODAY)


def expired_unwritten() -> Estimate:
    return estimate("sent", expiry_date=YESTERDAY)


@pytest.mark.parametrize("to", ["sent", "accepted", "declined"])
@pytest.mark.parametrize("state", STATES)
def test_each_state_becomes_what_the_table_says_and_allowed_actions_agrees(
    state: EstimateStatus, to: EstimateStatus
) -> None:
    one = estimate(state)
    (told,) = [action for action in actions_of(one) if action.action == to]

    if to in EXPECTED[state] or to == state:
        happened = one.mark(to, TODAY)
        assert one.status == to
        assert happened == ([] if to == state else ["sent", to] if state == "draft" and to != "sent" else [to])
        assert one.version == (1 if to == state else 2)
        assert told.allowed
        assert told.reason is None
    else:
        with pytest.raises(EstimateAlreadyInvoiced if state == "invoiced" else EstimateTransitionRefused) as refusal:
            one.mark(to, TODAY)
        assert (one.status, one.version) == (state, 1)
        assert (told.allowed, told.reason) == (False, refusal.value.detail)


@pytest.mark.parametrize("newest", [7, 8])
@pytest.mark.parametrize("state", STATES)
def test_an_invoiced_one_is_not_edited_and_only_the_newest_draft_is_deleted(state: EstimateStatus, newest: int) -> None:
    actions = {action.action: action.allowed for action in actions_of(estimate(state), newest=newest)}
    assert actions["edit"] == (state != "invoiced")
    assert actions["delete"] == (state == "draft" and newest == 7)
    assert actions["convert"] == (state in ("draft", "sent", "accepted"))
    assert actions["send"] == (state != "invoiced")
    assert set(actions) == {"edit", "delete", "sent", "accepted", "declined", "send", "convert"}


@pytest.mark.parametrize("state", STATES)
def test_only_a_draft_a_sent_or_an_accepted_one_is_converted(state: EstimateStatus) -> None:
    one = estimate(state)
    if state in ("draft", "sent", "accepted"):
        one.convert("i", TODAY)
        assert (one.status, one.invoice_id, one.version) == ("invoiced", "i", 2)
        one.release()
        assert (one.status, one.invoice_id, one.version) == (state, None, 3)
        return
    with pytest.raises(EstimateAlreadyInvoiced if state == "invoiced" else EstimateNotConvertible):
        one.convert("i", TODAY)
    assert (one.status, one.invoice_id, one.version) == (state, None, 1)


@pytest.mark.parametrize("state", STATES)
def test_a_viewer_may_do_nothing_and_is_told_why(state: EstimateStatus) -> None:
    told = actions_of(estimate(state), VIEWER)
    assert not any(action.allowed for action in told)
    assert all("needs the role member" in (action.reason or "") for action in told)


class TestExpiry:
    def test_a_sent_one_is_expired_the_day_after_its_expiry_date(self) -> None:
        one = estimate("sent", expiry_date=TODAY)
        assert one.status_on(TODAY) == "sent"
        assert one.status_on(TODAY + datetime.timedelta(days=1)) == "expired"

    @pytest.mark.parametrize("state", [state for state in STATES if state != "sent"])
    def test_no_other_one_is(self, state: EstimateStatus) -> None:
        assert estimate(state, expiry_date=YESTERDAY).status_on(TODAY) == state

    def test_one_that_has_expired_but_is_not_written_so_yet_behaves_as_expired(self) -> None:
        accepted = expired_unwritten()
        assert accepted.mark("accepted", TODAY) == ["expired", "accepted"]
        with pytest.raises(EstimateTransitionRefused):
            expired_unwritten().mark("declined", TODAY)

    def test_sent_again_after_its_expiry_date_it_does_not_expire_at_once(self) -> None:
        one = expired_unwritten()
        assert one.mark("sent", TODAY) == ["expired", "sent"]
        assert one.status_on(TODAY) == "sent"
        assert one.mark("sent", TODAY) == []


class TestPotentialVersion:
    def test_s19_a_command_from_an_older_potential_is_refused(self) -> None:
        one = estimate("draft")
        one.see_potential(3)
        one.see_potential(3)
        one.see_potential(None)
        with pytest.raises(StalePotentialVersion) as refusal:
            one.see_potential(2)
        assert isinstance(refusal.value, Conflict)
        assert one.crm_potential_version == 3
