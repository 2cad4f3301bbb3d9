"""Removal of the client material from disabled clusters."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.integration.conftest import LEDGER_TABLE, configuration, ledger_created
from tests.standin import write_material
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.proxy import Fault, Proxy
from tests.standin.service import Service
from tests.standin.varlink import VarlinkError

BOTH_MAKES = True

REMOVE = "EXECUTE ON PROCEDURE mysql.rds_remove_binlog_ssl_material"
DISABLED = "enabled = no"
CALL = 4  # the flight of the CALL, after TLS, login and variables


@pytest.fixture(autouse=True)
def stopped(testbed):
    """Without replication, of which another test may have left some: a removal tells of it."""
    if testbed.aurora.replication()["Replica_SQL_Running"] == "Yes":
        testbed.aurora.sql("CALL mysql.rds_stop_replication()")


@pytest.fixture(autouse=True)
def grant(testbed):
    testbed.aurora.sql(f"GRANT {REMOVE} TO ssl_importer@'%'")
    yield
    testbed.aurora.sql(f"REVOKE {REMOVE} FROM ssl_importer@'%'")


@pytest.fixture
def proxy(testbed):
    with Proxy(testbed.aurora.port) as proxy:
        yield proxy


def configure(testbed, service, cluster, **more):
    service.configure(configuration(service, testbed.aurora, cluster=cluster, **more))


def reload(testbed, service, cluster, **more):
    configure(testbed, service, cluster, **more)
    assert service.ctl("reload").returncode == 0


def disable(testbed, service, cluster="", **more):
    reload(testbed, service, f"{DISABLED}\n{cluster}", **more)
    service.wait_cluster("orders", "disabled")


def start(testbed, service, cluster="", **more):
    configure(testbed, service, cluster, **more)
    write_material(service.material, testbed.authority.certificate, testbed.client("remove"))
    service.start()
    service.wait_cluster("orders", "current")


@pytest.fixture
def disabled(testbed, service):
    """A cluster that has a set, and was disabled afterwards."""
    start(testbed, service)
    disable(testbed, service)
    return service


def record_path(service):
    return service.directory / "state" / "orders.json"


def expect_failure(service, outcome, text):
    """The command fails with the reason, which the status keeps; the record keeps the set."""
    before = service.cluster("orders")["imported_fingerprint"]
    done = service.ctl("remove", "orders")
    assert done.returncode == 1
    assert f"cluster orders: not removed: {outcome}: " in done.stderr and text in done.stderr
    cluster = service.cluster("orders")
    assert cluster["state"] == "disabled" and cluster["imported_fingerprint"] == before
    assert (cluster["removal"]["running"], cluster["removal"]["outcome"]) == (False, outcome)
    assert "the removal of the client material at" in cluster["reason"]
    assert "the client material is not removed: " in service.log()
    assert service.status()["health"] == "ok"  # disabled clusters do not count
    return cluster


def test_the_material_and_the_record_are_removed(testbed, disabled):
    assert testbed.aurora.material() != [] and record_path(disabled).exists()
    done = disabled.ctl("remove", "orders")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "cluster orders: the client material is removed\n"
    assert testbed.aurora.material() == []
    assert not record_path(disabled).exists()
    cluster = disabled.cluster("orders")
    assert cluster["imported_fingerprint"] is None and cluster["outcome"] is None
    assert cluster["removal"] == {"running": False, "outcome": "removed", "sql_errno": None,
                                  "reason": None, "next_step": None}
    assert cluster["reason"].startswith("enabled = no; the client material was removed at ")
    assert "cluster orders: the client material is removed" in disabled.log()
    metrics = disabled.ctl("metrics").stdout
    assert 'binlog_ssld_imports_total{cluster="orders",outcome="imported"} 1' in metrics
    assert 'outcome="removed"' not in metrics
    disabled.kill()
    disabled.start()
    assert disabled.cluster("orders")["removal"] is None
    assert disabled.ctl("remove", "orders").returncode == 0  # once more does no harm


def test_a_cluster_that_is_enabled_again_gets_the_set(testbed, disabled):
    before = len(testbed.aurora.imports())
    done = disabled.ctl("--json", "remove", "orders")
    assert done.returncode == 0
    assert json.loads(done.stdout)["clusters"][0]["removal"]["outcome"] == "removed"
    reload(testbed, disabled, "")
    cluster = disabled.wait_cluster("orders", "current")
    assert cluster["removal"] is None and cluster["imported_fingerprint"]
    assert len(testbed.aurora.imports()) == before + 1
    assert record_path(disabled).exists()


def test_an_enabled_cluster_is_refused_with_all_that_are_named(testbed, service):
    text = configuration(service, testbed.aurora)
    section = text[text.index("[cluster orders]"):]
    service.configure(text + section.replace("orders", "gone") + DISABLED)
    write_material(service.material, testbed.authority.certificate, testbed.client("remove"))
    service.start()
    service.wait_cluster("orders", "current")
    files = testbed.aurora.material()
    done = service.ctl("remove", "gone", "orders")
    assert done.returncode == 1
    assert "cluster orders is enabled" in done.stderr and "enabled = no" in done.stderr
    with service.varlink() as varlink, pytest.raises(VarlinkError) as error:
        varlink.call("Remove", clusters=["gone", "orders"])
    assert error.value.name == "ClusterEnabled"
    assert testbed.aurora.material() == files
    assert service.cluster("gone")["removal"] is None


def test_a_cluster_must_be_named_and_known(testbed, disabled):
    assert disabled.ctl("remove").returncode == 64
    done = disabled.ctl("remove", "none")
    assert done.returncode == 64 and "there is no cluster none" in done.stderr
    with disabled.varlink() as varlink:
        for parameters in ({}, {"clusters": []}, {"clusters": None}, {"clusters": [1]}):
            with pytest.raises(VarlinkError) as error:
                varlink.call("Remove", **parameters)
            assert error.value.name == "org.varlink.service.InvalidParameter"
    assert testbed.aurora.material() != []


def test_a_missing_grant_has_the_grant_statement(testbed, disabled):
    testbed.aurora.sql(f"REVOKE {REMOVE} FROM ssl_importer@'%'")
    try:
        cluster = expect_failure(disabled, "no_privilege", f"GRANT {REMOVE} TO 'ssl_importer'@'%'")
        assert cluster["removal"]["sql_errno"] == 1370
        assert cluster["next_step"].startswith(f"GRANT {REMOVE} TO 'ssl_importer'@'%'")
        status = " ".join(disabled.ctl("status").stdout.split())
        assert f"next: GRANT {REMOVE} TO 'ssl_importer'@'%'" in status
    finally:
        testbed.aurora.sql(f"GRANT {REMOVE} TO ssl_importer@'%'")
    disabled.kill()
    disabled.start()
    assert disabled.cluster("orders")["removal"]["outcome"] == "no_privilege"  # in the record
    assert disabled.ctl("remove", "orders").returncode == 0
    assert not record_path(disabled).exists()


def test_a_server_without_the_procedure_is_no_procedure(testbed, disabled):
    with testbed.aurora.without_procedure("rds_remove_binlog_ssl_material"):
        expect_failure(disabled, "no_procedure",
                       "this server has no mysql.rds_remove_binlog_ssl_material")


def test_a_reader_is_refused(testbed, disabled):
    testbed.aurora.become_reader()
    try:
        expect_failure(disabled, "not_writer", "host must be the cluster endpoint")
    finally:
        testbed.aurora.become_writer()
    assert testbed.aurora.material() != []


def test_an_unreachable_cluster_keeps_the_reason_and_is_not_tried_again(testbed, disabled):
    disable(testbed, disabled, daemon="retry-held = 100ms")
    testbed.aurora.stop()
    try:
        cluster = expect_failure(disabled, "unreachable", "next: ")
        assert cluster["next_attempt"] is None
    finally:
        testbed.aurora.start()
    assert disabled.ctl("reload").returncode == 0
    assert disabled.cluster("orders")["removal"]["outcome"] == "unreachable"
    assert testbed.aurora.material() != []
    assert disabled.ctl("remove", "orders").returncode == 0
    assert testbed.aurora.material() == []


def test_a_connection_that_breaks_in_the_call_is_in_doubt(testbed, service, proxy):
    start(testbed, service, port=proxy.port)
    disable(testbed, service, port=proxy.port)
    proxy.next_faults.append(Fault(testbed.flight(CALL), "answer", "reset"))
    done = service.ctl("remove", "orders")
    assert done.returncode == 1 and "not removed: unknown: " in done.stderr
    assert "repeat binlog-sslctl remove" in done.stderr
    assert service.cluster("orders")["imported_fingerprint"] is None
    before = len(testbed.aurora.imports())
    reload(testbed, service, "", port=proxy.port)
    service.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1


def test_a_daemon_that_is_killed_in_the_call_leaves_the_set_in_doubt(testbed, service, proxy):
    start(testbed, service, port=proxy.port)
    disable(testbed, service, port=proxy.port)
    proxy.next_faults.append(Fault(testbed.flight(CALL), "answer", "silence"))
    with service.varlink() as varlink:
        assert varlink.call("Remove", clusters=["orders"]) == {}
    service.wait(lambda: testbed.aurora.material() == [])
    assert service.cluster("orders")["removal"]["running"] is True
    assert json.loads(record_path(service).read_text())["imported_fingerprint"]
    service.kill()
    service.start()
    cluster = service.cluster("orders")
    assert cluster["imported_fingerprint"] is None
    assert cluster["removal"]["outcome"] == "unknown"
    assert "the service ended before the removal did" in cluster["reason"]
    before = len(testbed.aurora.imports())
    reload(testbed, service, "", port=proxy.port)
    service.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1


def test_a_removal_during_an_import_is_refused(testbed, service):
    testbed.aurora.set_option("slow_seconds", "30")
    configure(testbed, service, "")
    write_material(service.material, testbed.authority.certificate, testbed.client("remove"))
    service.start()
    service.wait(testbed.aurora.in_call)
    reload(testbed, service, DISABLED)
    done = service.ctl("remove", "orders")
    assert done.returncode == 1 and "an import into cluster orders has not ended" in done.stderr
    os.kill(service.pid, signal.SIGTERM)
    os.kill(service.pid, signal.SIGTERM)
    testbed.aurora.end_calls()


def test_a_record_that_cannot_be_written_removes_nothing(testbed, disabled):
    """A directory in the place of the record cannot be replaced, by root either."""
    path = record_path(disabled)
    path.unlink()
    path.mkdir()
    try:
        expect_failure(disabled, "record_failed", "make the state directory writable")
    finally:
        path.rmdir()
    assert testbed.aurora.material() != []


def test_replication_over_tls_is_a_warning(testbed, service):
    testbed.source.require_subject("/CN=remove")
    testbed.aurora.start_replication()
    start(testbed, service, "replication = restart")
    disable(testbed, service, "replication = restart")
    done = service.ctl("remove", "orders")
    assert done.returncode == 0
    assert "warning: replication is active and uses TLS" in done.stderr
    assert "next: CALL mysql.rds_stop_replication" in done.stderr
    assert testbed.aurora.material() == []
    assert "uses TLS" in service.cluster("orders")["reason"]
    testbed.aurora.sql("CALL mysql.rds_stop_replication()")


def test_without_the_right_to_read_the_status_the_material_is_removed(testbed, disabled):
    grant = f"{testbed.aurora.make.status_privilege} ON *.*"
    testbed.aurora.sql(f"REVOKE {grant} FROM ssl_importer@'%'")
    try:
        disable(testbed, disabled, "replication = observe")
        done = disabled.ctl("remove", "orders")
    finally:
        testbed.aurora.sql(f"GRANT {grant} TO ssl_importer@'%'")
    assert done.returncode == 0
    assert "whether replication needs the material is not known" in done.stderr
    assert f"next: GRANT {grant} TO 'ssl_importer'@'%'" in done.stderr


def test_a_recorded_stop_of_replication_stays(testbed, disabled):
    disabled.kill()
    record = json.loads(record_path(disabled).read_text())
    record |= {"stopped_at": 1, "stopped_mode": "restart",
               "stopped_for": record["imported_fingerprint"]}
    record_path(disabled).write_text(json.dumps(record))
    disabled.start()
    assert disabled.ctl("remove", "orders").returncode == 0
    left = json.loads(record_path(disabled).read_text())
    assert left["stopped_at"] == 1 and "imported_fingerprint" not in left
    cluster = disabled.cluster("orders")
    assert "the client material was removed" in cluster["reason"]
    assert "replication was stopped for the import" in cluster["reason"]
    assert "rds_start_replication" in cluster["next_step"]


def states(testbed):
    return [row["state"] for row in
            testbed.aurora.rows(f"SELECT state FROM {LEDGER_TABLE} ORDER BY id")]


def test_the_ledger_forgets_the_set_and_another_daemon_imports_it_again(testbed, service):
    ledger = f"ledger = {LEDGER_TABLE}\n"
    with ledger_created(testbed):
        testbed.services += 1
        other = Service(service.build, testbed.workspace.directory(f"service-{testbed.services}"))
        other.password_file(IMPORT_PASSWORD)
        try:
            start(testbed, service, ledger)
            configure(testbed, other, ledger, daemon="check-interval = 1s")
            for file in service.material.iterdir():
                (other.material / file.name).write_bytes(file.read_bytes())
            other.start()
            assert other.wait_cluster("orders", "current")["outcome"] == "already_current"
            before = len(testbed.aurora.imports())
            disable(testbed, service, ledger)
            assert service.ctl("remove", "orders").returncode == 0
            other.wait(lambda: len(testbed.aurora.imports()) == before + 1)
            assert states(testbed) == ["removed", "imported"]
            assert "the ledger names no completed import" in other.log()
        finally:
            other.kill()


def test_a_refused_removal_leaves_the_row_as_it_was(testbed, service):
    ledger = f"ledger = {LEDGER_TABLE}\n"
    with ledger_created(testbed):
        start(testbed, service, ledger)
        disable(testbed, service, ledger)
        testbed.aurora.sql(f"REVOKE {REMOVE} FROM ssl_importer@'%'")
        expect_failure(service, "no_privilege", "GRANT")
        assert states(testbed) == ["imported"]
        testbed.aurora.sql(f"GRANT {REMOVE} TO ssl_importer@'%'")


def test_a_removal_with_an_unknown_result_leaves_the_row_in_doubt(testbed, service, proxy):
    ledger = f"ledger = {LEDGER_TABLE}\n"
    with ledger_created(testbed):
        start(testbed, service, ledger, port=proxy.port)
        disable(testbed, service, ledger, port=proxy.port)
        # Lock, read and the change of the row are before the CALL.
        proxy.next_faults.append(Fault(testbed.flight(CALL + 3), "answer", "reset"))
        assert service.ctl("remove", "orders").returncode == 1
        assert service.cluster("orders")["removal"]["outcome"] == "unknown"
        assert states(testbed) == ["importing"]
