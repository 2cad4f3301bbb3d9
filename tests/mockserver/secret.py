"""Pieces of a key, in every form that it can take, and of a password, to search for in data."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from tests.standin.pki import PKCS1, PKCS8, key_as

PASSWORD = "Tr0ub4dor&3-mock"
WINDOW = 24  # bytes of DER; any extract of twice this length contains a whole window


class Secret:
    """Pieces, each of which proves by itself that data contains the secret."""

    def __init__(self, pieces: dict[str, bytes]) -> None:
        self.pieces = pieces

    @classmethod
    def of_key(cls, key: Path) -> Secret:
        pieces: dict[str, bytes] = {}
        for form, header in (("PKCS#1", PKCS1), ("PKCS#8", PKCS8)):
            lines = [line for line in key_as(key, header).splitlines() if b"-----" not in line]
            der = base64.b64decode(b"".join(lines))
            # The first line is algorithm and length: the same for all keys of this type.
            pieces |= {f"line {number} of {form}": line
                       for number, line in enumerate(lines[1:], 2) if len(line) >= WINDOW}
            pieces |= {f"{form} DER from {start}": der[start:start + WINDOW]
                       for start in range(64, len(der) - WINDOW, WINDOW)}
        return cls(pieces)

    @classmethod
    def of_password(cls, password: str, tail: int = 0) -> Secret:
        """tail: the last so many characters are a piece of their own."""
        text = password.encode()
        return cls({"end of the password": text[-tail:],
                    "password": text, "password in JSON": json.dumps(password)[1:-1].encode(),
                    "password in base64": base64.b64encode(text),
                    "password in hex": text.hex().encode()})

    def __or__(self, other: Secret) -> Secret:
        return Secret(self.pieces | other.pieces)

    def found_in(self, data: bytes | bytearray | str) -> list[str]:
        held = data.encode(errors="replace") if isinstance(data, str) else bytes(data)
        return [name for name, piece in self.pieces.items() if piece in held]
