"""A DNS server for one name: the container has only a loopback network."""

from __future__ import annotations

import socket
import struct
import threading

HEADER = struct.Struct(">HHHHHH")
TYPE_A = 1
ANSWERED, NO_SUCH_NAME = 0x8180, 0x8183


class NameServer:
    """Answers 127.0.0.1 for its name. Must be created in Machine.network()."""

    def __init__(self, name: str) -> None:
        self.queries = 0
        self._question = b"".join(bytes([len(label)]) + label.encode()
                                  for label in name.split(".")) + b"\0"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        self._socket.settimeout(0.1)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                query, sender = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            if len(query) > HEADER.size:
                self._socket.sendto(self._answer(query), sender)

    def _answer(self, query: bytes) -> bytes:
        number = HEADER.unpack_from(query)[0]
        end = query.index(b"\0", HEADER.size) + 5
        question = query[HEADER.size:end]
        known = question[:-4].lower() == self._question
        self.queries += known
        if not known or struct.unpack(">H", question[-4:-2])[0] != TYPE_A:
            return HEADER.pack(number, ANSWERED if known else NO_SUCH_NAME, 1, 0, 0, 0) + question
        return (HEADER.pack(number, ANSWERED, 1, 1, 0, 0) + question
                + struct.pack(">HHHLH4B", 0xc00c, TYPE_A, 1, 0, 4, 127, 0, 0, 1))
