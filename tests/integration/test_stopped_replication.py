"""Replication that an import has stopped is started again, whatever happens in between."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.conftest import both_makes, configuration, only
from tests.standin import write_material
from tests.standin.proxy import Fault, Proxy
from tests.standin.session import Session

RESTART = "replication = restart"
# Flights of an import that restarts replication, after those of test_connections.py: 4 status,
# 5 stop, 6 status, 7 prepare, 8 CALL, 9 start.
STOP, CALL = 5, 8


def runs(status: dict) -> bool:
    return (status["Replica_IO_Running"], status["Replica_SQL_Running"]) == ("Yes", "Yes")


def is_stopped(status: dict) -> bool:
    return (status["Replica_IO_Running"], status["Replica_SQL_Running"]) == ("No", "No")


@pytest.fixture
def proxy(testbed):
    with Proxy(testbed.aurora.port) as proxy:
        yield proxy


@pytest.fixture
def running(testbed, service, proxy):
    """Replication runs with the set of a cluster that is current. The next import is the tests'."""
    testbed.source.require_subject("/CN=stopped")
    configure(testbed, service, proxy)
    write(testbed, service)
    testbed.aurora.start_replication()
    service.start()
    service.wait_cluster("orders", "current")
    testbed.aurora.wait_for_replication(runs)
    yield service
    service.kill()
    testbed.aurora.end_calls()
    testbed.aurora.reset_options()
    if is_stopped(testbed.aurora.replication()):
        testbed.aurora.sql("CALL mysql.rds_start_replication()")


def configure(testbed, service, proxy, cluster: str = RESTART, retry=("50ms", "200ms"),
              daemon: str = "import-timeout = 20s") -> None:
    service.configure(configuration(service, testbed.aurora, port=proxy.port, cluster=cluster,
                                    retry=retry, daemon=f"retry-held = 1h\n{daemon}"))


def write(testbed, service) -> None:
    write_material(service.material, testbed.authority.certificate, testbed.client("stopped"))


def make_invalid(service) -> None:
    (service.material / "client-key.pem").write_text("no key\n")
    service.wait_material("invalid")


def record(service) -> dict:
    return json.loads((service.directory / "state" / "orders.json").read_text())


def break_in_call(testbed, service, proxy, retry: str = "1h") -> dict:
    """The connection of an import breaks in its CALL; the next attempt is far away."""
    configure(testbed, service, proxy, retry=(retry, retry))
    assert service.ctl("reload").returncode == 0
    proxy.next_faults.append(Fault(testbed.flight(CALL), "request", "reset"))
    write(testbed, service)
    return service.wait_cluster("orders", "retrying")


@both_makes
def test_a_connection_that_breaks_in_the_call_is_told_and_mended(testbed, running, proxy):
    cluster = break_in_call(testbed, running, proxy)
    assert is_stopped(testbed.aurora.replication())
    assert cluster["outcome"] == "unknown"
    assert cluster["replication"]["stopped_by_us"] is True
    assert (cluster["replication"]["io_running"], cluster["replication"]["sql_running"]) == (
        "No", "No")
    assert "replication was stopped for the import of set" in cluster["reason"]
    assert "rds_start_replication" in cluster["next_step"]
    assert 'binlog_ssld_cluster_replication_stopped{cluster="orders"} 1' in \
        running.ctl("metrics").stdout
    assert running.log().count("and is not started again yet") == 1
    stopped = record(running)
    assert stopped["stopped_mode"] == "restart" and stopped["stopped_at"] > 0
    assert stopped["stopped_for"] == running.status()["materials"][0]["fingerprint"]
    assert stopped["stopped_log_file"].startswith("binlog.") and stopped["stopped_log_position"]

    assert running.ctl("import", "--wait").returncode == 0
    testbed.aurora.wait_for_replication(runs)
    cluster = running.cluster("orders")
    assert (cluster["reason"], cluster["replication"]["stopped_by_us"]) == (None, False)
    assert "stopped_at" not in running.record("orders")
    assert 'binlog_ssld_cluster_replication_stopped{cluster="orders"} 0' in \
        running.ctl("metrics").stdout
    assert "replication that an import had stopped is started again" in running.log()


