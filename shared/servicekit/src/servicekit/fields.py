"""Types of text that requests may carry: trimmed, bounded, and without what a database or a document cannot hold."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints

# NUL cannot be stored by PostgreSQL; the others make lists, CSV files and PDFs unreadable.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DAY = re.compile(r"^\d{4}-\d\d-\d\d$", re.ASCII)
EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)
_LINE_BREAK = re.compile(r"[\r\n]")


def _no_control_characters(text: str) -> str:
    if (found := _CONTROL.search(text)) is not None:
        raise ValueError(f"has a control character (U+{ord(found.group()):04X}) at position {found.start() + 1}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"has half a surrogate pair at position {error.start + 1}") from None
    return text


def _one_line(text: str) -> str:
    if _LINE_BREAK.search(text):
        raise ValueError("must be one line")
    return text


def _written_out(value: Any) -> Any:
    # Pydantic alone takes 20240131 for seconds since 1970.
    if isinstance(value, date) or (isinstance(value, str) and _DAY.match(value.strip())):
        return value.strip() if isinstance(value, str) else value
    raise ValueError("must be a date as YYYY-MM-DD")


def _thinkable(day: date) -> date:
    if not EARLIEST <= day <= LATEST:
        raise ValueError(f"must be between {EARLIEST} and {LATEST}")
    return day


def _none_is_empty(value: Any) -> Any:
    return "" if value is None else value


_Clean = AfterValidator(_no_control_characters)
_Line = AfterValidator(_one_line)
_Optional = BeforeValidator(_none_is_empty)

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), _Clean, _Line]
"""One line, 1 to 255 characters."""
Line = Annotated[str, _Optional, StringConstraints(strip_whitespace=True, max_length=255), _Clean, _Line]
"""One line, up to 255 characters, perhaps empty; null counts as empty."""
Phone = Annotated[str, _Optional, StringConstraints(strip_whitespace=True, max_length=50), _Clean, _Line]
"""A phone or fax number as people write it, up to 50 characters, perhaps empty."""
Text = Annotated[str, _Optional, StringConstraints(strip_whitespace=True, max_length=20_000), _Clean]
"""Several lines, up to 20,000 characters, perhaps empty."""
Email = Annotated[
    str,
    _Optional,
    StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^$|^[^@\s]+@[^@\s]+$"),
    _Clean,
]
"""An e-mail address, perhaps empty."""
Day = Annotated[date, BeforeValidator(_written_out), AfterValidator(_thinkable)]
"""A date as ``YYYY-MM-DD`` (ISO 8601) and in no other form, of a year that someone can have meant."""


Secret = Annotated[str, StringConstraints(max_length=1000), _Clean]
"""A password as someone types it."""
Id = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,64}$")]
"""The id of a record, as callers send it."""


class Body(BaseModel):
    """Base of what requests carry: a field that we do not know is an error, not silently dropped."""

    model_config = ConfigDict(extra="forbid")


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class Edit(Body):
    """Base of what PATCH carries: a field that was not sent stays as it is, so the API document gives it no default."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_without_defaults)

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return {name: value for name, value in self.model_dump().items() if name in self.model_fields_set}


class AddressBody(Body):
    """A postal address; in an edit it replaces the whole address."""

    attention: Line = ""
    street: Line = ""
    street2: Line = ""
    city: Line = ""
    state: Line = ""
    zip: Phone = ""
    country: Line = ""
