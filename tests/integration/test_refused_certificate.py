"""A source that refuses the certificate with TLS 1.3 looks like a network that breaks: error 2013.

The I/O thread has no reason of either. A second connect distinguishes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.conftest import configuration, ledger_created
from tests.integration.test_roll_back import replicate_with_the_set, runs, wait_rolled_back
from tests.standin import write_material
from tests.standin.cluster import NAMES, REPLICATION_PASSWORD
from tests.standin.pki import Authority, Pair
from tests.standin.proxy import Fault, Proxy

BOTH_MAKES = True
ROLLBACK = "on-replication-failure = rollback\n"
SET, SET_AUTO, _, SSL = NAMES[3]


@pytest.fixture
def stranger(service) -> Authority:
    """A CA that the source does not know."""
    return Authority(service.directory / "stranger", "CA of somebody else")


@pytest.fixture
def cas(testbed, service, stranger) -> Path:
    path = service.directory / "cas.pem"
    path.write_bytes(testbed.authority.certificate.read_bytes() +
                     stranger.certificate.read_bytes())
    return path


@pytest.fixture(autouse=True)
def replication_afterwards(testbed) -> Iterator[None]:
    """The other tests find replication that is not stopped for an import, and no grants more."""
    testbed.aurora.grant(SET, SET_AUTO, SSL)
    yield
    testbed.aurora.revoke(SET, SET_AUTO, SSL)


def start(testbed, service, cas: Path, mode: str, cluster: str = ROLLBACK,
          pair: Pair | None = None) -> int:
    """Replication runs with a set that the source accepts. Returns the imports so far."""
    file = service.directory / "etc" / "source-password"
    file.write_text(f"{REPLICATION_PASSWORD}\n")
    testbed.source.require_subject("/CN=known")
    service.configure(configuration(
        service, testbed.aurora,
        cluster=f"replication = {mode}\nquery-log = warn\nsource-password-file = {file}\n{cluster}",
        daemon="import-timeout = 30s\ncheck-interval = 200ms\nretry-held = 1h"))
    write_material(service.material, cas, pair or testbed.client("known"))
    testbed.aurora.start_replication()
    service.start()
    service.wait_cluster("orders", "current")
    replicate_with_the_set(testbed, service)
    return len(testbed.aurora.imports())


@pytest.mark.parametrize("mode", ["restart", "repoint"])
def test_it_is_rolled_back(testbed, service, stranger, cas, mode):
    before = start(testbed, service, cas, mode)
    good = service.cluster("orders")["imported_fingerprint"]
    write_material(service.material, cas, stranger.issue_client("known"))
    cluster = wait_rolled_back(service)
    assert "was taken back, since replication failed with it (error 2013: " in cluster["reason"]
    assert "is imported again, and replication runs" in cluster["reason"]
    assert cluster["imported_fingerprint"] == good and cluster["in_use"] is True
    assert runs(testbed.aurora.replication())
    assert len(testbed.aurora.imports()) == before + 2


def test_with_report_the_reason_names_what_it_can_be(testbed, service, stranger, cas):
    before = start(testbed, service, cas, "restart", "")
    write_material(service.material, cas, stranger.issue_client("known"))
    service.wait(lambda: service.cluster("orders")["outcome"] == "replication_failed", 60)
    cluster = service.wait_cluster("orders", "held")
    assert re.match(r"replication does not run: error 20(13|26): ", cluster["reason"])
    assert "(I/O thread Connecting, SQL thread Yes, after a second connect)" in cluster["reason"]
    assert "as one that refuses the client certificate" in cluster["next_step"]
    assert len(testbed.aurora.imports()) == before + 1
    assert "stopped_at" not in service.record("orders")
    assert testbed.aurora.replication()["Replica_SQL_Running"] == "Yes"


def test_the_ledger_has_the_second_stop(testbed, service, stranger, cas):
    with ledger_created(testbed):
        before = start(testbed, service, cas, "restart",
                       f"{ROLLBACK}ledger = binlog_ssl.ledger\n")
        write_material(service.material, cas, stranger.issue_client("known"))
        wait_rolled_back(service)
        rows = testbed.aurora.rows("SELECT * FROM binlog_ssl.ledger")
        assert [row["replication_stopped"] for row in rows] == [None] * len(rows)
        assert len(testbed.aurora.imports()) == before + 2


def test_with_observe_two_checks_find_it_and_heal(testbed, service, stranger, cas):
    """The files may only be lost, so that a heal comes before a roll back."""
    before = start(testbed, service, cas, "observe")
    write_material(service.material, cas, stranger.issue_client("known"))
    service.wait(lambda: len(testbed.aurora.imports()) == before + 1)
    service.wait_cluster("orders", "current")
    testbed.aurora.sql("CALL mysql.rds_stop_replication()")
    testbed.aurora.sql("CALL mysql.rds_start_replication()")
    service.wait(lambda: "replication fails with TLS (error 2013)" in service.log())
    service.wait(lambda: len(testbed.aurora.imports()) == before + 2)


@contextmanager
def source_behind_proxy(testbed) -> Iterator[Proxy]:
    """The I/O thread retries after a minute, so that it is not its own retry which connects."""
    aurora = testbed.aurora
    with Proxy(testbed.source.port) as proxy:
        aurora.sql("STOP REPLICA")
        aurora.follow(testbed.source, port=proxy.port)
        aurora.retry_connect_after(60)
        try:
            yield proxy
        finally:
            aurora.sql("STOP REPLICA")
            aurora.follow(testbed.source)


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("flight", [1, 2, 3])
def test_a_connection_that_breaks_once_is_no_refusal(testbed, service, cas, flight, how):
    with source_behind_proxy(testbed) as proxy:
        before = start(testbed, service, cas, "restart")
        proxy.next_faults.append(Fault(flight, "answer", how))
        known = len(proxy.connections)
        write_material(service.material, cas, testbed.client("known"))
        service.wait(lambda: len(testbed.aurora.imports()) == before + 1)
        cluster = service.wait_cluster("orders", "current", 60)
        assert (cluster["outcome"], cluster["in_use"]) == ("imported", True)
        assert runs(testbed.aurora.replication())
        assert len(testbed.aurora.imports()) == before + 1
        assert len(proxy.connections) >= known + 2
        assert not proxy.next_faults
        assert "stopped_at" not in service.record("orders")
        service.kill()


def test_what_a_person_stops_before_the_second_connect_stays_stopped(testbed, service, cas):
    with source_behind_proxy(testbed) as proxy:
        before = start(testbed, service, cas, "restart")
        proxy.next_faults.append(Fault(2, "answer", "reset"))
        write_material(service.material, cas, testbed.client("known"))
        testbed.aurora.wait_for_replication(lambda status: status["Last_IO_Errno"] != "0")
        testbed.aurora.sql("STOP REPLICA")
        service.wait(lambda: "is stopped, not by binlog-ssld, and stays stopped" in
                     service.ctl("status", "--json").stdout)
        assert service.wait_cluster("orders", "current")["outcome"] == "imported"
        status = testbed.aurora.replication()
        assert (status["Replica_IO_Running"], status["Replica_SQL_Running"]) == ("No", "No")
        assert service.cluster("orders")["replication"]["stopped_by_us"] is False
        assert "stopped_at" not in service.record("orders")
        assert len(testbed.aurora.imports()) == before + 1
        service.kill()


def test_a_current_cluster_that_fails_with_it_is_healed_once(testbed, service, stranger, cas):
    """The source no longer accepts the CA of the set."""
    source, pair = testbed.source, stranger.issue_client("known")
    trusted = testbed.authority.certificate.read_bytes()
    source.private_file("client-ca.pem", cas.read_bytes())
    source.sql(source.make.reload_tls)
    try:
        before = start(testbed, service, cas, "restart", "", pair)
    finally:
        source.private_file("client-ca.pem", trusted)
        source.sql(source.make.reload_tls)
    source.end_dumps()
    service.wait(lambda: service.log().count("is imported once more") == 1)
    service.wait(lambda: service.cluster("orders")["outcome"] == "replication_failed")
    assert "(error 2013)" in service.log()
    assert len(testbed.aurora.imports()) == before + 1
