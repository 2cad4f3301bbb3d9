"""rollout = canary: one of three replicas of a source proves a new set before the others get it."""

from __future__ import annotations

import json
import time

import pytest

from tests.integration.conftest import both_makes, configuration
from tests.standin import Aurora, Authority, write_material

CANARY = "orders"
OTHERS = ("logs", "users")
NAMES = (CANARY, *OTHERS)
HOLD = "canary-hold = 2s"
# Long enough for what a test does meanwhile.
LONG = "canary-hold = 1h"


def runs(status: dict) -> bool:
    return (status["Replica_IO_Running"], status["Replica_SQL_Running"]) == ("Yes", "Yes")


@pytest.fixture(scope="module")
def replicas(testbed):
    """By the names of their clusters; the testbed's own is the canary."""
    authority = Authority(testbed.workspace.path / "canary-ca", "Third CA")
    made = {CANARY: testbed.aurora}
    for number, name in enumerate(OTHERS, 3):
        aurora = Aurora(testbed.workspace, authority, name, (f"--server-id={number}",))
        aurora.start()
        aurora.prepare()
        aurora.sql("CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY, text TEXT)")
        aurora.follow(testbed.source)
        made[name] = aurora
    yield made
    for name in OTHERS:
        made[name].stop()


@pytest.fixture(autouse=True)
def replicating(replicas):
    """A person has started replication: an import restarts only what is not stopped."""
    for replica in replicas.values():
        replica.start_replication()


def configure(service, replicas, *, daemon: str = "rollout = canary\n" + HOLD,
              keys: dict[str, str] | None = None) -> None:
    keys = {CANARY: "canary = yes", **(keys or {})}
    text = configuration(service, replicas[CANARY], cluster="replication = restart\n" + keys[CANARY],
                         daemon=f"import-timeout = 4s\nretry-held = 1h\n{daemon}")
    for name in OTHERS:
        text += f"""[cluster {name}]
host = localhost
port = {replicas[name].port}
user = ssl_importer
password-file = {service.directory / 'etc' / 'password'}
server-ca = {replicas[name].ca}
replication = restart
{keys.get(name, '')}
"""
    service.configure(text)


def reload(service, replicas, **more) -> None:
    configure(service, replicas, **more)
    assert service.ctl("reload").returncode == 0


def write(testbed, service, subject: str = "canary") -> str:
    """Puts a new set on disk and returns its fingerprint."""
    before = service.status()["materials"][0]["fingerprint"]
    write_material(service.material, testbed.authority.certificate, testbed.client(subject))
    service.wait(lambda: service.status()["materials"][0]["state"] == "valid"
                 and service.status()["materials"][0]["fingerprint"] != before)
    return service.status()["materials"][0]["fingerprint"]


def rollout(service) -> dict:
    """Empty without a wave: before the first inspection, and with rollout = parallel."""
    return service.status()["materials"][0]["rollout"] or {}


def wait_rollout(service, state: str) -> dict:
    service.wait(lambda: rollout(service).get("state") == state)
    return rollout(service)


def wait_hold(service) -> dict:
    """The canary replicates with the set on disk, and has not proven it."""
    service.wait(lambda: rollout(service).get("state") == "holding"
                 and rollout(service)["since"] is not None)
    return rollout(service)


def counts(replicas) -> dict[str, int]:
    return {name: len(aurora.imports()) for name, aurora in replicas.items()}


def more(before: dict[str, int], replicas) -> dict[str, int]:
    return {name: n - before[name] for name, n in counts(replicas).items()}


def expect_old_set(service, replicas, old: str, names: tuple[str, ...] = OTHERS) -> None:
    for name in names:
        cluster = service.wait_cluster(name, "waiting")
        assert cluster["imported_fingerprint"] == old
        assert cluster["out_of_sync_since"] is not None
        assert runs(replicas[name].replication())


@pytest.fixture
def old(testbed, service, replicas):
    """All three replicate with a set that is proven, whose fingerprint this is."""
    testbed.source.require_subject("/CN=canary")
    configure(service, replicas)
    write_material(service.material, testbed.authority.certificate, testbed.client("canary"))
    service.start()
    for name in NAMES:
        service.wait_cluster(name, "current")
    for aurora in replicas.values():
        aurora.wait_for_replication(runs)
    assert wait_rollout(service, "open")["waiting"] == 0
    yield service.status()["materials"][0]["fingerprint"]
    service.kill()
    for aurora in replicas.values():
        aurora.reset_options()
        aurora.sql("STOP REPLICA")


def test_the_first_set_goes_to_the_canary_first(service, replicas, old):
    log = service.log()
    assert log.index("cluster orders: set") < log.index("is proven; the clusters")
    assert log.index("is proven; the clusters") < log.index("cluster logs: set")
    assert log.index("is proven; the clusters") < log.index("cluster users: set")
    assert f"the canary {CANARY} replicates with set {old[:12]}" in log


