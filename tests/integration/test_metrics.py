"""The metrics of a running daemon, as Prometheus reads them."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material
from tests.standin.server import free_port

# All metrics and their types; a histogram has three names of samples.
TYPES = {
    "build_info": "gauge",
    "config_last_reload_successful": "gauge",
    "material_not_after_timestamp_seconds": "gauge",
    "material_expiry_warning_timestamp_seconds": "gauge",
    "material_valid": "gauge",
    "watch_missed_total": "counter",
    "watch_active": "gauge",
    "watch_restarts_total": "counter",
    "file_system_responding": "gauge",
    "last_check_timestamp_seconds": "gauge",
    "rollout_canary": "gauge",
    "rollout_waiting_clusters": "gauge",
    "rollout_stopped": "gauge",
    "cluster_current": "gauge",
    "cluster_imported_timestamp_seconds": "gauge",
    "cluster_imported_not_after_timestamp_seconds": "gauge",
    "cluster_imported_expiry_warning_timestamp_seconds": "gauge",
    "cluster_out_of_sync_since_timestamp_seconds": "gauge",
    "cluster_last_outcome": "gauge",
    "cluster_replication_running": "gauge",
    "cluster_replication_stopped_by_person": "gauge",
    "cluster_replication_lag_seconds": "gauge",
    "cluster_replication_tls": "gauge",
    "cluster_replication_last_check_timestamp_seconds": "gauge",
    "cluster_set_waits_for_start": "gauge",
    "cluster_replication_stopped": "gauge",
    "imports_total": "counter",
    "import_duration_seconds": "histogram",
}
Samples = dict[str, float]


def get_metrics(service) -> str:
    with service.varlink() as varlink:
        return varlink.call("GetMetrics")["text"]


def samples(service) -> Samples:
    """Returns all samples by name and labels, without the prefix; each must occur once only."""
    found: Samples = {}
    for line in get_metrics(service).splitlines():
        if line.startswith("#"):
            continue
        name, value = re.fullmatch(r"binlog_ssld_(\w+(?:{[^}]*})?) (\S+)", line).groups()
        assert name not in found
        found[name] = float(value)
    return found


def lint(text: str) -> None:
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                          text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def counters(found: Samples) -> Samples:
    return {name: value for name, value in found.items()
            if re.match(r"\w+_(total|bucket|count|sum)\b", name)}


def second(text: str) -> str:
    """Adds a second cluster, users, on a port where no server listens."""
    cluster = text[text.index("[cluster orders]"):].replace("orders", "users")
    return text + re.sub(r"port = \d+", f"port = {free_port()}", cluster)


@pytest.fixture
def current(testbed, service):
    service.configure(configuration(service, testbed.aurora, cluster="replication = observe",
                                    daemon="rollout = canary\ncanary-hold = 0s"))
    write_material(service.material, testbed.authority.certificate, testbed.client("metrics"))
    service.start()
    service.wait_cluster("orders", "current")
    return service


def test_promtool_accepts_the_metrics_and_every_name_is_present(testbed, current):
    text = get_metrics(current)
    lint(text)
    types = re.findall(r"^# TYPE binlog_ssld_(\w+) (\w+)$", text, re.M)
    assert len(types) == len(TYPES) and dict(types) == TYPES
    helps = re.findall(r"^# HELP binlog_ssld_(\w+) \S", text, re.M)
    assert helps == [name for name, _ in types]
    named = {re.match(r"\w+", name)[0] for name in samples(current)}
    histogram = {f"import_duration_seconds_{part}" for part in ("bucket", "sum", "count")}
    # A replica that does not run has no lag.
    assert named | {"cluster_replication_lag_seconds"} == (TYPES.keys() | histogram) - {
        "import_duration_seconds"}


def test_promtool_accepts_the_metrics_before_the_first_import(testbed, service):
    service.configure(configuration(service, testbed.aurora))
    service.start()
    service.wait_material("missing")
    lint(get_metrics(service))
    found = samples(service)
    assert found['material_valid{material="default"}'] == 0
    assert found['cluster_current{cluster="orders"}'] == 0
    assert not any("not_after" in name or "imports_total" in name for name in found)
    assert found["import_duration_seconds_count"] == 0


def test_a_successful_import_has_its_times(testbed, current):
    found = samples(current)
    status = current.status()
    material, cluster = status["materials"][0], status["clusters"][0]
    assert found['cluster_current{cluster="orders"}'] == 1
    assert found['cluster_out_of_sync_since_timestamp_seconds{cluster="orders"}'] == 0
    assert found['cluster_imported_timestamp_seconds{cluster="orders"}'] == pytest.approx(
        cluster["imported_at"] / 1e6)
    not_after = material["certificate"]["not_after"] / 1e6
    assert found['material_not_after_timestamp_seconds{material="default",file="cert"}'] \
        == found['cluster_imported_not_after_timestamp_seconds{cluster="orders"}'] == not_after
    assert found['material_not_after_timestamp_seconds{material="default",file="ca"}'] \
        == material["ca_not_after"] / 1e6
    warning = not_after - 30 * 86400
    assert found['material_expiry_warning_timestamp_seconds{material="default",file="cert"}'] \
        == found['cluster_imported_expiry_warning_timestamp_seconds{cluster="orders"}'] == warning
    assert found['material_valid{material="default"}'] == 1
    assert found['watch_active{material="default"}'] == 1
    assert found['cluster_replication_running{cluster="orders"}'] in (0, 1)
    assert [name for name in found if name.startswith("imports_total")] \
        == ['imports_total{cluster="orders",outcome="imported"}']
    assert found["import_duration_seconds_count"] == 1
    assert 0 < found["import_duration_seconds_sum"] < 60


def test_each_poll_updates_the_last_check(current):
    name = 'last_check_timestamp_seconds{material="default"}'
    before = samples(current)[name]
    current.wait(lambda: samples(current)[name] > before)


def test_a_failure_keeps_the_values_of_the_last_import(testbed, current):
    imported = samples(current)['cluster_imported_timestamp_seconds{cluster="orders"}']
    testbed.aurora.set_option("fail_at", "import")
    write_material(current.material, testbed.authority.certificate, testbed.client("rejected"))
    current.wait_cluster("orders", "held")
    found = samples(current)
    lint(get_metrics(current))
    assert found['imports_total{cluster="orders",outcome="rejected"}'] == 1
    assert found['imports_total{cluster="orders",outcome="imported"}'] == 1
    assert found['cluster_current{cluster="orders"}'] == 0
    assert found['cluster_imported_timestamp_seconds{cluster="orders"}'] == imported
    assert found['cluster_out_of_sync_since_timestamp_seconds{cluster="orders"}'] > imported
    assert found["import_duration_seconds_count"] == 2


def test_an_invalid_set_does_not_make_a_cluster_out_of_sync(current):
    (current.material / "client-key.pem").write_text("nothing\n")
    current.wait_material("invalid")
    found = samples(current)
    assert found['material_valid{material="default"}'] == 0
    assert found['cluster_out_of_sync_since_timestamp_seconds{cluster="orders"}'] == 0


def test_counters_never_decrease_and_buckets_are_cumulative(testbed, current):
    current.configure(second(configuration(current, testbed.aurora)))
    with current.varlink() as varlink:
        varlink.call("Reload")
    seen = counters(samples(current))
    for name in ("first", "then"):
        write_material(current.material, testbed.authority.certificate, testbed.client(name))
        tries = 'imports_total{cluster="users",outcome="unreachable"}'
        before = seen.get(tries, 0)
        current.wait(lambda: samples(current).get(tries, 0) > before + 2)
        now = counters(samples(current))
        assert all(now[name] >= value for name, value in seen.items())
        seen = now
        buckets = [value for name, value in now.items() if "_bucket" in name]
        assert buckets == sorted(buckets) and len(buckets) == 11
        assert buckets[-1] == now["import_duration_seconds_count"] == sum(
            value for name, value in now.items() if name.startswith("imports_total"))


def test_a_removed_cluster_has_no_metrics(testbed, current):
    with current.varlink() as varlink:
        current.configure(second(configuration(current, testbed.aurora)))
        varlink.call("Reload")
        users = 'imports_total{cluster="users",outcome="unreachable"}'
        current.wait(lambda: users in samples(current))
        attempts = samples(current)["import_duration_seconds_count"]
        current.configure(configuration(current, testbed.aurora))
        varlink.call("Reload")
    current.wait(lambda: current.importers() == [])
    text = get_metrics(current)
    lint(text)
    assert "users" not in text
    found = samples(current)
    assert found["import_duration_seconds_count"] >= attempts
    assert found['imports_total{cluster="orders",outcome="imported"}'] == 1


def test_the_metrics_file_equals_the_answer_of_the_socket(testbed, current):
    path = current.directory / "binlog-ssld.prom"
    current.configure(configuration(current, testbed.aurora, daemon=f"metrics-file = {path}"))
    with current.varlink() as varlink:
        varlink.call("Reload")
    current.wait(path.exists)
    lint(path.read_text())
    labels = {re.sub(r" \S+$", "", line) for line in path.read_text().splitlines()}
    assert labels == {re.sub(r" \S+$", "", line) for line in get_metrics(current).splitlines()}


def test_the_metrics_file_is_written_again_when_its_directory_is_there(testbed, current):
    path = current.directory / "textfile" / "binlog-ssld.prom"
    current.configure(configuration(current, testbed.aurora, daemon=f"metrics-file = {path}"))
    with current.varlink() as varlink:
        varlink.call("Reload")
    current.wait(lambda: f"metrics file {path} cannot be written: No such file" in current.log())
    path.parent.mkdir()
    current.wait(lambda: f"metrics file {path} is written again" in current.log())
    lint(path.read_text())
    assert current.log().count("cannot be written") == 1
