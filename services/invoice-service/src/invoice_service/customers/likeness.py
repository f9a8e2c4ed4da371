"""What customers are recognised by: name, phone and address, reduced to what people do not spell in two ways.

Pure. Two customers with an equal key are likely duplicates (S29); an empty key is like nothing.
"""

import re
import unicodedata
from typing import Literal, NamedTuple, get_args

from contracts.values import Address

LikenessKind = Literal["name", "phone", "address"]
KINDS: tuple[LikenessKind, ...] = get_args(LikenessKind)

MAX_LENGTH = 200
"""Characters of a key; what follows does not count."""
PHONE_DIGITS = 9
"""So many from the end: what is before them is country and trunk prefix, which people write or leave out."""
MIN_PHONE_DIGITS = 7

_WORDS = re.compile(r"\w+")
_DIGITS = re.compile(r"\d")
_SPELLED = re.compile(r"\b(\w) (?=\w\b)")
_STREET = re.compile(r"(?<=\w)strasse\b|\b(?:strasse|street)\b")
_SILENT = dict.fromkeys(map(ord, ".'’`´"))
"""What is left out, so that "S.A." is "sa"; other punctuation divides words."""
_DIVIDED = _SILENT | dict.fromkeys(map(ord, '!"#$%&()*+,-/:;<=>?@[\\]^{|}~'), " ")
_LEGAL_FORMS = frozenset(
    "ab ag aps as asa bv co company corp corporation doo ev gbr gmbh inc incorporated kft kg kgaa kk limited llc llp "
    "lp ltd mbh nv ohg oy oyj plc pte pty sa sarl sas se sl spa srl sro ug".split()
)


class Likeness(NamedTuple):
    """One key of each kind; "" where the customer has nothing to compare."""

    name: str = ""
    phone: str = ""
    address: str = ""


def likeness(customer_name: str, phone: str, billing_address: Address, shipping_address: Address) -> Likeness:
    """The keys of a customer; its address is the billing address, or the shipping address if that one has no street."""
    address = billing_address if billing_address.street else shipping_address
    return Likeness(name_key(customer_name), phone_key(phone), address_key(address))


def name_key(name: str) -> str:
    """Without case, accents, punctuation and legal forms: "Café Müller GmbH & Co. KG" is "cafe muller"."""
    words = _plain(name).split()
    # The first word always counts: of a name that is a legal form alone nothing would be left.
    return " ".join([*words[:1], *(word for word in words[1:] if word not in _LEGAL_FORMS)])[:MAX_LENGTH]


def phone_key(phone: str) -> str:
    """The last nine digits; nothing if there are fewer than seven, or all are the same, as in 000 000 000."""
    digits = "".join(_DIGITS.findall(phone))
    if not digits.isascii():
        digits = "".join(str(int(digit)) for digit in digits)
    return digits[-PHONE_DIGITS:] if len(digits) >= MIN_PHONE_DIGITS and len(set(digits)) > 1 else ""


def address_key(address: Address) -> str:
    """Street with zip, or with the city where there is no zip; nothing without a street and one of these."""
    if not address.street or not (address.zip or address.city):
        return ""
    street, place = _plain(address.street), _plain(address.zip or address.city)
    if not street or not place:
        return ""
    return f"{_STREET.sub('str', street)[: MAX_LENGTH // 2]}, {place[: MAX_LENGTH // 2 - 2]}"


def _plain(text: str) -> str:
    """Words without case and accents; "S. A." and "S.A." are both "sa"."""
    if text.isascii():
        words = text.lower().translate(_DIVIDED).split()
    else:
        marked = unicodedata.normalize("NFKD", text.casefold()).translate(_SILENT)
        words = _WORDS.findall("".join(char for char in marked if not unicodedata.combining(char)))
    plain = " ".join(words)
    return _SPELLED.sub(r"\1", plain) if any(len(word) == 1 for word in words) else plain
