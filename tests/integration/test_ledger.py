"""The ledger on the cluster: several daemons, restored clusters, importers that died."""

from __future__ import annotations

import json

import pytest

from tests.integration.conftest import LEDGER_TABLE as TABLE
from tests.integration.conftest import configuration, ledger_created
from tests.standin import write_material
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.proxy import Fault, Proxy
from tests.standin.service import Service

BOTH_MAKES = True

LEDGER = f"ledger = {TABLE}\n"
CALL = 8  # its flight, after TLS, login, variables, lock, read, begin, prepare


@pytest.fixture(autouse=True)
def ledger(testbed):
    with ledger_created(testbed):
        yield


@pytest.fixture
def other(testbed, service):
    """A second daemon with its own configuration, material and records."""
    testbed.services += 1
    other = Service(service.build, testbed.workspace.directory(f"service-{testbed.services}"))
    other.password_file(IMPORT_PASSWORD)
    yield other
    other.kill()


def rows(testbed):
    return [(row["state"], row["fingerprint"]) for row in
            testbed.aurora.rows(f"SELECT state, fingerprint FROM {TABLE} ORDER BY id")]


def stops(testbed):
    """The states of the rows for which replication is stopped."""
    return [state for state, in
            testbed.aurora.sql(f"SELECT state FROM {TABLE} WHERE replication_stopped IS NOT NULL")]


def imports(testbed):
    return len(testbed.aurora.imports())


def start(testbed, service, pair, cluster=LEDGER, **more):
    service.configure(configuration(service, testbed.aurora, cluster=cluster, **more))
    write_material(service.material, testbed.authority.certificate, pair)
    service.start()


def dated(testbed, name, begin):
    """A client certificate whose notBefore is so many seconds ago."""
    return testbed.client(name, valid=(-begin, 86400))


def test_an_import_has_one_row_with_account_daemon_and_times(testbed, service):
    start(testbed, service, testbed.client("ledger"))
    fingerprint = service.wait_cluster("orders", "current")["imported_fingerprint"]
    (row,) = testbed.aurora.rows(f"SELECT *, started_at <= imported_at AS in_order FROM {TABLE}")
    assert (row["state"], row["fingerprint"]) == ("imported", fingerprint)
    assert row["account"] == "ssl_importer@%" and row["daemon"] and row["in_order"] == "1"
    assert row["not_before"] < row["not_after"]


def test_a_second_daemon_does_not_import_the_same_set(testbed, service, other):
    pair, before = testbed.client("ledger"), imports(testbed)
    start(testbed, service, pair)
    first = service.wait_cluster("orders", "current")
    start(testbed, other, pair)
    second = other.wait_cluster("orders", "current")
    assert second["outcome"] == "already_current"
    assert second["imported_fingerprint"] == first["imported_fingerprint"]
    assert abs(second["imported_at"] - first["imported_at"]) < 60_000_000
    assert "is imported already, according to the ledger" in other.log()
    assert imports(testbed) == before + 1 and len(rows(testbed)) == 1


def test_a_lost_record_is_restored_from_the_ledger(testbed, service):
    pair, before = testbed.client("ledger"), imports(testbed)
    start(testbed, service, pair)
    service.wait_cluster("orders", "current")
    service.stop()
    (service.directory / "state" / "orders.json").unlink()
    service.start()
    assert service.wait_cluster("orders", "current")["outcome"] == "already_current"
    assert imports(testbed) == before + 1


def test_a_connection_that_breaks_after_the_call_costs_one_more_import(testbed, service):
    before = imports(testbed)
    with Proxy(testbed.aurora.port) as proxy:
        proxy.next_faults.append(Fault(testbed.flight(CALL), "answer", "reset"))
        start(testbed, service, testbed.client("ledger"), port=proxy.port,
              retry=("2s", "2s"))
        assert service.wait_cluster("orders", "retrying")["outcome"] == "unknown"
        assert [state for state, _ in rows(testbed)] == ["importing"]
        service.wait_cluster("orders", "current")
    assert imports(testbed) == before + 2
    assert [state for state, _ in rows(testbed)] == ["imported"]  # the same row


def test_an_incomplete_row_is_completed_by_another_daemon(testbed, service, other):
    pair, before = testbed.client("ledger"), imports(testbed)
    with Proxy(testbed.aurora.port) as proxy:
        proxy.next_faults.append(Fault(testbed.flight(CALL), "answer", "reset"))
        start(testbed, service, pair, port=proxy.port, retry=("1h", "1h"))
        service.wait_cluster("orders", "retrying")
        start(testbed, other, pair)
        assert other.wait_cluster("orders", "current")["outcome"] == "imported"
        service.ctl("import")
        assert service.wait_cluster("orders", "current")["outcome"] == "already_current"
    assert imports(testbed) == before + 2


