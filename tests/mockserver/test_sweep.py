"""The connection ends after every number of bytes that a server can have sent.

Each position is a cluster of one daemon. "wire" counts what goes over the wire, so it cuts
handshake and records anywhere; "spoken" counts what is said inside TLS, and ends TLS in order.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .secret import PASSWORD, Secret
from .stage import Stage
from .wire import Limited

SECONDS = 120.0
STRIDE = 4  # under a sanitizer, whose processes are slow to begin and to end
BEFORE = {"unreachable", "tls"}  # no number of libmariadb's tells them apart once TLS has begun


def length(make_stage: Callable[[str], Stage], limited: Limited) -> int:
    """Of all that the server sends in the good conversation."""
    stage = make_stage("")
    stage.add("good", stage.script(limited=limited))
    stage.start()
    assert stage.wait(SECONDS)["good"]["outcome"] == "imported"
    stage.service.stop()
    return stage.scripts["good"].conversations[0].wire.sent


@pytest.mark.parametrize("limited", ["wire", "spoken"])
def test_cut_after_every_byte(make_stage: Callable[[str], Stage], limited: Limited) -> None:
    whole = length(make_stage, limited)
    stage = make_stage("parallel-imports = 32\nimport-timeout = 60s")
    # The length of a certificate's signature differs by a byte or two from time to time.
    limits = range(0, whole - 8, STRIDE if stage.sanitized else 1)
    for limit in limits:
        stage.add(str(limit), stage.script(limit=limit, limited=limited))
    stage.start()
    clusters = stage.wait(SECONDS)

    password = Secret.of_password(PASSWORD)
    reached: dict[str, int] = {}
    for name, cluster in clusters.items():
        (conversation,) = stage.scripts[name].conversations
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
        assert stage.props.secret.found_in(wire.clear) == [], where
        assert (password | stage.props.secret).found_in(wire.received) == [], where
        assert password.found_in(wire.inside) == [], where
        if last not in ("call", "status"):
            assert stage.props.secret.found_in(wire.inside) == [], where
        if wire.sent < int(name):
            pytest.fail(f"{where}: ended by itself")
    assert {"greeting", "login", "look", "prepare", "call", "status"} <= reached.keys()
    assert stage.service.stop() == 0
