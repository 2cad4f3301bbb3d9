"""The periodic check of a current cluster, every check-interval, and its results."""

from __future__ import annotations

import pytest

from tests.integration.conftest import both_makes, configuration
from tests.standin import write_material
from tests.standin.proxy import Fault, Proxy

SOON = "check-interval = 200ms"


def quiet(service, aurora, **more) -> str:
    """A configuration of which no poll wakes the daemon within a test."""
    text = configuration(service, aurora, **more)
    assert "poll-interval = 500ms" in text
    return text.replace("poll-interval = 500ms", "poll-interval = 1h")


def start(testbed, service, pair, **more):
    service.configure(configuration(service, testbed.aurora, **{"daemon": SOON, **more}))
    write_material(service.material, testbed.authority.certificate, pair)
    service.start()
    return service.wait_cluster("orders", "current")


@pytest.fixture
def replicating(testbed, service):
    """The cluster is current and its replication runs."""
    pair = testbed.client("checked")
    testbed.source.require_subject(pair.subject)
    testbed.aurora.start_replication()
    start(testbed, service, pair, cluster="replication = restart")
    service.wait(lambda: service.cluster("orders")["replication"]["io_running"] == "Yes")
    return pair


@both_makes
def test_broken_replication_and_its_recovery_are_reported(testbed, service, replicating):
    before = len(testbed.aurora.imports())
    testbed.source.require_subject("/CN=somebody else")
    service.wait(lambda: service.cluster("orders")["replication"]["io_errno"] == 1045)
    cluster = service.cluster("orders")
    assert cluster["state"] == "current"
    assert cluster["replication"]["io_running"] == "Connecting"
    assert "replication I/O thread" in cluster["reason"]
    assert service.ctl("status").returncode == 2
    testbed.source.require_subject(replicating.subject)
    service.wait(lambda: service.cluster("orders")["replication"]["io_running"] == "Yes")
    assert service.cluster("orders")["reason"] is None
    assert service.ctl("status").returncode == 0
    log = service.log()
    assert log.count("replication does not run") == 1
    assert log.count(", without an error") == 1
    assert len(testbed.aurora.imports()) == before


def test_metrics_show_whether_replication_runs(testbed, service, replicating):
    def running() -> str:
        line = 'binlog_ssld_cluster_replication_running{cluster="orders"} '
        return service.ctl("metrics").stdout.partition(line)[2][:1]

    assert running() == "1"
    testbed.source.require_subject("/CN=somebody else")
    service.wait(lambda: running() == "0")


def test_a_cluster_that_does_not_answer_stays_current_with_a_reason(testbed, service):
    pair = testbed.client("checked")
    testbed.source.require_subject(pair.subject)
    testbed.aurora.start_replication()
    with Proxy(testbed.aurora.port) as proxy:
        start(testbed, service, pair, port=proxy.port, cluster="replication = restart")
        before = len(testbed.aurora.imports())
        proxy.refuse()
        service.wait(lambda: service.cluster("orders")["reason"] is not None)
        cluster = service.cluster("orders")
        assert cluster["state"] == "current" and cluster["outcome"] == "imported"
        assert cluster["reason"].startswith("the check failed: ")
        assert cluster["next_step"]
        assert service.ctl("status").returncode == 1
        metrics = service.ctl("metrics").stdout
        assert 'cluster_current{cluster="orders"} 1' in metrics
        assert 'imports_total{cluster="orders",outcome="imported"} 1' in metrics
        assert 'outcome="unreachable"' not in metrics
        proxy.listen()
        service.wait(lambda: service.cluster("orders")["reason"] is None)
    log = service.log()
    failures = [line for line in log.splitlines() if "the check failed" in line]
    assert failures and len(set(failures)) == len(failures)  # each reason once
    assert log.count("the check succeeds again") == 1
    assert len(testbed.aurora.imports()) == before


