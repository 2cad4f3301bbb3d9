"""What a server can do at a step instead of the good deed."""

from __future__ import annotations

import random
import ssl
import struct
import time

from . import packet
from .conversation import Conversation, Deed, upgrade
from .wire import Over

CLEAR = "mysql_clear_password"
HUGE = b"\xff\xff\xff"  # 16 MiB less one: the largest packet, behind which there is always another


def silence(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.wire.drain()


def close(conversation: Conversation, payloads: list[bytes]) -> None:
    raise Over("closed")


def reset(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.wire.reset()
    raise Over("reset")


def says(*other: bytes) -> Deed:
    """Other payloads than the good ones."""
    return lambda conversation, payloads: conversation.send(other)


def half(conversation: Conversation, payloads: list[bytes]) -> None:
    whole = conversation.framed(payloads)
    conversation.wire.send(whole[:len(whole) // 2])
    silence(conversation, payloads)


def half_then_close(conversation: Conversation, payloads: list[bytes]) -> None:
    whole = conversation.framed(payloads)
    conversation.wire.send(whole[:len(whole) // 2])
    raise Over("closed")


def garbage(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.wire.send(random.Random(7).randbytes(4096))
    silence(conversation, payloads)


def framed_garbage(conversation: Conversation, payloads: list[bytes]) -> None:
    """Packets that are in order, with nothing in them that is."""
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
    """One packet of ever more frames, which never ends."""
    block = bytes(1 << 16)
    sequence = conversation.framed([b""])[3]
    while True:
        conversation.wire.send(HUGE + bytes([sequence % 256]))
        left = 0xffffff
        while left > 0:
            conversation.wire.send(block[:left])
            left -= len(block[:left])
        sequence += 1


def flood_of_rows(row: bytes) -> Deed:
    """A result set whose rows never end."""
    def deed(conversation: Conversation, payloads: list[bytes]) -> None:
        conversation.send(packet.table(["Variable_name", "Value"], [])[:-1])
        while True:
            conversation.send([row] * 64)
    return deed


def flood_of_results(conversation: Conversation, payloads: list[bytes]) -> None:
    while True:
        conversation.send([packet.ok(packet.AUTOCOMMIT | packet.MORE_RESULTS)] * 64)


def trickle(conversation: Conversation, payloads: list[bytes]) -> None:
    """A byte now and then: no single read is ever late, only the whole is."""
    whole = conversation.framed(payloads)
    for i in range(len(whole)):
        conversation.wire.send(whole[i:i + 1])
        time.sleep(0.3)
    silence(conversation, payloads)


def plain(*payloads: bytes) -> Deed:
    """In clear where TLS was to begin."""
    def deed(conversation: Conversation, _: list[bytes]) -> None:
        conversation.wire.send(conversation.framed(payloads))
        silence(conversation, [])
    return deed


def plain_inside_tls(conversation: Conversation, payloads: list[bytes]) -> None:
    """In clear though TLS has begun, as somebody on the way might slip something in."""
    conversation.wire.send_clear(conversation.framed(payloads))
    silence(conversation, payloads)


def not_tls(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.wire.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    silence(conversation, payloads)


def slipped_in(conversation: Conversation, payloads: list[bytes]) -> None:
    """A packet in clear ahead of TLS, in the same breath: nobody may take it for an answer."""
    conversation.wire.send(conversation.framed([packet.ok()]))
    upgrade(conversation, payloads)


def upgrade_then_silence(conversation: Conversation, payloads: list[bytes]) -> None:
    upgrade(conversation, payloads)
    silence(conversation, payloads)


def version(minimum: ssl.TLSVersion, maximum: ssl.TLSVersion, ciphers: str = "") -> Deed:
    def deed(conversation: Conversation, payloads: list[bytes]) -> None:
        context = conversation.context
        context.minimum_version, context.maximum_version = minimum, maximum
        if ciphers:
            context.set_ciphers(ciphers)
        upgrade(conversation, payloads)
    return deed


def switch_to(plugin: str, data: bytes = packet.SEED + b"\0") -> Deed:
    """Asks for another login, takes whatever comes, and lets it in."""
    def deed(conversation: Conversation, payloads: list[bytes]) -> None:
        conversation.send([packet.switch(plugin, data)])
        conversation.receive()
        conversation.send([packet.ok()])
    return deed


def greets_with(plugin: str) -> Deed:
    return says(packet.greeting(plugin))


def sha2_fast(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.send([packet.switch("caching_sha2_password")])
    proven = conversation.proves_sha2(conversation.receive())
    conversation.send([packet.more(b"\x03"), packet.ok()] if proven else [packet.error(1045)])


def sha2_full(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.send([packet.switch("caching_sha2_password")])
    conversation.receive()
    conversation.send([packet.more(b"\x04")])
    proven = conversation.receive() == conversation.password + b"\0"
    conversation.send([packet.ok()] if proven else [packet.error(1045)])


def native_by_switch(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.send([packet.switch("mysql_native_password")])
    proven = conversation.proves(conversation.receive())
    conversation.send([packet.ok()] if proven else [packet.error(1045)])


def clear_by_switch(conversation: Conversation, payloads: list[bytes]) -> None:
    """How IAM does it: the token comes as it is, and a NUL behind it."""
    conversation.send([packet.switch(CLEAR, b"")])
    proven = conversation.receive() == conversation.password + b"\0"
    conversation.send([packet.ok()] if proven else [packet.error(1045)])


def clear_in_login(conversation: Conversation, payloads: list[bytes]) -> None:
    """After a greeting that has named the plugin already."""
    proven = conversation.proof() == conversation.password + b"\0"
    conversation.send([packet.ok()] if proven else [packet.error(1045)])


def asks_for_more(conversation: Conversation, payloads: list[bytes]) -> None:
    """Full authentication over and over: a password told once is told."""
    conversation.send([packet.switch("caching_sha2_password")])
    while True:
        conversation.receive()
        conversation.send([packet.more(b"\x04")])


def switch_after_the_password(conversation: Conversation, payloads: list[bytes]) -> None:
    """What names the plugin must not be what holds the password."""
    conversation.send([packet.switch("caching_sha2_password")])
    conversation.receive()
    conversation.send([packet.more(b"\x04")])
    conversation.receive()
    conversation.send([packet.switch(CLEAR)])
    conversation.receive()


def echoes(code: int, part: slice) -> Deed:
    """The error tells what was sent, as an error of a syntax or of a format does."""
    def deed(conversation: Conversation, payloads: list[bytes]) -> None:
        text = conversation.parameters[-1][part].decode()
        conversation.send([packet.error(code, f"Invalid JSON text near '{text}'", "22032")])
    return deed


def echoes_in_a_row(conversation: Conversation, payloads: list[bytes]) -> None:
    """A column that is shown to people holds what was sent."""
    text = conversation.parameters[-1][-1000:-700].decode()
    conversation.send(packet.table(["Replica_IO_Running", "Last_IO_Error"],
                                   [packet.text_row([text[:20], text])]))


def echoes_password(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.send([packet.switch("caching_sha2_password")])
    conversation.receive()
    conversation.send([packet.more(b"\x04")])
    told = conversation.receive().rstrip(b"\0").decode()
    conversation.send([packet.error(1045, f"Access denied using password '{told}'", "28000")])


def progress(conversation: Conversation, payloads: list[bytes]) -> None:
    """MariaDB's progress reports, which are errors in form, without an end."""
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


def sha2_bad_word(conversation: Conversation, payloads: list[bytes]) -> None:
    conversation.send([packet.switch("caching_sha2_password")])
    conversation.receive()
    conversation.send([packet.more(b"\x07")])
    conversation.receive()
    conversation.send([packet.ok()])


def says_and_closes(*other: bytes) -> Deed:
    def deed(conversation: Conversation, payloads: list[bytes]) -> None:
        conversation.send(other)
        raise Over("closed")
    return deed


def asks_for_file(*before: bytes) -> Deed:
    """LOCAL INFILE: the server names a file, and a client that is naive sends it."""
    def deed(conversation: Conversation, payloads: list[bytes]) -> None:
        conversation.send([*before, packet.infile(str(conversation.canary))])
        silence(conversation, payloads)
    return deed