def test_a_restored_cluster_is_found_and_brought_up_to_date(testbed, service):
    old, new = dated(testbed, "old", 2000), dated(testbed, "new", 1000)
    start(testbed, service, old, daemon="check-interval = 200ms")
    service.wait_cluster("orders", "current")
    testbed.aurora.sql(f"CREATE TABLE binlog_ssl.snapshot AS SELECT * FROM {TABLE}")
    write_material(service.material, testbed.authority.certificate, new)
    service.wait(lambda: len(rows(testbed)) == 2 and rows(testbed)[1][0] == "imported")
    before = imports(testbed)
    testbed.aurora.sql(f"DELETE FROM {TABLE};"
                       f"INSERT INTO {TABLE} SELECT * FROM binlog_ssl.snapshot")
    service.wait(lambda: imports(testbed) == before + 1)
    service.wait_cluster("orders", "current")
    assert "the ledger names set" in service.log()
    assert [state for state, _ in rows(testbed)] == ["imported", "imported"]
    # No further import follows.
    checks = testbed.aurora.sql("SHOW GLOBAL STATUS LIKE 'Connections'")[0][1]
    service.wait(lambda: int(testbed.aurora.sql("SHOW GLOBAL STATUS LIKE 'Connections'")[0][1])
                 > int(checks) + 60)
    assert imports(testbed) == before + 1


def test_a_host_with_an_older_set_does_not_import_it(testbed, service, other):
    old, new = dated(testbed, "lag-old", 2000), dated(testbed, "lag-new", 1000)
    start(testbed, service, new)
    current = service.wait_cluster("orders", "current")["imported_fingerprint"]
    before = imports(testbed)
    start(testbed, other, old)
    late = other.wait_cluster("orders", "retrying")
    assert late["outcome"] == "superseded"
    assert late["imported_fingerprint"] == current and late["out_of_sync_since"]
    assert "has brought a newer set here" in late["reason"]
    assert "binlog-sslctl import --force" in late["next_step"]
    assert other.ctl("status").returncode == 1
    write_material(other.material, testbed.authority.certificate, new)
    assert other.wait_cluster("orders", "current")["imported_fingerprint"] == current
    assert imports(testbed) == before


def test_import_force_imports_an_older_set(testbed, service):
    old, new = dated(testbed, "back-old", 2000), dated(testbed, "back-new", 1000)
    start(testbed, service, old)
    first = service.wait_cluster("orders", "current")["imported_fingerprint"]
    write_material(service.material, testbed.authority.certificate, new)
    service.wait(lambda: service.cluster("orders")["imported_fingerprint"] != first)
    service.wait_cluster("orders", "current")
    before = imports(testbed)
    write_material(service.material, testbed.authority.certificate, old)
    service.wait_cluster("orders", "retrying")
    assert imports(testbed) == before
    assert service.ctl("import", "--force", "--wait").returncode == 0
    assert service.cluster("orders")["imported_fingerprint"] == first
    assert imports(testbed) == before + 1


def test_a_refused_set_does_not_supersede_the_one_before(testbed, service):
    old, new = dated(testbed, "refused-old", 2000), dated(testbed, "refused-new", 1000)
    start(testbed, service, old)
    service.wait_cluster("orders", "current")
    before = imports(testbed)
    testbed.aurora.set_option("fail_at", "import")
    write_material(service.material, testbed.authority.certificate, new)
    assert service.wait_cluster("orders", "held")["outcome"] == "rejected"
    assert [state for state, _ in rows(testbed)] == ["imported", "failed"]
    service.ctl("import")
    service.wait(lambda: service.cluster("orders")["attempts"] == 2)
    assert [state for state, _ in rows(testbed)] == ["imported", "failed"]  # no third row
    testbed.aurora.set_option("fail_at", "")
    write_material(service.material, testbed.authority.certificate, old)
    service.wait_cluster("orders", "current")
    assert imports(testbed) == before


@pytest.mark.parametrize("lost", ["SELECT", "INSERT", "UPDATE"])
def test_a_missing_grant_is_found_before_the_call(testbed, service, lost):
    testbed.aurora.sql(f"REVOKE {lost} ON {TABLE} FROM ssl_importer@'%'")
    before = imports(testbed)
    try:
        start(testbed, service, testbed.client("ledger"))
        cluster = service.wait_cluster("orders", "held")
        assert (cluster["outcome"], cluster["sql_errno"] in (1142, 1143)) == ("no_privilege", True)
        assert cluster["next_step"] == (f"GRANT SELECT, INSERT, UPDATE ON {TABLE} TO "
                                        "'ssl_importer'@'%'")
        assert imports(testbed) == before and rows(testbed) == []
    finally:
        testbed.aurora.sql(f"GRANT {lost} ON {TABLE} TO ssl_importer@'%'")
    assert service.ctl("import", "--wait").returncode == 0