@both_makes
def test_the_stop_of_a_later_import_counts_after_somebody_has_ended_the_first(
        testbed, running, proxy):
    break_in_call(testbed, running, proxy)
    first = record(running)["stopped_at"]
    testbed.aurora.sql("CALL mysql.rds_start_replication()")
    testbed.aurora.wait_for_replication(runs)
    proxy.next_faults.append(Fault(testbed.flight(CALL), "request", "reset"))
    write(testbed, running)
    running.wait(lambda: record(running).get("stopped_at", first) != first)
    running.wait(lambda: running.cluster("orders")["state"] == "retrying")
    assert is_stopped(testbed.aurora.replication())
    assert running.cluster("orders")["replication"]["stopped_by_us"] is True
    assert record(running)["stopped_at"] > first


@both_makes
def test_it_is_started_although_the_set_has_become_invalid(testbed, running, proxy):
    break_in_call(testbed, running, proxy, retry="2s")
    make_invalid(running)
    before = len(testbed.aurora.imports())
    testbed.aurora.wait_for_replication(runs)
    cluster = running.wait_cluster("orders", "waiting")
    assert cluster["replication"]["stopped_by_us"] is False
    assert cluster["replication"]["io_running"] != "No"
    assert len(testbed.aurora.imports()) == before


@both_makes
@pytest.mark.parametrize("cluster", [RESTART, "replication = ignore", "replication = observe"])
def test_a_daemon_that_is_killed_starts_it_at_its_next_start(testbed, running, proxy, cluster):
    """Even without a set, and if the mode has been changed meanwhile."""
    testbed.aurora.set_option("slow_seconds", "20")
    write(testbed, running)
    running.wait(testbed.aurora.in_call)
    running.kill()
    testbed.aurora.end_calls()
    assert is_stopped(testbed.aurora.replication())
    (running.material / "client-key.pem").write_text("no key\n")
    before = len(testbed.aurora.imports())
    configure(testbed, running, proxy, cluster=cluster)
    running.start()
    testbed.aurora.wait_for_replication(runs)
    running.wait_cluster("orders", "waiting")
    running.wait(lambda: "stopped_at" not in record(running))
    assert len(testbed.aurora.imports()) == before


def test_a_second_stop_signal_leaves_it_to_the_next_start(testbed, running, proxy):
    testbed.aurora.set_option("slow_seconds", "20")
    write(testbed, running)
    running.wait(testbed.aurora.in_call)
    os.kill(running.pid, signal.SIGTERM)
    running.wait(lambda: "waiting for 1 running import," in running.log())
    assert running.stop() == 0
    testbed.aurora.end_calls()
    assert is_stopped(testbed.aurora.replication()) and record(running)["stopped_at"]
    testbed.aurora.set_option("slow_seconds", "0")
    running.start()
    running.wait_cluster("orders", "current")
    testbed.aurora.wait_for_replication(runs)
    assert "stopped_at" not in running.record("orders")


def permit(testbed, procedure: str, permitted: bool) -> None:
    verb, to = ("GRANT", "TO") if permitted else ("REVOKE", "FROM")
    testbed.aurora.sql(f"{verb} EXECUTE ON PROCEDURE mysql.{procedure} {to} ssl_importer@'%'")


@both_makes
def test_it_is_started_although_the_import_is_held(testbed, running, proxy):
    """The CALL and the start are refused, then the start is not."""
    call, start = "rds_import_binlog_ssl_material", "rds_start_replication"
    permit(testbed, call, False)
    permit(testbed, start, False)
    try:
        write(testbed, running)
        cluster = running.wait_cluster("orders", "held")
        assert is_stopped(testbed.aurora.replication())
        assert cluster["outcome"] == "no_privilege"
        assert "after that rds_start_replication: " in cluster["reason"]
        running.wait(lambda: "GRANT EXECUTE ON PROCEDURE mysql.rds_start_replication"
                     in (running.cluster("orders")["next_step"] or ""))
        assert running.cluster("orders")["replication"]["stopped_by_us"] is True
        permit(testbed, start, True)
        testbed.aurora.wait_for_replication(runs)
        running.wait(lambda: not running.cluster("orders")["replication"]["stopped_by_us"])
        cluster = running.wait_cluster("orders", "held")
        assert cluster["outcome"] == "no_privilege" and cluster["attempts"] == 1
        assert "replication was stopped" not in cluster["reason"]
        assert "GRANT EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl" in cluster["next_step"]
    finally:
        permit(testbed, call, True)
        permit(testbed, start, True)


