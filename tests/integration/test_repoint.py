"""replication = repoint: the source is set again after the import, with the executed coordinates."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.integration.conftest import configuration
from tests.integration.test_person_stop import is_stopped, runs, threads
from tests.mockserver.secret import Secret
from tests.standin import write_material
from tests.standin.cluster import NAMES, REPLICATION_PASSWORD
from tests.standin.proxy import Fault, Proxy

BOTH_MAKES = True

START = "CALL mysql.rds_start_replication()"
STOP = "CALL mysql.rds_stop_replication()"
SET, SET_AUTO, _, SSL = NAMES[3]


class Rows:
    """Rows of the source that must arrive at the replica, each once and in their order."""

    number = 5000

    def __init__(self, testbed) -> None:
        self.testbed = testbed
        self.first = Rows.number + 1

    def write(self, n: int = 3) -> None:
        for _ in range(n):
            Rows.number += 1
            self.testbed.source.sql(f"INSERT INTO app.t VALUES ({Rows.number}, 'row')")

    def expect_all(self) -> None:
        assert self.testbed.aurora.wait_for_row(Rows.number) == "row"
        rows = self.testbed.aurora.sql(f"SELECT id FROM app.t WHERE id "
                                       f"BETWEEN {self.first} AND {Rows.number}")
        assert len(rows) == Rows.number - self.first + 1


@pytest.fixture
def proxy(testbed):
    with Proxy(testbed.aurora.port) as proxy:
        yield proxy


def write_source_password(service, text: str) -> str:
    file = service.directory / "etc" / "source-password"
    file.write_text(f"{text}\n")
    return f"source-password-file = {file}\n"


def configure(testbed, service, proxy, cluster: str = "", replication: str = "repoint",
              retry=("50ms", "200ms"), checks: str = "200ms") -> None:
    service.configure(configuration(
        service, testbed.aurora, port=proxy.port, retry=retry,
        cluster=f"replication = {replication}\nquery-log = warn\n"
        f"{write_source_password(service, REPLICATION_PASSWORD)}{cluster}",
        daemon=f"check-interval = {checks}\nretry-held = 1h\nimport-timeout = 20s"))


def rotate(testbed, service, name: str = "repoint"):
    pair = testbed.client(name)
    write_material(service.material, testbed.authority.certificate, pair)
    return pair


@pytest.fixture(params=[False, True], ids=["coordinates", "auto-position"])
def running(testbed, service, proxy, request):
    """Replication runs with the set of a cluster that is current."""
    aurora = testbed.aurora
    testbed.source.require_subject("/CN=repoint")
    aurora.grant(SET, SET_AUTO, SSL)
    configure(testbed, service, proxy)
    rotate(testbed, service)
    aurora.start_replication()
    service.start()
    service.wait_cluster("orders", "current")
    aurora.wait_for_replication(runs)
    if request.param:
        follow(testbed, auto_position=True)
    service.auto_position = request.param
    yield service
    service.kill()
    aurora.end_calls()
    aurora.reset_options()
    aurora.revoke(SET, SET_AUTO, SSL)
    if request.param:
        aurora.start_replication()
        follow(testbed, auto_position=False)
    elif not is_stopped(aurora.replication()):
        aurora.sql("STOP REPLICA")


def follow(testbed, auto_position: bool) -> None:
    """From where the replica is: it has executed all that the source has."""
    rows = Rows(testbed)
    rows.write(1)
    rows.expect_all()
    testbed.aurora.sql(STOP)
    testbed.aurora.wait_for_replication(is_stopped)
    testbed.aurora.follow(testbed.source, auto_position=auto_position)
    testbed.aurora.start_replication()
    testbed.aurora.wait_for_replication(runs)


def uses_auto_position(testbed) -> bool:
    column, value = testbed.aurora.make.auto_position
    return testbed.aurora.replication()[column] == value


def import_new_set(testbed, service) -> dict:
    before = len(testbed.aurora.imports())
    rotate(testbed, service)
    service.wait(lambda: len(testbed.aurora.imports()) == before + 1)
    return service.wait_cluster("orders", "current")


def test_a_rotation_sets_the_source_again_and_loses_no_row(testbed, running):
    rows = Rows(testbed)
    for _ in range(3):
        rows.write()
        before = testbed.aurora.history()
        testbed.aurora.set_option("files_follow", "set")
        cluster = import_new_set(testbed, running)
        ssl = ["set ssl"] if running.auto_position else []
        assert testbed.aurora.history()[len(before):] == ["stop", "set source", *ssl, "start"], \
            json.dumps(cluster) + running.log()
        assert cluster["outcome"] == "imported" and cluster["in_use"] is True
        assert cluster["replication"]["tls"] is True
        assert uses_auto_position(testbed) is running.auto_position
        rows.write()
        rows.expect_all()


def break_flight(testbed, running, proxy, flight: int, at: str) -> None:
    """The connection of the next import breaks in this flight."""
    configure(testbed, running, proxy, checks="1h")
    assert running.ctl("reload").returncode == 0
    running.wait(lambda: all(connection.closed.is_set() for connection in proxy.connections))
    proxy.next_faults.append(Fault(testbed.flight(flight), at, "reset"))
    before = len(proxy.connections)
    rotate(testbed, running)
    running.wait(lambda: len(proxy.connections) > before)


# 3 variables, 4 status, 5 procedures, 6 stop, 7 status, 8 and 9 the import, 10 and 11 the source,
# 12 start, or 12 TLS and 13 start.
@pytest.mark.parametrize("flight", range(5, 14))
@pytest.mark.parametrize("at", ["request", "answer"])
def test_a_broken_connection_at_each_step_is_finished(testbed, running, proxy, flight, at):
    rows = Rows(testbed)
    rows.write()
    break_flight(testbed, running, proxy, flight, at)
    rows.write()
    fingerprint = running.wait_material("valid")["fingerprint"]
    running.wait(lambda: running.cluster("orders")["imported_fingerprint"] == fingerprint and
                 running.cluster("orders")["in_use"] is True)
    running.wait_cluster("orders", "current")
    rows.expect_all()
    assert "cluster orders: import " in running.log()  # the failure
    assert testbed.aurora.replication()["Source_SSL_Allowed"] == "Yes"
    assert "stopped_at" not in running.record("orders")


def test_a_killed_daemon_is_finished_by_the_next(testbed, running, proxy):
    rows = Rows(testbed)
    testbed.aurora.set_option("slow_seconds", "20")
    rotate(testbed, running)
    running.wait(testbed.aurora.in_call)
    rows.write()
    running.kill()
    testbed.aurora.end_calls()
    testbed.aurora.set_option("slow_seconds", "0")
    assert is_stopped(testbed.aurora.replication())
    running.start()
    assert running.wait_cluster("orders", "current")["in_use"] is True
    rows.expect_all()


def test_a_set_that_is_refused_starts_the_old_source_again(testbed, running):
    rows = Rows(testbed)
    testbed.aurora.set_option("fail_at", "set")
    rotate(testbed, running)
    cluster = running.wait_cluster("orders", "held")
    assert cluster["outcome"] == "replication_failed"
    assert "Replication could not be configured." in cluster["reason"]
    assert cluster["replication"]["stopped_by_us"] is False
    rows.write()
    rows.expect_all()
    imports = len(testbed.aurora.imports())
    testbed.aurora.set_option("fail_at", "")
    assert running.ctl("import", "--wait").returncode == 0
    assert running.cluster("orders")["in_use"] is True
    assert len(testbed.aurora.imports()) == imports
    rows.expect_all()


def test_a_stopped_replica_stays_stopped(testbed, running):
    testbed.aurora.sql(STOP)
    before = testbed.aurora.history()
    cluster = import_new_set(testbed, running)
    assert cluster["reason"].startswith("replication is stopped, not by binlog-ssld")
    assert testbed.aurora.history() == before and is_stopped(testbed.aurora.replication())


def expect_refusal(testbed, running, reason: str, outcome: str = "replication_failed") -> dict:
    before, imports = testbed.aurora.history(), len(testbed.aurora.imports())
    rotate(testbed, running)
    cluster = running.wait_cluster("orders", "held")
    assert cluster["outcome"] == outcome and reason in cluster["reason"]
    assert testbed.aurora.history() == before and len(testbed.aurora.imports()) == imports
    assert runs(testbed.aurora.replication())
    return cluster


def test_a_missing_grant_is_found_before_the_stop(testbed, running):
    name = SSL if running.auto_position else SET
    testbed.aurora.revoke(name)
    try:
        cluster = expect_refusal(testbed, running, f"mysql.{name} is not visible to this user")
        assert f"GRANT EXECUTE ON PROCEDURE mysql.{name} TO" in cluster["next_step"]
    finally:
        testbed.aurora.grant(name)


def test_several_channels_are_found_before_the_stop(testbed, running):
    aurora = testbed.aurora
    if aurora.make.position == "SHOW MASTER STATUS":
        pytest.skip("the status of MariaDB shows one channel")
    aurora.sql("CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = "
               f"{testbed.source.port}, SOURCE_USER = 'nobody', SOURCE_PASSWORD = 'x', "
               "SOURCE_SSL = 1 FOR CHANNEL 'second'; START REPLICA FOR CHANNEL 'second'")
    try:
        expect_refusal(testbed, running, "the replica has more than one channel")
    finally:
        aurora.sql("STOP REPLICA FOR CHANNEL 'second'; RESET REPLICA ALL FOR CHANNEL 'second'")


def test_a_missing_password_is_found_before_the_stop(testbed, running, proxy):
    (running.directory / "etc" / "source-password").unlink()
    expect_refusal(testbed, running, "source-password")


def refuse_logs(testbed, running, proxy) -> None:
    configure(testbed, running, proxy, cluster="query-log = refuse\n")
    text = (running.directory / "etc" / "binlog-ssld.conf").read_text()
    running.configure(text.replace("query-log = warn\n", "", 1))
    assert running.ctl("reload").returncode == 0


def test_a_log_is_found_before_the_stop(testbed, running, proxy):
    refuse_logs(testbed, running, proxy)
    testbed.aurora.sql("SET GLOBAL general_log = 1")
    try:
        expect_refusal(testbed, running, "general_log = ON", "refused_log")
    finally:
        testbed.aurora.sql("SET GLOBAL general_log = 0")


def test_a_text_that_would_have_the_password_alone_is_found_before_the_stop(testbed, running,
                                                                            proxy):
    """The key is behind the part that performance_schema keeps, the password is not."""
    if testbed.aurora.sql("SELECT @@performance_schema")[0][0] != "1":
        pytest.skip("performance_schema is off by default")
    refuse_logs(testbed, running, proxy)
    cluster = expect_refusal(testbed, running, "write the replication password to a log",
                             "refused_log")
    assert "performance_schema = ON keeps the text of statements" in cluster["reason"]


def test_the_procedures_of_version_2_are_used_where_they_are(testbed, running):
    if running.auto_position:
        pytest.skip("version 2 has no rds_set_binlog_source_ssl")
    aurora = testbed.aurora
    aurora.become_version(2)
    try:
        aurora.grant(*NAMES[2][:2])
        assert import_new_set(testbed, running)["in_use"] is True
        assert "set source" in aurora.history()
    finally:
        aurora.become_version(3)
        aurora.grant(SET, SET_AUTO, SSL)


def test_the_password_is_nowhere(testbed, running):
    """In no table of performance_schema, no log, no file of the daemon and none of its answers."""
    aurora, secret = testbed.aurora, REPLICATION_PASSWORD
    import_new_set(testbed, running)
    texts = [running.log(), json.dumps(running.status()), running.ctl("metrics").stdout]
    texts += [file.read_text() for file in (running.directory / "state").iterdir()]
    texts += [file.read_text(errors="replace") for file in aurora.datadir.parent.glob("*.log")]
    texts += [file.read_text(errors="replace") for file in aurora.datadir.glob("*.log")]
    assert all(secret not in text for text in texts)
    for table in ("events_statements_history", "events_statements_history_long",
                  "events_statements_current"):
        found = aurora.sql(f"SELECT COUNT(*) FROM performance_schema.{table} WHERE SQL_TEXT LIKE "
                           f"'CALL mysql.rds_set_external%' AND SQL_TEXT LIKE '%{secret}%'")
        assert found[0][0] == "0"
