"""The four services as an operator runs them: a process each, PostgreSQL, RabbitMQ; killed and started again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import SERVICES, Processes


@pytest.fixture
def processes(tmp_path: Path, empty_databases: dict[str, str], amqp_namespace: tuple[str, str]) -> Iterator[Processes]:
    made = Processes(tmp_path, empty_databases, *amqp_namespace)
    yield made
    made.stop()


@pytest.mark.servers
def test_a_service_killed_in_the_middle_loses_nothing(processes: Processes) -> None:
    processes.start(*SERVICES)
    processes.sign_in()
    key = processes.call("POST", "crm", "/v1/zsc-keys", json={})["key"]
    connection = {"email": "admin@example.com", "zsc_key": key, "auto_update": True}
    processes.call("POST", "sync", "/v1/imports", json=connection)
    processes.call("PUT", "crm", "/v1/workflow", json={"active": True, "trigger": "estimates"})
    stages = processes.call("GET", "crm", "/v1/stages")["items"]
    won = next(stage["name"] for stage in stages if stage["status"] == "won")

    potentials = []
    for number, victim in enumerate(["sync", "workflow", "invoice", "crm"]):
        processes.kill(victim)
        if victim != "crm":  # the CRM goes on working, whatever else is down
            potentials.append(sell(processes, number, won))
        processes.start(victim)
        potentials.append(sell(processes, number + 10, won))

    def all_accepted() -> bool:
        estimates = processes.call("GET", "invoice", "/v1/estimates", params={"limit": 200})["items"]
        found = sorted(item["crm_potential_id"] for item in estimates if item["status"] == "accepted")
        return found == sorted(potentials)

    processes.eventually(all_accepted)
    customers = processes.call("GET", "invoice", "/v1/customers", params={"limit": 200})["items"]
    assert len(customers) == len(potentials)
    assert {len(customer["contact_persons"]) for customer in customers} == {1}


def sell(processes: Processes, number: int, won: str) -> str:
    """An account with its contact, and a deal with them that is won at once; gives the potential's id."""
    account = processes.call("POST", "crm", "/v1/accounts", json={"account_name": f"Company {number}"})
    contact = {"first_name": "Maria", "last_name": f"Anders {number}", "account_id": account["id"]}
    processes.call("POST", "crm", "/v1/contacts", json=contact)
    body = {"potential_name": f"Order {number}", "account_id": account["id"], "amount": "440.00"}
    potential = processes.call("POST", "crm", "/v1/potentials", json=body)
    processes.call("PATCH", "crm", f"/v1/potentials/{potential['id']}", json={"stage": won})
    potential_id: str = potential["id"]
    return potential_id
