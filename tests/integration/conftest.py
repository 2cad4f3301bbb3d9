from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.standin import MAKES, Aurora, Authority, Source, Unavailable, Workspace
from tests.standin.client import quoted
from tests.standin.cluster import IMPORT_PASSWORD, IMPORT_USER
from tests.standin.service import Service


LEDGER_SQL = Path(__file__).parents[2] / "conf" / "ledger.sql"
LEDGER_TABLE = "binlog_ssl.ledger"


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

    def flight(self, number: int) -> int:
        """Returns the number of a flight that has this one where a login takes one flight.

        The first login with a password takes one more on MySQL, so there is one before.
        """
        self.aurora.as_importer().sql("DO 0")
        return number + self.aurora.make.login_flights - 1


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of a module with BOTH_MAKES = True run with MariaDB and MySQL, others with MariaDB."""
    if "testbed" in metafunc.fixturenames:
        both = getattr(metafunc.module, "BOTH_MAKES", False)
        makes = getattr(metafunc.function, "makes", MAKES if both else ["mariadb"])
        metafunc.parametrize("testbed", makes, indirect=True, scope="session")


def both_makes(test: Callable) -> Callable:
    """The test runs with MySQL, too, although its module does not."""
    test.makes = list(MAKES)  # type: ignore[attr-defined]
    return test


def only(make: str, reason: str) -> Callable:
    """The test is bound to one make, whatever its module says."""
    def bind(test: Callable) -> Callable:
        test.makes = [make]  # type: ignore[attr-defined]
        return test
    return bind


@pytest.fixture(scope="session")
def testbed(request: pytest.FixtureRequest) -> Iterator[Testbed]:
    try:
        make = MAKES[request.param]()
    except Unavailable as reason:
        pytest.skip(str(reason))
    with Workspace(make=make) as workspace:
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
def ledger_created(testbed: Testbed) -> Iterator[None]:
    """An empty ledger within the block, created by the shipped SQL file."""
    testbed.aurora.sql(LEDGER_SQL.read_text())
    try:
        yield
    finally:
        testbed.aurora.sql("DROP DATABASE binlog_ssl; REVOKE SELECT, INSERT, UPDATE ON "
                           f"{LEDGER_TABLE} FROM {IMPORT_USER}@'%'")


@contextmanager
def user_identified(testbed: Testbed, how: str) -> Iterator[None]:
    """Changes the authentication of the importing user within the block."""
    alter = f"ALTER USER {IMPORT_USER}@'%' {{}} REQUIRE SSL"
    testbed.aurora.sql(alter.format(how))
    try:
        yield
    finally:
        original = f"{testbed.aurora.make.identified_by} {quoted(IMPORT_PASSWORD)}"
        testbed.aurora.sql(alter.format(original))


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
