"""`crm-invoice import` and `doctor` against the running product, and what they make of strange text and old tokens."""

import io
import subprocess
from pathlib import Path
from typing import Any

import httpx
from embedded import import_runs
from embedded.api import Api
from rich.console import Console

from tests.system.killing import AllAtOnce
from tests.system.test_demo import COMMAND

RUN = {"id": "r", "status": "running", "total": 5, "changes": 1}
COUNTS = dict.fromkeys(("read", *import_runs.COUNTS), 0)


def ran(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """How the command ended, and what it printed; words on one line, whatever the table made of them."""
    settings = {"DATA_DIR": str(folder / "data"), "COLUMNS": "200", "PATH": "/usr/bin", **environment}
    done = subprocess.run([COMMAND, *arguments], cwd=folder, env=settings, capture_output=True, text=True, timeout=120)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_s21_s30_import_dry_run_and_doctor_from_the_command_line(tmp_path: Path) -> None:
    product = AllAtOnce(tmp_path)
    product.start()
    try:
        account = product.call("POST", "crm", "/v1/accounts", json={"account_name": "Acme [/Berlin] GmbH"})
        key = product.call("POST", "crm", "/v1/zsc-keys", json={})["key"]
        connect = ("import", "--email", "admin@example.com", "--no-auto-update")
        status, said = ran(tmp_path, *connect, "--dry-run", ZSC_KEY=key)
        assert status == 0, said
        assert "Acme [/Berlin] GmbH account created name Acme [/Berlin] GmbH" in said
        assert product.call("GET", "invoice", "/v1/customers")["items"] == []

        status, said = ran(tmp_path, *connect, ZSC_KEY=key)
        assert (status, "Created 1" in said) == (0, True), said
        product.call("PATCH", "crm", f"/v1/accounts/{account['id']}", json={"phone": "030-1"})
        status, said = ran(tmp_path, "doctor", "sync", "--mend", "--yes")
        assert status == 0, said
        assert "updated phone 030-1 a change in the CRM has not come to Invoice" in said
        assert product.call("GET", "invoice", "/v1/customers")["items"][0]["phone"] == "030-1"
        status, said = ran(tmp_path, "doctor")
        assert (status, said.count("ok ok ok")) == (0, 4), said
    finally:
        product.kill()


async def test_a_run_that_takes_longer_than_a_token_lasts_is_followed_to_its_end() -> None:
    valid: set[str] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/tokens":
            valid.add("another token" if valid else "a token")
            return httpx.Response(200, json={"access_token": max(valid, key=len)})
        if request.headers["authorization"] != "Bearer another token":
            return httpx.Response(401, json={"detail": "the token has expired", "code": "token_expired"})
        return httpx.Response(200, json=RUN | {"status": "completed", "counts": COUNTS})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        api = Api(http, {"crm": "http://crm.test", "sync": "http://sync.test"})
        await api.sign_in("ada@crm.test", "a password", to=("crm",))
        with import_runs.bars(Console(quiet=True)) as progress:
            assert (await import_runs.follow(api, RUN | {"counts": COUNTS}, progress, "Import"))[
                "status"
            ] == "completed"


async def test_what_people_typed_is_shown_as_they_typed_it() -> None:
    item = {
        "outcome": "created",
        "why": None,
        "name": "Acme [red] GmbH [/]",
        "record_id": "a",
        "record_type": "account",
    }
    changes = [{"field": "customer.phone", "before": "[/]", "after": "+49 [/1]"}]
    failure = {"record_type": "account", "record_id": "b", "reason": "phone: [/x] is too long"}
    pages: dict[str, Any] = {"changes": {"items": [item | {"changes": changes}]}, "failures": {"items": [failure]}}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=pages[request.url.path.rpartition("/")[2]])

    console = Console(width=150, record=True, file=io.StringIO())
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        api = Api(http, {"sync": "http://sync.test"})
        await import_runs.tell_changes(api, RUN, console, title="Record by record")
        await import_runs.tell_failures(api, RUN | {"counts": COUNTS | {"failed": 1}}, console)
    printed = console.export_text()
    for text in ("Acme [red] GmbH [/]", "+49 [/1]", "phone: [/x] is too long"):
        assert text in printed
