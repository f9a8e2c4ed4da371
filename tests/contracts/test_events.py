"""An event is a promise: its wire form is guarded by a golden file, and judged by an independent library.

A changed golden file means a new version of the event, not an edited file.
"""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.formats.json import JSONFormat
from contracts.accounts import AccountSnapshot
from contracts.contacts import ContactSnapshot
from contracts.customers import ContactPersonSnapshot, CrmLink, CustomerSnapshot, MergedCustomerSnapshot
from contracts.documents import EstimateSnapshot, InvoiceSnapshot, LineItemSnapshot
from contracts.event import Event, UndecodableEvent, decode, encode, join, split
from contracts.items import ItemSnapshot
from contracts.payments import PaymentAllocationSnapshot, PaymentSnapshot
from contracts.potentials import PotentialSnapshot
from contracts.topology import PUBLISHED, QUEUES, by_wire_type
from contracts.values import Address

GOLDEN = Path(__file__).parent / "golden"
TIME = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
ALL = [event for published in PUBLISHED.values() for event in published]
ADDRESS = Address(
    attention="Einkauf",
    street="Obere Str. 57",
    street2="2. OG",
    city="Berlin",
    state="BE",
    zip="12209",
    country="Germany",
)
LINK = CrmLink(record_type="account", record_id="0197-account", version=3)
DOCUMENT: dict[str, Any] = {
    "id": "0197-document",
    "version": 2,
    "organization_id": "0197-organization",
    "customer_id": "0197-customer",
    "customer_name": "Alfreds Futterkiste",
    "contact_person_id": "0197-person",
    "date": date(2026, 1, 31),
    "reference_number": "PO-7",
    "currency_code": "EUR",
    "line_items": (
        LineItemSnapshot(
            name="Order 10248",
            description="Queso Cabrales",
            quantity=Decimal("12"),
            rate=Decimal("14.00"),
            discount_percentage=Decimal("5"),
            tax_percentage=Decimal("19"),
            item_total=Decimal("159.60"),
        ),
    ),
    "sub_total": Decimal("168.00"),
    "discount_total": Decimal("8.40"),
    "tax_total": Decimal("30.32"),
    "total": Decimal("189.92"),
    "notes": "Thank you.",
    "terms": "30 days",
    "crm_potential_id": "0197-potential",
    "crm_links": (LINK,),
    "updated_at": TIME,
}
SNAPSHOTS: dict[type, Any] = {
    AccountSnapshot: AccountSnapshot(
        id="0197-account",
        version=3,
        account_name="Alfreds Futterkiste",
        phone="030-0074321",
        fax="030-0076545",
        website="https://alfreds.example",
        description="Größter Kunde",
        billing_address=ADDRESS,
        shipping_address=ADDRESS,
    ),
    ContactSnapshot: ContactSnapshot(
        id="0197-contact",
        version=1,
        salutation="Ms.",
        first_name="Maria",
        last_name="Anders",
        email="maria@alfreds.example",
        phone="030-0074321",
        mobile="0171-1",
        account_id="0197-account",
    ),
    PotentialSnapshot: PotentialSnapshot(
        id="0197-potential",
        version=4,
        potential_name="Order 10248",
        account_id="0197-account",
        contact_id="0197-contact",
        stage="Closed Won",
        status="won",
        amount=Decimal("440.00"),
        currency_code="USD",
        closing_date=date(2026, 3, 1),
    ),
    CustomerSnapshot: CustomerSnapshot(
        id="0197-customer",
        version=2,
        organization_id="0197-organization",
        customer_name="Alfreds Futterkiste",
        phone="030-0074321",
        fax="030-0076545",
        billing_address=ADDRESS,
        shipping_address=ADDRESS,
        currency_code="EUR",
        status="active",
        source="crm",
        contact_persons=(
            ContactPersonSnapshot(
                id="0197-person", salutation="Ms.", first_name="Maria", last_name="Anders", phone="1", is_primary=True
            ),
        ),
        crm_links=(LINK,),
    ),
    MergedCustomerSnapshot: MergedCustomerSnapshot(
        id="0197-customer",
        version=3,
        organization_id="0197-organization",
        customer_name="Alfreds Futterkiste",
        phone="030-0074321",
        fax="030-0076545",
        billing_address=ADDRESS,
        shipping_address=ADDRESS,
        currency_code="EUR",
        status="inactive",
        source="crm",
        merged_into="0197-customer-that-stayed",
    ),
    ItemSnapshot: ItemSnapshot(
        id="0197-item",
        version=2,
        organization_id="0197-organization",
        name="Queso Cabrales",
        description="Sheep's milk",
        rate=Decimal("14.00"),
        currency_code="EUR",
        unit="kg",
        tax_percentage=Decimal("19"),
    ),
    EstimateSnapshot: EstimateSnapshot(
        **DOCUMENT, estimate_number="EST-000001", status="accepted", expiry_date=date(2026, 3, 2)
    ),
    PaymentSnapshot: PaymentSnapshot(
        id="0197-payment",
        version=1,
        organization_id="0197-organization",
        customer_id="0197-customer",
        date=date(2026, 2, 14),
        amount=Decimal("120.00"),
        unused_amount=Decimal("20.00"),
        currency_code="EUR",
        payment_mode="bank transfer",
        reference_number="E2E-7",
        allocations=(PaymentAllocationSnapshot(invoice_id="0197-document", amount=Decimal("100.00")),),
        crm_links=(LINK,),
        updated_at=TIME,
    ),
    InvoiceSnapshot: InvoiceSnapshot(
        **DOCUMENT,
        invoice_number="INV-000001",
        status="partially_paid",
        due_date=date(2026, 3, 2),
        balance=Decimal("89.92"),
        amount_paid=Decimal("100.00"),
        workflow_locked=True,
    ),
}


