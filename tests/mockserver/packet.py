"""The packets of the MySQL protocol that a server sends: payloads, and the frame around them."""

from __future__ import annotations

import struct
from collections.abc import Iterable

SEED = b"abcdefghijklmnopqrst"  # for authentication; letters, because a NUL would end it
VERSION = "8.0.39-mock"

CLIENT_SSL = 1 << 11
CLIENT_CONNECT_WITH_DB = 1 << 3
CLIENT_LONG_LOGIN_DATA = 1 << 21  # authentication data may be longer than 255 bytes
# LONG_PASSWORD means "not MariaDB". Without DEPRECATE_EOF: result sets with EOF packets, which
# all client libraries support.
CAPABILITIES = (1 | 2 | 4 | 1 << 7 | 1 << 9 | CLIENT_SSL | 1 << 13 | 1 << 15 | 1 << 16 | 1 << 17
                | 1 << 18 | 1 << 19 | 1 << 20 | CLIENT_LONG_LOGIN_DATA)

MORE_RESULTS = 8
AUTOCOMMIT = 2
STRING = 253


def frame(payload: bytes, sequence: int) -> bytes:
    return struct.pack("<I", len(payload))[:3] + bytes([sequence % 256]) + payload


def number(value: int) -> bytes:
    """A length-encoded integer."""
    if value < 251:
        return bytes([value])
    if value < 1 << 16:
        return b"\xfc" + struct.pack("<H", value)
    return b"\xfd" + struct.pack("<I", value)[:3]


def string(value: bytes) -> bytes:
    return number(len(value)) + value


def first_string(data: bytes) -> bytes:
    """Decodes the length-encoded string at the beginning of data."""
    width = {0xfc: 2, 0xfd: 3, 0xfe: 8}.get(data[0], 0)
    start = 1 + width
    size = int.from_bytes(data[1:start], "little") if width else data[0]
    return data[start:start + size]


def greeting(plugin: str = "mysql_native_password", capabilities: int = CAPABILITIES,
             version: str = VERSION, protocol: int = 10) -> bytes:
    return (bytes([protocol]) + version.encode() + b"\0" + struct.pack("<I", 7) + SEED[:8] + b"\0"
            + struct.pack("<HBHHB", capabilities & 0xffff, 45, AUTOCOMMIT, capabilities >> 16,
                          len(SEED) + 1)
            + bytes(10) + SEED[8:] + b"\0" + plugin.encode() + b"\0")


def ok(status: int = AUTOCOMMIT, warnings: int = 0, info: bytes = b"") -> bytes:
    return b"\0\0\0" + struct.pack("<HH", status, warnings) + info


def end(status: int = AUTOCOMMIT, warnings: int = 0) -> bytes:
    return b"\xfe" + struct.pack("<HH", warnings, status)


def error(code: int, text: str = "refused", state: str = "HY000") -> bytes:
    return b"\xff" + struct.pack("<H", code) + b"#" + state.encode() + text.encode()


def error_before_login(code: int, text: str = "refused") -> bytes:
    """In place of a greeting, without SQLSTATE: the client has sent no capabilities yet."""
    return b"\xff" + struct.pack("<H", code) + text.encode()


def switch(plugin: str, data: bytes = SEED + b"\0") -> bytes:
    return b"\xfe" + plugin.encode() + b"\0" + data


def more(data: bytes) -> bytes:
    """AuthMoreData: data from the server plugin to the client plugin."""
    return b"\x01" + data


def infile(path: str) -> bytes:
    return b"\xfb" + path.encode()


def column(name: str) -> bytes:
    return (string(b"def") + string(b"") * 3 + string(name.encode()) * 2 + b"\x0c"
            + struct.pack("<HIBHBH", 45, 1024, STRING, 0, 0, 0))


def text_row(values: Iterable[str]) -> bytes:
    return b"".join(string(value.encode()) for value in values)


def binary_row(values: list[str]) -> bytes:
    return b"\0" + bytes((len(values) + 9) // 8) + text_row(values)


def table(names: list[str], rows: list[bytes], status: int = AUTOCOMMIT) -> list[bytes]:
    """A result set."""
    return [number(len(names)), *(column(name) for name in names), end(status), *rows, end(status)]


def prepared(parameters: int = 1, columns: int = 0) -> list[bytes]:
    head = b"\0" + struct.pack("<IHHBH", 1, columns, parameters, 0, 0)
    return [head, *([*(column("?") for _ in range(parameters)), end()] if parameters else []),
            *([*(column("c") for _ in range(columns)), end()] if columns else [])]
