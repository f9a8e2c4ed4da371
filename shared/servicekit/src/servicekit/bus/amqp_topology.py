"""What stands on the broker: exchanges, queues and their arguments. Declaring it again changes nothing.

Per queue: the queue itself, ``<queue>.dead`` for what the broker gives up on, and ``<queue>.retry.<seconds>`` for each
delay, where copies wait until their time is over and go back. All are quorum queues, and the broker moves messages
between them "at least once". Moving goes through the default exchange, which cannot be missing.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel
from contracts.topology import Queue

DELIVERY_LIMIT = 1000
"""How often the broker delivers a message before it gives it up. Far above our own attempts: a backstop for messages
that kill every process that takes them. Unset would mean 20 from RabbitMQ 4.0 on."""

_NEVER = 1_000_000_000
_TIMEOUT = 10.0


class Names:
    """The names on the broker: ours, after a ``namespace`` that keeps installations on one broker apart."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def exchange(self, name: str) -> str:
        return f"{self._namespace}{name}"

    def queue(self, name: str) -> str:
        return f"{self._namespace}{name}"

    def dead(self, name: str) -> str:
        return f"{self._namespace}{name}.dead"

    def retry(self, name: str, delay: float) -> str:
        return f"{self._namespace}{name}.retry.{delay:g}"


async def declare_exchanges(channel: AbstractChannel, names: Names, exchanges: Iterable[str]) -> None:
    """Declare the topic exchanges."""
    for name in exchanges:
        await channel.declare_exchange(names.exchange(name), ExchangeType.TOPIC, durable=True, timeout=_TIMEOUT)


async def declare_queue(channel: AbstractChannel, names: Names, queue: Queue) -> None:
    """Declare a queue with its ``.dead`` queue, and bind it; its exchanges must exist."""
    await _declare(channel, names.dead(queue.name), {"x-delivery-limit": _NEVER})
    arguments = {"x-delivery-limit": DELIVERY_LIMIT, **_moves_to(names.dead(queue.name))}
    await _declare(channel, names.queue(queue.name), arguments)
    for exchange, routing_key in queue.bindings:
        underlay = await channel.get_underlay_channel()
        await underlay.queue_bind(names.queue(queue.name), names.exchange(exchange), routing_key, timeout=_TIMEOUT)


async def declare_retries(channel: AbstractChannel, names: Names, queue: Queue, delays: Sequence[float]) -> None:
    """Declare a queue's retry queues, one for each delay in seconds."""
    for delay in delays:
        arguments = {
            "x-message-ttl": round(delay * 1000),
            "x-delivery-limit": _NEVER,
            **_moves_to(names.queue(queue.name)),
        }
        await _declare(channel, names.retry(queue.name, delay), arguments)


async def delete(
    channel: AbstractChannel, names: Names, exchanges: Iterable[str], queues: Iterable[Queue], delays: Sequence[float]
) -> None:
    """Delete everything that the functions above declare, with all messages in it."""
    underlay = await channel.get_underlay_channel()
    for queue in queues:
        for delay in delays:
            await underlay.queue_delete(names.retry(queue.name, delay), timeout=_TIMEOUT)
        await underlay.queue_delete(names.queue(queue.name), timeout=_TIMEOUT)
        await underlay.queue_delete(names.dead(queue.name), timeout=_TIMEOUT)
    for exchange in exchanges:
        await underlay.exchange_delete(names.exchange(exchange), timeout=_TIMEOUT)


def _moves_to(queue: str) -> dict[str, Any]:
    return {
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",  # at-least-once asks for it
    }


async def _declare(channel: AbstractChannel, name: str, arguments: dict[str, Any]) -> None:
    arguments = {"x-queue-type": "quorum", **arguments}
    await channel.declare_queue(name, durable=True, arguments=arguments, timeout=_TIMEOUT)
