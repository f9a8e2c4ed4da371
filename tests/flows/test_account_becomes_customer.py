"""Accounts and contacts of the CRM become customers in Invoice: the whole way, through all services."""

from typing import Any

from contracts.accounts import AccountCreated, AccountDeleted, AccountSnapshot, AccountUpdated
from contracts.contacts import ContactCreated, ContactSnapshot

BERLIN = {"street": "Obere Str. 57", "city": "Berlin", "zip": "12209", "country": "Germany"}


async def test_s21_s24_an_import_makes_customers_of_all_three_cases(company: Any) -> None:
    alfreds = await company.account("Alfreds Futterkiste", phone="030-1", fax="030-2", billing_address=BERLIN)
    await company.contact("Anders", first_name="Maria", salutation="Ms.", mobile="0170", account_id=alfreds["id"])
    await company.contact("Bauer", account_id=alfreds["id"])
    await company.account("Berglunds snabbköp")
    await company.contact("Cramer", first_name="Philip", phone="0555")

    run = await company.connect()
    assert run["counts"] == dict.fromkeys(run["counts"], 0) | {"read": 5, "created": 5}
    case_1, case_2, case_3 = await company.customers()
    assert [case_1["customer_name"], case_2["customer_name"], case_3["customer_name"]] == [
        "Alfreds Futterkiste",
        "Berglunds snabbköp",
        "Philip Cramer",
    ]
    # S22, with the first contact as the primary person
    assert (case_1["phone"], case_1["fax"], case_1["source"]) == ("030-1", "030-2", "crm")
    assert case_1["billing_address"]["city"] == "Berlin"
    persons = sorted(case_1["contact_persons"], key=lambda one: one["last_name"])
    assert [(one["first_name"], one["last_name"], one["mobile"]) for one in persons] == [
        ("Maria", "Anders", "0170"),
        ("", "Bauer", ""),
    ]
    assert [one["is_primary"] for one in persons] == [True, False]
    # S23
    assert case_2["contact_persons"] == []
    # S24
    assert case_3["phone"] == "0555"
    assert [one["last_name"] for one in case_3["contact_persons"]] == ["Cramer"]

    again = await company.import_again()
    assert again["counts"] == dict.fromkeys(again["counts"], 0) | {"read": 5, "unchanged": 5}


async def test_s1_s3_nothing_flows_back_to_the_crm(company: Any) -> None:
    account = await company.account("Alfreds Futterkiste")
    await company.connect()
    by_hand = await company.invoice.post("/v1/customers", json={"customer_name": "Made by hand"})
    assert by_hand.status_code == 201
    imported = await company.customer_of(account)
    edited = await company.invoice.patch(f"/v1/customers/{imported['id']}", json={"customer_name": "Renamed here"})
    assert edited.status_code == 200
    await company.import_again()

    accounts = (await company.crm.get("/v1/accounts")).json()["items"]
    assert [(one["account_name"], one["version"]) for one in accounts] == [("Alfreds Futterkiste", 1)]
    assert (await company.crm.get("/v1/contacts")).json()["items"] == []


async def test_s26_s27_a_change_flows_within_moments_and_only_the_listed_fields_do(company: Any) -> None:
    await company.connect()
    account = await company.account("Alfreds", description="pays late", website="https://alfreds.test")
    contact = await company.contact("Anders", email="maria@alfreds.test", account_id=account["id"])
    customer = await company.customer_of(account)
    await company.invoice.patch(f"/v1/customers/{customer['id']}", json={"notes": "likes tea", "payment_terms": 14})

    await company.change(f"accounts/{account['id']}", account_name="Alfreds Futterkiste", description="pays")
    await company.change(f"contacts/{contact['id']}", phone="030-9")

    async def arrived() -> Any:
        found = await company.customer_of(account)
        assert found["customer_name"] == "Alfreds Futterkiste"
        assert [one["phone"] for one in found["contact_persons"]] == ["030-9"]
        return found

    found = await company.stack.eventually(arrived)
    assert (found["notes"], found["payment_terms"]) == ("likes tea", 14)
    assert found["contact_persons"][0]["email"] == ""
    assert "pays" not in str(found)
    assert "alfreds.test" not in str(found)


async def test_s26_without_auto_update_a_change_comes_with_the_next_import(company: Any) -> None:
    account = await company.account("Alfreds")
    await company.connect(auto_update=False)
    await company.change(f"accounts/{account['id']}", account_name="Alfreds Futterkiste")
    await company.account("Berglunds")
    run = await company.import_again()
    assert (run["counts"]["updated"], run["counts"]["created"]) == (1, 1)
    assert await company.names() == ["Alfreds Futterkiste", "Berglunds"]


