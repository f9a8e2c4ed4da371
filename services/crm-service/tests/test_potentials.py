"""Potentials: their stage says whether they are open, won or lost; their amount is exact."""

from typing import Any

import pytest

FORM = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
"""What is only about the form of requests is the same on both set-ups."""

STAGES = [
    ("Qualification", "open"),
    ("Needs Analysis", "open"),
    ("Value Proposition", "open"),
    ("Proposal/Price Quote", "open"),
    ("Negotiation/Review", "open"),
    ("Closed Won", "won"),
    ("Closed Lost", "lost"),
]
OPEN, LATER, WON, LOST = "Qualification", "Needs Analysis", "Closed Won", "Closed Lost"


async def test_the_pipeline_is_there_from_the_start_in_order(crm: Any) -> None:
    page = await crm.read("stages")
    assert [(stage["name"], stage["status"]) for stage in page["items"]] == STAGES
    assert page["next_cursor"] is None


async def test_a_potential_begins_in_the_first_stage_and_the_default_currency(crm: Any) -> None:
    made = await crm.potential("Order 10643")
    assert (made["stage"], made["status"], made["currency_code"], made["amount"]) == (OPEN, "open", "USD", None)
    assert made["closing_date"] is made["account_id"] is made["contact_id"] is None
    assert await crm.read(f"potentials/{made['id']}") == made


@FORM
async def test_the_default_currency_is_a_setting(stack: Any) -> None:
    await stack.start("crm", crm_default_currency="JPY")
    member = await stack.person("crm", "member")
    made = await member.post("/v1/potentials", json={"potential_name": "Order", "amount": "1200"})
    assert (made.json()["currency_code"], made.json()["amount"]) == ("JPY", "1200")


async def test_a_potential_is_told_of_as_it_is(crm: Any) -> None:
    account, other = await crm.account(), await crm.account("Another")
    contact = await crm.contact(account_id=other["id"])
    made = await crm.potential(
        account_id=account["id"],
        contact_id=contact["id"],
        stage="Value Proposition",
        amount="814.5",
        currency_code="EUR",
        closing_date="1997-09-22",
    )
    assert made["amount"] == "814.50"
    snapshot = next(data for verb, data in await crm.told(4) if verb == "potential.created")
    told = snapshot.model_dump(mode="json", exclude={"deleted"})
    assert told == {
        name: value for name, value in made.items() if name not in ("created_at", "updated_at", "deleted_at")
    }


MOVES = [
    (OPEN, WON, "won"),
    (OPEN, LOST, "lost"),
    (OPEN, LATER, "updated"),
    (WON, LOST, "lost"),
    (LOST, WON, "won"),
    (WON, OPEN, "reopened"),
    (LOST, LATER, "reopened"),
]


async def test_moving_to_another_stage_tells_what_it_means(crm: Any) -> None:
    for first, then, verb in MOVES:
        made = await crm.potential(stage=first)
        moved = await crm.change(f"potentials/{made['id']}", stage=then, potential_name="Renamed meanwhile")
        assert (moved["stage"], moved["status"], moved["version"]) == (then, dict(STAGES)[then], 2)
        assert await crm.told_of(made, 2) == ["potential.created", f"potential.{verb}"], (first, then)
        assert (await crm.read(f"potentials/{made['id']}")) == moved


async def test_staying_in_a_stage_is_only_an_update_and_nothing_changed_is_nothing(crm: Any) -> None:
    made = await crm.potential(stage=WON, amount="5")
    same = await crm.change(f"potentials/{made['id']}", stage=WON, amount="5.000", currency_code="USD")
    assert same == made
    await crm.change(f"potentials/{made['id']}", stage=WON, amount="6")
    assert await crm.told_of(made, 2) == ["potential.created", "potential.updated"]


async def test_a_stage_that_does_not_exist_is_refused_naming_those_that_do(crm: Any) -> None:
    made = await crm.potential()
    for refusal in (
        await crm.member.post("/v1/potentials", json={"potential_name": "A", "stage": "Won"}),
        await crm.member.patch(f"/v1/potentials/{made['id']}", json={"stage": "Won"}),
        await crm.member.get("/v1/potentials?stage=Won"),
    ):
        document = crm.refused(refusal, 422, "stage_not_found", "stage")
        assert all(name in document["detail"] for name, _ in STAGES)
    assert await crm.names("potentials", "version") == [1]


