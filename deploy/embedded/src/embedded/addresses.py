"""Where the services are that a command is to speak to, and how it signs in to them.

A deployment is named by CRM_URL, INVOICE_URL, SYNC_URL and WORKFLOW_URL, with USER_EMAIL and USER_PASSWORD. Without
these it is the embedded mode's running process, found by its data directory, and its administrator.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import httpx
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from servicekit.settings import ENV_FILE, load

from embedded.api import Api, ApiError
from embedded.settings import SERVICES, EmbeddedSettings, prepare


class CannotReach(Exception):
    """Why a command cannot speak to the services, and what to do."""


class Deployment(BaseSettings):
    """A deployment's addresses and who signs in; empty where the embedded mode is meant."""

    model_config = SettingsConfigDict(env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", frozen=True)

    crm_url: str | None = None
    invoice_url: str | None = None
    sync_url: str | None = None
    workflow_url: str | None = None
    user_email: str | None = Field(None, pattern=r"^[^@\s]+@[^@\s]+$")
    user_password: SecretStr | None = None

    @property
    def urls(self) -> dict[str, str]:
        """Service → address, of those that are named."""
        named = {name: getattr(self, f"{name}_url") for name in SERVICES}
        return {name: url.rstrip("/") for name, url in named.items() if url}


@contextlib.contextmanager
def announced(folder: Path, urls: Mapping[str, str]) -> Iterator[None]:
    """Keep the running services' addresses in the data directory, for commands to find them."""
    file = _file(folder)
    draft = file.with_name(f"{file.name}.new")
    draft.write_text(json.dumps(dict(urls)) + "\n")
    draft.rename(file)  # never half a file
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def signed_in() -> AsyncIterator[Api]:
    """The services, with someone signed in. Raises `CannotReach`."""
    deployment = Deployment()
    urls = deployment.urls
    if urls and "crm" not in urls:
        raise CannotReach("CRM_URL is not set; a command signs in there")
    email, password = deployment.user_email, deployment.user_password
    if not urls:
        settings = load(EmbeddedSettings)
        urls = _running(settings.data_dir)
        if email is None:
            email, password = settings.admin_email, _admin_password(settings)
    if email is None or password is None:
        raise CannotReach("set USER_EMAIL and USER_PASSWORD to a person who may sign in to the CRM")
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        api = Api(http, urls)
        try:
            await api.sign_in(email, password.get_secret_value(), to=("crm",))
        except httpx.TransportError as error:
            raise CannotReach(f"the CRM does not answer at {urls['crm']} ({type(error).__name__})") from None
        except ApiError as error:
            raise CannotReach(f"{email} cannot sign in to the CRM: {error}") from None
        yield api


def _running(folder: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(_file(folder).read_text())
    except FileNotFoundError:
        raise CannotReach(
            f"nothing runs on the data directory {folder}: start it with `make run`, or set DATA_DIR to where it "
            "runs, or CRM_URL, INVOICE_URL, SYNC_URL and WORKFLOW_URL to a deployment's addresses"
        ) from None
    return found


def _admin_password(settings: EmbeddedSettings) -> SecretStr | None:
    password = prepare(settings).admin_password
    return SecretStr(password) if password else None


def _file(folder: Path) -> Path:
    return folder / "addresses.json"
