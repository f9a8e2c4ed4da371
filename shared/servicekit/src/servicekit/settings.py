"""Settings: environment variables, or a ``.env`` file, checked at start; a wrong or unknown one is named."""

import difflib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self, TypeVar

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ENV_FILE = Path(".env")


class LogSettings(BaseSettings):
    """How to log."""

    model_config = SettingsConfigDict(env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", frozen=True)

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"


class Settings(LogSettings):
    """What every service takes. A service's own settings are a subclass with defaults of its own."""

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    database_url: str
    bus_url: str = "amqp://127.0.0.1:5672/"
    bus_namespace: str = Field("", pattern=r"^[a-z0-9_.-]*$")
    auth_secret: SecretStr
    crm_url: str = "http://127.0.0.1:8001"
    invoice_url: str = "http://127.0.0.1:8002"
    sync_url: str = "http://127.0.0.1:8003"
    workflow_url: str = "http://127.0.0.1:8004"
    admin_email: str | None = None
    admin_password: SecretStr | None = Field(None, min_length=10)
    metrics_token: SecretStr | None = None
    secure_cookies: bool = False
    retry_delays: tuple[float, ...] = Field((1, 5, 30, 120, 600), min_length=1)
    call_connect_seconds: float = Field(2, gt=0)
    call_seconds: float = Field(15, gt=0)
    call_rest_seconds: float = Field(5, gt=0)

    @field_validator("auth_secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value()) < 32:
            raise ValueError("must have at least 32 characters; make one with: openssl rand -hex 32")
        return secret

    @classmethod
    def of(cls, **values: object) -> Self:
        """Settings from these values alone; a ``.env`` file is not read."""
        return cls(_env_file=None, **values)  # type: ignore[arg-type]


S = TypeVar("S", bound=BaseSettings)

# Names that stand in a .env file for other programs than ours.
COMPOSE_NAMES = frozenset(
    "POSTGRES_PASSWORD CRM_DB_PASSWORD INVOICE_DB_PASSWORD SYNC_DB_PASSWORD WORKFLOW_DB_PASSWORD RABBITMQ_PASSWORD "
    "DATA_DIR BASE_PORT PUBLISH_ADDRESS USER_EMAIL USER_PASSWORD".split()
)

# Settings of one service that do not begin with its name; the others start with the same file.
MAIL_NAMES = frozenset(
    "MAIL_DIR MAIL_FROM MAIL_RETRY_DELAYS SMTP_HOST SMTP_PORT SMTP_SECURITY SMTP_USERNAME SMTP_PASSWORD".split()
)


def load(cls: type[S], *, env_file: Path = ENV_FILE) -> S:
    """Read the settings; if one is missing, wrong or unknown, say which and what to do, and exit with status 2."""
    problems = [*_unknown_names(cls, env_file)]
    try:
        settings = cls()
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False):
            name = ".".join(str(part) for part in fault["loc"]).upper()
            problems.append(f"{name}: {fault['msg'].removeprefix('Value error, ')}")
    if problems:
        lines = "\n".join(f"  {problem}" for problem in problems)
        print(f"Settings are wrong; see .env.example for what each one means:\n{lines}", file=sys.stderr)
        raise SystemExit(2)
    return settings


def _unknown_names(cls: type[BaseSettings], env_file: Path) -> Iterable[str]:
    """Only in the file: the environment is full of other programs' names."""
    if not env_file.is_file():
        return
    known = {name.upper() for name in cls.model_fields} | {name.upper() for name in Settings.model_fields}
    known |= COMPOSE_NAMES | MAIL_NAMES
    services = ("CRM_", "INVOICE_", "SYNC_", "WORKFLOW_")
    for name in dotenv_values(env_file):
        if name.upper() in known or name.upper().startswith(services):
            continue
        near = difflib.get_close_matches(name.upper(), sorted(known), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        yield f"{name}: unknown setting in {env_file}{hint}"