async def test_s28_deleted_in_the_crm_it_is_deleted_here_or_made_inactive(company: Any) -> None:
    unused, used = await company.account("Never used"), await company.account("With an estimate")
    await company.connect()
    customer = await company.customer_of(used)
    refused = await company.invoice.delete(f"/v1/customers/{customer['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "customer_is_imported")
    estimate = {"customer_id": customer["id"], "line_items": [{"name": "Tea", "quantity": 1, "rate": "3.50"}]}
    assert (await company.invoice.post("/v1/estimates", json=estimate)).status_code == 201

    for account in (unused, used):
        assert (await company.crm.delete(f"/v1/accounts/{account['id']}")).status_code == 204

    async def gone() -> bool:
        left = await company.customers()
        return [(one["customer_name"], one["status"]) for one in left] == [("With an estimate", "inactive")]

    await company.stack.eventually(gone)


async def test_s25_the_contacts_of_a_deleted_account_stand_alone(company: Any) -> None:
    account = await company.account("Alfreds")
    await company.contact("Anders", first_name="Maria", account_id=account["id"])
    await company.connect()
    assert await company.names() == ["Alfreds"]
    await company.crm.delete(f"/v1/accounts/{account['id']}")

    async def alone() -> bool:
        return await company.names() == ["Maria Anders"]

    await company.stack.eventually(alone)


async def test_s19_whatever_the_order_and_repetition_the_customers_are_the_same(company: Any) -> None:
    await company.connect()
    account = AccountSnapshot(id="a-1", version=1, account_name="Alfreds")
    renamed = account.model_copy(update={"version": 2, "account_name": "Alfreds Futterkiste"})
    contact = ContactSnapshot(id="c-1", version=1, last_name="Anders", account_id="a-1")
    gone = AccountSnapshot(id="a-2", version=2, account_name="Closed", deleted=True)
    company.publish(
        ContactCreated(data=contact),
        AccountDeleted(data=gone),
        AccountUpdated(data=renamed),
        ContactCreated(data=contact),
        AccountCreated(data=account),
        AccountCreated(data=AccountSnapshot(id="a-2", version=1, account_name="Closed")),
        AccountUpdated(data=renamed),
    )

    async def settled() -> Any:
        found = await company.customers()
        assert [one["customer_name"] for one in found] == ["Alfreds Futterkiste"]
        assert [one["last_name"] for one in found[0]["contact_persons"]] == ["Anders"]
        return found[0]

    customer = await company.stack.eventually(settled)
    links = {(link["record_type"], link["record_id"]): link["version"] for link in customer["crm_links"]}
    assert links == {("account", "a-1"): 2, ("contact", "c-1"): 1}


async def test_with_invoice_or_sync_stopped_changes_wait_and_none_is_lost(company: Any) -> None:
    await company.connect()
    expected = []
    for away in ("invoice", "sync"):
        await company.stack.stop(away)
        for number in range(5):
            account = await company.account(f"{away} {number}")
            await company.contact("Anders", account_id=account["id"])
            expected.append(f"{away} {number}")
        await company.stack.start(away)

    async def all_there() -> bool:
        found = await company.customers()
        assert [one["customer_name"] for one in found] == sorted(expected)
        assert all(len(one["contact_persons"]) == 1 for one in found)
        return True

    await company.stack.eventually(all_there)


async def test_disconnected_and_connected_again_makes_no_duplicates(company: Any) -> None:
    await company.account("Alfreds")
    await company.connect()
    assert (await company.sync.delete("/v1/connection")).status_code == 204
    await company.account("Berglunds")
    await company.connect()
    assert await company.names() == ["Alfreds", "Berglunds"]


async def test_s21_a_revoked_key_is_refused_and_nothing_changes(company: Any) -> None:
    key = await company.make("zsc-keys")
    assert (await company.crm.delete(f"/v1/zsc-keys/{key['id']}")).status_code == 204
    body = {"email": key["email"], "zsc_key": key["key"], "auto_update": True}
    refused = await company.sync.post("/v1/imports", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "zsc_key_revoked")
    unknown = await company.sync.post("/v1/imports", json=body | {"email": "eve@crm.test"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "zsc_email_unknown")
    assert (await company.sync.get("/v1/connection")).status_code == 404
