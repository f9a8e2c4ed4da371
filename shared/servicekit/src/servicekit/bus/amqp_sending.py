"""Publishing to the broker: persistent, mandatory, confirmed, many in flight.

Guarantee: `Sender.send` returns only after the broker confirmed that the message stands in every queue it belongs to.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast
from uuid import uuid4

from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.channel import Channel
from aiormq.exceptions import PublishError
from pamqp.commands import Basic

from servicekit.tasks import being_cancelled

_PERSISTENT = 2


class Unroutable(ConnectionError):
    """No queue takes the message: it was returned."""


class Sender:
    """Publishes over the channel of the present connection. ``timeout``: seconds until a confirm counts as missing."""

    def __init__(self, *, timeout: float) -> None:
        self._timeout = timeout
        self._channel: AbstractChannel | None = None

    async def attach(self, connection: AbstractConnection, *, on_fault: Callable[[str], None]) -> None:
        """Use this connection from now on. ``on_fault`` is told when the broker closes our channel on it."""
        channel = self._channel = await connection.channel(publisher_confirms=True, on_return_raises=True)

        def closed(_: Any, error: BaseException | None) -> None:
            if self._channel is channel:
                on_fault(f"the publishing channel was closed ({error})")

        channel.close_callbacks.add(closed)

    async def send(
        self, body: bytes, *, exchange: str, routing_key: str, content_type: str, headers: dict[str, Any]
    ) -> None:
        """Publish one message.

        Raises `Unroutable` if no queue takes it, and `ConnectionError` for everything else: it may have arrived then.
        """
        if self._channel is None or self._channel.is_closed:
            raise ConnectionError("not connected to the broker")
        properties = Basic.Properties(
            content_type=content_type,
            delivery_mode=_PERSISTENT,
            # Its own for every publication: returns are told apart by it, and two equal ones in flight get mixed up.
            message_id=uuid4().hex,
            headers=headers,
        )
        try:
            # Below aio-pika, which would wait for the socket each time: the confirm is what counts.
            channel = cast(Channel, await self._channel.get_underlay_channel())
            await channel.basic_publish(
                body,
                exchange=exchange,
                routing_key=routing_key,
                properties=properties,
                mandatory=True,
                timeout=self._timeout,
                wait=False,
            )
        except PublishError as error:
            raise Unroutable(f"no queue takes {routing_key!r} at {exchange!r}") from error
        except (Exception, asyncio.CancelledError) as error:
            # A lost heartbeat comes as a cancellation that nobody asked for.
            if isinstance(error, asyncio.CancelledError) and being_cancelled():
                raise
            raise ConnectionError(f"not confirmed by the broker ({type(error).__name__}: {error})") from error
