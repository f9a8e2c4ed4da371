"""From a delivery to the bytes of its message (RFC 5322).

Guarantee: what people typed stays in its place; no name, subject or address can add a header or a recipient. The same
delivery always has the same Message-ID, so that a repetition can be recognised.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from invoice_service.documents.printing import file_name

# 7bit: passes every server, whatever it offers. The bytes are the same for a server and for a folder.
_POLICY = policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class Letter:
    """What a message says and to whom.

    ``reply_to``: an address, or "" for none. ``sent_at``: when it goes out. ``number``: of the document attached.
    """

    id: str
    sender: str
    sender_name: str
    reply_to: str
    to: Sequence[str]
    cc: Sequence[str]
    subject: str
    message: str
    sent_at: datetime
    number: str


def compose(letter: Letter, pdf: bytes) -> bytes:
    """The message as it goes over the wire, with the PDF attached."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(display_name=one_line(letter.sender_name), addr_spec=letter.sender)
    message["To"] = [Address(addr_spec=address) for address in letter.to]
    if letter.cc:
        message["Cc"] = [Address(addr_spec=address) for address in letter.cc]
    if letter.reply_to:
        message["Reply-To"] = Address(addr_spec=letter.reply_to)
    message["Subject"] = one_line(letter.subject)
    message["Date"] = format_datetime(letter.sent_at)
    message["Message-ID"] = f"<{letter.id}@{letter.sender.rpartition('@')[2]}>"
    message.set_content(letter.message)
    message.add_attachment(pdf, maintype="application", subtype="pdf", filename=file_name(letter.number))
    return message.as_bytes()


def one_line(text: str) -> str:
    """The text without any of the characters that end a line somewhere, such as U+2028, or are not meant to be seen."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
