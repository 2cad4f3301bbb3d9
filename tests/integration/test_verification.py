"""After an import replication is verified: it runs, stays so, with TLS; and what is told if not."""

from __future__ import annotations

import pytest

from tests.integration.conftest import configuration
from tests.integration.test_person_stop import is_stopped, runs
from tests.standin import write_material

BOTH_MAKES = True

RESTART = "replication = restart"
STOP = "CALL mysql.rds_stop_replication()"


@pytest.fixture
def running(testbed, service):
    """Replication runs with the set of a cluster that is current."""
    testbed.source.require_subject("/CN=verified")
    service.configure(configuration(
        service, testbed.aurora, cluster=RESTART,
        daemon="check-interval = 200ms\nretry-held = 1h\nimport-timeout = 60s"))
    rotate(testbed, service)
    testbed.aurora.start_replication()
    service.start()
    service.wait_cluster("orders", "current")
    testbed.aurora.wait_for_replication(runs)
    yield service
    service.kill()
    testbed.aurora.reset_options()
    if not is_stopped(testbed.aurora.replication()):
        testbed.aurora.sql("STOP REPLICA")
    testbed.aurora.wait_for_replication(is_stopped)
    testbed.aurora.follow(testbed.source)


def rotate(testbed, service, name: str = "verified") -> None:
    write_material(service.material, testbed.authority.certificate, testbed.client(name))


def expect_failure(service, errno: int | None, reason: str) -> dict:
    cluster = service.wait_cluster("orders", "held")
    assert (cluster["outcome"], cluster["sql_errno"]) == ("replication_failed", errno)
    assert reason in cluster["reason"] and cluster["in_use"] is None
    return cluster


def test_a_replica_without_tls_is_named(testbed, running):
    """The source would accept it; the imported set is of no use then."""
    aurora = testbed.aurora
    aurora.sql(STOP)
    aurora.sql("CALL mysql.rds_set_binlog_source_ssl(0)")
    testbed.source.sql("SET sql_log_bin = 0; ALTER USER repl_aurora@'%' REQUIRE NONE")
    aurora.start_replication()
    aurora.wait_for_replication(runs)
    rotate(testbed, running)
    cluster = expect_failure(running, None, "replication runs without TLS")
    assert "rds_set_binlog_source_ssl(1)" in cluster["next_step"]
    assert cluster["replication"]["tls"] is False

    aurora.sql(STOP)
    aurora.sql("CALL mysql.rds_set_binlog_source_ssl(1)")
    testbed.source.require_subject("/CN=verified")
    aurora.start_replication()
    aurora.wait_for_replication(runs)
    imports = len(aurora.imports())
    assert running.ctl("import", "--wait").returncode == 0
    assert running.cluster("orders")["in_use"] is True
    assert len(aurora.imports()) == imports


def test_a_refusal_of_the_source_ends_the_wait(testbed, running):
    rotate(testbed, running, "another")
    expect_failure(running, 1045, "Access denied")
    duration = float(next(line for line in running.ctl("metrics").stdout.splitlines()
                          if line.startswith("binlog_ssld_import_duration_seconds_sum")).split()[1])
    assert duration < 20  # of both imports: the wait has not gone to its end


def test_events_that_are_gone_are_told_and_the_position_stays(testbed, running):
    aurora, source = testbed.aurora, testbed.source
    aurora.sql(STOP)
    aurora.wait_for_replication(is_stopped)
    aurora.sql(f"CALL mysql.rds_set_external_source('127.0.0.1', {source.port}, 'repl_aurora', "
               "'replication of the stand-in', 'binlog.999999', 4, 1)")
    aurora.start_replication()
    aurora.wait_for_replication(lambda status: int(status["Last_IO_Errno"]) in (1236, 13114))
    before = aurora.history()
    rotate(testbed, running)
    running.wait_cluster("orders", "held")
    cluster = running.cluster("orders")
    assert cluster["sql_errno"] in (1236, 13114)
    assert "the source no longer has the events" in cluster["reason"]
    assert "only a person can decide" in cluster["next_step"]
    assert aurora.replication()["Relay_Source_Log_File"] in ("binlog.999999", "")
    assert aurora.history()[len(before):] == ["stop", "start"]
