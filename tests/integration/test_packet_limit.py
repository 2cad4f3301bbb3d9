"""A set that is larger than max_allowed_packet of the cluster: foretold, and refused before a stop."""

from __future__ import annotations

import json

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material
from tests.standin.client import SqlError

BOTH_MAKES = True

RAISE_LIMIT = "raise_limit"
ADVICE = "the payload is larger than max_allowed_packet of the server: raise that"


def set_limits(testbed, packet: int, buffer: int = 1024) -> None:
    # The second is never greater than the first, so the first is set both before and after.
    testbed.aurora.sql(f"SET GLOBAL max_allowed_packet = {packet}; "
                       f"SET GLOBAL net_buffer_length = {buffer}")


@pytest.fixture
def limits(testbed):
    names = ("max_allowed_packet", "net_buffer_length")
    before = [testbed.aurora.sql(f"SELECT @@GLOBAL.{name}")[0][0] for name in names]
    yield
    set_limits(testbed, *(int(value or 0) for value in before))


@pytest.fixture
def written(testbed, service):
    """A set of more than 4096 bytes on disk, and replication that runs with another."""
    testbed.source.require_subject("/CN=packet")
    write_material(service.material, testbed.authority.certificate, testbed.client("packet"))
    add_text(service, testbed)
    return service


def add_text(service, testbed) -> None:
    path = service.material / "ca.pem"
    path.write_bytes(path.read_bytes() + testbed.aurora.ca.read_bytes())


def findings(service) -> tuple[int, list[dict]]:
    done = service.run("--check-clusters", "--json")
    return done.returncode, json.loads(done.stdout)["clusters"][0]["findings"]


@pytest.mark.parametrize("packet, buffer, limit", [(2048, 1024, 2048), (1024, 8192, 8192)])
def test_the_server_refuses_a_packet_from_the_greater_size_on(testbed, limits, packet, buffer,
                                                              limit):
    """The fact on which the rest stands; a statement is its text and one byte."""
    set_limits(testbed, packet, buffer)
    statement = "DO '{}'".format("x" * (limit - 1 - 1 - len("DO ''")))
    testbed.aurora.as_importer().sql(statement)
    with pytest.raises(SqlError) as error:
        testbed.aurora.as_importer().sql(statement.replace("x", "xx", 1))
    assert error.value.code in (1153, 2006, 2013)  # of the client, when it was still writing


def test_check_clusters_foretells_it_with_both_sizes(testbed, written, limits):
    written.configure(configuration(written, testbed.aurora))
    assert findings(written)[0] == 0
    set_limits(testbed, 4096)
    status, found = findings(written)
    assert status == 1
    assert [(one["outcome"], one["severity"]) for one in found] == [("rejected", "error")]
    assert "a packet of the server has less than 4096 (max_allowed_packet)" in found[0]["text"]
    assert found[0]["next"].startswith(ADVICE)
    size = int(found[0]["text"].split()[3])
    set_limits(testbed, (size // 1024 + 1) * 1024)
    assert findings(written) == (0, [])
    (written.material / "client-key.pem").unlink()  # without a set there is nothing to foretell
    set_limits(testbed, 4096)
    assert findings(written) == (0, [])


def test_an_import_is_refused_before_replication_is_stopped(testbed, written, limits):
    testbed.aurora.start_replication()
    history, before = testbed.aurora.history(), len(testbed.aurora.imports())
    set_limits(testbed, 4096)
    written.configure(configuration(written, testbed.aurora, cluster="replication = restart",
                                    daemon="retry-held = 1h"))
    written.start()
    cluster = written.wait_cluster("orders", "held")
    assert (cluster["outcome"], cluster["sql_errno"]) == ("rejected", None)
    assert "a packet of the server has less than 4096" in cluster["reason"]
    assert cluster["next_step"].startswith(ADVICE)
    assert (testbed.aurora.history(), len(testbed.aurora.imports())) == (history, before)
    set_limits(testbed, 1024 * 1024)
    assert written.ctl("import", "--wait").returncode == 0
    assert len(testbed.aurora.imports()) == before + 1


@pytest.fixture
def raised_at_login(testbed, limits):
    """The server's limit is raised when a session has begun, which keeps the one of before."""
    testbed.aurora.sql(
        f"CREATE PROCEDURE standin.{RAISE_LIMIT}() SQL SECURITY DEFINER "
        "SET GLOBAL max_allowed_packet = 1048576; "
        f"GRANT EXECUTE ON PROCEDURE standin.{RAISE_LIMIT} TO ssl_importer@'%'; "
        f"SET GLOBAL init_connect = 'CALL standin.{RAISE_LIMIT}()'")
    yield
    testbed.aurora.sql("SET GLOBAL init_connect = ''; "
                       f"REVOKE EXECUTE ON PROCEDURE standin.{RAISE_LIMIT} FROM ssl_importer@'%'; "
                       f"DROP PROCEDURE standin.{RAISE_LIMIT}")


def test_the_error_of_the_server_itself_has_the_same_advice(testbed, written, raised_at_login):
    set_limits(testbed, 4096)
    written.configure(configuration(written, testbed.aurora, daemon="retry-held = 1h"))
    written.start()
    cluster = written.wait_cluster("orders", "held")
    assert (cluster["outcome"], cluster["sql_errno"]) == ("rejected", 1153)
    assert cluster["next_step"].startswith(ADVICE)
