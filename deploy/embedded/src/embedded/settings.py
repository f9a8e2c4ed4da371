"""Settings of the embedded mode, and the secrets that it keeps in its data directory."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from servicekit.settings import LogSettings

SERVICES = ("crm", "invoice", "sync", "workflow")
"""In the order of their ports: BASE_PORT and the next three."""


class EmbeddedSettings(LogSettings):
    """What ``make run`` and ``make demo`` take. ``base_port`` 0 lets the system choose four free ports."""

    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    log_format: Literal["json", "console"] = "console"
    host: str = "127.0.0.1"
    base_port: int = Field(8001, ge=0, le=65532)
    data_dir: Path = Path(".data")
    admin_email: str = Field("admin@example.com", pattern=r"^[^@\s]+@[^@\s]+$")
    admin_password: SecretStr | None = Field(None, min_length=10)
    metrics_token: SecretStr | None = None

    def database_url(self, service: str) -> str:
        """The SQLite file of one service."""
        return f"sqlite:///{self.data_dir.absolute() / f'{service}.sqlite3'}"


class CannotStart(Exception):
    """Why it cannot start, and what to do."""


@dataclass(frozen=True)
class Secrets:
    """``admin_password_file`` is where the generated password is kept; None if the settings give the password.

    ``admin_password`` is None where an earlier start was given one that is not known any more.
    """

    auth_secret: str
    admin_password: str | None
    admin_password_file: Path | None


def prepare(settings: EmbeddedSettings) -> Secrets:
    """Make the data directory and what is secret in it, or read what an earlier start has made."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"the data directory {settings.data_dir} cannot be made ({error.strerror}); set DATA_DIR to another"
        ) from None
    auth_secret = _kept(settings.data_dir / "auth-secret", 32)
    if settings.admin_password is not None:
        return Secrets(auth_secret, settings.admin_password.get_secret_value(), None)
    file = settings.data_dir / "admin-password"
    if not file.exists() and (settings.data_dir / "crm.sqlite3").exists():
        return Secrets(auth_secret, None, None)  # a new one would fit nobody
    return Secrets(auth_secret, _kept(file, 12), file)


def _kept(file: Path, size: int) -> str:
    """The secret in ``file``; made, readable by its owner alone, if there is none yet."""
    if file.exists() and (found := file.read_text().strip()):
        return found
    secret = secrets.token_urlsafe(size)
    # Written beside and renamed: a process killed in between never leaves half a secret.
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(secret + "\n")
    draft.rename(file)
    return secret
