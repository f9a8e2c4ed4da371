"""Messages as files, for a set-up without a mail server: whoever opens one sees what would have been sent.

Guarantee: a file appears whole or not at all, and a message that is sent twice is one file.
"""

import asyncio
import os
from pathlib import Path

from invoice_service.sending.mail import Mail, Report


class FolderMailer:
    """Writes each message to ``folder`` as an ``.eml`` file, named so that sorting by name sorts by time."""

    def __init__(self, folder: Path, *, sender: str) -> None:
        self.sender = sender
        self._folder = folder

    async def send(self, mail: Mail) -> Report:
        """Everyone has it once the file is written; a full disk may be empty again later."""
        try:
            await asyncio.to_thread(self._write, mail)
        except OSError as error:
            reason = f"the message cannot be written to {self._folder}: {error.strerror}"
            return Report.all_deferred(mail.recipients, reason)
        return Report(taken=mail.recipients)

    def _write(self, mail: Mail) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{mail.created_at:%Y%m%dT%H%M%S}-{mail.id}.eml"
        draft = self._folder / f".{name}.new"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
            opened.write(mail.content)
            opened.flush()
            os.fsync(opened.fileno())
        draft.replace(self._folder / name)
