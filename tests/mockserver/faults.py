"""Handlers that break the protocol, and logins other than mysql_native_password."""

from __future__ import annotations

import random
import ssl
import struct
import time

from . import packet
from .conversation import Conversation, Handler, upgrade
from .wire import Ended

CLEAR = "mysql_clear_password"
HUGE = b"\xff\xff\xff"  # 2^24 - 1: the largest frame; another frame follows it


def silence(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.wire.drain()


def close(conversation: Conversation, payloads: list[bytes]) -> None:
    raise Ended("closed")


def reset(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.wire.reset()
    raise Ended("reset")


def reply(*other: bytes) -> Handler:
    """These payloads instead of the correct ones."""
    return lambda conversation, payloads: conversation.send(other)


def truncate(conversation: Conversation, payloads: list[bytes]) -> None:
    whole = conversation.framed(payloads)
    conversation.wire.send(whole[:len(whole) // 2])
    silence(conversation, payloads)


def truncate_and_close(conversation: Conversation, payloads: list[bytes]) -> None:
    whole = conversation.framed(payloads)
    conversation.wire.send(whole[:len(whole) // 2])
    raise Ended("closed")


def garbage(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.wire.send(random.Random(7).randbytes(4096))
    silence(conversation, payloads)


def framed_garbage(conversation: Conversation, payloads: list[bytes]) -> None:
    """Correct frames and sequence numbers, random payloads."""
    number = random.Random(8)
    conversation.send(number.randbytes(size) for size in (1, 7, 40, 300, 5))
    silence(conversation, payloads)


def empty(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.send([b""])
    silence(conversation, payloads)


def wrong_sequence(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.send(payloads, skip=5)


def huge_header(conversation: Conversation, payloads: list[bytes]) -> None:
    framed = conversation.framed([b""])
    conversation.wire.send(HUGE + framed[3:4])
    silence(conversation, payloads)


def flood_of_bytes(conversation: Conversation, payloads: list[bytes]) -> None:
    """One packet with an endless sequence of frames."""
    block = bytes(1 << 16)
    sequence = conversation.framed([b""])[3]
    while True:
        conversation.wire.send(HUGE + bytes([sequence % 256]))
        left = 0xffffff
        while left > 0:
            conversation.wire.send(block[:left])
            left -= len(block[:left])
        sequence += 1


def flood_of_rows(row: bytes) -> Handler:
    """A result set with an endless sequence of rows."""
    def handler(conversation: Conversation, payloads: list[bytes]) -> None:
        conversation.send(packet.table(["Variable_name", "Value"], [])[:-1])
        while True:
            conversation.send([row] * 64)
    return handler


def flood_of_results(conversation: Conversation, payloads: list[bytes]) -> None:
    while True:
        conversation.send([packet.ok(packet.AUTOCOMMIT | packet.MORE_RESULTS)] * 64)


def trickle(conversation: Conversation, payloads: list[bytes]) -> None:
    """One byte every 0.3 s: no single read times out, only the whole answer is late."""
    whole = conversation.framed(payloads)
    for i in range(len(whole)):
        conversation.wire.send(whole[i:i + 1])
        time.sleep(0.3)
    silence(conversation, payloads)


def cleartext(*payloads: bytes) -> Handler:
    """Cleartext payloads in place of the TLS handshake."""
    def handler(conversation: Conversation, _: list[bytes]) -> None:
        conversation.wire.send(conversation.framed(payloads))
        silence(conversation, [])
    return handler


def cleartext_inside_tls(conversation: Conversation, payloads: list[bytes]) -> None:
    """Cleartext after TLS has started, as a man in the middle would inject it."""
    conversation.wire.send_cleartext(conversation.framed(payloads))
    silence(conversation, payloads)


def not_tls(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.wire.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    silence(conversation, payloads)


def inject_before_tls(conversation: Conversation, payloads: list[bytes]) -> None:
    """A cleartext packet directly before the TLS handshake; the client must not accept it."""
    conversation.wire.send(conversation.framed([packet.ok()]))
    upgrade(conversation, payloads)


def upgrade_then_silence(conversation: Conversation, payloads: list[bytes]) -> None:
    upgrade(conversation, payloads)
    silence(conversation, payloads)


def version(minimum: ssl.TLSVersion, maximum: ssl.TLSVersion, ciphers: str = "") -> Handler:
    def handler(conversation: Conversation, payloads: list[bytes]) -> None:
        context = conversation.context
        context.minimum_version, context.maximum_version = minimum, maximum
        if ciphers:
            context.set_ciphers(ciphers)
        upgrade(conversation, payloads)
    return handler


def switch_to(plugin: str, data: bytes = packet.SEED + b"\0") -> Handler:
    """AuthSwitchRequest to this plugin; any response is accepted."""
    def handler(conversation: Conversation, payloads: list[bytes]) -> None:
        conversation.send([packet.switch(plugin, data)])
        conversation.receive()
        conversation.send([packet.ok()])
    return handler


def greet_with_plugin(plugin: str) -> Handler:
    return reply(packet.greeting(plugin))


def sha2_fast(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.send([packet.switch("caching_sha2_password")])
    verified = conversation.verify_sha2(conversation.receive())
    conversation.send([packet.more(b"\x03"), packet.ok()] if verified else [packet.error(1045)])


def sha2_full(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.send([packet.switch("caching_sha2_password")])
    conversation.receive()
    conversation.send([packet.more(b"\x04")])
    verified = conversation.receive() == conversation.password + b"\0"
    conversation.send([packet.ok()] if verified else [packet.error(1045)])


def native_by_switch(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.send([packet.switch("mysql_native_password")])
    verified = conversation.verify_native(conversation.receive())
    conversation.send([packet.ok()] if verified else [packet.error(1045)])


def clear_by_switch(conversation: Conversation, payloads: list[bytes]) -> None:
    """The login of an IAM user: the token as it is, followed by NUL."""
    conversation.send([packet.switch(CLEAR, b"")])
    verified = conversation.receive() == conversation.password + b"\0"
    conversation.send([packet.ok()] if verified else [packet.error(1045)])


def clear_in_login(conversation: Conversation, payloads: list[bytes]) -> None:
    """For a greeting that names mysql_clear_password."""
    verified = conversation.auth_response() == conversation.password + b"\0"
    conversation.send([packet.ok()] if verified else [packet.error(1045)])


def request_password_repeatedly(conversation: Conversation, payloads: list[bytes]) -> None:
    """Requests full authentication again and again; the client sends its password once."""
    conversation.send([packet.switch("caching_sha2_password")])
    while True:
        conversation.receive()
        conversation.send([packet.more(b"\x04")])


def switch_after_password(conversation: Conversation, payloads: list[bytes]) -> None:
    """An AuthSwitchRequest after full authentication.

    The name of the plugin must not be read from the memory that held the password.
    """
    conversation.send([packet.switch("caching_sha2_password")])
    conversation.receive()
    conversation.send([packet.more(b"\x04")])
    conversation.receive()
    conversation.send([packet.switch(CLEAR)])
    conversation.receive()


def echo_in_error(code: int, part: slice) -> Handler:
    """The error message repeats part of the statement, as syntax and format errors do."""
    def handler(conversation: Conversation, payloads: list[bytes]) -> None:
        text = conversation.parameters[-1][part].decode()
        conversation.send([packet.error(code, f"Invalid JSON text near '{text}'", "22032")])
    return handler


def echo_in_row(conversation: Conversation, payloads: list[bytes]) -> None:
    """Last_IO_Error repeats part of the key; the status shows this column."""
    text = conversation.parameters[-1][-1000:-700].decode()
    conversation.send(packet.table(["Replica_IO_Running", "Last_IO_Error"],
                                   [packet.text_row([text[:20], text])]))


def echo_password(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.send([packet.switch("caching_sha2_password")])
    conversation.receive()
    conversation.send([packet.more(b"\x04")])
    password = conversation.receive().rstrip(b"\0").decode()
    conversation.send([packet.error(1045, f"Access denied using password '{password}'", "28000")])


def progress_forever(conversation: Conversation, payloads: list[bytes]) -> None:
    """Endless progress reports of MariaDB; their packets have the form of an error packet."""
    report = b"\xff\xff\xff\x01\x01\x01" + struct.pack("<I", 10)[:3] + packet.string(b"copying")
    while True:
        conversation.send([report])
        time.sleep(0.1)


def switch_twice(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.send([packet.switch("mysql_native_password")])
    conversation.receive()
    conversation.send([packet.switch(CLEAR)])
    conversation.receive()
    conversation.send([packet.ok()])


def sha2_unknown_status(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.send([packet.switch("caching_sha2_password")])
    conversation.receive()
    conversation.send([packet.more(b"\x07")])
    conversation.receive()
    conversation.send([packet.ok()])


def reply_and_close(*other: bytes) -> Handler:
    def handler(conversation: Conversation, payloads: list[bytes]) -> None:
        conversation.send(other)
        raise Ended("closed")
    return handler


def request_local_file(*before: bytes) -> Handler:
    """LOCAL INFILE request: the server names a client file; the client must not send it."""
    def handler(conversation: Conversation, payloads: list[bytes]) -> None:
        conversation.send([*before, packet.infile(str(conversation.canary))])
        silence(conversation, payloads)
    return handler
