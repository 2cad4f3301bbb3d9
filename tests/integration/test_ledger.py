"""The ledger on the cluster: several daemons, clusters that were restored, importers that died."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.proxy import Fault, Proxy
from tests.standin.service import Service

SQL = Path(__file__).parents[2] / "conf" / "ledger.sql"
TABLE = "binlog_ssl.ledger"
LEDGER = f"ledger = {TABLE}\n"
CALL = 8  # its flight, counted from the connect: TLS, login, look, lock, read, begin, prepare


@pytest.fixture(autouse=True)
def ledger(house):
    """As the shipped file creates it, empty."""
    house.aurora.sql(SQL.read_text())
    yield
    house.aurora.sql("DROP DATABASE binlog_ssl;"
                     f"REVOKE SELECT, INSERT, UPDATE ON {TABLE} FROM ssl_importer@'%'")


@pytest.fixture
def other(house, service):
    """A second daemon, on a host of its own as far as anybody can tell."""
    house.services += 1
    other = Service(service.build, house.workspace.directory(f"service-{house.services}"))
    other.password_file(IMPORT_PASSWORD)
    yield other
    other.kill()


def rows(house):
    return [(row["state"], row["fingerprint"]) for row in
            house.aurora.rows(f"SELECT state, fingerprint FROM {TABLE} ORDER BY id")]


def imports(house):
    return len(house.aurora.imports())


def start(house, service, pair, cluster=LEDGER, **more):
    service.configure(configuration(service, house.aurora, cluster=cluster, **more))
    write_material(service.material, house.authority.certificate, pair)
    service.start()


def dated(house, name, begin):
    """A client's certificate whose time began so many seconds ago."""
    return house.client(name, valid=(-begin, 86400))


def test_an_import_has_one_row_that_tells_who_and_when(house, service):
    start(house, service, house.client("ledger"))
    fingerprint = service.wait_cluster("orders", "current")["imported_fingerprint"]
    (row,) = house.aurora.rows(f"SELECT *, started_at <= imported_at AS in_order FROM {TABLE}")
    assert (row["state"], row["fingerprint"]) == ("imported", fingerprint)
    assert row["account"] == "ssl_importer@%" and row["daemon"] and row["in_order"] == "1"
    assert row["not_before"] < row["not_after"]


def test_a_second_daemon_finds_the_set_there(house, service, other):
    pair, before = house.client("ledger"), imports(house)
    start(house, service, pair)
    first = service.wait_cluster("orders", "current")
    start(house, other, pair)
    second = other.wait_cluster("orders", "current")
    assert second["outcome"] == "already_current"
    assert second["imported_fingerprint"] == first["imported_fingerprint"]
    assert abs(second["imported_at"] - first["imported_at"]) < 5_000_000
    assert "is there already, as its ledger says" in other.log()
    assert imports(house) == before + 1 and len(rows(house)) == 1


def test_a_lost_record_is_found_again_in_the_ledger(house, service):
    pair, before = house.client("ledger"), imports(house)
    start(house, service, pair)
    service.wait_cluster("orders", "current")
    service.stop()
    (service.directory / "state" / "orders.json").unlink()
    service.start()
    assert service.wait_cluster("orders", "current")["outcome"] == "already_current"
    assert imports(house) == before + 1


def test_a_connection_that_breaks_after_the_call_costs_one_more_import(house, service):
    before = imports(house)
    with Proxy(house.aurora.port) as proxy:
        proxy.next_faults.append(Fault(CALL, "answer", "reset"))
        start(house, service, house.client("ledger"), port=proxy.port,
              retry=("2s", "2s"))
        assert service.wait_cluster("orders", "retrying")["outcome"] == "unknown"
        assert [state for state, _ in rows(house)] == ["importing"]
        service.wait_cluster("orders", "current")
    assert imports(house) == before + 2
    assert [state for state, _ in rows(house)] == ["imported"]  # the same row


def test_a_row_that_was_not_completed_is_repaired_by_another_daemon(house, service, other):
    pair, before = house.client("ledger"), imports(house)
    with Proxy(house.aurora.port) as proxy:
        proxy.next_faults.append(Fault(CALL, "answer", "reset"))
        start(house, service, pair, port=proxy.port, retry=("1h", "1h"))
        service.wait_cluster("orders", "retrying")
        start(house, other, pair)
        assert other.wait_cluster("orders", "current")["outcome"] == "imported"
        service.ctl("import")
        assert service.wait_cluster("orders", "current")["outcome"] == "already_current"
    assert imports(house) == before + 2