def example(event_type: type[Event[Any]]) -> Event[Any]:
    snapshot = SNAPSHOTS[event_type.model_fields["data"].annotation]
    return event_type(data=snapshot.model_copy(update={"deleted": ".deleted." in event_type.wire_type}))


def encoded(event_type: type[Event[Any]]) -> bytes:
    return encode(
        example(event_type),
        event_id=f"event of {event_type.wire_type}",
        source=f"/{event_type.exchange()}",
        correlation_id="0197-correlation",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        time=TIME,
    )


@pytest.mark.parametrize("event_type", ALL, ids=lambda event: event.wire_type)
class TestEveryEvent:
    def test_keeps_its_wire_form(self, event_type: type[Event[Any]]) -> None:
        golden = GOLDEN / f"{event_type.wire_type}.json"
        assert json.loads(encoded(event_type)) == json.loads(golden.read_text(encoding="utf-8"))

    def test_is_read_back_whole_from_its_golden_file(self, event_type: type[Event[Any]]) -> None:
        golden = (GOLDEN / f"{event_type.wire_type}.json").read_bytes()
        envelope, event = decode(golden, by_wire_type(ALL))
        assert event == example(event_type)
        assert envelope.correlationid == "0197-correlation"

    def test_is_a_cloud_event_to_an_independent_reader(self, event_type: type[Event[Any]]) -> None:
        read = JSONFormat().read(None, encoded(event_type))
        assert read.get_specversion() == "1.0"
        assert read.get_type() == event_type.wire_type
        assert read.get_subject() == example(event_type).data.id
        assert read.get_time() == TIME
        assert read.get_extension("correlationid") == "0197-correlation"
        assert read.get_data() == example(event_type).data.model_dump(mode="json")


def test_there_is_no_golden_file_of_an_unknown_event() -> None:
    assert {file.stem for file in GOLDEN.glob("*.json")} == {event.wire_type for event in ALL}


def test_every_queue_is_for_events_that_somebody_publishes() -> None:
    assert {event for queue in QUEUES for event in queue.events} <= set(ALL)


def test_a_batch_is_split_into_the_events_it_was_joined_from() -> None:
    bodies = [encoded(event_type) for event_type in ALL[:3]]
    parts = split(join(bodies), "application/cloudevents-batch+json; charset=utf-8")
    assert [json.loads(part) for part in parts] == [json.loads(body) for body in bodies]
    assert split(bodies[0], "application/cloudevents+json") == [bodies[0]]


GOOD = json.loads(encoded(ALL[0]))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{not json", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "not a CloudEvents 1.0 document"),
        (json.dumps(GOOD | {"specversion": "0.3"}).encode(), "specversion"),
        (json.dumps({key: value for key, value in GOOD.items() if key != "id"}).encode(), "id"),
        (json.dumps(GOOD | {"type": "crm.account.created.v9"}).encode(), "unknown event type or version"),
        (json.dumps(GOOD | {"data": {"id": "x"}}).encode(), "data.version"),
        (json.dumps(GOOD | {"data": "text"}).encode(), "data"),
    ],
)
def test_what_is_no_event_of_ours_is_refused_with_the_reason(body: bytes, said: str) -> None:
    with pytest.raises(UndecodableEvent, match=said):
        decode(body, by_wire_type(ALL))


def test_a_field_that_a_later_version_adds_is_no_fault() -> None:
    body = json.dumps(GOOD | {"later": 1, "data": GOOD["data"] | {"later": 1}}).encode()
    assert decode(body, by_wire_type(ALL))[1] == example(ALL[0])


def test_a_customer_says_whose_its_documents_are_and_leaves_out_what_it_has_nothing_to_say_of() -> None:
    plain: CustomerSnapshot = SNAPSHOTS[CustomerSnapshot]
    persons = tuple(one.model_copy(update={"crm_contact_id": "0197-contact"}) for one in plain.contact_persons)
    whole = plain.model_copy(update={"contact_persons": persons, "own_contact_ids": ("0197-contact",)})
    told, before = whole.model_dump(mode="json"), plain.model_dump(mode="json")
    assert (told["contact_persons"][0]["crm_contact_id"], told["own_contact_ids"]) == ("0197-contact", ["0197-contact"])
    assert told.keys() - before.keys() == {"own_contact_ids"}
    assert told["contact_persons"][0].keys() - before["contact_persons"][0].keys() == {"crm_contact_id"}
