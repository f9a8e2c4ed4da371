"""The form of what is asked of the feed, and of its answers."""

from typing import Annotated, Generic, TypeVar

from contracts.values import Snapshot
from pydantic import BaseModel, Field, StringConstraints
from servicekit.fields import Body

MAX_LIMIT = 1000

S = TypeVar("S", bound=Snapshot)


class Lookup(Body):
    """The records that are asked for, up to 1,000."""

    ids: list[Annotated[str, StringConstraints(max_length=255)]] = Field(min_length=1, max_length=MAX_LIMIT)


class Found(BaseModel, Generic[S]):
    """Those that there are, deleted ones with ``deleted`` true, in the order of their ids."""

    items: list[S]


class Counts(BaseModel):
    """How many records the feed gives, deleted ones included."""

    accounts: int
    contacts: int
