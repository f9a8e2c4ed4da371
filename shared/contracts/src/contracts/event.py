"""The envelope of all events (CloudEvents 1.0, JSON) and the frozen base of every event.

An event carries the whole record and its version, so that order, repetition and the loss of all but the last do not
matter. The wire type is declared on the class and never derived from its name; a golden file guards its form.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json, to_json

from contracts.values import Snapshot

CONTENT_TYPE = "application/cloudevents+json"
BATCH_CONTENT_TYPE = "application/cloudevents-batch+json"

S = TypeVar("S", bound=Snapshot)


class Event(BaseModel, Generic[S]):
    """One fact about one record: ``data`` is the record as it was right after the fact."""

    model_config = ConfigDict(frozen=True)

    wire_type: ClassVar[str]
    """``crm.account.updated.v1``: exchange, noun, verb, version."""

    data: S

    @classmethod
    def routing_key(cls) -> str:
        """The wire type without its version: what queues are bound by."""
        return cls.wire_type.rpartition(".")[0]

    @classmethod
    def exchange(cls) -> str:
        """The topic exchange the event is published to: the wire type's first word."""
        return cls.wire_type.partition(".")[0]


class Envelope(BaseModel):
    """A CloudEvents 1.0 envelope with our two extensions: ``correlationid`` and ``traceparent``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: str = Field("1.0", pattern=r"^1\.0$")
    id: str = Field(min_length=1)
    source: str = Field(min_length=1)
    type: str = Field(min_length=1)
    subject: str | None = None
    time: datetime | None = None
    datacontenttype: str | None = "application/json"
    correlationid: str | None = None
    traceparent: str | None = None
    data: dict[str, Any]


class UndecodableEvent(Exception):
    """What arrived is no event that we know: not JSON, not CloudEvents 1.0, or of an unknown type or version."""


def encode(
    event: Event[Any],
    *,
    event_id: str,
    source: str,
    correlation_id: str | None = None,
    traceparent: str | None = None,
    time: datetime | None = None,
) -> bytes:
    """Give the event as one CloudEvents 1.0 document in JSON (structured mode).

    ``event_id`` identifies the event for good; ``source`` names the publishing service, as ``/crm``. ``time`` is
    when it happened, UTC; now if left out.
    """
    envelope = Envelope(
        id=event_id,
        source=source,
        type=event.wire_type,
        subject=event.data.id,
        time=time or datetime.now(UTC),
        correlationid=correlation_id,
        traceparent=traceparent,
        data=event.data.model_dump(mode="json"),
    )
    return to_json(envelope, exclude_none=True)


def join(documents: Iterable[bytes]) -> bytes:
    """Give several encoded events as one document in CloudEvents' JSON batch format."""
    return b"[" + b",".join(documents) + b"]"


def split(body: bytes, content_type: str | None) -> Sequence[bytes]:
    """Give the single encoded events of a message, one or many.

    Raises `UndecodableEvent` if a batch is no JSON array.
    """
    if content_type is None or not content_type.startswith(BATCH_CONTENT_TYPE):
        return [body]
    try:
        items = from_json(body)
    except ValueError as error:
        raise UndecodableEvent(f"the message is not JSON: {error}") from error
    if not isinstance(items, list):
        raise UndecodableEvent("a CloudEvents batch must be a JSON array")
    return [to_json(item) for item in items]


def decode(body: bytes, types: Mapping[str, type[Event[Any]]]) -> tuple[Envelope, Event[Any]]:
    """Give envelope and event of one encoded event; ``types`` maps wire types to their classes.

    Raises `UndecodableEvent`, saying what is wrong and where.
    """
    try:
        envelope = Envelope.model_validate(from_json(body))
    except ValidationError as error:
        raise UndecodableEvent(f"not a CloudEvents 1.0 document: {_first(error)}") from error
    except ValueError as error:
        raise UndecodableEvent(f"the message is not JSON: {error}") from error
    event_type = types.get(envelope.type)
    if event_type is None:
        raise UndecodableEvent(f"unknown event type or version {envelope.type!r}; known here: {', '.join(types)}")
    try:
        return envelope, event_type.model_validate({"data": envelope.data})
    except ValidationError as error:
        raise UndecodableEvent(f"{envelope.type} does not keep its contract: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    """The first fault in a line, without the value: it may be personal data."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"]) or "the document"
    return f"{where}: {fault['msg']}"
