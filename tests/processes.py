"""The four services as an operator runs them: a process each, with PostgreSQL and RabbitMQ."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

SERVICES = ("crm", "invoice", "sync", "workflow")
PASSWORD = "a password of the tests"


class Processes:
    """The services' processes, their addresses, and how to speak to them.

    ``settings``: environment variables for each of them. They log to files in ``folder``.
    """

    def __init__(self, folder: Path, databases: dict[str, str], amqp_url: str, namespace: str, **settings: str) -> None:
        ports = {name: free_port() for name in SERVICES}
        self.urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._environment = {
            name: {
                **os.environ,
                **{f"{other.upper()}_URL": url for other, url in self.urls.items()},
                "PORT": str(ports[name]),
                "DATABASE_URL": databases[name],
                "BUS_URL": amqp_url,
                "BUS_NAMESPACE": namespace,
                "AUTH_SECRET": "s" * 40,
                "ADMIN_EMAIL": "admin@example.com",
                "ADMIN_PASSWORD": PASSWORD,
                "RETRY_DELAYS": "[0.2, 0.5, 1]",
                **settings,
            }
            for name in SERVICES
        }
        self.headers: dict[str, dict[str, str]] = {}

    def start(self, *names: str) -> None:
        for name in names:
            script = Path(sys.executable).parent / f"{name}-service"
            log = (self._folder / f"{name}.log").open("ab")
            self._running[name] = subprocess.Popen(
                [script], env=self._environment[name], cwd=self._folder, stdout=log, stderr=log
            )
        for name in names:
            self.eventually(lambda name=name: self._ready(name))

    def _ready(self, name: str) -> bool:
        if self._running[name].poll() is not None:
            raise AssertionError(f"{name} ended:\n{(self._folder / f'{name}.log').read_text()[-3000:]}")
        try:
            return bool(httpx.get(f"{self.urls[name]}/health/ready").json()["status"] == "ok")
        except httpx.TransportError:
            return False

    def process_id(self, name: str) -> int:
        return self._running[name].pid

    def kill(self, name: str) -> None:
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            assert process.wait(timeout=25) in (0, -15)

    def call(self, method: str, service: str, path: str, **options: Any) -> Any:
        answer = httpx.request(method, self.urls[service] + path, headers=self.headers.get(service), **options)
        assert answer.is_success, answer.text
        return answer.json()

    def sign_in(self) -> None:
        for name in ("crm", "invoice"):
            credentials = {"email": "admin@example.com", "password": PASSWORD}
            token = self.call("POST", name, "/v1/tokens", json=credentials)["access_token"]
            self.headers[name] = {"Authorization": f"Bearer {token}"}
        self.headers["sync"] = self.headers["workflow"] = self.headers["crm"]

    def eventually(self, check: Callable[[], Any], seconds: float = 40) -> Any:
        deadline = time.monotonic() + seconds
        while not (result := check()):
            assert time.monotonic() < deadline, f"still not so after {seconds} s"
            time.sleep(0.05)
        return result


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
