"""All four services in one process, each on its own port, joined by the embedded bus.

Guarantee: two processes never run on one data directory; a second one is told so and changes nothing.
"""

import asyncio
import contextlib
import fcntl
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from crm_service.app import create_app as create_crm
from crm_service.settings import CrmSettings
from fastapi import FastAPI
from invoice_service.app import create_app as create_invoice
from invoice_service.settings import InvoiceSettings
from servicekit.bus.embedded import EmbeddedBus
from servicekit.db import Database
from servicekit.service import Server, keep_for_good
from servicekit.settings import Settings
from sync_service.app import create_app as create_sync
from sync_service.settings import SyncSettings
from workflow_service.app import create_app as create_workflow
from workflow_service.settings import WorkflowSettings

from embedded.addresses import announced
from embedded.settings import SERVICES, CannotStart, EmbeddedSettings, Secrets, prepare

APPS: dict[str, tuple[type[Settings], Callable[..., FastAPI]]] = {
    "crm": (CrmSettings, create_crm),
    "invoice": (InvoiceSettings, create_invoice),
    "sync": (SyncSettings, create_sync),
    "workflow": (WorkflowSettings, create_workflow),
}


@dataclass(frozen=True)
class Running:
    """The services, as they run: their addresses, their secrets, their apps."""

    urls: dict[str, str]
    secrets: Secrets
    apps: dict[str, FastAPI]

    def database(self, service: str) -> Database:
        """One service's database."""
        database: Database = self.apps[service].state.service.database
        return database


class _Server(Server):
    """A server that leaves the signals to us: there are four of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def running(settings: EmbeddedSettings) -> AsyncIterator[Running]:
    """Start the four services; stop them, cleanly, at the end. Raises `CannotStart`."""
    secrets = prepare(settings)
    with _only_one(settings.data_dir), _sockets(settings) as sockets:
        urls = {name: f"http://{settings.host}:{listening.getsockname()[1]}" for name, listening in sockets.items()}
        apps = _create_apps(settings, secrets, urls)
        servers = {name: _server(app) for name, app in apps.items()}
        tasks = [asyncio.create_task(servers[name].serve(sockets=[sockets[name]])) for name in SERVICES]
        try:
            await _until_started(servers, tasks)
            keep_for_good()
            with announced(settings.data_dir, urls):
                yield Running(urls, secrets, apps)
        finally:
            for server in servers.values():
                server.should_exit = True
            await asyncio.gather(*tasks, return_exceptions=True)


def _create_apps(settings: EmbeddedSettings, secrets: Secrets, urls: dict[str, str]) -> dict[str, FastAPI]:
    bus = EmbeddedBus()
    shared: dict[str, object] = {
        "host": settings.host,
        "auth_secret": secrets.auth_secret,
        "metrics_token": settings.metrics_token,
        "admin_email": settings.admin_email if secrets.admin_password else None,
        "admin_password": secrets.admin_password,
        **{f"{name}_url": url for name, url in urls.items()},
    }
    apps = {}
    for name, (settings_class, create_app) in APPS.items():
        port = int(urls[name].rpartition(":")[2])
        values = shared | {"database_url": settings.database_url(name), "port": port}
        if name == "sync":
            values["sync_lease_seconds"] = 3  # nobody else can be at work here: what was killed goes on soon
        if name == "invoice":
            values["mail_dir"] = settings.data_dir.absolute() / "mail"
        apps[name] = create_app(settings_class.of(**values), bus=bus)
    return apps


def _server(app: FastAPI) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=5,
        )
    )


async def _until_started(servers: dict[str, _Server], tasks: list[asyncio.Task[None]]) -> None:
    while not all(server.started for server in servers.values()):
        for name, task in zip(servers, tasks, strict=True):
            if task.done():
                task.result()
                raise CannotStart(f"{name} did not start; the log above says why")
        await asyncio.sleep(0.01)


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    # The system lets go of the lock when the process ends, however it ends.
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotStart(
                f"the data directory {folder} is in use by another process; stop that one, or set DATA_DIR to another"
            ) from None
        yield


@contextlib.contextmanager
def _sockets(settings: EmbeddedSettings) -> Iterator[dict[str, socket.socket]]:
    with contextlib.ExitStack() as stack:
        found = {}
        for offset, name in enumerate(SERVICES):
            port = settings.base_port + offset if settings.base_port else 0
            found[name] = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            found[name].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                found[name].bind((settings.host, port))
            except OSError as error:
                raise CannotStart(
                    f"port {port} of {settings.host}, for {name}, cannot be used ({error.strerror}); "
                    "stop what uses it, or set BASE_PORT to another"
                ) from None
        yield found


async def until_told_to_stop() -> None:
    """Wait for Ctrl-C or a termination signal."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, told.set)
    await told.wait()
