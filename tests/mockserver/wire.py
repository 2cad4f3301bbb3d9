"""One accepted connection: limited sending, recorded receiving, TLS on request."""

from __future__ import annotations

import socket
import ssl
import struct
from typing import Literal

TIMEOUT = 30.0  # longer than any case lasts; bounds the life of a thread
CHUNK = 65536

Limited = Literal["wire", "payload"]


class Ended(Exception):
    """The connection ends: the client closed it, or the limit of sent bytes is reached."""


class Wire:
    """Records what the client sends.

    received: every byte on the wire; cleartext: those of them before TLS; decrypted: what TLS
    protected. limit ends the connection after so many sent bytes, counted on the wire ("wire") or
    as MySQL payload, inside TLS or not ("payload").
    """

    def __init__(self, connection: socket.socket, limit: int | None = None,
                 limited: Limited = "wire") -> None:
        self.received = bytearray()
        self.cleartext = bytearray()
        self.decrypted = bytearray()
        self.tls: ssl.SSLObject | None = None
        self.sent = 0
        self._connection = connection
        self._connection.settimeout(TIMEOUT)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._limit = limit
        self._limited = limited
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    def start_tls(self, context: ssl.SSLContext) -> None:
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                self._incoming.write(self._receive(CHUNK))
            except ssl.SSLError as refusal:
                self._flush()  # sends the TLS alert
                raise Ended(str(refusal)) from refusal
        self._flush()
        self.tls = tls

    def send(self, data: bytes) -> None:
        whole = data
        if self._limited == "payload":
            data = self._within(data)
            self.sent += len(data)
        if self.tls is None:
            self._transmit(data)
        elif data:
            self.tls.write(data)
            self._flush()
        if len(data) < len(whole):
            raise Ended("the limit of sent payload is reached")

    def send_cleartext(self, data: bytes) -> None:
        """Bypasses TLS, as a man in the middle could."""
        self._transmit(data)

    def take(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self._read(size - len(data))
        return data

    def drain(self) -> None:
        """Reads until the client closes the connection."""
        while True:
            self._read(CHUNK)

    def close(self) -> None:
        if self.tls is not None and self._limited == "payload":
            try:
                self.tls.unwrap()
            except ssl.SSLError:
                pass  # the client's close_notify is not awaited
            try:
                self._connection.sendall(self._outgoing.read())
            except OSError:
                pass
        try:
            self._connection.shutdown(socket.SHUT_WR)
            # close() with unread bytes would send a RST, which can overtake the data sent before.
            self.drain()
        except (OSError, ssl.SSLError, Ended):
            pass
        self._connection.close()

    def reset(self) -> None:
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()

    def _read(self, size: int) -> bytes:
        if self.tls is None:
            data = self._receive(size)
            self.cleartext += data
            return data
        while True:
            try:
                data = self.tls.read(size)
            except ssl.SSLWantReadError:
                self._incoming.write(self._receive(CHUNK))
                continue
            except ssl.SSLError as broken:
                raise Ended(str(broken)) from broken
            if not data:
                raise Ended("the client closed TLS")
            self.decrypted += data
            return data

    def _receive(self, size: int) -> bytes:
        try:
            data = self._connection.recv(size)
        except OSError as gone:
            raise Ended(str(gone)) from gone
        if not data:
            raise Ended("the client closed the connection")
        self.received += data
        return data

    def _flush(self) -> None:
        data = self._outgoing.read()
        if data:
            self._transmit(data)

    def _within(self, data: bytes) -> bytes:
        return data if self._limit is None else data[:max(0, self._limit - self.sent)]

    def _transmit(self, data: bytes) -> None:
        whole = data
        if self._limited == "wire":
            data = self._within(data)
            self.sent += len(data)
        try:
            self._connection.sendall(data)
        except OSError as gone:
            raise Ended(str(gone)) from gone
        if len(data) < len(whole):
            raise Ended("the limit of sent bytes is reached")
