"""Forms that requests and answers about accounts, contacts and potentials share."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict
from servicekit.fields import Body, Name

Search = Annotated[str | None, Query(max_length=255, description="Beginnings of words, such as `alf fut`")]
"""What a list is searched for."""

Reference = Annotated[Name | None, BeforeValidator(lambda value: value or None)]
"""The id of another record; null or empty for none."""

RecordId = Annotated[str | None, Query(pattern="^[0-9a-f-]{36}$", description="An id")]
"""The id of a record that a list is narrowed down to."""


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class Edit(Body):
    """Base of what PATCH carries: a field that was not sent stays as it is."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return {name: value for name, value in self.model_dump().items() if name in self.model_fields_set}


class RecordOut(BaseModel):
    """Base of the answers: made from a record's attributes."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    version: int
    created_at: datetime
    updated_at: datetime
