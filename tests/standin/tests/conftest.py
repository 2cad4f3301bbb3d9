from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.standin import MAKES, Aurora, Authority, Source, Unavailable, Workspace
from tests.standin.cluster import document
from tests.standin.pki import Pair


@pytest.fixture(scope="session", params=MAKES)
def workspace(request: pytest.FixtureRequest) -> Iterator[Workspace]:
    try:
        make = MAKES[request.param]()
    except Unavailable as reason:
        pytest.skip(str(reason))
    with Workspace(make=make) as workspace:
        yield workspace


@pytest.fixture(scope="session")
def authority(workspace: Workspace) -> Authority:
    return Authority(workspace.path / "ca")


@pytest.fixture(scope="session")
def pair(authority: Authority) -> Pair:
    return authority.issue_client(subject="/O=Example/CN=replica-1")


@pytest.fixture(scope="session")
def other_pair(authority: Authority) -> Pair:
    return authority.issue_client(subject="/O=Example/CN=replica-2")


@pytest.fixture(scope="session")
def material(authority: Authority, pair: Pair) -> str:
    return document(authority.certificate, pair)


@pytest.fixture(scope="session")
def shared_aurora(workspace: Workspace) -> Aurora:
    aurora = Aurora(workspace, Authority(workspace.path / "rds", "RDS stand-in CA"))
    aurora.start()
    aurora.prepare()
    aurora.as_importer().sql("DO 0")  # the first login of MySQL's plugin takes one flight more
    return aurora


@pytest.fixture
def aurora(shared_aurora: Aurora) -> Iterator[Aurora]:
    yield shared_aurora
    shared_aurora.reset_options()


@pytest.fixture(scope="session")
def shared_source(workspace: Workspace, authority: Authority) -> Source:
    source = Source(workspace, authority.issue_server(), authority.certificate)
    source.start()
    source.prepare("/CN=nobody")
    return source


@pytest.fixture
def source(shared_source: Source, pair: Pair) -> Source:
    shared_source.require_subject(pair.subject)
    shared_source.sql("TRUNCATE app.t")
    return shared_source


@pytest.fixture
def replica(aurora: Aurora, source: Source) -> Iterator[Aurora]:
    """Replication is configured and stopped, without material; the source requires pair."""
    aurora.sql("CALL mysql.rds_remove_binlog_ssl_material()")
    aurora.sql("CREATE DATABASE IF NOT EXISTS app; DROP TABLE IF EXISTS app.t;"
               "CREATE TABLE app.t (id INT PRIMARY KEY, text TEXT)")
    aurora.follow(source)
    yield aurora
    aurora.sql("STOP REPLICA; RESET REPLICA ALL")
