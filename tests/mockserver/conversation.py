"""A scripted server's conversation with an importer: the good one, and a break at one step.

The steps: `accept` (what comes before the greeting), `greeting`, `tls`, `login`, `look` (at the
server's variables), `leave` (a log that is on, so not in the good conversation), `prepare`, `call`,
`status` (of replication). At each the server has an answer of one or more payloads; what sends them
is the step's deed, and a case replaces as few as it can.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from . import packet
from .wire import Limited, Over, Wire

STEPS = ("accept", "greeting", "tls", "login", "look", "leave", "prepare", "call", "status")
SPOKEN = ("greeting", "login", "look", "prepare", "call", "status")  # those with payloads

VARIABLES = {"innodb_read_only": "OFF", "general_log": "OFF", "slow_query_log": "OFF",
             "log_output": "FILE", "performance_schema": "ON",
             "performance_schema_max_sql_text_length": "1024"}

QUIT, QUERY, PREPARE, EXECUTE, LONG_DATA, CLOSE = 0x01, 0x03, 0x16, 0x17, 0x18, 0x19

Deed = Callable[["Conversation", list[bytes]], None]


def good(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.send(payloads)


def nothing(conversation: Conversation, payloads: list[bytes]) -> None:
    """The good deed of `accept`."""


def upgrade(conversation: Conversation, payloads: list[bytes]) -> None:
    """The good deed of `tls`."""
    conversation.wire.start_tls(conversation.context)


@dataclass
class Script:
    """What a server does, for any number of connections."""

    context: ssl.SSLContext
    password: bytes
    canary: Path  # a file of the client's side that a naive one gives away
    deeds: dict[str, Deed] = field(default_factory=dict)
    limit: int | None = None
    limited: Limited = "wire"
    conversations: list[Conversation] = field(default_factory=list)

    def accept(self, connection: socket.socket) -> None:
        conversation = Conversation(self, connection)
        self.conversations.append(conversation)
        conversation.run()


class Conversation:
    def __init__(self, script: Script, connection: socket.socket) -> None:
        self.wire = Wire(connection, script.limit, script.limited)
        self.context = script.context
        self.password = script.password
        self.canary = script.canary
        self.steps: list[str] = []  # those that the client has come to
        self.login = b""
        self.parameters: list[bytes] = []  # of the CALLs, as they came
        self.ending = ""  # why it was over
        self._deeds = script.deeds
        self._sequence = 0

    def run(self) -> None:
        try:
            self._perform("accept", [])
            self._perform("greeting", [packet.greeting()])
            self.receive()  # the request for TLS, or a login of somebody who does without
            self._perform("tls", [])
            self.login = self.receive()
            self._perform("login", [packet.ok() if self.proves(self.proof()) else
                                    packet.error(1045, "Access denied", "28000")])
            while self._obey(self.receive()):
                pass
            self.ending = "quit"
        except Over as over:
            self.ending = str(over)
        finally:
            self.wire.close()

    def receive(self) -> bytes:
        head = self.wire.take(4)
        self._sequence = head[3] + 1
        return self.wire.take(int.from_bytes(head[:3], "little"))

    def send(self, payloads: Iterable[bytes], skip: int = 0) -> None:
        """`skip`: leave out so many numbers of the sequence, which is a fault."""
        self.wire.send(self.framed(payloads, skip))

    def framed(self, payloads: Iterable[bytes], skip: int = 0) -> bytes:
        framed = b""
        self._sequence += skip
        for payload in payloads:
            framed += packet.frame(payload, self._sequence)
            self._sequence += 1
        return framed

    def proves(self, scramble: bytes) -> bool:
        """mysql_native_password: SHA1(password) XOR SHA1(seed + SHA1(SHA1(password)))."""
        once = hashlib.sha1(self.password).digest()
        mask = hashlib.sha1(packet.SEED + hashlib.sha1(once).digest()).digest()
        return scramble == bytes(a ^ b for a, b in zip(once, mask, strict=True))

    def proves_sha2(self, scramble: bytes) -> bool:
        """caching_sha2_password: SHA256(password) XOR SHA256(SHA256(SHA256(password)) + seed)."""
        once = hashlib.sha256(self.password).digest()
        mask = hashlib.sha256(hashlib.sha256(once).digest() + packet.SEED).digest()
        return scramble == bytes(a ^ b for a, b in zip(once, mask, strict=True))

    def proof(self) -> bytes:
        """The login's answer to the seed: behind the fixed head and the name of the user."""
        rest = self.login[32:].partition(b"\0")[2]
        return packet.first_string(rest) if rest else b""

    def _perform(self, step: str, payloads: list[bytes]) -> None:
        usual = {"accept": nothing, "tls": upgrade}.get(step, good)
        self.steps.append(step)
        self._deeds.get(step, usual)(self, payloads)

    def _obey(self, command: bytes) -> bool:
        if not command:
            return True  # a file that was not given
        kind, rest = command[0], command[1:]
        if kind == QUIT:
            return False
        if kind == QUERY and b"SHOW GLOBAL VARIABLES" in rest:
            rows = [packet.text_row(pair) for pair in VARIABLES.items()]
            self._perform("look", packet.table(["Variable_name", "Value"], rows))
        elif kind == QUERY and b"SET SESSION" in rest:
            refused = b"sql_log_off" in rest
            self._perform("leave", [packet.error(1227) if refused else packet.ok()])
        elif kind == QUERY and b"SHOW REPLICA STATUS" in rest:
            self._perform("status", packet.table(["Replica_IO_Running", "Replica_SQL_Running"],
                                                 [packet.text_row(["Yes", "Yes"])]))
        elif kind == PREPARE:
            self._perform("prepare", packet.prepared())
        elif kind == EXECUTE:
            self.parameters.append(_parameter(rest))
            self._perform("call", [
                *packet.table(["Message"], [packet.binary_row(["SSL material import complete."])],
                              packet.AUTOCOMMIT | packet.MORE_RESULTS), packet.ok()])
        elif kind not in (CLOSE, LONG_DATA):
            self.send([packet.error(1047, "Unknown command")])
        return True


def _parameter(rest: bytes) -> bytes:
    """Of COM_STMT_EXECUTE with one string: number, flags, iterations, NULLs, bound, type."""
    data = rest[4 + 1 + 4 + 1 + 1 + 2:]
    return packet.first_string(data) if data else b""
