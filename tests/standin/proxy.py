"""A TCP proxy in front of a server of the stand-in: it delays, counts, breaks off, falls silent."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

LOOPBACK = "127.0.0.1"
CLOSE_SECONDS = 10.0
SHORT = 0.005  # and long enough to tell an answer from session tickets

Break = Literal["silence", "reset", "close"]


@dataclass(frozen=True)
class Fault:
    """What befalls a connection at its client's n-th flight.

    A flight is what the client sends before it waits; flight 0 is the TCP connect, and its answer
    is the server's greeting. At "request" the server never gets the flight. At "answer" it has
    done what was asked, and the client never learns of it. Silence keeps the connection open.
    """

    flight: int
    at: Literal["request", "answer"]
    how: Break


class Connection:
    """One client's connection and the one to the server behind it.

    Flights are counted at the client's edge: as its bytes come in, and as bytes leave for it. Only
    there is the order the client's own, and only with a delay: what the server says unasked while
    the rest of a flight is under way (session tickets of TLS 1.3) is then not taken for an answer.
    """

    def __init__(self, proxy: Proxy, fault: Fault | None) -> None:
        self.flights = 0
        self.round_trips = 0  # the answered flights; TCP connect and greeting come on top
        self.silent = False
        self.closed = threading.Event()
        self._proxy = proxy
        self._fault = fault
        self._asking = True  # the connect asks for the greeting
        self._client: asyncio.Transport | None = None
        self._server: asyncio.Transport | None = None
        self._connecting: asyncio.Task[None] | None = None

    def accept(self, client: asyncio.Transport) -> None:
        self._client = client
        client.pause_reading()  # until there is somewhere to pass it on to
        if not self._meets("request"):
            self._connecting = asyncio.get_running_loop().create_task(self._connect())

    def from_client(self, data: bytes) -> None:
        if not self._asking or self.flights == 0:
            self._asking = True
            self.flights += 1
            self._meets("request")
        self._proxy.later(self._proxy.to_server, lambda: self._pass(self._server, data))

    def from_server(self, data: bytes) -> None:
        self._proxy.later(self._proxy.to_client, lambda: self._answer(data))

    def client_lost(self, error: Exception | None) -> None:
        self.closed.set()
        self._proxy.later(self._proxy.to_server, lambda: self._end(self._server, bool(error)))

    def server_lost(self, error: Exception | None) -> None:
        if not self.silent:
            self._proxy.later(self._proxy.to_client, lambda: self._end(self._client, bool(error)))

    def strike(self, how: Break) -> None:
        """On the proxy's thread."""
        if how == "silence":
            self.silent = True
            if self._client:
                self._client.resume_reading()  # so that it is seen when the client gives up
            return
        if self._connecting:
            self._connecting.cancel()
        self._end(self._client, reset=how == "reset")
        self._end(self._server, reset=True)

    def _meets(self, at: Literal["request", "answer"]) -> bool:
        fault = self._fault
        if fault is None or fault.at != at or fault.flight != self.flights:
            return False
        self.strike(fault.how)
        return True

    async def _connect(self) -> None:
        await asyncio.sleep(self._proxy.to_server)
        try:
            self._server, _ = await asyncio.get_running_loop().create_connection(
                lambda: _End(lambda _: None, self.from_server, self.server_lost),
                LOOPBACK, self._proxy.server_port)
        except OSError:
            self._end(self._client, reset=True)
        if self._client:
            self._client.resume_reading()

    def _answer(self, data: bytes) -> None:
        if self._asking and not self.silent and not self.closed.is_set():
            if self._meets("answer"):
                return
            self._asking = False
            self.round_trips += self.flights > 0
        self._pass(self._client, data)

    def _pass(self, end: asyncio.Transport | None, data: bytes) -> None:
        if end and not self.silent and not end.is_closing():
            end.write(data)

    def _end(self, end: asyncio.Transport | None, reset: bool) -> None:
        if end is None or end.is_closing():
            return
        if not reset:
            return end.close()
        # Closing with a linger time of zero is how a RST is sent.
        end.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.abort()


class Proxy:
    """Listens on a port of its own; delays are one way, in seconds, and do not hold up each other.

    `fault` befalls every connection, unless `next_faults` has one (or None) for it. The connections
    there were are in `connections`, in order; counts are final once `closed` is set.
    """

    def __init__(self, server_port: int, *, to_server: float = SHORT,
                 to_client: float = SHORT) -> None:
        self.server_port = server_port
        self.to_server = to_server
        self.to_client = to_client
        self.fault: Fault | None = None
        self.next_faults: deque[Fault | None] = deque()
        self.connections: list[Connection] = []
        self._listener: asyncio.Server | None = None
        self._bound = self._bind(0)
        self.port = int(self._bound.getsockname()[1])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.admit()

    def refuse(self) -> None:
        """New connections are refused; the open ones live on, and the port stays ours."""
        self._do(self._refuse())

    def admit(self) -> None:
        self._do(self._admit())

    def strike(self, how: Break) -> None:
        """All open connections, now: for instance while the server is at work."""
        self._do(self._strike(how))

    def close(self) -> None:
        self._do(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_SECONDS)
        self._loop.close()
        self._bound.close()

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        if seconds > 0:
            self._loop.call_later(seconds, do)
        else:
            do()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(CLOSE_SECONDS)

    @staticmethod
    def _bind(port: int) -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((LOOPBACK, port))
        return bound

    async def _admit(self) -> None:
        if self._listener is None:
            self._listener = await self._loop.create_server(self._new_end, sock=self._bound)

    async def _refuse(self) -> None:
        # Bound and not listening: the kernel refuses, and nobody else can take the port.
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            self._bound = self._bind(self.port)

    def _new_end(self) -> _End:
        fault = self.next_faults.popleft() if self.next_faults else self.fault
        connection = Connection(self, fault)
        self.connections.append(connection)
        return _End(connection.accept, connection.from_client, connection.client_lost)

    async def _strike(self, how: Break) -> None:
        for connection in self.connections:
            connection.strike(how)

    async def _shut(self) -> None:
        await self._refuse()
        await self._strike("reset")
        for _ in range(2):  # turns of the loop, in which the transports let go of their sockets
            await asyncio.sleep(0)

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class _End(asyncio.Protocol):
    def __init__(self, made: Callable[[Any], None], data: Callable[[bytes], None],
                 lost: Callable[[Exception | None], None]) -> None:
        # asyncio calls these three by name; a closure for each serves both ends.
        self.connection_made = made  # type: ignore[method-assign]
        self.data_received = data  # type: ignore[method-assign]
        self.connection_lost = lost  # type: ignore[method-assign]
