"""The documents that are made from the code: OpenAPI of each service and AsyncAPI 3 of the events in ``docs/api``, and
the workflow's table in ``docs/workflow.md``."""

import difflib
from pathlib import Path
from typing import Any

import orjson
import typer
from contracts.event import BATCH_CONTENT_TYPE, CONTENT_TYPE, Envelope, Event
from contracts.topology import PUBLISHED, QUEUES
from pydantic.json_schema import models_json_schema
from servicekit.bus.embedded import EmbeddedBus
from workflow_service.policy import written_out

from embedded.runner import APPS

FOLDER = Path("docs")
PUBLISHER = {"crm": "The CRM", "invoice": "Invoice"}


def write(*, check: bool) -> None:
    """Write the documents anew; or with ``check`` write nothing, and exit with 1 if one is not what the code says."""
    drifted = False
    for name, text in texts().items():
        file = FOLDER / name
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        if text == before:
            continue
        if check:
            drifted = True
            typer.echo(f"{file} is not what the code says; `make docs` writes it anew:")
            difference = difflib.unified_diff(before.splitlines(), text.splitlines(), "as it is", "from the code", n=1)
            for line in list(difference)[:20]:
                typer.echo(f"  {line}")
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            typer.echo(f"wrote {file}")
    raise typer.Exit(1 if drifted else 0)


def texts() -> dict[str, str]:
    """Name of a file below ``docs`` → what is in it."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    found = {
        f"api/{name}": orjson.dumps(document, option=options).decode() + "\n" for name, document in documents().items()
    }
    return found | {"workflow.md": written_out.page()}


def documents() -> dict[str, Any]:
    """Name of an API document → the document."""
    found: dict[str, Any] = {f"{name}.openapi.json": _openapi(name) for name in APPS}
    found["events.asyncapi.json"] = asyncapi()
    return found


def _openapi(name: str) -> dict[str, Any]:
    settings_class, create_app = APPS[name]
    settings = settings_class.of(database_url="sqlite://", auth_secret="-" * 32)
    return create_app(settings, bus=EmbeddedBus()).openapi()


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3 document of all events: channels by routing key, messages by wire type."""
    events = [event for published in PUBLISHED.values() for event in published]
    snapshots = {event.wire_type: _snapshot(event) for event in events}
    _, schemas = models_json_schema(
        [(model, "serialization") for model in dict.fromkeys(snapshots.values())],
        ref_template="#/components/schemas/{model}",
    )
    envelope = Envelope.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for event in events:
        key = event.routing_key()
        messages[event.wire_type] = _message(event, snapshots[event.wire_type].__name__)
        channel = channels.setdefault(key, _channel(event))
        channel["messages"][event.wire_type] = {"$ref": f"#/components/messages/{event.wire_type}"}
        operations[f"publish {key}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{key}"},
            "summary": f"{PUBLISHER[event.exchange()]} publishes it.",
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "CRM and Invoice: events",
            "version": "1",
            "description": (
                "CloudEvents 1.0 in JSON, on the topic exchanges crm and invoice. Bind a queue of your own to the "
                "routing keys you want. A message holds one event, or, in the JSON batch format, up to 100 of one "
                "routing key: take both. Events may come twice and in any order; each carries the whole record and "
                "its version, so go by the highest version you have seen."
            ),
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": {**schemas["$defs"], "Envelope": envelope},
        },
    }


def _channel(event: type[Event[Any]]) -> dict[str, Any]:
    key = event.routing_key()
    consumers = [queue.name for queue in QUEUES if (event.exchange(), key) in queue.bindings]
    return {
        "address": key,
        "title": key,
        "messages": {},
        "x-consumed-by": consumers,
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": event.exchange(), "type": "topic", "durable": True},
                "bindingVersion": "0.3.0",
            }
        },
    }


def _message(event: type[Event[Any]], schema: str) -> dict[str, Any]:
    return {
        "name": event.wire_type,
        "contentType": CONTENT_TYPE,
        "x-batch-content-type": BATCH_CONTENT_TYPE,
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/Envelope"},
                {
                    "type": "object",
                    "properties": {
                        "type": {"const": event.wire_type},
                        "data": {"$ref": f"#/components/schemas/{schema}"},
                    },
                },
            ]
        },
    }


def _snapshot(event: type[Event[Any]]) -> Any:
    return event.model_fields["data"].annotation
