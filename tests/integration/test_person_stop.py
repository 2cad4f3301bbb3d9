"""What a person has stopped stays stopped: an import leaves it alone, and status says so."""

from __future__ import annotations

import pytest

from tests.integration.conftest import LEDGER_TABLE, configuration, ledger_created
from tests.standin import write_material

BOTH_MAKES = True

STOP = "CALL mysql.rds_stop_replication()"
START = "CALL mysql.rds_start_replication()"
LEDGER = f"ledger = {LEDGER_TABLE}\n"


def threads(status: dict) -> tuple:
    return status["Replica_IO_Running"], status["Replica_SQL_Running"]


def runs(status: dict) -> bool:
    return threads(status) == ("Yes", "Yes")


def is_stopped(status: dict) -> bool:
    return threads(status) == ("No", "No")


@pytest.fixture(params=["replication = restart"])
def mode(request):
    return request.param


@pytest.fixture
def running(testbed, service, mode):
    """Replication runs with the set of a cluster that is current."""
    testbed.source.require_subject("/CN=person")
    configure(testbed, service, mode)
    rotate(testbed, service)
    testbed.aurora.start_replication()
    service.start()
    service.wait_cluster("orders", "current")
    testbed.aurora.wait_for_replication(runs)
    yield service
    service.kill()
    testbed.aurora.reset_options()
    if not runs(testbed.aurora.replication()):
        testbed.aurora.sql("STOP REPLICA")
        testbed.aurora.wait_for_replication(is_stopped)
        testbed.aurora.sql(START)


def configure(testbed, service, cluster: str) -> None:
    service.configure(configuration(
        service, testbed.aurora, cluster=cluster,
        daemon="check-interval = 200ms\nretry-held = 1h\nimport-timeout = 20s"))


def rotate(testbed, service) -> None:
    write_material(service.material, testbed.authority.certificate, testbed.client("person"))


def import_new_set(testbed, service) -> dict:
    """Rotates and waits until the new set is imported."""
    before = len(testbed.aurora.imports())
    old = service.cluster("orders")["imported_fingerprint"]
    rotate(testbed, service)
    service.wait(lambda: service.cluster("orders")["imported_fingerprint"] not in (old, None))
    cluster = service.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1
    return cluster


def calls(testbed) -> list[str]:
    return testbed.aurora.history()


def test_a_stopped_replica_gets_the_set_and_stays_stopped(testbed, running):
    testbed.aurora.sql(STOP)
    before = calls(testbed)
    cluster = import_new_set(testbed, running)
    assert cluster["outcome"] == "imported" and cluster["in_use"] is None
    assert cluster["replication"]["stopped_by_us"] is False
    assert cluster["reason"] == "replication is stopped, not by binlog-ssld, and stays stopped"
    assert f"to start it: {START} on the cluster" in cluster["next_step"]
    assert "replication is stopped, not by binlog-ssld" in running.log()
    done = running.ctl("status")
    assert done.returncode == 1 and START in " ".join(done.stdout.split())
    assert calls(testbed) == before and is_stopped(testbed.aurora.replication())
    assert "stopped_at" not in running.record("orders")

    testbed.aurora.sql(START)
    testbed.aurora.wait_for_replication(runs)
    running.wait(lambda: running.cluster("orders")["reason"] is None)
    assert import_new_set(testbed, running)["in_use"] is True


def test_it_stays_stopped_across_a_restart_of_the_daemon(testbed, running):
    testbed.aurora.sql(STOP)
    before = calls(testbed)
    running.kill()
    running.start()
    running.wait_cluster("orders", "current")
    running.wait(lambda: START in (running.cluster("orders")["next_step"] or ""))
    import_new_set(testbed, running)
    running.stop()
    rotate(testbed, running)
    running.start()
    running.wait(lambda: START in (running.cluster("orders")["next_step"] or ""))
    assert running.ctl("import", "--force", "--wait").returncode == 0
    assert calls(testbed) == before and is_stopped(testbed.aurora.replication())


@pytest.mark.parametrize("thread", ["IO_THREAD", "SQL_THREAD"])
def test_one_stopped_thread_stays_stopped(testbed, running, thread):
    testbed.aurora.sql(f"STOP REPLICA {thread}")
    expected = ("No", "Yes") if thread == "IO_THREAD" else ("Yes", "No")
    testbed.aurora.wait_for_replication(lambda status: threads(status) == expected)
    before = calls(testbed)
    cluster = import_new_set(testbed, running)
    name = "I/O" if thread == "IO_THREAD" else "SQL"
    assert cluster["reason"] == \
        f"the replication {name} thread is stopped, not by binlog-ssld, and stays stopped"
    assert STOP in cluster["next_step"] and START in cluster["next_step"]
    assert calls(testbed) == before and threads(testbed.aurora.replication()) == expected


