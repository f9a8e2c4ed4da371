"""A real browser, and the whole product in the embedded mode for it to look at.

One browser and one product serve all stories of a worker; a story makes its own records, and goes by their names.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
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
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

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
PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True}
LINES = [{"name": "Chai", "description": "ten boxes", "quantity": "2", "rate": "18", "tax_percentage": "19"}]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None and not REQUIRED:
                item.add_marker(pytest.mark.skip(reason=NO_BROWSER))


@contextlib.asynccontextmanager
async def new_product(folder: Path) -> AsyncIterator[Running]:
    """All four services, with nothing in them but their administrator."""
    settings = EmbeddedSettings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=folder,
        base_port=0,
        admin_email=EMAIL,
        admin_password=PASSWORD,
    )
    async with running(settings) as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """The product that all stories share."""
    async with new_product(tmp_path_factory.mktemp("product")) as started:
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
        refused = re.search(r"status of (4\d\d|503)", text)  # to refuse something is no fault, nor to say who is away
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

    async def made(self, service: str, path: str, **body: Any) -> dict[str, Any]:
        """What the API of ``service`` has made."""
        answer = await (await self.api(service)).post(f"/v1/{path}", json=body)
        assert answer.status_code in {201, 202}, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def connect(self) -> None:
        """Invoice takes the CRM's records, from now on by itself."""
        if (await (await self.api("sync")).get("/v1/connection")).status_code != 200:
            key = await self.made("crm", "zsc-keys", name="Invoice")
            await self.made("sync", "imports", email=key["email"], zsc_key=key["key"], auto_update=True)

    @contextlib.contextmanager
    def away(self, service: str) -> Iterator[None]:
        """Meanwhile ``service`` is stopped; whatever stands before it says so."""

        async def nobody(scope: Scope, receive: Receive, send: Send) -> None:
            await Response(status_code=503)(scope, receive, send)

        with self._instead(service, nobody):
            yield

    @contextlib.contextmanager
    def busy(self, service: str, path: str) -> Iterator[None]:
        """Meanwhile requests to ``path`` of ``service``'s API wait; afterwards they are carried out."""
        app, done = self.product.apps[service].middleware_stack, asyncio.Event()
        assert app is not None

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            if scope.get("path") == path:
                await done.wait()
            await app(scope, receive, send)

        with self._instead(service, slow):
            yield
        done.set()

    @contextlib.contextmanager
    def _instead(self, service: str, answers: ASGIApp) -> Iterator[None]:
        app = self.product.apps[service]
        before, app.middleware_stack = app.middleware_stack, answers
        try:
            yield
        finally:
            app.middleware_stack = before

    @contextlib.asynccontextmanager
    async def events_wait(self, service: str) -> AsyncIterator[None]:
        """Meanwhile nobody hears of what happens in ``service``; afterwards everybody does."""
        relay = self.product.apps[service].state.service.relay
        await relay.stop()
        try:
            yield
        finally:
            relay.start()


async def sign_in(page: Page) -> None:
    """The administrator signs in, on the page that asks for it."""
    await page.get_by_label("E-mail").fill(EMAIL)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()


async def stay(*pages: Page) -> None:
    """From here on `stayed` tells whether the pages were loaded again."""
    for page in pages:
        await page.evaluate("window.here = true")


async def stayed(*pages: Page) -> bool:
    """Whether all that was seen since `stay` came without loading the pages again."""
    return all([await page.evaluate("window.here === true") for page in pages])


@contextlib.asynccontextmanager
async def _desk(product: Running, browser: Browser) -> AsyncIterator[Desk]:
    made = Desk(product, browser)
    yield made
    for open_one in [*browser.contexts, *made.clients]:
        await (open_one.aclose() if isinstance(open_one, httpx.AsyncClient) else open_one.close())
    assert made.complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def desk(product: Running, browser: Browser) -> AsyncIterator[Desk]:
    """What a story needs; afterwards no page may have had an error, or broken the Content-Security-Policy."""
    async with _desk(product, browser) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def first_day(browser: Browser, tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with a product of its own, that nobody has used yet."""
    async with new_product(tmp_path) as product, _desk(product, browser) as made:
        yield made


Accessible = Callable[..., Awaitable[None]]


@pytest.fixture(scope="session")
def accessible() -> Accessible:
    """Assert that axe-core finds nothing serious on a page; ``rules``: only by these."""
    axe = Axe()

    async def check(page: Page, *rules: str) -> None:
        only = {"runOnly": list(rules)} if rules else {}
        found = await axe.run(page, options={"resultTypes": ["violations"], **only})
        serious = [
            f"{each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes']]}"
            for each in found.response["violations"]
            if each["impact"] in {"serious", "critical"}
        ]
        assert serious == [], page.url

    return check
