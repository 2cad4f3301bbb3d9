"""README.md, "Setting it up": its commands, in their order, behind the installation."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.service.installed import CONFIGURATION, SOCKET, UNIT, Installed
from tests.service.package import SOURCE
from tests.standin.client import quoted
from tests.standin.cluster import IMPORT_PASSWORD, IMPORT_USER

PASSWORD = "/etc/binlog-ssld/orders.password"


def commands() -> dict[str, str]:
    """The first block of each step, by the title of the step."""
    text = (SOURCE / "README.md").read_text()
    text = text[text.index("\n## Setting it up\n"):text.index("\n## Not confirmed\n")]
    steps = re.split(r"^\d+\. +\*\*([^*.]+)\.?\*\*", text, flags=re.M)[1:]
    blocks = {}
    for title, step in zip(steps[::2], steps[1::2]):
        block = re.search(r"(?:^ {7}.*\n|^\n(?= {7}))+", step, re.M)
        if block:
            blocks[title] = re.sub(r"^ {7}", "", block[0].strip("\n") + "\n", flags=re.M)
    return blocks


@pytest.fixture
def unconfigured(service: Installed) -> Iterator[Installed]:
    service.machine.shell(f"rm -f {CONFIGURATION} /etc/binlog-ssld/material/*")
    yield service
    service.machine.shell(f"rm -f {PASSWORD} /etc/binlog-ssld/rds-global-bundle.pem")
    service.machine.shell(f"systemctl -q enable {UNIT} {SOCKET}")
    service.aurora.sql(f"ALTER USER {IMPORT_USER}@'%' IDENTIFIED BY {quoted(IMPORT_PASSWORD)}")


def test_the_steps_lead_to_a_current_cluster(unconfigured: Installed):
    service, machine, steps = unconfigured, unconfigured.machine, commands()
    password = machine.shell(steps["Password"]).strip()
    assert machine.shell(f"stat -c '%U %G %a' {PASSWORD}") == "root binlog-ssld 640\n"

    user, *grants = [line for line in steps["User and grants"].splitlines() if line[:2] != "--"]
    service.aurora.sql(user.replace("CREATE USER", "CREATE OR REPLACE USER").replace("...", password))
    # MariaDB has another privilege for the status of a replica.
    service.aurora.sql("".join(grants) + f"GRANT {service.aurora.make.status_privilege} ON *.* "
                       f"TO {IMPORT_USER}@'%'")

    assert "/etc/binlog-ssld/rds-global-bundle.pem" in steps["CA bundle"]
    machine.write("/etc/binlog-ssld/rds-global-bundle.pem", service.aurora.ca.read_text())
    configuration, replaced = re.subn(
        r"^host = .*", f"host = localhost\nport = {service.aurora.port}", steps["Configuration"],
        flags=re.M)
    assert replaced == 1
    machine.shell(configuration)

    assert "orders" in machine.shell(steps["Check the clusters"])
    service.rotate()
    assert machine.shell(steps["Material"]) == "material default: good\n"
    machine.shell(steps["Start"].replace("binlog-sslctl status", ""))
    service.wait_imports(1)
    assert machine.shell("binlog-sslctl status").startswith("ok: 1/1 clusters current")