@both_makes
def test_a_good_set_reaches_the_others_after_the_hold(testbed, service, replicas, old):
    reload(service, replicas, daemon="rollout = canary\n" + LONG)
    before = counts(replicas)
    new = write(testbed, service)
    wave = wait_hold(service)
    assert (wave["canary"], wave["waiting"]) == (CANARY, 2)
    assert wave["since"] < wave["until"]
    assert service.wait_cluster(CANARY, "current")["imported_fingerprint"] == new
    expect_old_set(service, replicas, old)
    assert f"the canary {CANARY} is proving the set (" in service.cluster("users")["reason"]
    assert "by itself" in service.cluster("users")["next_step"]
    assert more(before, replicas) == {CANARY: 1, "logs": 0, "users": 0}
    metrics = service.ctl("metrics").stdout
    assert 'binlog_ssld_rollout_canary{material="default",cluster="orders"} 1' in metrics
    assert 'binlog_ssld_rollout_waiting_clusters{material="default"} 2' in metrics
    assert 'binlog_ssld_rollout_stopped{material="default"} 0' in metrics
    assert f"the canary {CANARY} is proving the set" in service.ctl("status").stdout
    reload(service, replicas)
    for name in NAMES:
        service.wait_cluster(name, "current")
    assert wait_rollout(service, "open") == {
        "canary": CANARY, "state": "open", "reason": None, "since": None, "until": None,
        "waiting": 0}
    assert more(before, replicas) == dict.fromkeys(NAMES, 1)
    assert service.log().count(f"set {new[:12]} is proven") == 1
    for aurora in replicas.values():
        aurora.wait_for_replication(runs)


@both_makes
def test_a_set_that_the_source_refuses_stops_at_the_canary(testbed, service, replicas, old):
    before = counts(replicas)
    bad = write(testbed, service, "refused")
    cluster = service.wait_cluster(CANARY, "held")
    assert cluster["outcome"] == "replication_failed"
    wave = wait_rollout(service, "stopped")
    assert wave["waiting"] == 2
    assert wave["reason"].startswith(f"the canary {CANARY} failed: replication_failed: ")
    expect_old_set(service, replicas, old)
    assert service.cluster("logs")["reason"].startswith(wave["reason"] + "; the cluster keeps set ")
    status = service.status()
    assert status["health"] == "critical"
    assert "the rollout of material default is stopped" in status["summary"]
    assert 'binlog_ssld_rollout_stopped{material="default"} 1' in service.ctl("metrics").stdout
    assert service.log().count(f"the rollout of set {bad[:12]} is stopped") == 1
    assert "rollout: stopped: " in service.ctl("status").stdout
    testbed.source.sql("REPLACE INTO app.t VALUES (7001, 'with the old set')")
    for name in OTHERS:
        assert replicas[name].wait_for_row(7001) == "with the old set"
    assert more(before, replicas) == {CANARY: 1, "logs": 0, "users": 0}

    service.kill()
    service.start()
    wait_rollout(service, "stopped")
    expect_old_set(service, replicas, old)
    assert more(before, replicas) == {CANARY: 1, "logs": 0, "users": 0}

    good = write(testbed, service)
    for name in NAMES:
        assert service.wait_cluster(name, "current")["imported_fingerprint"] == good
    for aurora in replicas.values():
        aurora.wait_for_replication(runs)
    assert more(before, replicas) == {CANARY: 2, "logs": 1, "users": 1}


def stop_canary_in_hold(testbed, service, replicas) -> str:
    """A person stops replication of the canary in its hold."""
    new = write(testbed, service)
    wait_hold(service)
    replicas[CANARY].sql("STOP REPLICA")
    assert service.ctl("import").returncode == 0  # a check now
    assert wait_rollout(service, "stopped")["reason"] == (
        f"the canary {CANARY} failed: replication is stopped")
    return new


def test_a_fault_in_the_hold_stays_until_an_operator_begins_anew(testbed, service, replicas, old):
    reload(service, replicas, daemon="rollout = canary\n" + LONG)
    before = counts(replicas)
    stop_canary_in_hold(testbed, service, replicas)
    replicas[CANARY].sql("CALL mysql.rds_start_replication()")
    replicas[CANARY].wait_for_replication(runs)
    reload(service, replicas)
    service.wait(lambda: service.cluster(CANARY)["replication"]["io_running"] == "Yes")
    assert service.ctl("import").returncode == 0
    service.kill()
    service.start()
    service.wait(lambda: service.cluster(CANARY)["replication"] is not None)
    assert rollout(service)["state"] == "stopped"
    assert more(before, replicas) == {CANARY: 1, "logs": 0, "users": 0}
    assert service.ctl("import", CANARY).returncode == 0
    for name in NAMES:
        service.wait_cluster(name, "current")
    assert more(before, replicas) == dict.fromkeys(NAMES, 1)


