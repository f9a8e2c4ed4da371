"""S27: which fields come from the CRM, which record says them, and what is told to someone who edits one."""

from datetime import datetime
from typing import Any

from servicekit.db import utc_now

Json = dict[str, Any]

FIELDS = ["customer_name", "phone", "fax", "billing_address", "shipping_address"]
PERSON_FIELDS = ["salutation", "first_name", "last_name", "phone", "mobile"]


def owned(shown: Json) -> list[tuple[str, str, str, int]]:
    return [(one["field"], one["record_type"], one["record_id"], one["version"]) for one in shown["crm_owned_fields"]]


async def test_s27_each_field_says_which_record_it_comes_from_which_version_and_when(invoice: Any) -> None:
    before = utc_now()
    await invoice.apply(invoice.account("a", 3), invoice.contact("c", 2, at="a"), invoice.contact("e"))
    await invoice.customer("By hand", contact_persons=[{"last_name": "By hand"}])

    by_hand, person_e, company = await invoice.customers()

    assert owned(company) == [(field, "account", "a", 3) for field in FIELDS]
    (person,) = company["contact_persons"]
    assert owned(person) == [(field, "contact", "c", 2) for field in PERSON_FIELDS]
    assert owned(person_e) == [(field, "contact", "e", 1) for field in FIELDS]
    assert owned(by_hand) == owned(by_hand["contact_persons"][0]) == []
    for marked in (*company["crm_owned_fields"], *company["crm_links"]):
        assert before <= datetime.fromisoformat(marked["applied_at"]) <= utc_now()
    await invoice.apply(invoice.account("a", 4))
    assert owned(await invoice.shown("customers", company["id"]))[0] == ("customer_name", "account", "a", 4)


async def test_s29_of_merged_records_it_is_the_first_one(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.account("b"))
    kept, gone = [(await invoice.customers(crm_account_id=id_))[0]["id"] for id_ in "ba"]
    invoice.ok(await invoice.admin.post(f"/v1/customers/{gone}/merge", json={"into": kept}))

    assert owned(await invoice.shown("customers", kept))[0] == ("customer_name", "account", "b", 1)
    await invoice.apply(invoice.deleted("account", "b", 2))
    assert owned(await invoice.shown("customers", kept))[0] == ("customer_name", "account", "a", 1)


async def test_s27_an_edit_is_warned_of_what_will_be_overwritten(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.contact("c", at="a", first_name="Maria"))
    (customer,) = await invoice.customers()
    path, person = f"/v1/customers/{customer['id']}", customer["contact_persons"][0]["id"]

    async def warned(**body: Any) -> list[str]:
        warnings: list[str] = invoice.ok(await invoice.admin.patch(path, json=body))["warnings"]
        return warnings

    assert await warned(customer_name="Company a", notes="Pays late", contact_persons=[{"last_name": "New"}]) == []
    persons = [{"id": person, "mobile": "1", "email": "m@a.test", "is_primary": True}]
    assert await warned(customer_name="Edited", phone="2", contact_persons=persons) == [
        "customer_name comes from account a in the CRM: its next update overwrites what you entered",
        "phone comes from account a in the CRM: its next update overwrites what you entered",
        "mobile of Maria Person c comes from contact c in the CRM: its next update overwrites what you entered",
    ]
    edited = await invoice.shown("customers", customer["id"])
    assert (edited["customer_name"], edited["warnings"]) == ("Edited", [])
    by_hand = await invoice.customer()
    assert (
        invoice.ok(await invoice.admin.patch(f"/v1/customers/{by_hand['id']}", json={"phone": "1"}))["warnings"] == []
    )