def test_a_sql_thread_that_failed_waits_for_a_person(testbed, running):
    testbed.aurora.sql("SET sql_log_bin = 0; INSERT INTO app.t VALUES (401, 'in the way')")
    testbed.source.sql("INSERT INTO app.t VALUES (401, 'of the source')")
    testbed.aurora.wait_for_replication(lambda status: threads(status) == ("Yes", "No"))
    before = calls(testbed)
    try:
        cluster = import_new_set(testbed, running)
        assert cluster["reason"].startswith("replication SQL thread (error ")
        assert cluster["replication"]["sql_errno"] == 1062
        assert cluster["next_step"].startswith("repair the cause, then CALL")
        assert running.ctl("status").returncode == 2
        assert calls(testbed) == before
        assert threads(testbed.aurora.replication()) == ("Yes", "No")
    finally:
        testbed.aurora.sql("SET sql_log_bin = 0; DELETE FROM app.t WHERE id = 401")


def test_what_somebody_started_and_stopped_again_is_no_longer_ours(testbed, running):
    """The daemon dies with its stop on record; a person starts replication, and stops it later."""
    testbed.aurora.set_option("fail_at", "start")
    rotate(testbed, running)
    running.wait_cluster("orders", "held")
    assert running.record("orders")["stopped_completed"] is True
    running.kill()
    testbed.aurora.set_option("fail_at", "")
    testbed.aurora.sql(START)
    testbed.aurora.wait_for_replication(runs)
    testbed.source.sql("INSERT INTO app.t VALUES (402, 'further')")
    assert testbed.aurora.wait_for_row(402) == "further"
    testbed.aurora.sql(STOP)
    before = calls(testbed)
    running.start()
    running.wait(lambda: START in (running.cluster("orders")["next_step"] or ""))
    assert "stopped_at" not in running.record("orders")
    assert calls(testbed) == before and is_stopped(testbed.aurora.replication())
    testbed.aurora.sql("SET sql_log_bin = 0; DELETE FROM app.t WHERE id = 402")
    testbed.source.sql("SET sql_log_bin = 0; DELETE FROM app.t WHERE id = 402")


def use_ledger(testbed, running, mode: str) -> None:
    """An empty ledger is that of a restored cluster: the set is imported once more."""
    configure(testbed, running, LEDGER + mode)
    assert running.ctl("reload").returncode == 0
    query = f"SELECT COUNT(*) FROM {LEDGER_TABLE} WHERE state = 'imported'"
    running.wait(lambda: testbed.aurora.sql(query)[0][0] == "1")
    running.wait_cluster("orders", "current")
    testbed.aurora.wait_for_replication(runs)


def open_stops(testbed) -> int:
    query = f"SELECT COUNT(*) FROM {LEDGER_TABLE} WHERE replication_stopped IS NOT NULL"
    return int(testbed.aurora.sql(query)[0][0])


def test_with_a_ledger_it_stays_stopped_too(testbed, running, mode):
    with ledger_created(testbed):
        use_ledger(testbed, running, mode)
        import_new_set(testbed, running)
        assert open_stops(testbed) == 0
        testbed.aurora.sql(STOP)
        before = calls(testbed)
        import_new_set(testbed, running)
        assert is_stopped(testbed.aurora.replication())
        running.stop()
        (running.directory / "state" / "orders.json").unlink()  # only the ledger remains
        running.start()
        cluster = running.wait_cluster("orders", "current")
        assert cluster["outcome"] == "already_current"
        assert calls(testbed) == before and is_stopped(testbed.aurora.replication())
        assert open_stops(testbed) == 0


def test_an_old_ledger_works_without_the_column_and_that_is_told(testbed, running, mode):
    with ledger_created(testbed):
        testbed.aurora.sql(f"ALTER TABLE {LEDGER_TABLE} DROP COLUMN replication_stopped")
        use_ledger(testbed, running, mode)
        assert import_new_set(testbed, running)["in_use"] is True
        assert "has no column replication_stopped" in running.log()
        testbed.aurora.wait_for_replication(runs)
        testbed.aurora.sql(STOP)
        before = calls(testbed)
        import_new_set(testbed, running)
        assert calls(testbed) == before and is_stopped(testbed.aurora.replication())
