"""The package: installation, upgrade with a running service, removal, purge."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.installed import CONFIGURATION, SOCKET_PATH, STATE, Installed
from tests.service.machine import Machine
from tests.service.package import SOURCE


def exists(machine: Machine, path: str) -> bool:
    return machine.run("test", "-e", path, check=False).returncode == 0


@pytest.fixture
def fresh(package_directory: Path) -> Iterator[Machine]:
    with Machine(package_directory, SOURCE) as machine:
        yield machine


def test_installation_starts_nothing_and_purge_leaves_nothing(fresh: Machine):
    fresh.shell("dpkg --install /packages/binlog-ssld_0*.deb")
    assert fresh.run("systemctl", "is-enabled", "binlog-ssld", "binlog-ssld.socket").stdout \
        == "enabled\nenabled\n"
    assert fresh.run("systemctl", "is-active", "binlog-ssld", "binlog-ssld.socket",
                     check=False).stdout == "inactive\ninactive\n"
    assert "binlog-ssld" in fresh.run("getent", "passwd", "binlog-ssld").stdout
    for path in ("/usr/sbin/binlog-ssld", "/usr/bin/binlog-sslctl",
                 "/usr/share/doc/binlog-ssld/examples/binlog-ssld.conf",
                 "/usr/share/man/man8/binlog-ssld.8.gz"):
        assert exists(fresh, path), path
    assert fresh.shell("stat -c '%U %G %a' /etc/binlog-ssld/material") == "root binlog-ssld 2750\n"
    fresh.run("dpkg", "--purge", "binlog-ssld")
    wants = "/etc/systemd/system/{}.target.wants/binlog-ssld.{}"
    for path in ("/usr/sbin/binlog-ssld", "/lib/systemd/system/binlog-ssld.service", STATE,
                 "/etc/binlog-ssld", wants.format("multi-user", "service"),
                 wants.format("sockets", "socket")):
        assert not exists(fresh, path), path


def test_an_upgrade_restarts_the_service_and_removal_keeps_foreign_files(service: Installed):
    machine = service.machine
    metrics, foreign = "/var/tmp/binlog-ssld.prom", "/var/tmp/foreign.prom"
    machine.write(metrics, "# HELP binlog_ssld_build_info x\n")
    machine.write(foreign, "# HELP node_load1 x\n")
    machine.shell("chmod 2770 /etc/binlog-ssld/material")
    try:
        service.configure(daemon=f"metrics-file = {metrics}")
        service.start()
        service.wait_imports(1)
        first = service.show("MainPID")
        socket = machine.shell(f"stat -c %i {SOCKET_PATH}")
        machine.shell("dpkg --install /packages/later.deb")
        assert service.show("MainPID") not in ("0", first)
        assert machine.shell(f"stat -c %i {SOCKET_PATH}") == socket
        service.wait_imports(1)
        assert machine.shell("stat -c %a /etc/binlog-ssld/material") == "2770\n"

        machine.shell(f"mkdir {CONFIGURATION}.d")
        machine.write(f"{CONFIGURATION}.d/a.conf", f"[daemon]\nmetrics-file = {foreign}\n")
        machine.run("dpkg", "--remove", "binlog-ssld")
        assert not exists(machine, metrics)
        assert exists(machine, foreign)
        machine.shell(f"rm -r {CONFIGURATION}.d")
        assert service.show("ActiveState") == "inactive"
        assert not exists(machine, "/run/binlog-ssld")
        for kept in (CONFIGURATION, "/etc/binlog-ssld/material/client-key.pem",
                     f"{STATE}/orders.json"):
            assert exists(machine, kept), kept
        # After a new installation the service continues with its records.
        machine.shell("dpkg --install /packages/later.deb")
        service.wait_imports(1)

        machine.run("dpkg", "--purge", "binlog-ssld")
        assert not exists(machine, STATE)
        assert exists(machine, CONFIGURATION)
    finally:
        machine.shell("dpkg --install /packages/binlog-ssld_0*.deb;"
                      "chmod 2750 /etc/binlog-ssld/material")
