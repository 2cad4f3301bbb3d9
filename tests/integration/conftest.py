from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.standin import Aurora, Authority, Source, Workspace
from tests.standin.client import quoted
from tests.standin.cluster import IMPORT_PASSWORD, IMPORT_USER
from tests.standin.service import Service


@dataclass
class Testbed:
    """What all tests of a session share: the CA, a source server, a stand-in for Aurora."""

    __test__ = False  # pytest collects classes named Test*

    workspace: Workspace
    authority: Authority
    source: Source
    aurora: Aurora
    services: int = 0

    def client(self, common_name: str, **more):
        return self.authority.issue_client(common_name, **more)


@pytest.fixture(scope="session")
def testbed() -> Iterator[Testbed]:
    with Workspace() as workspace:
        authority = Authority(workspace.path / "ca")
        source = Source(workspace, authority.issue_server(), authority.certificate)
        aurora = Aurora(workspace, Authority(workspace.path / "rds", "RDS stand-in CA"))
        source.start(wait=False)
        aurora.start(wait=False)
        source.ready()
        aurora.ready()
        aurora.prepare()
        aurora.follow(source)
        source.prepare("/CN=nobody")
        yield Testbed(workspace, authority, source, aurora)


@pytest.fixture
def service(testbed: Testbed) -> Iterator[Service]:
    build = Path(os.environ.get("BUILD", "build")).resolve()
    testbed.services += 1  # short names: the path of a Unix socket has at most 107 bytes
    service = Service(build, testbed.workspace.directory(f"service-{testbed.services}"))
    service.password_file(IMPORT_PASSWORD)
    yield service
    service.kill()
    testbed.aurora.reset_options()


@contextmanager
def user_identified(testbed: Testbed, how: str) -> Iterator[None]:
    """Changes the authentication of the importing user within the block."""
    alter = f"ALTER USER {IMPORT_USER}@'%' {{}} REQUIRE SSL"
    testbed.aurora.sql(alter.format(how))
    try:
        yield
    finally:
        testbed.aurora.sql(alter.format(f"IDENTIFIED BY {quoted(IMPORT_PASSWORD)}"))


def configuration(service: Service, aurora: Aurora, *, cluster: str = "", material: str = "",
                  daemon: str = "", port: int = 0,
                  retry: tuple[str, str] = ("50ms", "200ms")) -> str:
    return f"""[daemon]
retry-min = {retry[0]}
retry-max = {retry[1]}
{daemon}
[material default]
directory = {service.material}
settle = 50ms
settle-limit = 300ms
poll-interval = 500ms
{material}
[cluster orders]
host = localhost
port = {port or aurora.port}
user = ssl_importer
password-file = {service.directory / 'etc' / 'password'}
server-ca = {aurora.ca}
{cluster}
"""