def test_a_cluster_that_is_named_gets_the_set_by_hand(testbed, service, replicas, old):
    reload(service, replicas, daemon="rollout = canary\n" + LONG)
    before = counts(replicas)
    new = stop_canary_in_hold(testbed, service, replicas)
    expect_old_set(service, replicas, old)
    assert service.ctl("import", "--force").returncode == 0
    service.wait_cluster(CANARY, "current")
    assert more(before, replicas) == {CANARY: 2, "logs": 0, "users": 0}
    done = service.ctl("import", "--wait", "users")
    assert done.returncode == 0, done.stderr
    assert service.cluster("users")["imported_fingerprint"] == new
    expect_old_set(service, replicas, old, ("logs",))
    assert rollout(service)["waiting"] == 1
    assert more(before, replicas) == {CANARY: 2, "logs": 0, "users": 1}


def test_what_was_let_in_by_hand_is_retried_after_a_restart(testbed, service, replicas, old):
    reload(service, replicas, daemon="rollout = canary\n" + LONG)
    write(testbed, service)
    wait_hold(service)
    replicas["users"].set_option("fail_at", "import")
    assert service.ctl("import", "users").returncode == 0
    service.wait_cluster("users", "held")
    service.kill()
    replicas["users"].set_option("fail_at", "")
    service.start()
    service.wait_cluster("users", "current")
    service.wait_cluster("logs", "waiting")


@both_makes
def test_a_daemon_that_is_killed_in_the_hold_resumes(testbed, service, replicas, old):
    reload(service, replicas, daemon="rollout = canary\ncanary-hold = 5s")
    before = counts(replicas)
    new = write(testbed, service)
    begun = wait_hold(service)["since"]
    service.wait(lambda: json.loads((service.directory / "state" / "orders.json").read_text())
                 .get("proof_held", 0) > 0)
    service.kill()
    service.start()
    assert wait_hold(service)["since"] == begun
    expect_old_set(service, replicas, old)
    assert more(before, replicas) == {CANARY: 1, "logs": 0, "users": 0}
    for name in NAMES:
        assert service.wait_cluster(name, "current")["imported_fingerprint"] == new
    assert more(before, replicas) == dict.fromkeys(NAMES, 1)
    record = service.record(CANARY)
    assert record["proof_proven"] is True and record["proof_held"] >= 5_000_000


def test_a_set_that_comes_in_the_hold_waits_for_its_end(testbed, service, replicas, old):
    reload(service, replicas, daemon="rollout = canary\n" + LONG)
    before = counts(replicas)
    first = write(testbed, service)
    wait_hold(service)
    second = write(testbed, service)
    cluster = service.wait_cluster(CANARY, "waiting")
    assert cluster["imported_fingerprint"] == first
    assert f"set {first[:12]} is still being proven" in cluster["reason"]
    assert rollout(service)["waiting"] == 3
    reload(service, replicas)
    for name in NAMES:
        assert service.wait_cluster(name, "current")["imported_fingerprint"] == second
    assert more(before, replicas) == {CANARY: 2, "logs": 1, "users": 1}


def test_another_canary_begins_its_own_proof(testbed, service, replicas, old):
    """The canary is disabled in its hold; the first by name is logs."""
    reload(service, replicas, daemon="rollout = canary\n" + LONG)
    before = counts(replicas)
    new = write(testbed, service)
    wait_hold(service)
    reload(service, replicas, daemon="rollout = canary\n" + LONG,
           keys={CANARY: "canary = yes\nenabled = no"})
    service.wait_cluster("logs", "current")
    assert wait_hold(service)["canary"] == "logs"
    assert rollout(service)["waiting"] == 1
    expect_old_set(service, replicas, old, ("users",))
    assert more(before, replicas) == {CANARY: 1, "logs": 1, "users": 0}
    reload(service, replicas, keys={CANARY: "canary = yes\nenabled = no"})
    assert service.wait_cluster("users", "current")["imported_fingerprint"] == new


def test_with_parallel_nobody_waits_any_more(testbed, service, replicas, old):
    reload(service, replicas, daemon="rollout = canary\n" + LONG)
    new = write(testbed, service)
    wait_hold(service)
    reload(service, replicas, daemon="rollout = parallel\n" + LONG)
    for name in OTHERS:
        assert service.wait_cluster(name, "current")["imported_fingerprint"] == new
    assert rollout(service) == {}


def test_once_ends_in_the_hold_and_a_later_run_goes_on(testbed, service, replicas, old):
    before = counts(replicas)
    assert service.stop() == 0
    write_material(service.material, testbed.authority.certificate, testbed.client("canary"))
    assert service.run("--once").returncode == 1
    assert more(before, replicas) == {CANARY: 1, "logs": 0, "users": 0}
    end = time.monotonic() + 60
    while service.run("--once").returncode != 0:
        assert time.monotonic() < end
    assert more(before, replicas) == dict.fromkeys(NAMES, 1)
