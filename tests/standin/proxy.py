"""A TCP proxy in front of a stand-in server: delays, counts, interrupts and blocks connections."""

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
SHORT = 0.005  # long enough to distinguish an answer from session tickets

Break = Literal["silence", "reset", "close"]


@dataclass(frozen=True)
class Fault:
    """A fault of a connection at the client's n-th flight.

    A flight is the data that a client sends before it waits for an answer; flight 0 is the TCP
    connect, and its answer is the greeting of the server. At "request" the server does not receive
    the flight. At "answer" the server has processed it, and the client does not receive the answer.
    "silence" keeps the connection open.
    """

    flight: int
    at: Literal["request", "answer"]
    how: Break


class Connection:
    """A client's connection and the corresponding connection to the server.

    Flights are counted on the client side, when bytes arrive from the client and when bytes are
    sent to it: only there the order is that of the client. This needs a delay: otherwise data that
    the server sends unrequested during a flight (TLS 1.3 session tickets) would count as an answer.
    """

    def __init__(self, proxy: Proxy, fault: Fault | None) -> None:
        self.flights = 0
        self.round_trips = 0  # answered flights, without TCP connect and greeting
        self.silent = False
        self.closed = threading.Event()
        self._proxy = proxy
        self._fault = fault
        self._expecting = True  # the connect expects the greeting
        self._client: asyncio.Transport | None = None
        self._server: asyncio.Transport | None = None
        self._connecting: asyncio.Task[None] | None = None

    def accept(self, client: asyncio.Transport) -> None:
        self._client = client
        client.pause_reading()  # until the connection to the server exists
        if not self._has_fault("request"):
            self._connecting = asyncio.get_running_loop().create_task(self._connect())

    def from_client(self, data: bytes) -> None:
        if not self._expecting or self.flights == 0:
            self._expecting = True
            self.flights += 1
            self._has_fault("request")
        self._proxy.later(self._proxy.to_server, lambda: self._pass(self._server, data))

    def from_server(self, data: bytes) -> None:
        self._proxy.later(self._proxy.to_client, lambda: self._answer(data))

    def client_lost(self, error: Exception | None) -> None:
        self.closed.set()
        self._proxy.later(self._proxy.to_server, lambda: self._end(self._server, bool(error)))

    def server_lost(self, error: Exception | None) -> None:
        if not self.silent:
            self._proxy.later(self._proxy.to_client, lambda: self._end(self._client, bool(error)))

    def interrupt(self, how: Break) -> None:
        """Must be called in the thread of the proxy."""
        if how == "silence":
            self.silent = True
            if self._client:
                self._client.resume_reading()  # to notice when the client closes
            return
        if self._connecting:
            self._connecting.cancel()
        self._end(self._client, reset=how == "reset")
        self._end(self._server, reset=True)

    def _has_fault(self, at: Literal["request", "answer"]) -> bool:
        fault = self._fault
        if fault is None or fault.at != at or fault.flight != self.flights:
            return False
        self.interrupt(fault.how)
        return True

    async def _connect(self) -> None:
        await asyncio.sleep(self._proxy.to_server)
        try:
            self._server, _ = await asyncio.get_running_loop().create_connection(
                lambda: _End(lambda _: None, self.from_server, self.server_lost),
                LOOPBACK, self._proxy.server_port, local_addr=(self._proxy.source, 0))
        except OSError:
            self._end(self._client, reset=True)
        if self._client:
            self._client.resume_reading()

    def _answer(self, data: bytes) -> None:
        if self._expecting and not self.silent and not self.closed.is_set():
            if self._has_fault("answer"):
                return
            self._expecting = False
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
        # close() with a linger time of zero sends a RST.
        end.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.abort()


class Proxy:
    """A proxy on a port of its own. Delays are one-way, in seconds, and do not add up.

    source: the address from which the server sees the connections.
    fault: for every connection, unless next_faults has an entry (a fault or None) for it.
    connections: all connections so far, in order; their counts are final when closed is set.
    """

    def __init__(self, server_port: int, *, to_server: float = SHORT,
                 to_client: float = SHORT, source: str = LOOPBACK) -> None:
        self.server_port = server_port
        self.source = source
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
        self.listen()

    def refuse(self) -> None:
        """Refuses new connections; open ones continue, and the port stays reserved."""
        self._do(self._refuse())

    def listen(self) -> None:
        self._do(self._listen())

    def interrupt(self, how: Break) -> None:
        """Interrupts all open connections, for example while the server processes a request."""
        self._do(self._interrupt(how))

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

    async def _listen(self) -> None:
        if self._listener is None:
            self._listener = await self._loop.create_server(self._new_end, sock=self._bound)

    async def _refuse(self) -> None:
        # Bound but not listening: the kernel refuses connections, and the port stays reserved.
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            self._bound = self._bind(self.port)

    def _new_end(self) -> _End:
        fault = self.next_faults.popleft() if self.next_faults else self.fault
        connection = Connection(self, fault)
        self.connections.append(connection)
        return _End(connection.accept, connection.from_client, connection.client_lost)

    async def _interrupt(self, how: Break) -> None:
        for connection in self.connections:
            connection.interrupt(how)

    async def _shut(self) -> None:
        await self._refuse()
        await self._interrupt("reset")
        for _ in range(2):  # iterations of the loop in which the transports close their sockets
            await asyncio.sleep(0)

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class _End(asyncio.Protocol):
    def __init__(self, made: Callable[[Any], None], data: Callable[[bytes], None],
                 lost: Callable[[Exception | None], None]) -> None:
        # asyncio calls these three methods by name.
        self.connection_made = made  # type: ignore[method-assign]
        self.data_received = data  # type: ignore[method-assign]
        self.connection_lost = lost  # type: ignore[method-assign]
