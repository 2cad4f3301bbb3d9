"""Each certificate of tests/standin/trust.py at a real server, and what the server saw of a client."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.integration.conftest import Testbed
from tests.standin import Aurora, Authority, write_material
from tests.standin.cluster import IMPORT_USER
from tests.standin.service import Service
from tests.standin.trust import HOSTS, STORES, VERDICTS, Trust, verdict

CLUSTERS = {f"{store}-{number}": (store, host)
            for store, (number, host) in itertools.product(STORES, enumerate(HOSTS))}


@dataclass
class Shown:
    """A server whose certificate changes while it runs."""

    aurora: Aurora
    trust: Trust

    def show(self, identity: str) -> None:
        chain, key = self.trust.identities[identity]
        self.aurora.private_file("server-cert.pem", chain.read_bytes())
        self.aurora.private_file("server-key.pem", key.read_bytes())
        self.aurora.sql("FLUSH SSL")

    def logins(self) -> int:
        """The server's general log has a line for each login, refused or not."""
        log = (self.aurora.directory / "general.log").read_text(errors="replace")
        return log.count(f"Connect\t{IMPORT_USER}@")


@pytest.fixture(scope="module")
def shown(testbed: Testbed) -> Iterator[Shown]:
    trust = Trust(testbed.workspace.directory("trust"))
    aurora = Aurora(testbed.workspace, Authority(testbed.workspace.path / "shown-ca", "First CA"),
                    "shown", ("--bind-address=127.0.0.1,::1", "--general-log",
                              "--general-log-file=../general.log"))
    aurora.start()
    aurora.prepare()
    yield Shown(aurora, trust)
    aurora.stop()


def configuration(service: Service, shown: Shown) -> str:
    lines = ["[material default]", f"directory = {service.material}", "[cluster-defaults]",
             f"port = {shown.aurora.port}", f"user = {IMPORT_USER}", "query-log = ignore",
             f"password-file = {service.directory / 'etc' / 'password'}"]
    for name, (store, host) in CLUSTERS.items():
        lines += [f"[cluster {name}]", f"host = {host}"]
        if shown.trust.stores[store]:
            lines.append(f"server-ca = {shown.trust.stores[store]}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("identity", VERDICTS)
def test_a_server_sees_no_login_before_it_is_verified(
        testbed: Testbed, service: Service, shown: Shown, identity: str) -> None:
    shown.show(identity)
    write_material(service.material, testbed.authority.certificate, testbed.client(identity))
    service.configure(configuration(service, shown))
    service.wrapper = shown.trust.namespace()
    logins, imports = shown.logins(), len(shown.aurora.imports())

    good = [name for name, (store, _) in CLUSTERS.items() if verdict(identity, store) == ""]
    done = service.run("--once")
    assert done.returncode == (0 if len(good) == len(CLUSTERS) else 1), done.stderr
    assert shown.logins() - logins == len(shown.aurora.imports()) - imports == len(good)
    for name in CLUSTERS:
        record = json.loads((service.directory / "state" / f"{name}.json").read_text())
        assert record["outcome"] == ("imported" if name in good else "tls")
    if len(good) < len(CLUSTERS):
        assert done.stderr.count(VERDICTS[identity]) == len(CLUSTERS) - len(good), done.stderr
