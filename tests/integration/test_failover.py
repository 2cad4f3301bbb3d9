"""The name of a cluster leads elsewhere: every attempt resolves it anew.

The daemon has a mount namespace of its own with its own /etc/hosts, and no other source of names.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import configuration
from tests.standin import Aurora, Authority, write_material

NAME = "writer.cluster.test"
FIRST, SECOND, DEAD = "127.0.0.2", "127.0.0.3", "127.0.0.4"


class Names:
    """What the daemon's resolver reads. Written in place: a file that replaces it is not the one
    that is mounted."""

    def __init__(self, directory: Path) -> None:
        self.hosts = directory / "hosts"
        self.switch = directory / "nsswitch.conf"
        self.switch.write_text("hosts: files\n")
        self.lead_to()

    def lead_to(self, *addresses: str) -> None:
        """NAME has these addresses, in this order; or none."""
        lines = ["127.0.0.1 localhost", *(f"{address} {NAME}" for address in addresses)]
        with open(self.hosts, "r+" if self.hosts.exists() else "w") as file:
            file.write("\n".join(lines) + "\n")
            file.truncate()

    def wrapper(self) -> list[str]:
        return ["unshare", "--mount", "sh", "-c",
                'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/nsswitch.conf && '
                'shift 2 && exec "$@"', "sh", str(self.hosts), str(self.switch)]


@pytest.fixture(scope="module")
def pair(house) -> Iterator[tuple[Aurora, Aurora]]:
    """Two servers of one name and one port, at two addresses."""
    authority = Authority(house.workspace.path / "cluster", "Cluster CA")
    first, second = (Aurora(house.workspace, authority, f"aurora-{address}",
                            (f"--bind-address={address}",), (NAME,))
                     for address in (FIRST, SECOND))
    first.start()
    second.port = first.port
    second.start()
    for aurora in (first, second):
        aurora.prepare()
    yield first, second
    first.stop()
    second.stop()


@pytest.fixture
def names(house, service, pair) -> Names:
    names = Names(service.directory)
    service.wrapper = names.wrapper()
    service.configure(configuration(service, pair[0]).replace("host = localhost", f"host = {NAME}"))
    write_material(service.material, house.authority.certificate, house.client("failover"))
    return names


def imports(pair: tuple[Aurora, Aurora]) -> list[int]:
    return [len(aurora.imports()) for aurora in pair]


def prepared(aurora: Aurora) -> int:
    return int(aurora.sql("SHOW GLOBAL STATUS LIKE 'Com_stmt_prepare'")[0][1] or 0)


def test_a_failover_is_followed_without_a_reload(house, service, names, pair):
    first, second = pair
    names.lead_to(FIRST)
    before = imports(pair)
    service.start()
    service.wait_cluster("orders", "current")
    assert imports(pair) == [before[0] + 1, before[1]]

    first.become_reader()
    try:
        statements = prepared(first)
        loaded = service.status()["loaded_at"]
        write_material(service.material, house.authority.certificate, house.client("promoted"))
        service.wait(lambda: service.cluster("orders")["outcome"] == "not_writer")
        service.wait(lambda: service.cluster("orders")["attempts"] > 2)  # and it stays so
        names.lead_to(SECOND)
        cluster = service.wait_cluster("orders", "current")
        assert cluster["imported_fingerprint"] == service.status()["materials"][0]["fingerprint"]
        assert imports(pair) == [before[0] + 1, before[1] + 1]
        assert prepared(first) == statements  # a CALL is prepared before anything of it is sent
        assert service.status()["loaded_at"] == loaded
    finally:
        first.become_writer()


@pytest.mark.parametrize("addresses", [(DEAD, SECOND), (SECOND, DEAD)])
def test_one_address_that_refuses_does_not_hide_the_other(service, names, pair, addresses):
    names.lead_to(*addresses)
    before = imports(pair)
    service.start()
    cluster = service.wait_cluster("orders", "current")
    assert cluster["outcome"] == "imported"
    assert "import unreachable" not in service.log()
    assert imports(pair) == [before[0], before[1] + 1]


def test_a_name_that_leads_nowhere_is_unreachable_until_it_does(service, names, pair):
    before = imports(pair)
    service.start()
    cluster = service.wait_cluster("orders", "retrying")
    assert cluster["outcome"] == "unreachable"
    assert NAME in cluster["reason"]
    names.lead_to(FIRST)
    service.wait_cluster("orders", "current")
    assert imports(pair) == [before[0] + 1, before[1]]


def test_a_name_that_leads_to_a_stranger_is_not_trusted(service, names, pair, house):
    """Somebody else's server, whose certificate is for another name."""
    names.lead_to("127.0.0.1")
    service.configure(configuration(service, house.aurora)
                      .replace("host = localhost", f"host = {NAME}"))
    before = prepared(house.aurora)
    service.start()
    assert service.wait_cluster("orders", "retrying")["outcome"] == "tls"
    assert prepared(house.aurora) == before


def test_nothing_of_the_machine_was_changed(service, names):
    names.lead_to(FIRST)
    service.start()
    assert os.readlink("/proc/self/ns/mnt") != os.readlink(f"/proc/{service.pid}/ns/mnt")
    assert subprocess.run(["getent", "-s", "files", "hosts", NAME], capture_output=True).returncode != 0