def test_a_row_that_cannot_be_completed_is_a_warning(testbed, service):
    before = imports(testbed)
    testbed.aurora.set_option("slow_seconds", "2")
    try:
        start(testbed, service, testbed.client("ledger"))
        service.wait(testbed.aurora.in_call)
        testbed.aurora.sql(f"REVOKE UPDATE ON {TABLE} FROM ssl_importer@'%'")
        service.wait(lambda: imports(testbed) == before + 1)
        service.wait(lambda: service.cluster("orders")["outcome"] == "imported")
        assert service.cluster("orders")["import_warning"].startswith(
            f"ledger {TABLE} could not be completed, so the set is imported again: ")
        assert [state for state, _ in rows(testbed)] == ["importing"]
    finally:
        testbed.aurora.set_option("slow_seconds", "0")
        testbed.aurora.sql(f"GRANT UPDATE ON {TABLE} TO ssl_importer@'%'")
    assert service.ctl("import", "--wait").returncode == 0


def test_a_read_only_cluster_cannot_write_its_ledger(testbed, service):
    before = imports(testbed)
    testbed.aurora.sql("SET GLOBAL read_only = 1")
    try:
        start(testbed, service, testbed.client("ledger"))
        cluster = service.wait_cluster("orders", "held")
    finally:
        testbed.aurora.sql("SET GLOBAL read_only = 0")
    assert (cluster["outcome"], cluster["sql_errno"]) == ("no_privilege", 1290)
    assert cluster["next_step"].startswith(f"read_only = ON keeps this user from writing {TABLE}")
    assert imports(testbed) == before and rows(testbed) == []
    assert service.ctl("import", "--wait").returncode == 0


def test_without_a_call_the_row_is_failed(testbed, service):
    """Replication could not be stopped, so that there was no CALL."""
    pair = testbed.client("ledger-stop")
    testbed.source.require_subject(pair.subject)
    testbed.aurora.start_replication()
    start(testbed, service, pair, cluster=LEDGER + "replication = restart")
    service.wait_cluster("orders", "current")
    testbed.aurora.set_option("fail_at", "stop")
    write_material(service.material, testbed.authority.certificate,
                   dated(testbed, "ledger-stop", 0))
    assert service.wait_cluster("orders", "held")["outcome"] == "replication_failed"
    assert [state for state, _ in rows(testbed)] == ["imported", "failed"]


def check(testbed, service, **more):
    """Returns exit status and result of --check-clusters for the cluster "orders"."""
    service.configure(configuration(service, testbed.aurora, **more))
    done = service.run("--check-clusters", "--json")
    return done.returncode, json.loads(done.stdout)["clusters"][0]


def test_check_clusters_reads_the_ledger_and_writes_nothing(testbed, service):
    status, cluster = check(testbed, service, cluster=LEDGER)
    assert status == 0
    assert cluster["ledger"] == {"table": TABLE, "usable": True, "fingerprint": None,
                                 "daemon": None, "imported_at": None}
    start(testbed, service, testbed.client("ledger"))
    current = service.wait_cluster("orders", "current")
    before = testbed.aurora.rows(f"SELECT * FROM {TABLE}")
    status, cluster = check(testbed, service, cluster=LEDGER)
    assert status == 0
    assert cluster["ledger"]["fingerprint"] == current["imported_fingerprint"]
    assert abs(cluster["ledger"]["imported_at"] - current["imported_at"]) < 5_000_000
    assert f"ledger: {TABLE}: set {current['imported_fingerprint'][:12]}, imported by" in \
        " ".join(service.run("--check-clusters").stdout.split())
    assert testbed.aurora.rows(f"SELECT * FROM {TABLE}") == before


@pytest.mark.parametrize("lost", ["SELECT", "INSERT", "UPDATE"])
def test_check_clusters_finds_a_missing_grant(testbed, service, lost):
    testbed.aurora.sql(f"REVOKE {lost} ON {TABLE} FROM ssl_importer@'%'")
    try:
        status, cluster = check(testbed, service, cluster=LEDGER)
    finally:
        testbed.aurora.sql(f"GRANT {lost} ON {TABLE} TO ssl_importer@'%'")
    assert status == 1 and cluster["ledger"]["usable"] is False
    (finding,) = cluster["findings"]
    assert finding["next"] == f"GRANT SELECT, INSERT, UPDATE ON {TABLE} TO 'ssl_importer'@'%'"


def test_a_missing_table_is_named_in_the_next_step(testbed, service):
    before = imports(testbed)
    testbed.aurora.sql(f"GRANT SELECT ON binlog_ssl.* TO ssl_importer@'%'")
    try:
        start(testbed, service, testbed.client("ledger"), cluster="ledger = binlog_ssl.other")
        cluster = service.wait_cluster("orders", "held")
    finally:
        testbed.aurora.sql("REVOKE SELECT ON binlog_ssl.* FROM ssl_importer@'%'")
    assert cluster["sql_errno"] == 1146 and "binlog_ssl.other" in cluster["reason"]
    assert "create the table binlog_ssl.other" in cluster["next_step"]
    assert imports(testbed) == before


