"""How CRM records become customers: the three cases, and only the listed fields."""

import pytest
from contracts.accounts import AccountSnapshot
from contracts.contacts import ContactSnapshot
from contracts.customers import CrmRecord, ImportedContactPerson, ImportedCustomer
from contracts.values import Address
from hypothesis import given
from hypothesis import strategies as st
from sync_service.mapping import Unmappable, to_crm_record

BERLIN = Address(street="Obere Str. 57", city="Berlin", zip="12209", country="Germany")
PIER = Address(attention="Dock 4", city="Hamburg", country="Germany")

ALFREDS = AccountSnapshot(
    id="a1",
    version=3,
    account_name="Alfreds Futterkiste",
    phone="030-0074321",
    fax="030-0076545",
    website="https://alfreds.test",
    description="pays late",
    billing_address=BERLIN,
    shipping_address=PIER,
)
MARIA = ContactSnapshot(
    id="c1",
    version=7,
    salutation="Ms.",
    first_name="Maria",
    last_name="Anders",
    email="maria@alfreds.test",
    phone="030-1",
    mobile="0170-1",
)
MARIA_AS_PERSON = ImportedContactPerson(
    salutation="Ms.", first_name="Maria", last_name="Anders", phone="030-1", mobile="0170-1"
)
MARIA_AS_CUSTOMER = ImportedCustomer(customer_name="Maria Anders", phone="030-1")

CASES = {
    "s22 s23 an account is a customer": (
        ALFREDS,
        CrmRecord(
            record_type="account",
            record_id="a1",
            version=3,
            customer=ImportedCustomer(
                customer_name="Alfreds Futterkiste",
                phone="030-0074321",
                fax="030-0076545",
                billing_address=BERLIN,
                shipping_address=PIER,
            ),
        ),
    ),
    "s22 a contact of an account is a contact person, and says what it would be alone": (
        MARIA.model_copy(update={"account_id": "a1"}),
        CrmRecord(
            record_type="contact",
            record_id="c1",
            version=7,
            account_id="a1",
            customer=MARIA_AS_CUSTOMER,
            contact_person=MARIA_AS_PERSON,
        ),
    ),
    "s24 a contact with no account is a customer and its contact person": (
        MARIA,
        CrmRecord(
            record_type="contact",
            record_id="c1",
            version=7,
            customer=MARIA_AS_CUSTOMER,
            contact_person=MARIA_AS_PERSON,
        ),
    ),
    "s24 without a phone, the customer is called on the mobile": (
        ContactSnapshot(id="c2", version=1, last_name="Moos", mobile="0170-2"),
        CrmRecord(
            record_type="contact",
            record_id="c2",
            version=1,
            customer=ImportedCustomer(customer_name="Moos", phone="0170-2"),
            contact_person=ImportedContactPerson(last_name="Moos", mobile="0170-2"),
        ),
    ),
    "s28 a deleted account is its version and nothing else": (
        ALFREDS.model_copy(update={"deleted": True, "version": 4}),
        CrmRecord(record_type="account", record_id="a1", version=4, deleted=True),
    ),
    "s28 a deleted contact is its version and nothing else": (
        MARIA.model_copy(update={"deleted": True, "account_id": "a1"}),
        CrmRecord(record_type="contact", record_id="c1", version=7, deleted=True),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_cases(case: str) -> None:
    snapshot, expected = CASES[case]
    assert to_crm_record(snapshot) == expected


def test_a_name_longer_than_invoice_holds_is_cut() -> None:
    record = to_crm_record(ContactSnapshot(id="c", version=1, first_name="F" * 254, last_name="L" * 255))
    assert record.customer is not None
    assert record.customer.customer_name == "F" * 254  # and no blank at the end
    assert record.contact_person is not None
    assert record.contact_person.last_name == "L" * 255


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"id": ""}, "id has 0 characters"),
        ({"id": "x" * 65}, "id has 65 characters"),
        ({"version": 0}, "version is 0"),
        ({"version": 2**31}, "version is 2147483648"),
        ({"account_id": "x" * 65}, "account has more than 64"),
    ],
)
def test_a_record_that_invoice_could_keep_no_link_of_is_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(Unmappable, match=told):
        to_crm_record(MARIA.model_copy(update=wrong))


@pytest.mark.parametrize(
    "nameless",
    [AccountSnapshot(id="a", version=1, account_name=" "), ContactSnapshot(id="c", version=1, last_name="")],
)
def test_a_record_without_a_name_is_refused_with_the_reason(nameless: AccountSnapshot | ContactSnapshot) -> None:
    with pytest.raises(Unmappable, match="has no name"):
        to_crm_record(nameless)


texts = st.text(max_size=30)
names = texts.filter(str.strip)
addresses = st.builds(Address, attention=texts, street=texts, city=texts)
contacts = st.builds(
    ContactSnapshot,
    id=names,
    version=st.integers(1, 2**31 - 1),
    salutation=texts,
    first_name=texts,
    last_name=names,
    email=texts,
    phone=texts,
    mobile=texts,
    account_id=st.none() | names,
)
accounts = st.builds(
    AccountSnapshot,
    id=names,
    version=st.integers(1, 2**31 - 1),
    account_name=names,
    phone=texts,
    fax=texts,
    website=texts,
    description=texts,
    billing_address=addresses,
    shipping_address=addresses,
)


@given(account=accounts, website=texts, description=texts)
def test_s27_nothing_else_of_an_account_flows(account: AccountSnapshot, website: str, description: str) -> None:
    other = account.model_copy(update={"website": website, "description": description})
    assert to_crm_record(other) == to_crm_record(account)


@given(contact=contacts, email=texts)
def test_s27_no_email_of_a_contact_flows(contact: ContactSnapshot, email: str) -> None:
    assert to_crm_record(contact.model_copy(update={"email": email})) == to_crm_record(contact)


@given(contact=contacts)
def test_a_contact_is_the_same_person_and_customer_whichever_account_it_has(contact: ContactSnapshot) -> None:
    alone = to_crm_record(contact.model_copy(update={"account_id": None}))
    record = to_crm_record(contact)
    assert (record.contact_person, record.customer) == (alone.contact_person, alone.customer)
    assert record.account_id == contact.account_id
