"""The mock server's side of an import: a sequence of steps, each with a replaceable handler.

The steps: `accept` (before the greeting), `greeting`, `tls`, `login`, `variables` (SHOW GLOBAL
VARIABLES), `prepare`, `call`, `status` (SHOW REPLICA STATUS); and where a log is on, after the
variables, `log-off` (SET SESSION) and `privileges` (whether that has an effect). Each step has a
correct answer of one or more payloads. The default handler sends it; a case replaces the handlers of
single steps.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from . import packet
from .wire import Limited, Ended, Wire

STEPS = ("accept", "greeting", "tls", "login", "variables", "log-off", "prepare", "call", "status")

VARIABLES = {"innodb_read_only": "OFF", "general_log": "OFF", "slow_query_log": "OFF",
             "log_queries_not_using_indexes": "OFF", "log_output": "FILE", "performance_schema": "ON",
             "performance_schema_max_sql_text_length": "1024"}

QUIT, QUERY, PREPARE, EXECUTE, LONG_DATA, CLOSE = 0x01, 0x03, 0x16, 0x17, 0x18, 0x19

Handler = Callable[["Conversation", list[bytes]], None]


def good(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.send(payloads)


def nothing(conversation: Conversation, payloads: list[bytes]) -> None:
    """The default handler of `accept`."""


def upgrade(conversation: Conversation, payloads: list[bytes]) -> None:
    """The default handler of `tls`."""
    conversation.wire.start_tls(conversation.context)


@dataclass
class Script:
    """The behaviour of one mock server, for any number of connections.

    limit: the server ends the connection after so many sent bytes; limited: where these are counted
    (wire.Wire).
    """

    context: ssl.SSLContext
    password: bytes
    canary: Path  # a client file that LOAD DATA LOCAL INFILE would read
    handlers: dict[str, Handler] = field(default_factory=dict)
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
        self.steps: list[str] = []  # the steps that the client has reached
        self.login = b""
        self.parameters: list[bytes] = []  # the parameter of each CALL
        self.ending = ""  # the reason for which the connection ended
        self._handlers = script.handlers
        self._sequence = 0

    def run(self) -> None:
        try:
            self._perform("accept", [])
            self._perform("greeting", [packet.greeting()])
            self.receive()  # SSLRequest, or the login of a client without TLS
            self._perform("tls", [])
            self.login = self.receive()
            self._perform("login", [packet.ok() if self.verify_native(self.auth_response()) else
                                    packet.error(1045, "Access denied", "28000")])
            while self._execute(self.receive()):
                pass
            self.ending = "quit"
        except Ended as reason:
            self.ending = str(reason)
        finally:
            self.wire.close()

    def receive(self) -> bytes:
        head = self.wire.take(4)
        self._sequence = head[3] + 1
        return self.wire.take(int.from_bytes(head[:3], "little"))

    def send(self, payloads: Iterable[bytes], skip: int = 0) -> None:
        """skip: so many sequence numbers are omitted, which violates the protocol."""
        self.wire.send(self.framed(payloads, skip))

    def framed(self, payloads: Iterable[bytes], skip: int = 0) -> bytes:
        framed = b""
        self._sequence += skip
        for payload in payloads:
            framed += packet.frame(payload, self._sequence)
            self._sequence += 1
        return framed

    def verify_native(self, scramble: bytes) -> bool:
        """mysql_native_password: SHA1(password) XOR SHA1(seed + SHA1(SHA1(password)))."""
        once = hashlib.sha1(self.password).digest()
        mask = hashlib.sha1(packet.SEED + hashlib.sha1(once).digest()).digest()
        return scramble == bytes(a ^ b for a, b in zip(once, mask, strict=True))

    def verify_sha2(self, scramble: bytes) -> bool:
        """caching_sha2_password: SHA256(password) XOR SHA256(SHA256(SHA256(password)) + seed)."""
        once = hashlib.sha256(self.password).digest()
        mask = hashlib.sha256(hashlib.sha256(once).digest() + packet.SEED).digest()
        return scramble == bytes(a ^ b for a, b in zip(once, mask, strict=True))

    def auth_response(self) -> bytes:
        """The authentication response of the login: after the fixed header and the user name."""
        rest = self.login[32:].partition(b"\0")[2]
        return packet.first_string(rest) if rest else b""

    def _perform(self, step: str, payloads: list[bytes]) -> None:
        default = {"accept": nothing, "tls": upgrade}.get(step, good)
        self.steps.append(step)
        self._handlers.get(step, default)(self, payloads)

    def _execute(self, command: bytes) -> bool:
        if not command:
            return True  # the empty packet that ends LOCAL INFILE
        kind, rest = command[0], command[1:]
        if kind == QUIT:
            return False
        if kind == QUERY and b"SHOW GLOBAL VARIABLES" in rest:
            others = rest.count(b";")  # statements before it
            self.send([packet.ok(packet.AUTOCOMMIT | packet.MORE_RESULTS)] * others)
            rows = [packet.text_row(pair) for pair in VARIABLES.items()]
            self._perform("variables", packet.table(["Variable_name", "Value"], rows))
        elif kind == QUERY and b"SET SESSION" in rest:
            refused = b"long_query_time" not in rest  # as by MySQL, without a privilege
            self._perform("log-off", [packet.error(1227) if refused else packet.ok()])
        elif kind == QUERY and b"USER_PRIVILEGES" in rest:
            self._perform("privileges", packet.table(["1"], [packet.text_row(["1"])]))
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
    """The string parameter of COM_STMT_EXECUTE.

    Before it: statement id, flags, iteration count, NULL bitmap, new-params-bound flag, type.
    """
    data = rest[4 + 1 + 4 + 1 + 1 + 2:]
    return packet.first_string(data) if data else b""
