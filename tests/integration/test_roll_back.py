"""A set with which replication fails is taken back: on-replication-failure = rollback."""

from __future__ import annotations

import os
import signal

import pytest

from tests.integration.conftest import both_makes, configuration, ledger_created
from tests.integration.process import PAYLOAD, Process
from tests.standin import write_material

ROLLBACK = "on-replication-failure = rollback"
RESTART = f"replication = restart\n{ROLLBACK}"
OBSERVE = f"replication = observe\n{ROLLBACK}"
DAEMON = "import-timeout = 8s\ncheck-interval = 200ms\nretry-held = 1h"


def runs(status: dict) -> bool:
    return (status["Replica_IO_Running"], status["Replica_SQL_Running"]) == ("Yes", "Yes")


def configure(testbed, service, cluster: str) -> None:
    service.configure(configuration(service, testbed.aurora, cluster=cluster, daemon=DAEMON))


def write(testbed, service, name: str) -> None:
    write_material(service.material, testbed.authority.certificate, testbed.client(name))


def replicate_with_the_set(testbed, service) -> None:
    """The I/O thread connects with it, and the service has seen that."""
    if testbed.aurora.replication()["Replica_SQL_Running"] != "No":
        testbed.aurora.sql("CALL mysql.rds_stop_replication()")
    testbed.aurora.sql("CALL mysql.rds_start_replication()")
    testbed.aurora.wait_for_replication(runs)
    service.wait(lambda: (service.cluster("orders")["replication"] or {}).get("io_running") ==
                 "Yes" and service.cluster("orders")["rollback"] is not False)


def start(testbed, service, cluster: str = RESTART) -> int:
    """Replication runs with the set `good`, which the source demands. Returns the imports so far."""
    testbed.source.require_subject("/CN=good")
    configure(testbed, service, cluster)
    write(testbed, service, "good")
    service.start()
    service.wait_cluster("orders", "current")
    replicate_with_the_set(testbed, service)
    return len(testbed.aurora.imports())


def wait_rolled_back(service) -> dict:
    service.wait(lambda: service.cluster("orders")["outcome"] == "rolled_back" and
                 service.cluster("orders")["state"] == "held")
    return service.cluster("orders")


@both_makes
def test_the_set_before_is_imported_once_and_replication_runs_with_it(testbed, service):
    before = start(testbed, service)
    good = service.cluster("orders")["imported_fingerprint"]
    write(testbed, service, "bad")
    cluster = wait_rolled_back(service)
    assert "was taken back, since replication failed with it (error 1045: " in cluster["reason"]
    assert "is imported again, and replication runs" in cluster["reason"]
    assert "binlog-sslctl import" in cluster["next_step"]
    assert cluster["imported_fingerprint"] == good and cluster["in_use"] is True
    assert cluster["out_of_sync_since"] is not None
    assert runs(testbed.aurora.replication())
    imports = testbed.aurora.imports()
    assert len(imports) == before + 2  # one CALL for each
    assert imports[-1]["ssl_cert"] == imports[before - 1]["ssl_cert"]
    assert imports[-2]["ssl_cert"] != imports[-1]["ssl_cert"]
    assert service.status()["health"] == "critical"
    metrics = service.ctl("metrics").stdout
    assert 'imports_total{cluster="orders",outcome="rolled_back"} 1' in metrics
    assert service.log().count("import rolled_back (error 1045)") == 1

    # It is checked, and neither a reload nor a start of the daemon tries the set again.
    seen = cluster["replication"]["checked_at"]
    service.wait(lambda: service.cluster("orders")["replication"]["checked_at"] > seen)
    assert service.ctl("reload").returncode == 0
    assert service.stop() == 0
    service.start()
    service.wait(lambda: service.cluster("orders")["replication"] is not None)
    cluster = service.cluster("orders")
    assert (cluster["state"], cluster["outcome"]) == ("held", "rolled_back")
    assert cluster["rollback"] is False
    assert "there is no set to go back to" in service.ctl("status").stdout
    assert len(testbed.aurora.imports()) == before + 2

    # Another set is imported at once.
    testbed.source.require_subject("/CN=better")
    write(testbed, service, "better")
    service.wait_cluster("orders", "current")
    testbed.aurora.wait_for_replication(runs)
    assert len(testbed.aurora.imports()) == before + 3


def test_an_operator_lets_it_be_tried_again(testbed, service):
    with ledger_created(testbed):
        before = start(testbed, service, f"{RESTART}\nledger = binlog_ssl.ledger")
        write(testbed, service, "bad")
        wait_rolled_back(service)
        assert len(testbed.aurora.imports()) == before + 2
        testbed.source.require_subject("/CN=bad")
        assert service.ctl("import", "--wait", "orders").returncode == 0
        service.wait_cluster("orders", "current")
        testbed.aurora.wait_for_replication(runs)
        assert len(testbed.aurora.imports()) == before + 3


def test_with_report_the_set_stays(testbed, service):
    before = start(testbed, service, "replication = restart")
    assert service.cluster("orders")["rollback"] is None
    write(testbed, service, "bad")
    cluster = service.wait_cluster("orders", "held", 40)
    assert cluster["outcome"] == "replication_failed"
    assert cluster["imported_fingerprint"] == service.status()["materials"][0]["fingerprint"]
    assert len(testbed.aurora.imports()) == before + 1


