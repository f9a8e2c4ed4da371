"""Exchanges, queues and bindings, as data. Both transports and the AsyncAPI document are made from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from contracts import accounts, contacts, customers, documents, items, payments, potentials
from contracts.event import Event

EXCHANGES = ("crm", "invoice")
"""Topic exchanges; an event's routing key is its wire type without the version."""

PUBLISHED: dict[str, tuple[type[Event[Any]], ...]] = {
    "crm": (*accounts.EVENTS, *contacts.EVENTS, *potentials.EVENTS),
    "invoice": (*customers.EVENTS, *items.EVENTS, *documents.EVENTS, *payments.EVENTS),
}
"""Exchange → the events that its service publishes."""


@dataclass(frozen=True)
class Queue:
    """A consumer's queue, named ``<consumer>.<stream>``, and the events it is there for."""

    name: str
    events: tuple[type[Event[Any]], ...]

    @property
    def bindings(self) -> tuple[tuple[str, str], ...]:
        """(exchange, routing key) of every event, without doubles."""
        return tuple(dict.fromkeys((event.exchange(), event.routing_key()) for event in self.events))

    @property
    def types(self) -> dict[str, type[Event[Any]]]:
        """Wire type → class, of the events this queue's consumer understands."""
        return by_wire_type(self.events)


def by_wire_type(events: Iterable[type[Event[Any]]]) -> dict[str, type[Event[Any]]]:
    """Wire type → class."""
    return {event.wire_type: event for event in events}


SYNC_RECORDS = Queue("sync.records", (*accounts.EVENTS, *contacts.EVENTS))
WORKFLOW_POTENTIALS = Queue("workflow.potentials", potentials.EVENTS)
CRM_DOCUMENTS = Queue("crm.documents", (*documents.EVENTS, *customers.EVENTS))

QUEUES = (SYNC_RECORDS, WORKFLOW_POTENTIALS, CRM_DOCUMENTS)
