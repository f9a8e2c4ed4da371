"""Signing in to Invoice, and the page where one begins."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from invoice_service.home.plot import plot
from invoice_service.home.queries import Month
from servicekit.db import utc_now

from tests.visitor import Visitor


async def test_one_begins_at_home_after_signing_in(invoice: Any) -> None:
    stranger = Visitor(invoice.stack.anonymous("invoice"))
    turned_away = await stranger.client.get("/home")
    assert turned_away.headers["location"] == "/sign-in?next=/home"
    assert "Sign in to Invoice" in (await stranger.get("/sign-in")).text
    viewer = await invoice.stack.visitor("invoice", "viewer")
    begun = await viewer.follow(await viewer.get("/", status=303))
    assert "Nothing yet" in begun.text
    assert "Import from CRM" not in begun.text, "a viewer may not"


async def test_home_tells_what_is_owed_what_is_overdue_and_how_it_went(invoice: Any) -> None:
    customer = await invoice.customer("Alfreds <Futterkiste>")
    today = utc_now().date()
    last_month = today.replace(day=1) - datetime.timedelta(days=1)
    late = await invoice.bill(customer["id"], date=last_month.isoformat(), due_date=last_month.isoformat())
    due = await invoice.bill(customer["id"], due_date=(today + datetime.timedelta(days=5)).isoformat())
    await invoice.bill(customer["id"], "draft")
    await invoice.pay(due["id"], "10.00")
    viewer = await invoice.stack.visitor("invoice", "viewer", language="de-DE")
    home = await viewer.get("/home")
    total, owed = Decimal(late["total"]), Decimal(late["total"]) * 2 - 10
    assert f"Owed {_german(owed)} $ 2 invoices" in home.text, "drafts are no claims"
    assert f"Overdue {_german(total)} $ 1 invoice " in home.text
    assert f"{_german(Decimal(10))} $ received" in home.text
    assert "Alfreds <Futterkiste>" in home.text
    assert "<Futterkiste>" not in home.html
    assert home.html.count("<title>") == 1 + 3 + 3, "a bar for each month and kind, once wide and once for a phone"


def _german(amount: Decimal) -> str:
    return f"{amount:.2f}".replace(".", ",")


@pytest.mark.parametrize(
    ("most", "top"), [("0", "4"), ("1", "1"), ("99", "100"), ("101", "120"), ("12345.67", "16000"), ("0.02", "0.02")]
)
def test_the_scale_is_of_round_numbers_and_reaches_the_highest_bar(most: str, top: str) -> None:
    month = Month(datetime.date(2026, 1, 1), Decimal(most), Decimal(0))
    made = plot([month], 700)
    assert made.lines[-1][1] == Decimal(top)
    assert all(made.lines[-1][0] <= bar.y <= made.base for bar in made.bars)
    assert all(round(bar.y + bar.height, 2) == made.base for bar in made.bars)