def test_replication_that_did_not_run_before_is_left_as_it_is(testbed, service):
    start(testbed, service)
    testbed.source.require_subject("/CN=somebody else")
    service.wait(lambda: service.cluster("orders")["replication"]["io_running"] == "Connecting")
    before = len(testbed.aurora.imports())
    write(testbed, service, "bad")
    service.wait(lambda: service.cluster("orders")["outcome"] == "replication_failed", 40)
    assert service.wait_cluster("orders", "held")["outcome"] == "replication_failed"
    assert len(testbed.aurora.imports()) == before + 1


def test_with_observe_a_check_finds_it(testbed, service):
    """The files of the stand-in follow an import at the next start, which is the test's."""
    before = start(testbed, service, OBSERVE)
    write(testbed, service, "bad")
    service.wait_cluster("orders", "current")
    service.wait(lambda: len(testbed.aurora.imports()) == before + 1)
    assert service.cluster("orders")["rollback"] is True
    testbed.aurora.sql("CALL mysql.rds_stop_replication()")
    testbed.aurora.sql("CALL mysql.rds_start_replication()")
    cluster = wait_rolled_back(service)
    assert "the I/O thread connects with it by itself" in cluster["reason"]
    assert len(testbed.aurora.imports()) == before + 2
    testbed.aurora.sql("CALL mysql.rds_stop_replication()")
    testbed.aurora.sql("CALL mysql.rds_start_replication()")
    testbed.aurora.wait_for_replication(runs)
    service.wait(lambda: service.cluster("orders")["replication"]["io_running"] == "Yes")
    assert service.cluster("orders")["state"] == "held"


def test_the_set_before_is_imported_although_the_files_are_no_longer_good(testbed, service):
    before = start(testbed, service)
    write(testbed, service, "bad")
    service.wait(lambda: len(testbed.aurora.imports()) == before + 1)
    (service.material / "client-key.pem").write_text("no key\n")
    service.wait_material("invalid")
    service.wait(lambda: service.cluster("orders")["outcome"] == "rolled_back", 40)
    service.wait_cluster("orders", "waiting")
    assert runs(testbed.aurora.replication())
    assert len(testbed.aurora.imports()) == before + 2


def sets_in_memory(service) -> int:
    manager = Process(service.pid)
    assert PAYLOAD not in manager.maps
    return sum(PAYLOAD in name for name in manager.descriptors().values())


def test_two_sets_are_kept_and_all_others_are_closed(testbed, service):
    start(testbed, service, OBSERVE)
    assert sets_in_memory(service) == 1
    for name in ("bad", "better", "good"):
        before = service.cluster("orders")["imported_at"]
        write(testbed, service, name)
        service.wait(lambda: service.cluster("orders")["imported_at"] != before)
        service.wait_cluster("orders", "current")
        service.wait(lambda: sets_in_memory(service) == 2)
    configure(testbed, service, "replication = observe")
    assert service.ctl("reload").returncode == 0
    service.wait(lambda: sets_in_memory(service) == 1)


@both_makes
def test_a_daemon_that_is_killed_in_it_knows_no_set_and_starts_replication(testbed, service):
    before = start(testbed, service)
    write(testbed, service, "bad")
    service.wait(lambda: len(testbed.aurora.imports()) == before + 1)
    testbed.aurora.set_option("slow_seconds", "20")
    service.wait(testbed.aurora.in_call, 40)
    service.kill()
    testbed.aurora.end_calls()
    testbed.aurora.set_option("slow_seconds", "0")
    service.start()
    service.wait(lambda: service.cluster("orders")["state"] == "held")
    cluster = service.cluster("orders")
    assert cluster["outcome"] == "rolled_back" and cluster["imported_fingerprint"] is None
    assert "the result is not known" in cluster["reason"]
    service.wait(lambda: not (service.cluster("orders")["replication"] or
                              {"stopped_by_us": True})["stopped_by_us"])
    assert testbed.aurora.replication()["Replica_SQL_Running"] == "Yes"
    assert len(testbed.aurora.imports()) == before + 1


def test_a_stop_of_the_service_in_it_is_told(testbed, service):
    before = start(testbed, service)
    write(testbed, service, "bad")
    service.wait(lambda: len(testbed.aurora.imports()) == before + 1)
    testbed.aurora.set_option("slow_seconds", "20")
    service.wait(testbed.aurora.in_call, 40)
    os.kill(service.pid, signal.SIGTERM)
    service.wait(lambda: "waiting for 1 running import," in service.log())
    assert service.stop() == 0
    testbed.aurora.end_calls()
    assert "may or may not be imported again" in service.log()
    testbed.aurora.set_option("slow_seconds", "0")
    service.start()
    assert service.wait_cluster("orders", "held")["outcome"] == "rolled_back"
    assert len(testbed.aurora.imports()) == before + 1


def test_a_roll_back_that_fails_leaves_the_cluster_held(testbed, service):
    before = start(testbed, service)
    write(testbed, service, "bad")
    service.wait(lambda: len(testbed.aurora.imports()) == before + 1)
    testbed.aurora.set_option("fail_at", "import")
    cluster = wait_rolled_back(service)
    assert "could not be imported again: " in cluster["reason"]
    assert cluster["imported_fingerprint"] == service.status()["materials"][0]["fingerprint"]
    assert len(testbed.aurora.imports()) == before + 1