class TestTheAmount:
    IMPOSSIBLE = ("10.005", "NaN", "-Infinity", "1e400", "-1", "-0.01", "1000000000000", "1,50", "ten", "1e-9999", {})
    EXACT = (
        ("0", "USD", "0.00"),
        ("-0", "USD", "0.00"),
        (12.5, "EUR", "12.50"),
        ("999999999999.99", "USD", "999999999999.99"),
        ("1E3", "JPY", "1000"),
        ("1.234", "KWD", "1.234"),
    )

    @FORM
    async def test_that_cannot_be_is_refused(self, crm: Any) -> None:
        path = f"/v1/potentials/{(await crm.potential(amount='7.00'))['id']}"
        for amount in self.IMPOSSIBLE:
            body = {"potential_name": "A", "amount": amount}
            crm.refused(await crm.member.post("/v1/potentials", json=body), 422, "validation_error", "amount")
            crm.refused(await crm.member.patch(path, json={"amount": amount}), 422, "validation_error", "amount")
        assert await crm.names("potentials", "amount") == ["7.00"]

    @FORM
    async def test_as_a_bare_word_in_json_is_refused_too(self, crm: Any) -> None:
        for literal in ("NaN", "Infinity"):
            body = f'{{"potential_name": "A", "amount": {literal}}}'
            headers = {"Content-Type": "application/json"}
            response = await crm.member.post("/v1/potentials", content=body, headers=headers)
            crm.refused(response, 422, "validation_error", "amount")
        assert await crm.names("potentials", "id") == []

    async def test_has_exactly_its_currencys_decimals(self, crm: Any) -> None:
        for sent, currency, answered in self.EXACT:
            made = await crm.potential(amount=sent, currency_code=currency)
            assert made["amount"] == answered
            assert (await crm.read(f"potentials/{made['id']}"))["amount"] == answered

    async def test_must_fit_a_currency_that_is_changed_alone(self, crm: Any) -> None:
        made = await crm.potential(amount="10.50", currency_code="EUR")
        path = f"potentials/{made['id']}"
        refusal = await crm.member.patch(f"/v1/{path}", json={"currency_code": "JPY"})
        crm.refused(refusal, 422, "validation_error", "amount")
        assert await crm.read(path) == made
        assert (await crm.change(path, currency_code="JPY", amount="10"))["amount"] == "10"
        assert (await crm.change(path, amount=None))["amount"] is None


BAD: list[tuple[str, dict[str, Any]]] = [
    ("potential_name", {}),
    ("currency_code", {"potential_name": "A", "currency_code": "usd"}),
    ("closing_date", {"potential_name": "A", "closing_date": "20240131"}),
    ("closing_date", {"potential_name": "A", "closing_date": "2024-02-30"}),
    ("status", {"potential_name": "A", "status": "won"}),
]


@FORM
async def test_bad_input_names_the_field(crm: Any) -> None:
    for field, fields in BAD:
        crm.refused(await crm.member.post("/v1/potentials", json=fields), 422, "validation_error", field)


async def test_an_account_or_contact_that_is_not_there_cannot_be_referred_to(crm: Any) -> None:
    contact = await crm.contact()
    await crm.delete(f"contacts/{contact['id']}")
    made = await crm.potential()
    for noun, record_id in (("account", contact["id"]), ("contact", contact["id"])):
        body = {f"{noun}_id": record_id}
        for refusal in (
            await crm.member.post("/v1/potentials", json={"potential_name": "A"} | body),
            await crm.member.patch(f"/v1/potentials/{made['id']}", json=body),
        ):
            crm.refused(refusal, 422, f"{noun}_not_found", f"{noun}_id")
    assert await crm.names("potentials", "version") == [1]


async def test_the_list_is_narrowed_down(crm: Any) -> None:
    account, contact = await crm.account(), await crm.contact()
    await crm.potential("Order 1", account_id=account["id"])
    await crm.potential("Order 2", contact_id=contact["id"], stage=LATER)
    await crm.potential("Order 3", account_id=account["id"], contact_id=contact["id"], stage=WON)
    queries = {
        f"account_id={account['id']}": ["Order 3", "Order 1"],
        f"contact_id={contact['id']}": ["Order 3", "Order 2"],
        f"account_id={account['id']}&status=won": ["Order 3"],
        "stage=Needs%20Analysis": ["Order 2"],
        "status=open": ["Order 2", "Order 1"],
        "status=lost": [],
        "q=ord%202": ["Order 2"],
    }
    assert {query: await crm.names(f"potentials?{query}", "potential_name") for query in queries} == queries
