"""What all pages stand on: forms, formats, the limit on sign-ins, where a sign-in may lead, and live regions."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servicekit.db import Database
from servicekit.errors import Invalid, PreconditionFailed, TooManyRequests, invalid_field
from servicekit.fields import AddressBody, Body, Name
from servicekit.identity.attempts import AT_MOST, WINDOW, Attempts
from servicekit.pages import Form
from servicekit.pages.formats import formats_for
from servicekit.pages.forms import words
from servicekit.pages.gate import own_path
from servicekit.pages.live import Live
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData


class Line(Body):
    name: Name
    rate: Decimal | None = None


class Order(Body):
    name: Name
    due: date | None = None
    paid: bool = False
    address: AddressBody = AddressBody()
    lines: tuple[Line, ...] = ()


class TestAForm:
    def test_is_parsed_by_the_names_of_its_fields(self) -> None:
        sent = FormData(
            [
                *(("csrf_token", "x"), ("version", "3"), ("name", "A"), ("due", ""), ("address.city", "Bonn")),
                *(("paid", "false"), ("paid", "true"), ("lines.0.name", "Tea"), ("lines.0.rate", "1.5")),
                *(("lines.2.name", "Milk"), ("lines.2.rate", "")),
            ]
        )
        form = Form.sent(sent)
        order = form.parse(Order)
        assert form.version == 3
        assert (order.name, order.due, order.paid, order.address.city) == ("A", None, True, "Bonn")
        assert [(line.name, line.rate) for line in order.lines] == [("Tea", Decimal("1.5")), ("Milk", None)]
        assert form.rows("lines") == 2, "a row that was taken out leaves no gap"
        assert form["lines.1.name"] == "Milk"

    def test_that_is_refused_keeps_what_was_typed_and_has_each_reason_at_its_field(self) -> None:
        form = Form.sent(FormData([("name", " "), ("due", "soon"), ("lines.0.name", "Tea"), ("lines.0.rate", "much")]))
        with pytest.raises(Invalid) as caught:
            form.parse(Order)
        refused = form.refused(caught.value)
        assert refused.typed == form.typed
        assert set(refused.errors) == {"name", "due", "lines.0.rate"}
        assert refused.errors["name"] == "Must not be empty"
        assert form.refused(invalid_field("name", "is taken")).errors == {"name": "Is taken"}

    def test_of_a_record_sent_again_is_the_record(self) -> None:
        order = Order(name="A", due=date(2026, 5, 1), paid=True, lines=(Line(name="Tea", rate=Decimal("1.50")),))
        assert Form.of(order).parse(Order) == order

    def test_that_is_stale_shows_where_both_differ(self) -> None:
        form = Form({"name": "mine", "due": ""}, version=1).refused(PreconditionFailed("stale"))
        both = form.against(Order(name="theirs"), 4)
        assert [(each.name, each.mine, each.saved) for each in both.conflicts] == [("name", "mine", "theirs")]
        assert both.version == 4

    def test_that_is_stale_shows_rows_that_others_added_changed_and_took_out(self) -> None:
        tea, milk, rice = [{"name": name, "rate": rate} for name, rate in (("Tea", "1"), ("Milk", "2"), ("Rice", "3"))]
        form = replace(Form.of({"lines": [tea, milk]}), numbers=frozenset({"rate"}))
        mine = replace(form, typed={**form.typed, "lines.0.rate": "1.00", "lines.2.name": "Salt"})
        both = mine.against({"lines": [rice, tea, milk | {"rate": "2.5"}]}, 4)
        assert [(words(each.name), each.mine, each.saved) for each in both.conflicts] == [
            ("Line 1", "Not in yours: saving again takes it out", "Rice, rate 3"),
            ("Line 2", "Milk, rate 2", "Milk, rate 2.5"),
            ("Line 3", "Salt", "Not there"),
        ]

    @pytest.mark.parametrize(
        "name", ["", ".", "a..b", "lines.x", "lines.0", f"lines.{'9' * 5000}.name", "a." * 5000, "0"]
    )
    def test_takes_any_name_without_falling_over(self, name: str) -> None:
        form = Form.sent(FormData([("name", " "), (name, "x"), (f"{name}.y", "z")]))
        with pytest.raises(Invalid):
            form.parse(Order)


def test_dates_money_and_numbers_are_written_as_the_browser_s_language_has_them() -> None:
    american, german = formats_for("en-US,en;q=0.9"), formats_for("xx, de-CH;q=0.3, de-DE;q=0.8")
    assert american.money(Decimal("1234.5"), "EUR") == "€1,234.50"
    assert german.money(Decimal("1234.5"), "EUR") == "1.234,50\xa0€"
    assert american.money(Decimal("1.2345"), "USD") == "$1.2345", "what cannot be rounded is not"
    assert american.money(Decimal("1234.0000"), "JPY") == "¥1,234"
    assert (american.day(date(2026, 5, 1)), german.day(date(2026, 5, 1))) == ("May 1, 2026", "01.05.2026")
    assert german.number(Decimal("1234.125")) == "1.234,125"
    assert 'datetime="2026-05-01T10:00:00+00:00"' in german.moment(datetime(2026, 5, 1, 10, tzinfo=UTC))
    for strange in ("", "*", ";;;q=x", "<script>", "en" * 4000, "../../x", "de_DE.UTF-8"):
        assert formats_for(strange).money(Decimal(1), "USD")


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/accounts?q=a%20b", "/accounts?q=a%20b"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("/v1/accounts", "/"),
        ("", "/"),
    ],
)
def test_a_sign_in_leads_to_a_page_of_ours_and_nowhere_else(asked: str, leads_to: str) -> None:
    assert own_path(asked) == leads_to


class TestAttemptsToSignIn:
    def test_wait_after_a_few_failures_from_one_place_and_the_owner_elsewhere_does_not(self) -> None:
        now = 0.0
        attempts = Attempts(lambda: now)
        for _ in range(AT_MOST["both"]):
            attempts.begin("a@x", "1.1.1.1")
        with pytest.raises(TooManyRequests) as caught:
            attempts.begin("a@x", "1.1.1.1")
        assert caught.value.headers["Retry-After"] == str(int(WINDOW))
        attempts.begin("a@x", "2.2.2.2")
        attempts.begin("b@x", "1.1.1.1")
        now = WINDOW
        attempts.begin("a@x", "1.1.1.1")

    def test_that_could_not_be_looked_at_do_not_count(self) -> None:
        attempts = Attempts()
        for _ in range(3 * AT_MOST["both"]):
            attempts.begin("a@x", "1.1.1.1")
            attempts.take_back("a@x", "1.1.1.1")

    def test_that_succeed_are_forgotten(self) -> None:
        attempts = Attempts()
        for _ in range(3 * AT_MOST["both"]):
            attempts.begin("a@x", "1.1.1.1")
            attempts.succeeded("a@x", "1.1.1.1")

    @pytest.mark.parametrize("kind", ["address", "email"])
    def test_are_bounded_for_one_place_and_for_one_person(self, kind: str) -> None:
        attempts = Attempts()

        def who(number: int) -> tuple[str, str]:
            return ("a@x", f"1.1.{number}") if kind == "email" else (f"{number}@x", "1.1.1.1")

        for number in range(AT_MOST[kind]):
            attempts.begin(*who(number))
        with pytest.raises(TooManyRequests):
            attempts.begin(*who(1000))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'live.sqlite3'}")
    yield made
    await made.close()


async def all_stay(_: AsyncSession, secrets: set[str]) -> set[str]:
    return secrets


class TestALiveRegion:
    async def test_is_told_of_each_change_once_and_all_readers_cost_one_look(self, database: Database) -> None:
        stamps, looks = {"a": "1", "b": "1"}, []

        async def stamp(_: AsyncSession, topic: str) -> str:
            looks.append(topic)
            return stamps[topic]

        stopping = asyncio.Event()
        live = Live(database, {"thing": stamp}, stopping, all_stay, seconds=0.01)
        told: list[list[Any]] = [[], [], []]

        async def read(into: list[Any], seen: dict[str, str]) -> None:
            async for changed in live.changes(seen, "someone"):
                into.append(changed)

        readers = [
            asyncio.create_task(read(told[0], {"thing:a": "1", "thing:b": "1"})),
            asyncio.create_task(read(told[1], {"thing:a": "1"})),
            asyncio.create_task(read(told[2], {"thing:a": "0"})),
        ]
        while not told[2]:
            await asyncio.sleep(0.01)
        stamps["b"] = "2"
        while not told[0]:
            await asyncio.sleep(0.01)
        stopping.set()
        async with asyncio.timeout(5):
            await asyncio.gather(*readers)
            await live.stop()
        assert told == [[{"thing:b": "2"}], [], [{"thing:a": "1"}]], "what changed before one began to read is told too"
        assert abs(looks.count("a") - looks.count("b")) <= 1, "three readers of a cost what one of b costs"

    async def test_costs_nothing_once_nobody_reads(self, database: Database) -> None:
        looks = 0

        async def stamp(_: AsyncSession, __: str) -> str:
            nonlocal looks
            looks += 1
            return str(looks)

        live = Live(database, {"thing": stamp}, asyncio.Event(), all_stay, seconds=0.01)
        changes = live.changes({"thing:a": "0"}, "someone")
        assert await anext(changes) == {"thing:a": "1"}
        await changes.aclose()  # type: ignore[attr-defined]
        async with asyncio.timeout(5):
            await live.stop()
        assert looks <= 2


@pytest.mark.parametrize(
    ("language", "typed", "plain"),
    [
        ("de-DE", "1.234,50", "1234.50"),
        ("de-DE", "12,5", "12.5"),
        ("de-DE", "1.000", "1000"),
        ("de-DE", "1 000", "1000"),
        ("de-CH", "1'000.50", "1000.50"),
        ("fr-FR", "1\u202f234,5", "1234.5"),
        ("en-US", "1,000", "1000"),
        ("en-US", " -1.5 ", "-1.5"),
        ("en-US", "\u2212\u0661", "-1"),
        ("hi-IN", "1,00,000.5", "100000.5"),
        ("ar-EG", "12.5", "12.5"),
        ("en-US", "12,5", "12,5"),  # is refused by what takes it
        ("en-US", "1,0000", "1,0000"),
        ("de-DE", "about 5", "about 5"),
        ("de-DE", "", ""),
    ],
)
def test_numbers_are_read_as_the_person_writes_them(language: str, typed: str, plain: str) -> None:
    assert formats_for(language).read(typed) == plain


@given(
    st.sampled_from(["de-DE", "de-CH", "fr-FR", "en-US", "en-IN", "pt-BR", "ar-EG", "ja-JP", "pl-PL"]),
    st.decimals(-(10**15), 10**15, places=4),
)
def test_a_number_that_a_field_shows_is_read_as_it_was(language: str, number: Decimal) -> None:
    formats = formats_for(language)
    plain = f"{number:f}"
    assert formats.read(formats.in_a_field(plain)) == plain
    assert Decimal(formats.read(formats.number(number))) == number
