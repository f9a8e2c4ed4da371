"""Whatever is asked of Invoice or the CRM: no fault of theirs, and no answer but those their API documents announce.

API_EXAMPLES says how many requests are made of each operation (6; some hundreds for a thorough search).
"""

import asyncio
import os
from typing import Any

import httpx
import pytest

EXAMPLES = int(os.environ.get("API_EXAMPLES", "6"))
DAY = "2026-01-31"
LINE = {"name": "Order 10248", "quantity": "2", "rate": "19.90", "tax_percentage": "19"}

Json = dict[str, Any]


async def make(client: httpx.AsyncClient, path: str, **fields: Any) -> Json:
    answer = await client.post(path, json=fields)
    assert answer.is_success, answer.text
    body: Json = answer.json()
    return body


async def trade(client: httpx.AsyncClient) -> None:
    """A customer of Invoice with something of everything: requests may have deleted or closed what was there before."""
    customer = await make(
        client, "/v1/customers", customer_name="Alfreds Futterkiste", contact_persons=[{"last_name": "Anders"}]
    )
    whose = {"customer_id": customer["id"]}
    await make(client, "/v1/items", name="Chai", rate="18.00")
    await make(client, "/v1/estimates", line_items=[LINE], **whose)
    await make(client, "/v1/invoices", line_items=[LINE], **whose)
    invoice = await make(client, "/v1/invoices", line_items=[LINE], **whose)
    await make(client, f"/v1/invoices/{invoice['id']}/status/sent")
    await make(client, "/v1/payments", amount="10.00", invoices=[{"invoice_id": invoice["id"], "amount": "5"}], **whose)


async def sell(client: httpx.AsyncClient) -> None:
    """An account of the CRM with a contact and a potential."""
    account = await make(client, "/v1/accounts", account_name="Alfreds Futterkiste")
    contact = await make(client, "/v1/contacts", last_name="Anders", account_id=account["id"])
    await make(client, "/v1/potentials", potential_name="Order", account_id=account["id"], contact_id=contact["id"])


async def documents(stack: Any, crm: httpx.AsyncClient) -> dict[str, list[str]]:
    """Documents that the CRM shows, which it has no list of: those of one account, after connecting it to Invoice."""
    key = await make(crm, "/v1/zsc-keys")
    body = {"email": key["email"], "zsc_key": key["key"], "auto_update": True}
    await make(await stack.person("sync", "admin"), "/v1/imports", **body)
    account = await make(crm, "/v1/accounts", account_name="Alfreds Futterkiste")

    async def made() -> bool:
        answer = await crm.post(f"/v1/accounts/{account['id']}/invoices", json={"line_items": [LINE]})
        return answer.status_code == 201

    await stack.eventually(made)
    for kind in ("estimates", "invoices"):
        await make(crm, f"/v1/accounts/{account['id']}/{kind}", line_items=[LINE])
    listed = (await crm.get(f"/v1/accounts/{account['id']}/documents")).json()
    return {kind: [one["id"] for one in listed[f"{kind}s"]] for kind in ("estimate", "invoice")}


@pytest.mark.parametrize("stack", ["embedded"], indirect=True)
@pytest.mark.parametrize(("service", "make_records"), [("invoice", trade), ("crm", sell)], ids=["invoice", "crm"])
async def test_nothing_that_can_be_asked_breaks_it_or_its_promise(
    stack: Any, service: str, make_records: Any, subtests: pytest.Subtests
) -> None:
    from tests.api import fuzzing  # importing Schemathesis takes long; not for those who test something else

    await stack.start("crm", "invoice", "sync", "workflow")
    admin = await stack.person(service, "admin")
    document = (await admin.get("/openapi.json")).json()
    lists = fuzzing.list_paths(document)
    others = await documents(stack, admin) if service == "crm" else {}

    async def ids() -> dict[str, list[str]]:
        await make_records(admin)
        pages = {noun: (await admin.get(path)).json().get("items", []) for noun, path in lists.items()}
        return others | {noun: [key(item) for item in items if not ourselves(item)] for noun, items in pages.items()}

    fuzzer = fuzzing.Fuzzer(admin, asyncio.get_running_loop(), examples=EXAMPLES)
    for operation in fuzzing.operations_of(document):
        with subtests.test(operation.label):
            faults = await asyncio.to_thread(fuzzer.try_out, operation, await ids())
            assert not faults, "\n\n".join(faults)
    assert fuzzer.statuses[200] > 0.2 * fuzzer.statuses.total(), f"too few came through: {fuzzer.statuses}"


def key(item: Json) -> str:
    """By what its path names it."""
    found: str = item.get("id") or item["name"]
    return found


def ourselves(item: Json) -> bool:
    """Who asks must stay."""
    return item.get("role") == "admin"
