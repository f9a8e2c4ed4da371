"""Loads the Northwind data through the APIs, as its users would have.

Guarantee: each step looks at what is there already and adds what is missing. Killed anywhere and started again, it
ends with the same records.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from rich.progress import Progress

from embedded.api import Api
from embedded.import_runs import ENDED, Run, follow
from embedded.northwind_data import Northwind, Order

CHUNK = 100
AT_ONCE = 8


async def import_companies(api: Api, email: str, progress: Progress) -> tuple[Run, Run]:
    """Connect Invoice to the CRM with a new ZSC key and auto-update, unless it is connected, and import (S21); then
    import once more, which changes nothing (S30). Gives the first import there ever was, and the last one."""
    runs = [run async for run in api.everything("sync", "/v1/imports") if run["kind"] == "import"]
    if runs and runs[0]["status"] not in ENDED:  # it was under way when we were stopped, and goes on by itself
        runs[0] = await follow(api, runs[0], progress, "Import, going on")
    if not any(run["status"] == "completed" for run in runs):
        run = (await api.call("POST", "sync", "/v1/imports", json=await _credentials(api, email))).json()
        runs.insert(0, await follow(api, run, progress, "Import"))
    again = (await api.call("POST", "sync", "/v1/imports", json={})).json()
    first = next(run for run in reversed(runs) if run["status"] == "completed")
    return first, await follow(api, again, progress, "Import once more")


async def _credentials(api: Api, email: str) -> dict[str, Any]:
    if (await api.call("GET", "sync", "/v1/connection", accept=[404])).is_success:
        return {}
    key = (await api.call("POST", "crm", "/v1/zsc-keys", json={"name": "Northwind demo"})).json()["key"]
    return {"email": email, "zsc_key": key, "auto_update": True}


async def activate_workflow(api: Api) -> None:
    """Activate the workflow for potentials, trigger *estimates* (S14, S15), unless a person has set it already."""
    if (await api.call("GET", "crm", "/v1/workflow")).headers["ETag"] == '"1"':
        await api.call("PUT", "crm", "/v1/workflow", json={"active": True, "trigger": "estimates"})


async def load_companies(api: Api, data: Northwind, progress: Progress) -> dict[str, dict[str, str]]:
    """Make accounts and contacts; give each company's key → ``{"account_id", "contact_id"}``."""
    task = progress.add_task("Accounts", total=len(data.companies))
    names = {item["account_name"] async for item in api.everything("crm", "/v1/accounts")}
    missing = [company.account for company in data.companies if company.account["account_name"] not in names]
    await api.import_csv("/v1/accounts/import", missing)
    ids = {item["account_name"]: item["id"] async for item in api.everything("crm", "/v1/accounts")}
    progress.update(task, completed=len(data.companies))

    task = progress.add_task("Contacts", total=len(data.companies))
    with_contact = {item["account_id"] async for item in api.everything("crm", "/v1/contacts")}
    contacts = [
        {**company.contact, "account_id": ids[company.account["account_name"]]}
        for company in data.companies
        if ids[company.account["account_name"]] not in with_contact
    ]
    await api.import_csv("/v1/contacts/import", contacts)
    contact_of = {item["account_id"]: item["id"] async for item in api.everything("crm", "/v1/contacts")}
    progress.update(task, completed=len(data.companies))
    return {
        company.key: {"account_id": account_id, "contact_id": contact_of[account_id]}
        for company in data.companies
        if (account_id := ids[company.account["account_name"]])
    }


async def load_orders(api: Api, data: Northwind, people: dict[str, dict[str, str]], progress: Progress) -> None:
    """Make a potential for each order, open at first; then close those that were won or lost."""
    task = progress.add_task("Potentials", total=len(data.orders))
    existing = {item["potential_name"] async for item in api.everything("crm", "/v1/potentials")}
    progress.update(task, completed=len(existing))
    missing = [order for order in data.orders if order.name not in existing]
    for start in range(0, len(missing), CHUNK):
        rows = [_row(order, people[order.company]) for order in missing[start : start + CHUNK]]
        await api.import_csv("/v1/potentials/import", rows)
        progress.update(task, advance=len(rows))
    await _close(api, data.orders, progress)


def _row(order: Order, person: dict[str, str]) -> dict[str, str]:
    return {
        "potential_name": order.name,
        **person,
        "amount": str(order.amount),
        "currency_code": "USD",
        "closing_date": order.closing_date,
    }


async def _close(api: Api, orders: Sequence[Order], progress: Progress) -> None:
    stages: dict[str, str] = {}
    for stage in (await api.call("GET", "crm", "/v1/stages")).json()["items"]:
        stages.setdefault(stage["status"], stage["name"])
    wanted = {order.name: order.status for order in orders if order.status != "open"}
    to_close = [
        item
        async for item in api.everything("crm", "/v1/potentials")
        if item["status"] != wanted.get(item["potential_name"], item["status"])
        and item["version"] == 1  # a person's change stays
    ]
    task = progress.add_task("Won and lost", total=len(wanted), completed=len(wanted) - len(to_close))
    places = asyncio.Semaphore(AT_ONCE)

    async def close(item: dict[str, Any]) -> None:
        async with places:
            body = {"stage": stages[wanted[item["potential_name"]]]}
            headers = {"If-Match": f'"{item["version"]}"'}
            await api.call("PATCH", "crm", f"/v1/potentials/{item['id']}", json=body, headers=headers)
            progress.update(task, advance=1)

    async with asyncio.TaskGroup() as group:
        for item in to_close:
            group.create_task(close(item))
