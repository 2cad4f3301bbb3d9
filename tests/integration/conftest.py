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
class House:
    """What lives as long as the session: authorities, a source, Aurora's stand-in, a key."""

    workspace: Workspace
    authority: Authority
    source: Source
    aurora: Aurora
    services: int = 0

    def client(self, common_name: str, **more):
        return self.authority.issue_client(common_name, **more)


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
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
        yield House(workspace, authority, source, aurora)


@pytest.fixture
def service(house: House) -> Iterator[Service]:
    build = Path(os.environ.get("BUILD", "build")).resolve()
    house.services += 1  # short names: a socket's path has room for 107 bytes
    service = Service(build, house.workspace.directory(f"service-{house.services}"))
    service.password_file(IMPORT_PASSWORD)
    yield service
    service.kill()
    house.aurora.reset_options()


@contextmanager
def logging_in(house: House, how: str) -> Iterator[None]:
    """The importing user, for once otherwise."""
    alter = f"ALTER USER {IMPORT_USER}@'%' {{}} REQUIRE SSL"
    house.aurora.sql(alter.format(how))
    try:
        yield
    finally:
        house.aurora.sql(alter.format(f"IDENTIFIED BY {quoted(IMPORT_PASSWORD)}"))


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