def test_a_refused_call_alone_leaves_it_running(testbed, running, proxy):
    testbed.aurora.set_option("fail_at", "import")
    write(testbed, running)
    cluster = running.wait_cluster("orders", "held")
    assert cluster["outcome"] == "rejected"
    assert cluster["replication"]["stopped_by_us"] is False
    assert cluster["replication"]["io_running"] != "No"
    testbed.aurora.wait_for_replication(runs)
    assert "stopped_at" not in running.record("orders")


def test_a_start_that_is_refused_is_retried_with_back_off(testbed, running, proxy):
    """The set is imported. Before, the next start was retry-held away."""
    testbed.aurora.set_option("fail_at", "start")
    write(testbed, running)
    cluster = running.wait_cluster("orders", "held")
    assert cluster["outcome"] == "replication_failed"
    assert cluster["replication"]["stopped_by_us"] is True
    running.wait(lambda: running.cluster("orders")["attempts"] > 2)
    testbed.aurora.set_option("fail_at", "")
    running.wait_cluster("orders", "current")
    testbed.aurora.wait_for_replication(runs)


@both_makes
def test_a_lost_answer_of_the_stop_is_in_doubt(testbed, running, proxy):
    configure(testbed, running, proxy, retry=("2s", "2s"))
    assert running.ctl("reload").returncode == 0
    proxy.next_faults.append(Fault(testbed.flight(STOP), "answer", "reset"))
    before = len(testbed.aurora.imports())
    write(testbed, running)
    cluster = running.wait_cluster("orders", "retrying")
    assert cluster["outcome"] == "unreachable"
    assert cluster["replication"]["stopped_by_us"] is True
    assert cluster["replication"]["io_running"] is None
    assert len(testbed.aurora.imports()) == before
    make_invalid(running)
    testbed.aurora.wait_for_replication(runs)
    running.wait_cluster("orders", "waiting")


def test_one_that_somebody_else_starts_is_not_started(testbed, running, proxy):
    break_in_call(testbed, running, proxy, retry="2s")
    testbed.aurora.sql("CALL mysql.rds_start_replication()")
    make_invalid(running)
    cluster = running.wait_cluster("orders", "waiting")
    assert cluster["replication"]["stopped_by_us"] is False
    testbed.aurora.wait_for_replication(runs)


@pytest.mark.parametrize("how", ["gone", "full"])
def test_without_a_record_nothing_is_stopped_and_nothing_imported(testbed, running, proxy, how):
    state, kept = running.directory / "state", running.directory / "kept"
    state.rename(kept)
    if how == "full":
        state.symlink_to("/dev/full/none")
    before = len(testbed.aurora.imports())
    write(testbed, running)
    cluster = running.wait_cluster("orders", "retrying")
    assert cluster["outcome"] == "record_failed"
    assert "replication is not stopped and nothing is imported" in cluster["reason"]
    assert "state directory" in cluster["next_step"]
    assert cluster["replication"]["stopped_by_us"] is False
    assert runs(testbed.aurora.replication())
    assert len(testbed.aurora.imports()) == before
    if how == "full":
        state.unlink()
    kept.rename(state)
    running.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1
    testbed.aurora.wait_for_replication(runs)


def test_a_disabled_cluster_is_left_alone_and_told(testbed, running, proxy):
    break_in_call(testbed, running, proxy)
    configure(testbed, running, proxy, cluster=f"{RESTART}\nenabled = no")
    assert running.ctl("reload").returncode == 0
    cluster = running.wait_cluster("orders", "disabled")
    assert "replication was stopped for the import" in cluster["reason"]
    assert "rds_start_replication" in cluster["next_step"]
    assert is_stopped(testbed.aurora.replication())
    configure(testbed, running, proxy)
    assert running.ctl("reload").returncode == 0
    testbed.aurora.wait_for_replication(runs)