@both_makes
def test_a_missing_grant_for_the_check_is_named(testbed, service):
    grant = f"{testbed.aurora.make.status_privilege} ON *.*"
    testbed.aurora.sql(f"REVOKE {grant} FROM ssl_importer@'%'")
    try:
        start(testbed, service, testbed.client("checked"))
        service.wait(lambda: service.cluster("orders")["reason"] is not None)
        cluster = service.cluster("orders")
    finally:
        testbed.aurora.sql(f"GRANT {grant} TO ssl_importer@'%'")
    assert cluster["state"] == "current"
    assert cluster["next_step"] == (f"GRANT {grant} TO 'ssl_importer'@'%'; "
                                    "or set replication = ignore")
    service.wait(lambda: service.cluster("orders")["replication"] is not None)


def test_imports_do_not_wait_for_the_checks_of_clusters_that_hang(testbed, service):
    """Two import slots, and two clusters whose checks hang: the third still gets its new set."""
    with Proxy(testbed.aurora.port) as proxy:
        text = configuration(service, testbed.aurora, daemon=SOON + "\nparallel-imports = 2")
        hanging = text[text.index("[cluster orders]"):].replace(
            f"port = {testbed.aurora.port}", f"port = {proxy.port}")
        material = str(service.directory / "other")
        write_material(service.directory / "other", testbed.authority.certificate,
                       testbed.client("other"))
        text += "".join(hanging.replace("orders", f"hang{n}") + "material = other\n"
                        for n in range(2))
        service.configure(text + f"[material other]\ndirectory = {material}\n")
        write_material(service.material, testbed.authority.certificate, testbed.client("first"))
        service.start()
        for name in ("orders", "hang0", "hang1"):
            service.wait_cluster(name, "current")
        before, asked = len(testbed.aurora.imports()), len(proxy.connections)
        proxy.fault = Fault(1, "request", "silence")
        service.wait(lambda: len(proxy.connections) >= asked + 2)
        write_material(service.material, testbed.authority.certificate, testbed.client("second"))
        service.wait(lambda: len(testbed.aurora.imports()) == before + 1, 8)


@both_makes
def test_after_a_restart_the_status_of_replication_is_read_without_an_import(testbed, service,
                                                                             replicating):
    before = len(testbed.aurora.imports())
    service.stop()
    service.start()
    service.wait(lambda: service.cluster("orders")["replication"] is not None)
    assert service.cluster("orders")["replication"]["io_running"] == "Yes"
    assert len(testbed.aurora.imports()) == before


def test_a_new_set_does_not_wait_for_a_check_that_hangs(testbed, service):
    with Proxy(testbed.aurora.port) as proxy:
        start(testbed, service, testbed.client("checked"), port=proxy.port)
        before = len(testbed.aurora.imports())
        asked = len(proxy.connections)
        proxy.fault = Fault(1, "request", "silence")
        service.wait(lambda: len(proxy.connections) > asked)
        proxy.fault = None
        write_material(service.material, testbed.authority.certificate, testbed.client("new"))
        # A check may take many seconds; a hanging check is aborted immediately.
        service.wait(lambda: len(testbed.aurora.imports()) == before + 1, 5)
        service.wait_cluster("orders", "current")


def test_with_replication_ignore_there_is_no_check(testbed, service):
    with Proxy(testbed.aurora.port) as proxy:
        start(testbed, service, testbed.client("checked"), port=proxy.port,
              cluster="replication = ignore")
        asked = len(proxy.connections)
        checked = service.status()["materials"][0]["last_check"]
        service.wait(lambda: service.status()["materials"][0]["last_check"] > checked + 1_500_000)
        assert len(proxy.connections) == asked


def test_nothing_but_its_time_is_needed_for_a_check(testbed, service):
    with Proxy(testbed.aurora.port) as proxy:
        service.configure(quiet(service, testbed.aurora, port=proxy.port, daemon=SOON))
        write_material(service.material, testbed.authority.certificate, testbed.client("alone"))
        service.start()
        service.wait(lambda: len(proxy.connections) >= 5)  # the import, and four checks


