"""E-mail addresses that a message is really sent to: checked before anything is promised."""

import re
from email.errors import HeaderParseError
from email.headerregistry import Address

MAX_LENGTH = 254
_PLAIN = re.compile(r"[^\s@,;:<>()\[\]\\\"]+@[^\s@,;:<>()\[\]\\\"]+")


def normalised(text: str) -> str:
    """The address in the one form in which it is kept, compared and sent: the domain in lower case, in ASCII.

    Raises `ValueError`, saying why, for what cannot be put into a header and onto a mail server's command line: so no
    address can bring a second recipient or a header of its own along.
    """
    local, _, domain = text.strip().rpartition("@")
    try:
        # A domain in other letters has a form in ASCII (müller.de: xn--mller-kva.de); what is before the @ has none.
        address = f"{local}@{domain.lower().encode('idna').decode()}"
        if not local.isascii() or len(address) > MAX_LENGTH or _PLAIN.fullmatch(address) is None:
            raise ValueError
        Address(addr_spec=address)
    except (ValueError, HeaderParseError, IndexError):
        raise ValueError("is no e-mail address that a message can be sent to, such as name@example.com") from None
    return address
