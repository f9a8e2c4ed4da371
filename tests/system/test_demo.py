"""The product as a stranger meets it: `make demo`, killed and started again, stopped, looked at from outside.

KILLS says how often the demo is killed while it loads (1; 20 for the whole proof), ORDERS how many of its orders it
loads (100; 830 are all).
"""

import os
import random
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from embedded.northwind_data import load

COMMAND = Path(sys.executable).parent / "crm-invoice"
KILLS = int(os.environ.get("KILLS", "1"))
ORDERS = os.environ.get("ORDERS", "100")
OUR_SETTINGS = ("DATA_DIR", "BASE_PORT", "ADMIN_EMAIL", "ADMIN_PASSWORD", "LOG_LEVEL", "LOG_FORMAT", "METRICS_TOKEN")


@contextmanager
def started(folder: Path, *arguments: str, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    """The program, running on ``folder/data`` and free ports; killed at the end if it still runs."""
    environment = {name: value for name, value in os.environ.items() if name not in OUR_SETTINGS}
    environment |= {"DATA_DIR": str(folder / "data"), "BASE_PORT": "0", "COLUMNS": "200"} | settings
    process = subprocess.Popen(
        [COMMAND, *arguments], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def read_until(process: "subprocess.Popen[str]", text: str) -> str:
    """What it prints, up to the line with ``text``."""
    assert process.stdout
    printed = ""
    for line in process.stdout:
        printed += line
        if text in line:
            return printed
    pytest.fail(f"it ended without printing {text!r}:\n{printed}")


def address(printed: str, service: str) -> str:
    found = re.search(rf"^{service}\s+(http://\S+)", printed, re.MULTILINE)
    assert found, printed
    return found.group(1)


COMPANIES = ("Accounts in the CRM 91", "Customers in Invoice 91", "Contact persons in Invoice 91")
DEALS = {
    "830": (
        *("Potentials won 772", "Potentials lost 37", "Potentials open 21", "Potentials 830"),
        *("Estimates accepted 772 1,173,320.16", "Estimates declined 37", "Estimates draft 21"),
    ),
    "100": (
        *("Potentials won 91", "Potentials lost 7", "Potentials open 2", "Potentials 100"),
        *("Estimates accepted 91 134,409.21", "Estimates declined 7", "Estimates draft 2"),
    ),
}


def test_killed_at_random_moments_and_started_again_it_ends_with_the_same_table(tmp_path: Path) -> None:
    moments = random.Random(int(os.environ.get("SEED", time.time_ns())))
    demo = ("demo", "--once", "--orders", ORDERS)
    for _ in range(KILLS):
        with started(tmp_path, *demo) as process:
            try:
                if moments.random() < 0.8:  # the others may be killed while it starts
                    read_until(process, "loading the Northwind")
                process.wait(timeout=moments.uniform(0.1, 6))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
    with started(tmp_path, *demo) as process:
        printed, _ = process.communicate(timeout=600)
    assert process.returncode == 0, printed
    for row in (*COMPANIES, *DEALS[ORDERS]):
        assert row in re.sub(r" +", " ", printed)


def test_all_of_the_data_is_there() -> None:
    data = load(830)
    assert (len(data.companies), dict(data.orders_by_status())) == (91, {"won": 772, "lost": 37, "open": 21})
    assert data.amounts_by_status()["won"] == Decimal("1173320.16")


def test_it_runs_stops_cleanly_and_finds_everything_as_it_was(tmp_path: Path) -> None:
    with started(tmp_path, "run") as process:
        printed = read_until(process, "Ctrl-C")
        crm = address(printed, "CRM")
        password_file = tmp_path / "data" / "admin-password"
        assert str(password_file) in printed.replace("\n", "")
        assert stat.S_IMODE(password_file.stat().st_mode) == 0o600
        password = password_file.read_text().strip()
        assert password not in printed
        headers = sign_in(crm, password)
        made = httpx.post(f"{crm}/v1/accounts", json={"account_name": "Alfreds Futterkiste"}, headers=headers)
        assert made.status_code == 201
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=15) == 0
        assert process.stdout
        rest = process.stdout.read()
        assert "Stopped." in rest
        assert "Traceback" not in rest
    with started(tmp_path, "run") as process:
        crm = address(read_until(process, "Ctrl-C"), "CRM")
        headers = sign_in(crm, password)
        found = httpx.get(f"{crm}/v1/accounts/{made.json()['id']}", headers=headers)
        assert found.json()["account_name"] == "Alfreds Futterkiste"


def test_a_second_process_is_told_what_is_in_its_way(tmp_path: Path) -> None:
    with started(tmp_path, "run") as first:
        port = address(read_until(first, "Ctrl-C"), "Workflow").rpartition(":")[2]
        for settings, said in (
            ({}, "in use by another process"),
            ({"BASE_PORT": port, "DATA_DIR": "other"}, f"port {port}"),
        ):
            with started(tmp_path, "run", **settings) as second:
                printed, _ = second.communicate(timeout=30)
                assert second.returncode == 1
                assert said in printed.replace("\n", " ")
        assert first.poll() is None


def sign_in(crm: str, password: str) -> dict[str, str]:
    answer = httpx.post(f"{crm}/v1/tokens", json={"email": "admin@example.com", "password": password}, timeout=30)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}