def test_a_restored_cluster_is_found_and_brought_up_to_date(house, service):
    old, new = dated(house, "old", 2000), dated(house, "new", 1000)
    start(house, service, old, daemon="check-interval = 200ms")
    service.wait_cluster("orders", "current")
    house.aurora.sql(f"CREATE TABLE binlog_ssl.snapshot AS SELECT * FROM {TABLE}")
    write_material(service.material, house.authority.certificate, new)
    service.wait(lambda: len(rows(house)) == 2 and rows(house)[1][0] == "imported")
    before = imports(house)
    house.aurora.sql(f"DELETE FROM {TABLE}; INSERT INTO {TABLE} SELECT * FROM binlog_ssl.snapshot")
    service.wait(lambda: imports(house) == before + 1)
    service.wait_cluster("orders", "current")
    assert "its ledger names set" in service.log()
    assert [state for state, _ in rows(house)] == ["imported", "imported"]
    # And then there is peace.
    checks = house.aurora.sql("SHOW GLOBAL STATUS LIKE 'Connections'")[0][1]
    service.wait(lambda: int(house.aurora.sql("SHOW GLOBAL STATUS LIKE 'Connections'")[0][1])
                 > int(checks) + 60)
    assert imports(house) == before + 1


def test_a_lagging_host_does_not_take_the_cluster_back(house, service, other):
    old, new = dated(house, "lag-old", 2000), dated(house, "lag-new", 1000)
    start(house, service, new)
    current = service.wait_cluster("orders", "current")["imported_fingerprint"]
    before = imports(house)
    start(house, other, old)
    late = other.wait_cluster("orders", "retrying")
    assert late["outcome"] == "superseded"
    assert late["imported_fingerprint"] == current and late["out_of_sync_since"]
    assert "has brought a newer set here" in late["reason"]
    assert "binlog-sslctl import --force" in late["next_step"]
    assert other.ctl("status").returncode == 1
    write_material(other.material, house.authority.certificate, new)
    assert other.wait_cluster("orders", "current")["imported_fingerprint"] == current
    assert imports(house) == before


def test_an_operator_takes_the_cluster_back_by_force(house, service):
    old, new = dated(house, "back-old", 2000), dated(house, "back-new", 1000)
    start(house, service, old)
    first = service.wait_cluster("orders", "current")["imported_fingerprint"]
    write_material(service.material, house.authority.certificate, new)
    service.wait(lambda: service.cluster("orders")["imported_fingerprint"] != first)
    service.wait_cluster("orders", "current")
    before = imports(house)
    write_material(service.material, house.authority.certificate, old)
    service.wait_cluster("orders", "retrying")
    assert imports(house) == before
    assert service.ctl("import", "--force", "--wait").returncode == 0
    assert service.cluster("orders")["imported_fingerprint"] == first
    assert imports(house) == before + 1


def test_a_set_that_was_refused_does_not_stand_in_the_way_of_the_one_before(house, service):
    old, new = dated(house, "refused-old", 2000), dated(house, "refused-new", 1000)
    start(house, service, old)
    service.wait_cluster("orders", "current")
    before = imports(house)
    house.aurora.set_option("fail_at", "import")
    write_material(service.material, house.authority.certificate, new)
    assert service.wait_cluster("orders", "held")["outcome"] == "rejected"
    assert [state for state, _ in rows(house)] == ["imported", "failed"]
    service.ctl("import")
    service.wait(lambda: service.cluster("orders")["attempts"] == 2)
    assert [state for state, _ in rows(house)] == ["imported", "failed"]  # no third
    house.aurora.set_option("fail_at", "")
    write_material(service.material, house.authority.certificate, old)
    service.wait_cluster("orders", "current")
    assert imports(house) == before


@pytest.mark.parametrize("lost", ["SELECT", "INSERT", "UPDATE"])
def test_a_missing_grant_is_found_before_the_call(house, service, lost):
    house.aurora.sql(f"REVOKE {lost} ON {TABLE} FROM ssl_importer@'%'")
    before = imports(house)
    try:
        start(house, service, house.client("ledger"))
        cluster = service.wait_cluster("orders", "held")
        assert (cluster["outcome"], cluster["sql_errno"] in (1142, 1143)) == ("no_privilege", True)
        assert cluster["next_step"] == (f"GRANT SELECT, INSERT, UPDATE ON {TABLE} TO "
                                        "'ssl_importer'@'%'")
        assert imports(house) == before and rows(house) == []
    finally:
        house.aurora.sql(f"GRANT {lost} ON {TABLE} TO ssl_importer@'%'")
    assert service.ctl("import", "--wait").returncode == 0


def test_a_cluster_that_is_read_only_keeps_the_ledger_from_being_written(house, service):
    before = imports(house)
    house.aurora.sql("SET GLOBAL read_only = 1")
    try:
        start(house, service, house.client("ledger"))
        cluster = service.wait_cluster("orders", "held")
    finally:
        house.aurora.sql("SET GLOBAL read_only = 0")
    assert (cluster["outcome"], cluster["sql_errno"]) == ("no_privilege", 1290)
    assert cluster["next_step"].startswith(f"read_only = ON keeps this user from writing {TABLE}")
    assert imports(house) == before and rows(house) == []
    assert service.ctl("import", "--wait").returncode == 0


