"""One accepted connection: bytes out with a limit, bytes in with a memory, TLS when asked for."""

from __future__ import annotations

import socket
import ssl
import struct
from typing import Literal

PATIENCE = 30.0  # no case lasts longer; a thread must not either
CHUNK = 65536

Limited = Literal["wire", "spoken"]


class Over(Exception):
    """The conversation is over: the client has gone, or all was sent that is to be sent."""


class Wire:
    """Three records of what the client sent.

    `received` is every byte off the wire, `clear` those of them before TLS began, and `inside`
    what TLS protected. A `limit` ends the connection when so many bytes were sent: on the wire,
    or of what is spoken, inside TLS or not.
    """

    def __init__(self, connection: socket.socket, limit: int | None = None,
                 limited: Limited = "wire") -> None:
        self.received = bytearray()
        self.clear = bytearray()
        self.inside = bytearray()
        self.tls: ssl.SSLObject | None = None
        self.sent = 0
        self._connection = connection
        self._connection.settimeout(PATIENCE)
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
                self._flush()  # our alert is part of the answer
                raise Over(str(refusal)) from refusal
        self._flush()
        self.tls = tls

    def send(self, data: bytes) -> None:
        whole = data
        if self._limited == "spoken":
            data = self._within(data)
            self.sent += len(data)
        if self.tls is None:
            self._transmit(data)
        elif data:
            self.tls.write(data)
            self._flush()
        if len(data) < len(whole):
            raise Over("all was said that was to be said")

    def send_clear(self, data: bytes) -> None:
        """Past TLS, as somebody on the way could."""
        self._transmit(data)

    def take(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self._read(size - len(data))
        return data

    def drain(self) -> None:
        """Read on until the client goes."""
        while True:
            self._read(CHUNK)

    def close(self) -> None:
        if self.tls is not None and self._limited == "spoken":
            try:
                self.tls.unwrap()
            except ssl.SSLError:
                pass  # wants the other side's farewell, for which nobody waits
            try:
                self._connection.sendall(self._outgoing.read())
            except OSError:
                pass
        try:
            self._connection.shutdown(socket.SHUT_WR)
            # Closing over unread bytes would send a RST, and that can overtake what we have sent.
            self.drain()
        except (OSError, ssl.SSLError, Over):
            pass
        self._connection.close()

    def reset(self) -> None:
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()

    def _read(self, size: int) -> bytes:
        if self.tls is None:
            data = self._receive(size)
            self.clear += data
            return data
        while True:
            try:
                data = self.tls.read(size)
            except ssl.SSLWantReadError:
                self._incoming.write(self._receive(CHUNK))
                continue
            except ssl.SSLError as broken:
                raise Over(str(broken)) from broken
            if not data:
                raise Over("the client has ended TLS")
            self.inside += data
            return data

    def _receive(self, size: int) -> bytes:
        try:
            data = self._connection.recv(size)
        except OSError as gone:
            raise Over(str(gone)) from gone
        if not data:
            raise Over("the client has gone")
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
            raise Over(str(gone)) from gone
        if len(data) < len(whole):
            raise Over("all was sent that was to be sent")
