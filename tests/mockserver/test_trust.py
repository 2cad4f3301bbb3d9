"""Each server certificate, for each kind of host and each trust store, and what reached the server."""

from __future__ import annotations

import itertools
import ssl
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.standin.trust import HOSTS, STORES, VERDICTS, Trust, verdict
from tests.standin.workspace import Workspace

from .conversation import Script
from .harness import Harness
from .secret import PASSWORD

CASES = list(itertools.product(VERDICTS, HOSTS, STORES))
SECONDS = 60.0


@pytest.fixture(scope="module")
def results(workspace: Workspace, make_harness: Callable[[str], Harness]
            ) -> Iterator[tuple[Harness, dict[str, dict]]]:
    directory = workspace.directory("trust")
    key = directory / "key.pem"
    subprocess.run(["openssl", "ecparam", "-genkey", "-noout", "-name", "prime256v1",
                    "-out", str(key)], check=True, capture_output=True)
    trust = Trust(directory, key)
    harness = make_harness("")
    harness.service.wrapper = trust.namespace()
    for identity, host, store in CASES:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*trust.identities[identity])
        script = Script(context, PASSWORD.encode(), harness.session.canary)
        harness.add(f"{identity} {host} {store}", script,
                    {"host": host, "server-ca": trust.stores[store]})
    harness.start()
    yield harness, harness.wait(SECONDS)
    assert harness.service.stop() == 0


@pytest.mark.parametrize(("identity", "host", "store"), CASES)
def test_only_a_verified_server_gets_a_byte(results: tuple[Harness, dict[str, dict]],
                                            identity: str, host: str, store: str) -> None:
    harness, clusters = results
    name = f"{identity} {host} {store}"
    cluster, reason = clusters[name], verdict(identity, store)
    (conversation,) = harness.scripts[name].conversations
    assert conversation.wire.received != b""
    if reason == "":
        assert cluster["outcome"] == "imported", cluster["reason"]
        assert len(conversation.parameters) == 1
        return
    assert cluster["outcome"] == "tls"
    assert reason in cluster["reason"]
    assert conversation.login == conversation.wire.decrypted == b""
    assert conversation.steps[-1] == "tls"
