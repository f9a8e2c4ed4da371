"""A real browser, and the whole product in the embedded mode for it to look at.

One browser and one product serve all stories of a worker; a story makes its own records, and goes by their names.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from embedded.runner import Running, running
from embedded.settings import EmbeddedSettings
from playwright.async_api import Browser, Page, async_playwright, expect
from servicekit.auth import Role, Tokens
from servicekit.identity import sign_ins

from tests.browser_there import CHROMIUM, NO_BROWSER
from tests.servers import REQUIRED
from tests.stack import user_with

ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
_USUAL = {"locale": "en-US", "reduced_motion": "reduce"}
expect.set_options(timeout=15_000)  # how long something takes says nothing on a busy machine
EMAIL, PASSWORD = "admin@example.com", "a password, long enough"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None and not REQUIRED:
                item.add_marker(pytest.mark.skip(reason=NO_BROWSER))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """All four services, with nothing in them but their administrator."""
    settings = EmbeddedSettings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=tmp_path_factory.mktemp("product"),
        base_port=0,
        admin_email=EMAIL,
        admin_password=PASSWORD,
    )
    async with running(settings) as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A browser without a window."""
    assert CHROMIUM is not None, NO_BROWSER
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        await started.close()


@dataclass
class Desk:
    """Where a story takes place: people with browsers, and the API to prepare and look."""

    product: Running
    browser: Browser
    complaints: list[str] = field(default_factory=list)
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    async def window(self, service: str, role: Role | None = "admin", **options: Any) -> Page:
        """A new browser with the pages of ``service``, signed in as a person with this role, or not at all (None).

        ``options``: Playwright's for a context, such as ``viewport`` or ``color_scheme``.
        """
        context = await self.browser.new_context(base_url=self.product.urls[service], **_USUAL | options)
        if role is not None:
            secret = await self._signed_in(service, role)
            cookie = {"name": f"{service}_session", "value": secret, "url": self.product.urls[service]}
            await context.add_cookies([cookie])  # type: ignore[list-item]
        page = await context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._hear(message.type, message.text))
        return page

    def _hear(self, kind: str, text: str) -> None:
        refused = re.search(r"status of 4\d\d", text)  # a form that is refused is no fault
        if kind in {"error", "warning"} and not refused:
            self.complaints.append(text)

    async def _signed_in(self, service: str, role: Role) -> str:
        async with self.product.database(service).transaction() as session:
            return await sign_ins.begin(session, await user_with(session, f"{role}@{service}.test", role))

    async def api(self, service: str) -> httpx.AsyncClient:
        """The API of ``service``, as an administrator."""
        home = service if service in ("crm", "invoice") else "crm"
        async with self.product.database(home).transaction() as session:
            user = await user_with(session, f"admin@{home}.test", "admin")
        token = Tokens(self.product.secrets.auth_secret, home).for_person(
            user_id=user.id, email=user.email, role=user.role
        )
        headers = {"Authorization": f"Bearer {token}"}
        client = httpx.AsyncClient(base_url=self.product.urls[service], headers=headers, trust_env=False, timeout=30)
        self.clients.append(client)
        return client


@pytest_asyncio.fixture(loop_scope="session")
async def desk(product: Running, browser: Browser) -> AsyncIterator[Desk]:
    """What a story needs; afterwards no page may have had an error, or broken the Content-Security-Policy."""
    made = Desk(product, browser)
    yield made
    for open_one in [*browser.contexts, *made.clients]:
        await (open_one.aclose() if isinstance(open_one, httpx.AsyncClient) else open_one.close())
    assert made.complaints == []


Accessible = Callable[[Page], Awaitable[None]]


@pytest.fixture(scope="session")
def accessible() -> Accessible:
    """Assert that axe-core finds nothing serious on a page."""
    axe = Axe()

    async def check(page: Page) -> None:
        found = await axe.run(page)
        serious = [
            f"{each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes']]}"
            for each in found.response["violations"]
            if each["impact"] in {"serious", "critical"}
        ]
        assert serious == []

    return check
