"""Forms that requests and answers about accounts, contacts and potentials share."""

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict
from servicekit.fields import Name

Search = Annotated[str | None, Query(max_length=255, description="Beginnings of words, such as `alf fut`")]
"""What a list is searched for."""

Blank = BeforeValidator(lambda value: value or None)
"""A choice of a form in which nothing is chosen comes as an empty text: that is none."""

Reference = Annotated[Name | None, Blank]
"""The id of another record; null or empty for none."""

Deleted = Annotated[bool, Query(description="The deleted ones, which can be restored, instead of those that are there")]
"""Whether a list is of the deleted records."""

RecordId = Annotated[str | None, Query(pattern="^[0-9a-f-]{36}$", description="An id")]
"""The id of a record that a list is narrowed down to."""


class RecordOut(BaseModel):
    """Base of the answers: made from a record's attributes. ``deleted_at``: null, but in the list of the deleted."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


FieldName = Annotated[str, Query(pattern="^[a-z_]{1,60}$", description="The field of a form that an answer is for")]
