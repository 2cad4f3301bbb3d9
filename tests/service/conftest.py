from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.installed import Installed
from tests.service.machine import Machine
from tests.service.package import SOURCE, packages
from tests.standin import Aurora, Authority, Workspace

# The second name is resolved by name_server.py only.
NAMES = ("localhost", "orders.standin.test", "*.standin.test")


def skip_reason() -> str:
    if os.geteuid() != 0:
        return "systemd-nspawn needs root"
    namespace = subprocess.run(["unshare", "--mount", "--propagation", "private", "true"],
                               capture_output=True, text=True)
    return namespace.stderr.strip() if namespace.returncode != 0 else ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = skip_reason()
    if reason:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def workspace() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


@pytest.fixture(scope="session")
def package_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packages(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="session")
def machine(package_directory: Path) -> Iterator[Machine]:
    with Machine(package_directory, SOURCE) as machine:
        machine.shell("dpkg --install /packages/binlog-ssld_0*.deb")
        yield machine


@pytest.fixture(scope="session")
def rds(workspace: Workspace) -> Authority:
    """The CA of the clusters."""
    return Authority(workspace.path / "rds", "RDS stand-in CA")


@pytest.fixture(scope="session")
def installed(machine: Machine, workspace: Workspace, rds: Authority) -> Iterator[Installed]:
    authority = Authority(workspace.path / "ca")
    aurora = Aurora(workspace, rds, names=NAMES)
    with machine.network():
        aurora.start()
    aurora.prepare()
    installed = Installed(machine, authority, aurora)
    installed.secrets()
    yield installed
    aurora.stop()


@pytest.fixture
def service(installed: Installed) -> Iterator[Installed]:
    """Configured with a working cluster and a set, not started."""
    installed.aurora.sql("DELETE FROM standin.imports")
    installed.configure()
    installed.rotate()
    yield installed
    installed.clean()