def test_waiting_for_the_lock_ends_at_the_deadline(testbed, service):
    before = imports(testbed)
    with testbed.aurora.locked("binlog-ssld"):
        start(testbed, service, testbed.client("ledger"), daemon="import-timeout = 3s")
        cluster = service.wait_cluster("orders", "retrying")
        assert cluster["outcome"] == "timed_out" and "holds the lock" in cluster["reason"]
        assert imports(testbed) == before
    service.wait_cluster("orders", "current")
    assert imports(testbed) == before + 1


def test_replication_that_a_dead_importer_left_stopped_is_started(testbed, service, other):
    """It stopped replication, imported, and died before it could start replication."""
    pair = testbed.client("ledger-restart")
    testbed.source.require_subject(pair.subject)
    testbed.aurora.start_replication()
    testbed.aurora.set_option("fail_at", "start")
    start(testbed, service, pair, cluster=LEDGER + "replication = restart",
          daemon="retry-held = 1h", retry=("1h", "1h"))
    service.wait_cluster("orders", "held")
    service.kill()
    assert stops(testbed) == ["imported"]
    testbed.aurora.set_option("fail_at", "")
    start(testbed, other, pair, cluster=LEDGER + "replication = restart")
    cluster = other.wait_cluster("orders", "current")
    assert cluster["outcome"] == "already_current" and cluster["in_use"] is True
    assert testbed.aurora.replication()["Replica_IO_Running"] == "Yes"
    assert stops(testbed) == []


def test_a_daemon_that_is_current_starts_what_a_dead_one_has_stopped(testbed, service, other):
    """Its check finds the stop, which no import is going to end: the set is in the ledger."""
    pair = testbed.client("ledger-check")
    testbed.source.require_subject(pair.subject)
    testbed.aurora.start_replication()
    restart = LEDGER + "replication = restart"
    start(testbed, service, pair, cluster=restart, retry=("1h", "1h"))
    service.wait_cluster("orders", "current")
    # It may find the stop, and try the start in vain, before fail_at is over.
    start(testbed, other, pair, cluster=restart, daemon="check-interval = 200ms\nretry-held = 1s")
    other.wait_cluster("orders", "current")
    testbed.aurora.set_option("fail_at", "start")
    assert service.ctl("import", "--force", "--wait", "orders").returncode == 1
    service.kill()
    # Its check finds the stop; or, during the import of the other, a set that is not imported.
    other.wait(lambda: other.cluster("orders")["replication"]["stopped_by_us"] or
               other.cluster("orders")["outcome"] == "replication_failed")
    testbed.aurora.set_option("fail_at", "")
    before = imports(testbed)
    other.wait(lambda: stops(testbed) == [])
    other.wait(lambda: other.cluster("orders")["replication"]["io_running"] == "Yes")
    assert imports(testbed) == before
    assert other.cluster("orders")["state"] == "current"


def test_the_stop_of_an_import_that_runs_is_left_to_it(testbed, service, other):
    pair = testbed.client("ledger-runs")
    testbed.source.require_subject(pair.subject)
    testbed.aurora.start_replication()
    restart = LEDGER + "replication = restart"
    start(testbed, other, pair, cluster=restart, daemon="check-interval = 200ms")
    other.wait_cluster("orders", "current")
    start(testbed, service, pair, cluster=restart, daemon="import-timeout = 20s")
    service.wait_cluster("orders", "current")
    testbed.aurora.set_option("slow_seconds", "3")
    assert service.ctl("import", "--force", "orders").returncode == 0
    other.wait(lambda: testbed.aurora.in_call())
    while testbed.aurora.in_call():
        replication = other.cluster("orders")["replication"]
        assert (replication["io_running"], replication["stopped_by_us"]) == ("Yes", False)
    service.wait(lambda: stops(testbed) == [])
    other.wait(lambda: other.cluster("orders")["replication"]["io_running"] == "Yes")


def test_once_reads_the_ledger(testbed, service):
    pair, before = testbed.client("ledger"), imports(testbed)
    service.configure(configuration(service, testbed.aurora, cluster=LEDGER))
    write_material(service.material, testbed.authority.certificate, pair)
    assert service.run("--once").returncode == 0
    testbed.aurora.sql(f"DELETE FROM {TABLE}")
    assert service.run("--once").returncode == 0
    assert imports(testbed) == before + 2
    record = json.loads((service.directory / "state" / "orders.json").read_text())
    assert record["imported_fingerprint"] == rows(testbed)[0][1]