def test_checks_that_wait_for_their_turn_follow_each_other(testbed, service):
    """One slot and three current clusters, each of which is checked once after the start."""
    text = quiet(service, testbed.aurora, daemon="check-interval = 1h\nparallel-imports = 1")
    cluster = text[text.index("[cluster orders]"):]
    names = ["orders", "users", "items"]
    service.configure(text + "".join(cluster.replace("orders", name) for name in names[1:]))
    write_material(service.material, testbed.authority.certificate, testbed.client("turns"))
    service.start()
    for name in names:
        service.wait_cluster(name, "current")
    assert service.stop() == 0
    service.start()
    service.wait(lambda: all(service.cluster(name)["replication"] for name in names))


def test_once_ends_when_the_check_of_a_current_cluster_has_ended(testbed, service):
    """The time limit of the run is far below the next poll."""
    service.configure(quiet(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate, testbed.client("once"))
    for _ in range(2):
        assert service.run("--once").returncode == 0


def test_a_check_that_changes_nothing_is_no_event_of_a_subscription(testbed, service):
    with Proxy(testbed.aurora.port) as proxy:
        start(testbed, service, testbed.client("subscribed"), port=proxy.port)
        with service.varlink() as varlink:
            events = varlink.subscribe()
            while next(events)["event"] != "ready":
                pass
            asked = len(proxy.connections)
            service.wait(lambda: len(proxy.connections) >= asked + 3)
            assert service.ctl("reload").returncode == 0
            assert next(events)["event"] == "reloaded"


def test_once_ends_when_each_cluster_had_its_turn(testbed, service):
    """Each import takes longer than the back-off: at any time one is due again."""
    with Proxy(testbed.aurora.port) as proxy:
        proxy.fault = Fault(1, "request", "silence")
        text = quiet(service, testbed.aurora, port=proxy.port, retry=("10ms", "10ms"),
                     daemon="parallel-imports = 1\nimport-timeout = 1s")
        cluster = text[text.index("[cluster orders]"):]
        service.configure(text + cluster.replace("orders", "users"))
        write_material(service.material, testbed.authority.certificate, testbed.client("dead"))
        done = service.run("--once")
        assert done.returncode == 1
        assert len(proxy.connections) == 2
        assert "cluster orders" in done.stderr and "cluster users" in done.stderr


def test_replication_that_a_person_stops_is_an_event_of_a_subscription(testbed, service, replicating):
    with service.varlink() as varlink:
        events = varlink.subscribe()
        while next(events)["event"] != "ready":
            pass
        testbed.aurora.sql("CALL mysql.rds_stop_replication")
        try:
            event = next(events)
        finally:
            testbed.aurora.sql("CALL mysql.rds_start_replication")
    assert event["event"] == "changed"
    assert event["cluster"]["replication"]["io_running"] == "No"


def test_an_import_replaces_the_metrics_file_and_a_check_that_changes_nothing_does_not(testbed, service):
    path = service.directory / "checks.prom"
    with Proxy(testbed.aurora.port) as proxy:
        def wait_for_checks(n: int) -> None:
            asked = len(proxy.connections)
            service.wait(lambda: len(proxy.connections) >= asked + n)

        service.configure(quiet(service, testbed.aurora, port=proxy.port,
                                daemon=f"{SOON}\nmetrics-file = {path}"))
        write_material(service.material, testbed.authority.certificate, testbed.client("file"))
        service.start()
        service.wait_cluster("orders", "current")
        wait_for_checks(10)  # the last change is in the file a second later
        assert 'cluster_current{cluster="orders"} 1' in path.read_text()
        written = path.stat().st_mtime_ns
        wait_for_checks(10)
        assert path.stat().st_mtime_ns == written
        assert service.ctl("import", "--force", "orders").returncode == 0
        service.wait(lambda: 'cluster="orders",outcome="imported"} 2' in path.read_text())
