"""Fixtures for all tests: the services on both set-ups.

``stack`` runs a test twice: with SQLite and the embedded bus, and with PostgreSQL and RabbitMQ. Where these servers are
not there the second is skipped, unless REQUIRE_SERVERS=1: then it fails. TEST_POSTGRES_URL and TEST_AMQP_URL say where
they are.
"""

import asyncio
import gc
import secrets
from collections.abc import AsyncIterator, Generator
from typing import Any

import pytest
from hypothesis import settings
from servicekit.bus.amqp import AmqpBus

from tests.browser_there import NO_BROWSER
from tests.servers import AMQP_URL, REQUIRED, SERVICES, Broker, Databases, missing_servers
from tests.stack import Stack

settings.register_profile("tests", deadline=None)  # how long an example takes says nothing on a busy machine
settings.load_profile("tests")


def pytest_configure() -> None:
    if REQUIRED and (missing := missing_servers()):  # before there are workers: they would end without a word
        raise pytest.UsageError(f"REQUIRE_SERVERS=1, but {missing}")


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Half as many again as there are processors: many tests wait for a server, a process or a browser."""
    processors = yield
    return processors + processors // 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    long = ("tests/system/", "tests/api/", "tests/browser/")  # these first, so that no worker ends with them
    items.sort(key=lambda item: not item.nodeid.startswith(long))
    needing = [item for item in items if item.get_closest_marker("servers")]
    if needing and (missing := missing_servers()):
        for item in needing:
            item.add_marker(pytest.mark.skip(reason=missing))


def pytest_collection_finish() -> None:
    """What was imported stays: looking through it again and again for garbage takes a fifth of the whole time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line that says what was skipped, instead of one for each file."""
    skipped = [each for each in terminalreporter.stats.get("skipped", []) if "/browser/" not in each.nodeid]
    if (blind := len(terminalreporter.stats.get("skipped", [])) - len(skipped)) > 0:
        terminalreporter.write_line(f"{blind} tests skipped, those in a browser: {NO_BROWSER}.")
    if skipped and (missing := missing_servers()) is not None:
        terminalreporter.write_line(
            f"{len(skipped)} tests skipped, those on PostgreSQL and RabbitMQ: {missing}; start them, or set "
            "TEST_POSTGRES_URL and TEST_AMQP_URL (CONTRIBUTING.md says how)."
        )


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The giver of databases; drops them at the end."""
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    asyncio.run(made.drop_all())


@pytest.fixture(scope="session")
def broker_names() -> Any:
    """Names on RabbitMQ for this run, deleted at the end."""
    broker = Broker(f"test_{secrets.token_hex(4)}_")
    yield broker
    if missing_servers() is None:
        asyncio.run(broker.bus().delete_everything())


@pytest.fixture
def empty_databases(databases: Databases) -> Any:
    """Service → URL of an empty PostgreSQL database, for services that are started as processes."""
    return {name: asyncio.run(databases.empty_postgres(name)) for name in SERVICES}


@pytest.fixture
def amqp_namespace() -> Any:
    """RabbitMQ's address, and a prefix of the test's own for exchanges and queues there, deleted afterwards."""
    namespace = f"test_{secrets.token_hex(4)}_"
    yield AMQP_URL, namespace
    asyncio.run(AmqpBus(AMQP_URL, namespace=namespace, delays=(0.2, 0.5, 1)).delete_everything())


@pytest.fixture(params=["embedded", pytest.param("servers", marks=pytest.mark.servers)])
async def stack(request: pytest.FixtureRequest, databases: Databases, broker_names: Broker) -> AsyncIterator[Stack]:
    """The services on each of the two set-ups, in turn; nothing is started yet."""
    made = Stack(request.param, databases, broker_names)
    yield made
    await made.close()
