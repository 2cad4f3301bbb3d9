"""The addresses of a cluster's name change: each attempt resolves the name again.

The daemon runs in a mount namespace with its own /etc/hosts and no other source of names.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import configuration
from tests.standin import Aurora, Authority, MySQL, write_material

BOTH_MAKES = True

NAME = "writer.cluster.test"
FIRST, SECOND, DEAD = "127.0.0.2", "127.0.0.3", "127.0.0.4"


class Names:
    """The files of the daemon's resolver, written in place, because the inode is bind-mounted."""

    def __init__(self, directory: Path) -> None:
        self.hosts = directory / "hosts"
        self.switch = directory / "nsswitch.conf"
        self.switch.write_text("hosts: files\n")
        self.set_addresses()

    def set_addresses(self, *addresses: str) -> None:
        """Sets the addresses of NAME, in this order."""
        lines = ["127.0.0.1 localhost", *(f"{address} {NAME}" for address in addresses)]
        with open(self.hosts, "r+" if self.hosts.exists() else "w") as file:
            file.write("\n".join(lines) + "\n")
            file.truncate()

    def wrapper(self) -> list[str]:
        return ["unshare", "--mount", "sh", "-c",
                'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/nsswitch.conf && '
                'shift 2 && exec "$@"', "sh", str(self.hosts), str(self.switch)]


@pytest.fixture(scope="module")
def pair(testbed) -> Iterator[tuple[Aurora, Aurora]]:
    """Two servers with one name and one port, on two addresses."""
    authority = Authority(testbed.workspace.path / "cluster", "Cluster CA")
    first, second = (Aurora(testbed.workspace, authority, f"aurora-{address}",
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
def names(testbed, service, pair) -> Names:
    names = Names(service.directory)
    service.wrapper = names.wrapper()
    service.configure(configuration(service, pair[0]).replace("host = localhost", f"host = {NAME}"))
    write_material(service.material, testbed.authority.certificate, testbed.client("failover"))
    return names


def imports(pair: tuple[Aurora, Aurora]) -> list[int]:
    return [len(aurora.imports()) for aurora in pair]


def prepared(aurora: Aurora) -> int:
    return int(aurora.sql("SHOW GLOBAL STATUS LIKE 'Com_stmt_prepare'")[0][1] or 0)


def test_a_failover_is_followed_without_a_reload(testbed, service, names, pair):
    first, second = pair
    names.set_addresses(FIRST)
    before = imports(pair)
    service.start()
    service.wait_cluster("orders", "current")
    assert imports(pair) == [before[0] + 1, before[1]]

    first.become_reader()
    try:
        statements = prepared(first)
        loaded = service.status()["loaded_at"]
        write_material(service.material, testbed.authority.certificate, testbed.client("promoted"))
        service.wait(lambda: service.cluster("orders")["outcome"] == "not_writer")
        service.wait(lambda: service.cluster("orders")["attempts"] > 2)  # for several attempts
        names.set_addresses(SECOND)
        cluster = service.wait_cluster("orders", "current")
        assert cluster["imported_fingerprint"] == service.status()["materials"][0]["fingerprint"]
        assert imports(pair) == [before[0] + 1, before[1] + 1]
        assert prepared(first) == statements  # the CALL is prepared before its parameter is sent
        assert service.status()["loaded_at"] == loaded
    finally:
        first.become_writer()


def checked_again(service) -> None:
    """Waits for a check that begins after this call."""
    for _ in range(2):
        last = checked_at(service)
        service.wait(lambda: checked_at(service) != last)


def checked_at(service) -> int | None:
    """None before the first check after a start."""
    replication = service.cluster("orders")["replication"]
    return replication and replication["checked_at"]


def test_another_server_behind_the_same_name_gets_the_set(testbed, service, names, pair):
    """A failover, a blue/green deployment, a restored cluster. MariaDB does not say who it is."""
    says_who = int(isinstance(testbed.aurora.make, MySQL))
    service.configure(configuration(service, pair[0], daemon="check-interval = 1s",
                                    cluster="replication = observe")
                      .replace("host = localhost", f"host = {NAME}"))
    names.set_addresses(FIRST)
    before = imports(pair)
    service.start()
    service.wait_cluster("orders", "current")
    checked_again(service)
    assert imports(pair) == [before[0] + 1, before[1]]
    names.set_addresses(SECOND)
    checked_again(service)
    service.wait(lambda: imports(pair) == [before[0] + 1, before[1] + says_who])
    service.wait_cluster("orders", "current")
    assert service.log().count("is another server than before") == says_who
    service.stop()

    names.set_addresses(FIRST)  # while no daemon runs
    service.start()
    service.wait_cluster("orders", "current")
    service.wait(lambda: imports(pair) == [before[0] + 1 + says_who, before[1] + says_who])
    checked_again(service)
    assert imports(pair) == [before[0] + 1 + says_who, before[1] + says_who]


@pytest.mark.parametrize("addresses", [(DEAD, SECOND), (SECOND, DEAD)])
def test_one_address_that_refuses_does_not_hide_the_other(service, names, pair, addresses):
    names.set_addresses(*addresses)
    before = imports(pair)
    service.start()
    cluster = service.wait_cluster("orders", "current")
    assert cluster["outcome"] == "imported"
    assert "import unreachable" not in service.log()
    assert imports(pair) == [before[0], before[1] + 1]


def test_a_name_without_address_is_unreachable_until_it_has_one(service, names, pair):
    before = imports(pair)
    service.start()
    cluster = service.wait_cluster("orders", "retrying")
    assert cluster["outcome"] == "unreachable"
    assert NAME in cluster["reason"]
    names.set_addresses(FIRST)
    service.wait_cluster("orders", "current")
    assert imports(pair) == [before[0] + 1, before[1]]


def test_a_server_whose_certificate_has_another_name_is_not_trusted(service, names, pair, testbed):
    names.set_addresses("127.0.0.1")
    service.configure(configuration(service, testbed.aurora)
                      .replace("host = localhost", f"host = {NAME}"))
    before = prepared(testbed.aurora)
    service.start()
    assert service.wait_cluster("orders", "retrying")["outcome"] == "tls"
    assert prepared(testbed.aurora) == before


def test_etc_hosts_of_the_machine_is_not_changed(service, names):
    names.set_addresses(FIRST)
    service.start()
    assert os.readlink("/proc/self/ns/mnt") != os.readlink(f"/proc/{service.pid}/ns/mnt")
    assert subprocess.run(["getent", "-s", "files", "hosts", NAME],
                          capture_output=True).returncode != 0
