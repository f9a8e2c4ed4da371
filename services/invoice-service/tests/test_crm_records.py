"""Reading the bulk command's records: what is accepted, and as what, is said by the types of all our fields."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from invoice_service.customers.crm_records import RecordBody, _Parts, read
from pydantic import ValidationError

TEXTS = st.sampled_from(["", " Ü ", "a\tb", "a\nb", "\x00", "\x7f", "\ud800", "😀", "x" * 50, "é" * 51, "x" * 256, " "])
VALUES = st.one_of(st.text(max_size=5), TEXTS, st.none(), st.just(7))


def parts(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from([*names, "other"]), VALUES)


ADDRESS = parts("attention", "street", "street2", "city", "state", "zip", "country") | VALUES
CUSTOMER = st.builds(
    lambda fields, name, address: {**fields, "customer_name": name, "billing_address": address},
    parts("customer_name", "phone", "fax"),
    VALUES,
    ADDRESS,
)
PERSON = parts("salutation", "first_name", "last_name", "phone", "mobile")


@given(customer=st.none() | CUSTOMER | st.just({}), contact_person=st.none() | PERSON)
def test_what_is_read_quickly_is_read_as_ever(customer: Any, contact_person: Any) -> None:
    body = RecordBody(record_type="contact", record_id="c", version=1, customer=customer, contact_person=contact_person)

    record = read(body)

    try:
        expected = _Parts.model_validate({"customer": customer, "contact_person": contact_person}).model_dump()
    except ValidationError:
        assert record.refusal is not None
        assert record.refusal.startswith(("customer", "contact_person"))
    else:
        assert record.refusal is None
        assert expected == {
            "customer": record.customer and record.customer.model_dump(),
            "contact_person": record.contact_person and record.contact_person.model_dump(),
        }
