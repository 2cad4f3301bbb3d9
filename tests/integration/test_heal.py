"""Replication of a current cluster that fails with TLS is healed by one more import."""

from __future__ import annotations

import json

import pytest

from tests.integration.conftest import both_makes, configuration, ledger_created
from tests.standin import write_material
from tests.standin.cluster import document, import_call

SOON = "check-interval = 200ms\nimport-timeout = 10s"


def runs(status: dict) -> bool:
    return (status["Replica_IO_Running"], status["Replica_SQL_Running"]) == ("Yes", "Yes")


def start(testbed, service, cluster: str) -> None:
    """The cluster is current, and its replication runs with the set."""
    pair = testbed.client("healed")
    testbed.source.require_subject(pair.subject)
    service.configure(configuration(service, testbed.aurora, cluster=cluster, daemon=SOON))
    write_material(service.material, testbed.authority.certificate, pair)
    service.start()
    service.wait_cluster("orders", "current")
    if not runs(testbed.aurora.replication()):
        restart(testbed)
    service.wait(lambda: (service.cluster("orders")["replication"] or {}).get("io_running") ==
                 "Yes")


def restart(testbed) -> None:
    if testbed.aurora.replication()["Replica_SQL_Running"] != "No":
        testbed.aurora.sql("CALL mysql.rds_stop_replication()")
    testbed.aurora.sql("CALL mysql.rds_start_replication()")
    testbed.aurora.wait_for_replication(runs)


def lose_files(testbed) -> None:
    """As after a host replacement: the next connect of the I/O thread has no files."""
    testbed.aurora.sql("CALL mysql.rds_remove_binlog_ssl_material()")
    testbed.source.require_subject("/CN=healed")  # ends the connection


@pytest.fixture(autouse=True)
def replication_afterwards(testbed):
    """The other tests find replication with files that exist."""
    yield
    if not testbed.aurora.material():
        text = document(testbed.authority.certificate, testbed.client("healed"))
        testbed.aurora.as_importer().sql(import_call(text))
        restart(testbed)


def heals(service) -> int:
    return service.log().count("is imported once more")


@both_makes
def test_lost_files_are_imported_once_more_and_replication_runs(testbed, service):
    start(testbed, service, "replication = restart")
    before = len(testbed.aurora.imports())
    lose_files(testbed)
    service.wait(lambda: heals(service) == 1)
    testbed.aurora.wait_for_replication(runs)
    cluster = service.wait_cluster("orders", "current")
    service.wait(lambda: service.cluster("orders")["reason"] is None)
    assert len(testbed.aurora.imports()) == before + 1
    assert cluster["outcome"] == "imported"
    assert "(error 2026)" in service.log()
    assert service.record("orders")["healed_at"] > 0
    assert service.status()["health"] == "ok"


def test_the_ledger_does_not_prevent_it(testbed, service):
    with ledger_created(testbed):
        start(testbed, service, "replication = restart\nledger = binlog_ssl.ledger")
        before = len(testbed.aurora.imports())
        lose_files(testbed)
        testbed.aurora.wait_for_replication(lambda status: not runs(status))
        service.wait(lambda: len(testbed.aurora.imports()) == before + 1)
        testbed.aurora.wait_for_replication(runs)
        service.wait_cluster("orders", "current")


def test_a_heal_that_does_not_help_happens_once_also_after_a_restart(testbed, service):
    """The files follow an import at the next start of replication, which observe does not make."""
    start(testbed, service, "replication = observe")
    testbed.aurora.set_option("local_files", "at_start")
    before = len(testbed.aurora.imports())
    lose_files(testbed)
    service.wait(lambda: len(testbed.aurora.imports()) == before + 1)
    service.wait_cluster("orders", "current")
    seen = service.cluster("orders")["replication"]["checked_at"]
    service.wait(lambda: service.cluster("orders")["replication"]["checked_at"] > seen)
    assert service.record("orders")["healed_at"] > 0
    assert service.stop() == 0
    service.start()
    service.wait(lambda: service.cluster("orders")["replication"] is not None)
    seen = service.cluster("orders")["replication"]["checked_at"]
    service.wait(lambda: service.cluster("orders")["replication"]["checked_at"] > seen)
    # During an attempt of the I/O thread there is no error.
    service.wait(lambda: service.cluster("orders")["replication"]["io_errno"] == 2026 and
                 "replication I/O thread" in (service.cluster("orders")["reason"] or ""))
    service.wait(lambda: service.ctl("status").returncode == 2)
    assert service.cluster("orders")["state"] == "current"
    assert len(testbed.aurora.imports()) == before + 1
    assert heals(service) == 1


def test_without_a_valid_set_nothing_is_imported(testbed, service):
    start(testbed, service, "replication = observe")
    before = len(testbed.aurora.imports())
    (service.material / "client-key.pem").write_text("no key\n")
    service.wait_material("invalid")
    lose_files(testbed)
    testbed.aurora.wait_for_replication(lambda status: not runs(status))
    polled = service.status()["materials"][0]["last_check"]
    service.wait(lambda: service.status()["materials"][0]["last_check"] > polled)
    assert len(testbed.aurora.imports()) == before
    assert "healed_at" not in json.loads(
        (service.directory / "state" / "orders.json").read_text())


def test_what_a_person_has_stopped_is_not_healed(testbed, service):
    start(testbed, service, "replication = observe")
    before = len(testbed.aurora.imports())
    testbed.aurora.sql("CALL mysql.rds_stop_replication()")
    try:
        lose_files(testbed)
        service.wait(lambda: service.cluster("orders")["replication"]["io_running"] == "No")
        seen = service.cluster("orders")["replication"]["checked_at"]
        service.wait(lambda: service.cluster("orders")["replication"]["checked_at"] > seen)
        assert len(testbed.aurora.imports()) == before
    finally:
        testbed.aurora.sql("CALL mysql.rds_start_replication()")
