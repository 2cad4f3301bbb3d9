"""Clients of the socket that come and go: those that read, and those that do not behave."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

from tests.standin.service import Service

MOST = 12  # at a time, less than one user may have
FLOOD = 80  # more than that
GARBAGE = (b"\0", b"{\0", b"[]\0", b'{"method": 7}\0', b'{"method": "a.b"}\0',
           b"\xff" * 100 + b"\0", b'{"method": "io.binlogssl.Manager.GetStatus"', b"x" * 20000)


class Clients:
    def __init__(self, service: Service, choice: random.Random) -> None:
        self._path = str(service.directory / "run" / "io.binlogssl.Manager")
        self._choice = choice
        self._open: list[tuple[socket.socket, bool]] = []  # and whether it reads

    def come(self) -> None:
        """A subscriber; some never read, until the daemon ends them."""
        if len(self._open) < MOST:
            self._open.append((self._connect(
                b'{"method": "io.binlogssl.Manager.Subscribe", "more": true}\0'),
                self._choice.random() < 0.7))

    def go(self) -> None:
        if self._open:
            self._open.pop(self._choice.randrange(len(self._open)))[0].close()

    def ask(self) -> None:
        """One that does not wait for its answer, or does."""
        method = self._choice.choice(("GetStatus", "GetMetrics", "Import"))
        with self._connect(f'{{"method": "io.binlogssl.Manager.{method}"}}\0'.encode()) as client:
            if self._choice.random() < 0.5:
                client.settimeout(60)
                with suppress(ConnectionError):
                    client.recv(1)

    def send_garbage(self) -> None:
        self._connect(self._choice.choice(GARBAGE)).close()

    def flood(self) -> None:
        clients = [self._connect(b"") for _ in range(FLOOD)]
        for client in clients:
            client.close()

    def read(self) -> None:
        """What those that read have got since the last time."""
        for client, reads in list(self._open):
            try:
                while reads and client.recv(1 << 16):
                    pass
            except BlockingIOError:
                pass
            except ConnectionError:
                self._open.remove((client, reads))
                client.close()

    def close(self) -> None:
        while self._open:
            self.go()

    def _connect(self, message: bytes) -> socket.socket:
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.connect(self._path)  # waits while the queue is full
        client.setblocking(False)
        with suppress(ConnectionError):  # refused at once
            client.send(message)
        return client
