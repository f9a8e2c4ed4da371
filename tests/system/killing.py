"""The product as processes that can be killed: its parts, what is asked of it, and what is compared in the end."""

import contextlib
import csv
import io
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import httpx

from tests.processes import Processes
from tests.system.test_demo import address, read_until, started

Json = dict[str, Any]
LEASE = {"SYNC_LEASE_SECONDS": "1"}
"""How soon another worker goes on with a run whose worker was killed."""


class Killable(Protocol):
    """The services, some or all of which can be killed together."""

    def kill(self) -> None:
        """End them with SIGKILL."""

    def start(self) -> None:
        """Start them again; the others go on meanwhile."""

    def call(self, method: str, service: str, path: str, **options: Any) -> Any:
        """What the service answers; an answer that is no success is an error."""


class AllAtOnce:
    """`crm-invoice run`: all four services are one process, and die together."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._exits = contextlib.ExitStack()
        self._headers: dict[str, dict[str, str]] = {}

    def start(self) -> None:
        self._process: subprocess.Popen[str] = self._exits.enter_context(started(self._folder, "run", **LEASE))
        printed = read_until(self._process, "Ctrl-C")
        titles = {"crm": "CRM", "invoice": "Invoice", "sync": "Sync", "workflow": "Workflow"}
        self._http = {
            name: self._exits.enter_context(httpx.Client(base_url=address(printed, title), timeout=60))
            for name, title in titles.items()
        }
        if not self._headers:
            password = (self._folder / "data" / "admin-password").read_text().strip()
            for name in ("crm", "invoice"):
                credentials = {"email": "admin@example.com", "password": password}
                token = self.call("POST", name, "/v1/tokens", json=credentials)["access_token"]
                self._headers[name] = {"Authorization": f"Bearer {token}"}
            self._headers["sync"] = self._headers["crm"]

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._exits.close()

    def call(self, method: str, service: str, path: str, **options: Any) -> Any:
        headers = self._headers.get(service, {}) | options.pop("headers", {})
        return _told(self._http[service].request(method, path, headers=headers, **options))


class SyncAlone:
    """A process for each service, on PostgreSQL and RabbitMQ; sync is killed, the others go on."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        processes.start("crm", "invoice")
        processes.sign_in()
        self._http = httpx.Client(timeout=60)

    def start(self) -> None:
        self._processes.start("sync")

    def kill(self) -> None:
        self._processes.kill("sync")

    def call(self, method: str, service: str, path: str, **options: Any) -> Any:
        headers = self._processes.headers[service] | options.pop("headers", {})
        return _told(self._http.request(method, self._processes.urls[service] + path, headers=headers, **options))

    def close(self) -> None:
        self._http.close()
        self._processes.stop()


def _told(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


class Firm:
    """What a company's people do with the product, and what they see."""

    def __init__(self, product: Killable) -> None:
        self.product = product
        self.call = product.call
        self._key: Json = self.call("POST", "crm", "/v1/zsc-keys", json={})

    def enter(self, accounts: range, contacts_of: Callable[[int], str]) -> None:
        """Make so many accounts in the CRM, and as many contacts, each of the account of this name, or of none."""
        rows = [[f"Company {n}", f"030-{n}", f"Street {n}", f"{n % 90000:05}", "Berlin"] for n in accounts]
        fields = ["account_name", "phone", "billing_address.street", "billing_address.zip", "shipping_address.city"]
        self._import("accounts", fields, rows)
        people = [["Ms.", "Maria", f"Anders {n}", f"0170-{n}", contacts_of(n)] for n in accounts]
        self._import("contacts", ["salutation", "first_name", "last_name", "mobile", "account_name"], people)

    def _import(self, noun: str, fields: list[str], rows: list[list[str]]) -> None:
        text = io.StringIO()
        csv.writer(text).writerows([fields, *rows])
        headers = {"Content-Type": "text/csv"}
        self.call("POST", "crm", f"/v1/{noun}/import", content=text.getvalue().encode(), headers=headers)

    def connect(self, organization_id: str) -> Json:
        """Connect the organization, and begin to import; nothing comes by events."""
        body = {"email": self._key["email"], "zsc_key": self._key["key"], "auto_update": False}
        headers = {"X-Organization-Id": organization_id}
        run: Json = self.call("POST", "sync", "/v1/imports", json=body, headers=headers)
        return run

    def run(self, run: Json) -> Json:
        """The import, as it is now."""
        found: Json = self.call("GET", "sync", f"/v1/imports/{run['id']}")
        return found

    def ended(self, run: Json, seconds: float = 120) -> Json:
        """The import, when it has ended."""
        deadline = time.monotonic() + seconds
        while (found := self.run(run))["status"] not in ("completed", "failed"):
            assert time.monotonic() < deadline, found
            time.sleep(0.02)
        return found

    def organization(self, name: str) -> str:
        body = {"name": name, "currency_code": "EUR"}
        organization_id: str = self.call("POST", "invoice", "/v1/organizations", json=body)["id"]
        return organization_id

    def everything(self, service: str, path: str, **options: Any) -> Iterator[Json]:
        """Each record of a list."""
        params = {"limit": 200, **options.pop("params", {})}
        while True:
            page = self.call("GET", service, path, params=params, **options)
            yield from page["items"]
            if (cursor := page["next_cursor"]) is None:
                return
            params["cursor"] = cursor

    def customers(self, organization_id: str) -> dict[str, Json]:
        """The organization's customers as they are to be compared, by the CRM records that they are there for."""
        found: dict[str, Json] = {}
        for one in self.everything("invoice", "/v1/customers", headers={"X-Organization-Id": organization_id}):
            links = sorted((link["record_type"], link["record_id"], link["version"]) for link in one["crm_links"])
            home = str(links or one["customer_name"])
            assert home not in found, f"doubled: {one['customer_name']}"
            fields = ("customer_name", "phone", "fax", "billing_address", "shipping_address", "status", "source")
            person = ("salutation", "first_name", "last_name", "phone", "mobile", "is_primary")
            persons = [[who[field] for field in person] for who in one["contact_persons"]]
            found[home] = {field: one[field] for field in fields} | {"persons": persons}
        return found
