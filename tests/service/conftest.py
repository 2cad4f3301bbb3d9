from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.machine import Machine
from tests.standin import Authority, write_material

SOURCE = Path(__file__).resolve().parents[2]

# Nothing listens on port 1: the cluster of these tests is down for good.
CONFIGURATION = """[material default]
directory = /etc/binlog-ssld/material
settle-limit = 1s
[cluster orders]
host = localhost
port = 1
user = ssl_importer
password-file = /etc/binlog-ssld/password
"""


def why_not() -> str:
    if os.geteuid() != 0:
        return "systemd-nspawn wants root"
    namespace = subprocess.run(["unshare", "--mount", "--propagation", "private", "true"],
                               capture_output=True, text=True)
    return namespace.stderr.strip() if namespace.returncode != 0 else ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = why_not()
    if reason:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    build = Path(os.environ.get("BUILD", "build")).resolve()
    authority = Authority(tmp_path_factory.mktemp("ca"))
    material = tmp_path_factory.mktemp("material")
    write_material(material, authority.certificate, authority.issue_client("service"))
    with Machine(build, SOURCE) as machine:
        machine.shell("""
            install -m 0755 /build/binlog-ssld /usr/sbin/
            install -m 0755 /build/binlog-sslctl /usr/bin/
            install -m 0644 /source/systemd/binlog-ssld.service /etc/systemd/system/
            useradd --system --user-group --home-dir /nonexistent binlog-ssld
            mkdir -p /etc/binlog-ssld/material
        """)
        for path in material.iterdir():
            machine.write(f"/etc/binlog-ssld/material/{path.name}", path.read_text())
        machine.write("/etc/binlog-ssld/password", "secret\n", "0640")
        machine.shell("chgrp binlog-ssld /etc/binlog-ssld/password "
                      "/etc/binlog-ssld/material/client-key.pem;"
                      "chmod 0640 /etc/binlog-ssld/material/client-key.pem;"
                      "systemctl daemon-reload")
        yield machine


@pytest.fixture
def service(machine: Machine) -> Iterator[Machine]:
    machine.write("/etc/binlog-ssld/binlog-ssld.conf", CONFIGURATION)
    yield machine
    machine.run("systemctl", "stop", "binlog-ssld", check=False)
    machine.run("systemctl", "reset-failed", "binlog-ssld", check=False)
    machine.run("systemctl", "clean", "--what=state", "binlog-ssld")
