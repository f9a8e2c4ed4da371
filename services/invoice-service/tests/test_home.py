"""Signing in to Invoice, and the page where one begins."""

from typing import Any

from tests.visitor import Visitor


async def test_one_begins_at_home_after_signing_in(invoice: Any) -> None:
    stranger = Visitor(invoice.stack.anonymous("invoice"))
    turned_away = await stranger.client.get("/home")
    assert turned_away.headers["location"] == "/sign-in?next=/home"
    assert "Sign in to Invoice" in (await stranger.get("/sign-in")).text
    viewer = await invoice.stack.visitor("invoice", "viewer")
    begun = await viewer.follow(await viewer.get("/", status=303))
    assert "Home" in begun.text