def test_an_import_that_was_not_begun_leaves_no_doubt(house, service):
    """Replication could not be stopped: there was no CALL, and the row says so."""
    pair = house.client("ledger-stop")
    house.source.demand(pair.subject)
    start(house, service, pair, cluster=LEDGER + "replication = restart")
    service.wait_cluster("orders", "current")
    house.aurora.set_option("fail_at", "stop")
    write_material(service.material, house.authority.certificate,
                   dated(house, "ledger-stop", 0))
    assert service.wait_cluster("orders", "held")["outcome"] == "replication_failed"
    assert [state for state, _ in rows(house)] == ["imported", "failed"]


def check(house, service, **more):
    """What --check-clusters says of the cluster "orders"."""
    service.configure(configuration(service, house.aurora, **more))
    done = service.run("--check-clusters", "--json")
    return done.returncode, json.loads(done.stdout)["clusters"][0]


def test_a_survey_tells_what_the_ledger_says_and_writes_nothing(house, service):
    status, cluster = check(house, service, cluster=LEDGER)
    assert status == 0
    assert cluster["ledger"] == {"table": TABLE, "usable": True, "fingerprint": None,
                                 "daemon": None, "imported_at": None}
    start(house, service, house.client("ledger"))
    current = service.wait_cluster("orders", "current")
    before = house.aurora.rows(f"SELECT * FROM {TABLE}")
    status, cluster = check(house, service, cluster=LEDGER)
    assert status == 0
    assert cluster["ledger"]["fingerprint"] == current["imported_fingerprint"]
    assert abs(cluster["ledger"]["imported_at"] - current["imported_at"]) < 5_000_000
    assert f"ledger: {TABLE}: set {current['imported_fingerprint'][:12]}, imported by" in \
        " ".join(service.run("--check-clusters").stdout.split())
    assert house.aurora.rows(f"SELECT * FROM {TABLE}") == before


@pytest.mark.parametrize("lost", ["SELECT", "INSERT", "UPDATE"])
def test_a_survey_finds_a_missing_grant(house, service, lost):
    house.aurora.sql(f"REVOKE {lost} ON {TABLE} FROM ssl_importer@'%'")
    try:
        status, cluster = check(house, service, cluster=LEDGER)
    finally:
        house.aurora.sql(f"GRANT {lost} ON {TABLE} TO ssl_importer@'%'")
    assert status == 1 and cluster["ledger"]["usable"] is False
    (finding,) = cluster["findings"]
    assert finding["next"] == f"GRANT SELECT, INSERT, UPDATE ON {TABLE} TO 'ssl_importer'@'%'"


def test_a_missing_table_says_what_to_create(house, service):
    before = imports(house)
    house.aurora.sql(f"GRANT SELECT ON binlog_ssl.* TO ssl_importer@'%'")
    try:
        start(house, service, house.client("ledger"), cluster="ledger = binlog_ssl.other")
        cluster = service.wait_cluster("orders", "held")
    finally:
        house.aurora.sql("REVOKE SELECT ON binlog_ssl.* FROM ssl_importer@'%'")
    assert cluster["sql_errno"] == 1146 and "binlog_ssl.other" in cluster["reason"]
    assert "create the table binlog_ssl.other" in cluster["next_step"]
    assert imports(house) == before


def test_who_holds_the_lock_is_waited_for_and_not_for_ever(house, service):
    before = imports(house)
    with house.aurora.locked("binlog-ssld"):
        start(house, service, house.client("ledger"), daemon="import-timeout = 3s")
        cluster = service.wait_cluster("orders", "retrying")
        assert cluster["outcome"] == "timed_out" and "holds the lock" in cluster["reason"]
        assert imports(house) == before
    service.wait_cluster("orders", "current")
    assert imports(house) == before + 1


def test_replication_that_a_dead_importer_left_stopped_is_started(house, service, other):
    """It stopped replication, imported, and died before it could start it again."""
    pair = house.client("ledger-restart")
    house.source.demand(pair.subject)
    start(house, service, pair)
    service.wait_cluster("orders", "current")
    service.stop()
    if house.aurora.replication()["Slave_IO_Running"] != "No":
        house.aurora.sql("CALL mysql.rds_stop_replication")
    start(house, other, pair, cluster=LEDGER + "replication = restart")
    cluster = other.wait_cluster("orders", "current")
    assert cluster["outcome"] == "already_current" and cluster["in_use"] is True
    assert house.aurora.replication()["Slave_IO_Running"] == "Yes"


def test_once_asks_the_ledger(house, service):
    pair, before = house.client("ledger"), imports(house)
    service.configure(configuration(service, house.aurora, cluster=LEDGER))
    write_material(service.material, house.authority.certificate, pair)
    assert service.run("--once").returncode == 0
    house.aurora.sql(f"DELETE FROM {TABLE}")
    assert service.run("--once").returncode == 0
    assert imports(house) == before + 2
    record = json.loads((service.directory / "state" / "orders.json").read_text())
    assert record["imported_fingerprint"] == rows(house)[0][1]
