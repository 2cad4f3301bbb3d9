"""The server closes the connection after each possible number of sent bytes.

Each position is a cluster of one daemon. "wire" counts bytes on the wire: the end can fall anywhere
in the handshake and in TLS records. "payload" counts MySQL bytes, and ends TLS with close_notify.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .secret import PASSWORD, Secret
from .harness import Harness
from .wire import Limited

SECONDS = 120.0
STRIDE = 4  # under a sanitizer, where processes start and end slowly
BEFORE = {"unreachable", "tls"}  # inside TLS, libmariadb has one error number for both


def total_length(make_harness: Callable[[str], Harness], limited: Limited) -> int:
    """The number of bytes that the server sends in a successful import."""
    harness = make_harness("")
    harness.add("good", harness.script(limited=limited))
    harness.start()
    assert harness.wait(SECONDS)["good"]["outcome"] == "imported"
    harness.service.stop()
    return harness.scripts["good"].conversations[0].wire.sent


@pytest.mark.parametrize("limited", ["wire", "payload"])
def test_connection_closed_after_each_byte(make_harness: Callable[[str], Harness],
                                           limited: Limited) -> None:
    whole = total_length(make_harness, limited)
    harness = make_harness("parallel-imports = 32\nimport-timeout = 60s")
    # The length of an ECDSA signature varies by a byte or two between handshakes.
    limits = range(0, whole - 8, STRIDE if harness.sanitized else 1)
    for limit in limits:
        harness.add(str(limit), harness.script(limit=limit, limited=limited))
    harness.start()
    clusters = harness.wait(SECONDS)

    password = Secret.of_password(PASSWORD)
    reached: dict[str, int] = {}
    for name, cluster in clusters.items():
        (conversation,) = harness.scripts[name].conversations
        wire, outcome = conversation.wire, cluster["outcome"]
        last = conversation.steps[-1]
        where = f"{name} of {whole} bytes, at {last}: {cluster['reason']}"
        reached[last] = reached.get(last, 0) + 1
        if last == "status":
            assert outcome == "imported", where
            assert cluster["state"] == "current"
        else:
            assert outcome in ({"unknown"} if last == "call" else BEFORE), where
            assert cluster["state"] == "retrying"
        assert harness.session.secret.found_in(wire.cleartext) == [], where
        assert (password | harness.session.secret).found_in(wire.received) == [], where
        assert password.found_in(wire.decrypted) == [], where
        if last not in ("call", "status"):
            assert harness.session.secret.found_in(wire.decrypted) == [], where
        if wire.sent < int(name):
            pytest.fail(f"{where}: the client closed the connection first")
    assert {"greeting", "login", "variables", "prepare", "call", "status"} <= reached.keys()
    assert harness.service.stop() == 0
