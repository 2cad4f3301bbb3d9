"""What status, metrics and exit status show of replication that people and servers stop."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material

BOTH_MAKES = True
START = "CALL mysql.rds_start_replication"
STOP = "CALL mysql.rds_stop_replication"


def states(status: dict) -> tuple:
    return status["Replica_IO_Running"], status["Replica_SQL_Running"]


def restart(aurora) -> None:
    if states(aurora.replication()) != ("No", "No"):
        aurora.sql(STOP)
    aurora.sql(START)
    aurora.wait_for_replication(lambda status: states(status) == ("Yes", "Yes"))


@pytest.fixture
def running(testbed, service) -> Iterator:
    """A cluster with replication = observe is current, and its replication runs with the set."""
    pair = testbed.client("observed")
    testbed.source.require_subject(pair.subject)
    service.configure(configuration(service, testbed.aurora, cluster="replication = observe",
                                    daemon="check-interval = 200ms"))
    write_material(service.material, testbed.authority.certificate, pair)
    service.start()
    service.wait_cluster("orders", "current")
    restart(testbed.aurora)
    wait_for(service, "running, lag 0s")
    yield service
    restart(testbed.aurora)


def printed(service, *names: str) -> tuple[str, str, int]:
    """The word for replication in the row of the cluster, the whole text, the exit status."""
    done = service.ctl("status", *names)
    row = re.search(r"^  orders +\S+ +\S+ +(\S.*?)  +(?:never|just now|\S+ ago)", done.stdout,
                    re.M)
    return row[1] if row else "", done.stdout, done.returncode


def wait_for(service, word: str) -> tuple[str, int]:
    service.wait(lambda: printed(service)[0] == word)
    return printed(service)[1:]


def metric(service, name: str) -> str:
    """The value of a metric of the cluster, "" if it is absent."""
    found = re.search(rf'^binlog_ssld_cluster_{name}{{cluster="orders"}} (\S+)$',
                      service.ctl("metrics").stdout, re.M)
    return found[1] if found else ""


def test_replication_that_works_is_told_with_its_source(testbed, running):
    word, text, status = printed(running)
    # A busy machine has a lag.
    assert re.fullmatch(r"running, lag \d+s", word) and status == 0
    assert "repl:" not in text
    source = f"127.0.0.1:{testbed.source.port}"
    assert re.search(f"repl: {source} over TLS, lag \\d+s; read (just now|\\d+s ago)",
                     printed(running, "orders")[1])
    assert [metric(running, f"replication_{name}") for name in (
        "running", "tls", "stopped_by_person", "stopped")] == ["1", "1", "0", "0"]
    assert metric(running, "replication_lag_seconds").isdigit()
    assert float(metric(running, "replication_last_check_timestamp_seconds")) > 0


def test_what_a_person_stopped_is_a_warning_with_the_statement_that_starts_it(testbed, running):
    before = len(running.log())
    testbed.aurora.sql(STOP)
    # A check may come between the ends of the threads.
    running.wait(lambda: "why:  replication is stopped, not by" in printed(running)[1])
    text, status = wait_for(running, "stopped")
    assert status == 1
    assert "next: if that is intended, nothing" in text
    assert metric(running, "replication_stopped_by_person") == "1"
    assert metric(running, "set_waits_for_start") == "1"
    assert metric(running, "replication_lag_seconds") == ""
    step = running.cluster("orders")["next_step"]
    testbed.aurora.sql(re.search(r"CALL mysql\.\w+", step)[0])
    assert wait_for(running, "running, lag 0s")[1] == 0
    assert metric(running, "replication_stopped_by_person") == "0"
    assert metric(running, "set_waits_for_start") == "0"
    log = running.log()[before:]
    assert log.count("is stopped, not by binlog-ssld") == 1
    assert len(re.findall("replication is (connecting|running), without an error", log)) == 1


def test_one_thread_that_a_person_stopped_is_named(testbed, running):
    testbed.aurora.sql("STOP REPLICA IO_THREAD")
    text, status = wait_for(running, "stopped")
    assert status == 1
    assert "the replication I/O thread is stopped" in text


def test_an_io_thread_that_fails_is_critical_with_its_number_and_step(testbed, running):
    before = len(running.log())
    testbed.source.require_subject("/CN=somebody else")
    try:
        text, status = wait_for(running, "failing")
    finally:
        testbed.source.require_subject("/CN=observed")
    assert status == 2
    assert "why:  replication I/O thread (error 1045): " in text
    assert "next: check the account of replication on the source" in text
    assert metric(running, "replication_running") == "0"
    assert metric(running, "replication_stopped_by_person") == "0"
    restart(testbed.aurora)
    assert wait_for(running, "running, lag 0s")[1] == 0
    log = running.log()[before:]
    assert log.count("replication does not run, I/O thread") == 1


def test_an_sql_thread_that_fails_is_critical_with_its_number_and_step(testbed, running):
    row = "INSERT INTO app.t VALUES (7777, 'twice')"
    testbed.aurora.sql(row)
    try:
        testbed.source.sql(row)
        text, status = wait_for(running, "failing")
        cluster = running.cluster("orders")
    finally:
        testbed.aurora.sql("DELETE FROM app.t WHERE id = 7777")
    assert status == 2
    assert cluster["replication"]["sql_errno"] == 1062
    assert "why:  replication SQL thread (error 1062): " in text
    assert "next: repair the cause, then CALL mysql.rds_stop_replication" in text
    assert "replication does not run, SQL thread No (error 1062)" in running.log()
    for statement in re.findall(r"CALL mysql\.\w+", cluster["next_step"]):
        testbed.aurora.sql(statement)
    assert wait_for(running, "running, lag 0s")[1] == 0
    testbed.source.sql("DELETE FROM app.t WHERE id = 7777")


@contextmanager
def table_locked(aurora) -> Iterator[None]:
    """The SQL thread waits for a row of app.t within the block."""
    holder = subprocess.Popen(aurora.client().command("--skip-column-names", "--unbuffered"),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdin and holder.stdout
        holder.stdin.write(b"LOCK TABLES app.t WRITE; SELECT 1;\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == b"1\n"
        yield
    finally:
        holder.kill()
        holder.communicate()


def test_a_replica_that_is_late_shows_how_much(testbed, running):
    with table_locked(testbed.aurora):
        testbed.source.sql("INSERT INTO app.t VALUES (7778, 'late')")
        running.wait(lambda: re.fullmatch("running, lag [1-9]+s", printed(running)[0]))
        assert float(metric(running, "replication_lag_seconds")) >= 1
        assert printed(running)[2] == 0
    wait_for(running, "running, lag 0s")
    testbed.source.sql("DELETE FROM app.t WHERE id = 7778")


def set_tls(testbed, on: bool) -> None:
    """Not with the procedure, which starts replication with the imported files and TLS."""
    testbed.aurora.sql(f"STOP REPLICA; CALL standin.change_source('SOURCE_SSL = {int(on)}'); "
                       "START REPLICA")


def test_replication_without_tls_is_shown(testbed, running):
    testbed.source.sql("SET sql_log_bin = 0; ALTER USER repl_aurora@'%' REQUIRE NONE")
    try:
        set_tls(testbed, False)
        text, status = wait_for(running, "running, no TLS")
    finally:
        set_tls(testbed, True)
        testbed.source.require_subject("/CN=observed")
    assert status == 0
    assert re.search(f"repl: 127.0.0.1:{testbed.source.port} without TLS, lag \\d+s", text)
    restart(testbed.aurora)
    wait_for(running, "running, lag 0s")
    assert metric(running, "replication_tls") == "1"
