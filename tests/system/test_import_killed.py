"""An import whose process is killed at random moments goes on by itself, and ends as if nothing had happened (S30).

RECORDS says how many accounts and contacts are imported (600), KILLS how often it is killed (1); 10000 and 20 for the
whole proof. SEED repeats what came by chance.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import Processes
from tests.system.killing import LEASE, AllAtOnce, Firm, Json, Killable, SyncAlone

KILLS = int(os.environ.get("KILLS", "1"))
RECORDS = int(os.environ.get("RECORDS", "600"))
SEED = int(os.environ.get("SEED", time.time_ns()))
USED = 3
LINE = {"name": "Tea", "quantity": "1", "rate": "3.50"}


@pytest.fixture
def all_at_once(tmp_path: Path) -> Iterator[AllAtOnce]:
    product = AllAtOnce(tmp_path)
    product.start()
    yield product
    product.kill()


@pytest.fixture
def sync_alone(tmp_path: Path, empty_databases: dict[str, str], amqp_namespace: tuple[str, str]) -> Iterator[SyncAlone]:
    product = SyncAlone(Processes(tmp_path, empty_databases, *amqp_namespace, **LEASE))
    product.start()
    yield product
    product.close()


def test_s30_all_services_killed_during_an_import(all_at_once: AllAtOnce) -> None:
    an_import_killed_ends_as_an_undisturbed_one(all_at_once)


@pytest.mark.servers
def test_s30_sync_killed_during_an_import_while_crm_and_invoice_go_on(sync_alone: SyncAlone) -> None:
    an_import_killed_ends_as_an_undisturbed_one(sync_alone)


def an_import_killed_ends_as_an_undisturbed_one(product: Killable) -> None:
    firm = Firm(product)
    disturbed, undisturbed = firm.organization("Disturbed"), firm.organization("Undisturbed")
    some, half = max(RECORDS // 20, 2 * USED), RECORDS // 2
    used, expected_counts = imported_before(firm, disturbed, some)
    firm.enter(range(some, half), contacts_of=lambda n: "" if n % 5 == 0 else f"Company {n - n % 3}")

    killed, run = killed_while_it_imports(firm, firm.connect(disturbed))
    firm.call("DELETE", "sync", "/v1/connection")
    again = firm.ended(firm.connect(undisturbed))

    total = 2 * half
    assert (run["status"], run["reason"], run["failures"]) == ("completed", None, [])
    counts = run["counts"]
    assert counts["read"] == total == sum(count for name, count in counts.items() if name != "read")
    assert counts["failed"] == 0
    # What was written before a kill, and is told again after it, counts as unchanged: no more is created than is there.
    for name, most in expected_counts.items():
        assert counts[name] <= most, counts
    assert (again["status"], again["counts"]["read"], again["counts"]["failed"]) == ("completed", total, 0)
    found = firm.customers(disturbed)
    inactive = {home: one["customer_name"] for home, one in found.items() if one["status"] == "inactive"}
    assert sorted(inactive.values()) == sorted(used)
    assert {home: one for home, one in found.items() if home not in inactive} == firm.customers(undisturbed)
    assert killed == KILLS, f"the import was over after {killed} kills"


def imported_before(firm: Firm, organization_id: str, count: int) -> tuple[list[str], dict[str, int]]:
    """Some accounts and contacts were imported before, and have changed since.

    Gives the names of those that were deleted and have transactions, and how many records of these are updated, made
    inactive, deleted.
    """
    firm.enter(range(count), contacts_of=lambda n: f"Company {n - n % 3}")
    assert firm.ended(firm.connect(organization_id))["counts"]["created"] == 2 * count
    headers = {"X-Organization-Id": organization_id}
    customers = {one["customer_name"]: one for one in firm.everything("invoice", "/v1/customers", headers=headers)}
    accounts = {one["account_name"]: one["id"] for one in firm.everything("crm", "/v1/accounts")}
    # Companies 1, 2, 4, 5 … have no contacts.
    used, unused, renamed = "Company 1", "Company 2", "Company 4"
    body = {"customer_id": customers[used]["id"], "line_items": [LINE]}
    firm.call("POST", "invoice", "/v1/estimates", json=body, headers=headers)
    for name in (used, unused):
        firm.call("DELETE", "crm", f"/v1/accounts/{accounts[name]}")
    firm.call("PATCH", "crm", f"/v1/accounts/{accounts[renamed]}", json={"account_name": "Renamed", "fax": "030-9"})
    return [used], {"updated": 1, "made_inactive": 1, "deleted": 1}


def killed_while_it_imports(firm: Firm, run: Json) -> tuple[int, Json]:
    """Kill and start again, `KILLS` times, at random moments; how often that was in time, and the import at its end."""
    chance = random.Random(SEED)
    print(f"SEED={SEED}")
    # By then there is at least the last page of contacts to come.
    moments = sorted(chance.randint(0, max(RECORDS - 1000, 0)) for _ in range(KILLS))
    killed = 0
    for moment in moments:
        while (now := firm.run(run))["status"] in ("queued", "running") and now["counts"]["read"] < moment:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.1))
        firm.product.kill()
        firm.product.start()
        killed += firm.run(run)["status"] != "completed"
    return killed, firm.ended(run)