@both_makes
def test_a_refused_stop_is_none(testbed, running, proxy):
    permit(testbed, "rds_stop_replication", False)
    try:
        write(testbed, running)
        cluster = running.wait_cluster("orders", "held")
        assert cluster["outcome"] == "replication_failed"
        assert cluster["replication"]["stopped_by_us"] is False
        assert cluster["replication"]["io_running"] == "Yes"
        assert "stopped_at" not in running.record("orders")
        assert "is not started again" not in running.log()
    finally:
        permit(testbed, "rds_stop_replication", True)


def test_an_importer_that_is_killed_leaves_it_to_the_manager(testbed, running, proxy):
    testbed.aurora.set_option("slow_seconds", "20")
    configure(testbed, running, proxy, retry=("2s", "2s"))
    assert running.ctl("reload").returncode == 0
    write(testbed, running)
    running.wait(testbed.aurora.in_call)
    os.kill(running.importers()[0], signal.SIGKILL)
    cluster = running.wait_cluster("orders", "retrying")
    assert cluster["outcome"] == "crashed" and cluster["replication"]["stopped_by_us"] is True
    testbed.aurora.end_calls()
    make_invalid(running)
    testbed.aurora.wait_for_replication(runs)


def test_a_stop_that_goes_on_without_its_importer_is_not_over(testbed, running, proxy):
    """The procedure sleeps before it stops: replication still runs when the next daemon looks."""
    testbed.aurora.set_option("sleeps", "on")
    stops = testbed.aurora.history().count("stop")
    write(testbed, running)
    running.wait(testbed.aurora.in_call)
    running.kill()
    (running.material / "client-key.pem").write_text("no key\n")
    running.start()
    running.wait(lambda: testbed.aurora.history().count("stop") == stops + 1)
    testbed.aurora.wait_for_replication(runs)
    running.wait(lambda: "stopped_at" not in record(running))


@contextmanager
def sql_thread_waits(testbed, service) -> Iterator[int]:
    """A row of the source waits for a lock in the replica; its number."""
    aurora = testbed.aurora
    number = 1 + max(int(row[0]) for row in aurora.sql("SELECT COALESCE(MAX(id), 0) FROM app.t"))
    with Session(aurora.client()) as reader:
        assert reader.ask("LOCK TABLES app.t READ; SELECT 1") == "1"
        testbed.source.sql(f"INSERT INTO app.t VALUES ({number}, 'locked')")
        service.wait(lambda: aurora.sql("SELECT 1 FROM information_schema.PROCESSLIST "
                                        "WHERE USER = 'system user' AND STATE LIKE '% lock%'"))
        yield number


def is_not_stopped_in_time(testbed, service) -> None:
    """The stop goes on without the importer. When the lock is gone, the set is imported, and what
    the stop has come to is started again.
    """
    aurora = testbed.aurora
    before = len(aurora.imports())
    with sql_thread_waits(testbed, service) as number:
        write(testbed, service)
        service.wait(lambda: service.cluster("orders")["outcome"] == "timed_out")
        assert service.cluster("orders")["replication"]["stopped_by_us"] is True
        assert len(aurora.imports()) == before
    service.wait_cluster("orders", "current")
    assert len(aurora.imports()) == before + 1
    aurora.wait_for_replication(runs)
    assert aurora.wait_for_row(number) == "locked"
    service.wait(lambda: "stopped_at" not in record(service))


@both_makes
def test_a_replica_that_cannot_be_stopped_in_time_gets_no_import(testbed, running, proxy):
    """A server does not interrupt a SQL thread that waits for a lock, so that the stop waits."""
    configure(testbed, running, proxy, retry=("300ms", "300ms"), daemon="import-timeout = 3s")
    assert running.ctl("reload").returncode == 0
    is_not_stopped_in_time(testbed, running)


@only("mysql", "MariaDB has no limit for the stop")
def test_a_stop_that_the_server_calls_incomplete_is_one(testbed, running, proxy):
    """With rpl_stop_replica_timeout the stop ends in an error, and the threads end later."""
    configure(testbed, running, proxy, retry=("300ms", "300ms"), daemon="import-timeout = 10s")
    assert running.ctl("reload").returncode == 0
    testbed.aurora.sql("SET GLOBAL rpl_stop_replica_timeout = 2")
    try:
        is_not_stopped_in_time(testbed, running)
    finally:
        testbed.aurora.sql("SET GLOBAL rpl_stop_replica_timeout = DEFAULT")
