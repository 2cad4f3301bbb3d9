"""The last attempts of a cluster: what was tried when and with which result, also over restarts."""

import json

import pytest

from tests.integration.conftest import configuration
from tests.integration.test_ctl import ctl
from tests.standin import write_material
from tests.standin.server import free_port

NO_CHECKS = "replication = ignore"  # their results would be entries as well


@pytest.fixture
def current(testbed, service):
    service.configure(configuration(service, testbed.aurora, cluster=NO_CHECKS))
    write_material(service.material, testbed.authority.certificate, testbed.client("history"))
    service.start()
    service.wait_cluster("orders", "current")
    return service


def entries(service) -> list[dict]:
    with service.varlink() as varlink:
        clusters = varlink.call("GetHistory", clusters=["orders"])["clusters"]
    assert [cluster["name"] for cluster in clusters] == ["orders"]
    return clusters[0]["entries"]


def test_it_names_set_trigger_and_result(testbed, current):
    ctl(current, "import", "--force", "--wait")
    testbed.aurora.set_option("fail_at", "import")
    ctl(current, "import", "--force", "--wait")
    failed, forced, first = entries(current)
    fingerprint = current.cluster("orders")["imported_fingerprint"]
    assert [entry["fingerprint"] for entry in (failed, forced, first)] == [fingerprint] * 3
    assert [(entry["action"], entry["trigger"], entry["outcome"]) for entry in (
        failed, forced, first)] == [("import", "command", "rejected"),
                                    ("import", "command", "imported"),
                                    ("import", "rotation", "imported")]
    assert "could not be imported" in failed["reason"] and failed["sql_errno"] == 1644
    assert failed["at"] >= forced["at"] >= first["at"]
    assert failed["duration"] > 0 and first["reason"] is None


def test_retries_are_one_entry_and_stay_over_a_restart(testbed, current):
    current.stop()
    current.configure(configuration(current, testbed.aurora, cluster=NO_CHECKS,
                                    port=free_port()))
    current.start()
    current.wait(lambda: entries(current)[0]["count"] > 2)
    before = entries(current)
    assert [entry["outcome"] for entry in before] == ["unreachable", "imported"]
    current.stop()
    record = json.loads((current.directory / "state" / "orders.json").read_text())
    assert record["history"][1] == before[1]
    current.start()
    current.wait(lambda: entries(current)[0]["count"] > record["history"][0]["count"])
    now = entries(current)
    assert len(now) == 2 and now[1] == before[1] and now[0]["first"] == before[0]["first"]


def test_a_damaged_history_costs_nothing_else(testbed, current):
    imports = len(testbed.aurora.imports())
    current.stop()
    path = current.directory / "state" / "orders.json"
    record = json.loads(path.read_text())
    record["history"] = [{"at": "yesterday"}, *record["history"], {"action": 7}]
    path.write_text(json.dumps(record))
    current.start()
    current.wait_cluster("orders", "current")
    assert [entry["outcome"] for entry in entries(current)] == ["imported"]
    assert len(testbed.aurora.imports()) == imports


def test_the_command_prints_it(current):
    done = ctl(current, "history", "orders")
    assert done.returncode == 0, done.stderr
    heading, name, row = done.stdout.splitlines()
    assert heading.split() == ["WHEN", "ACTION", "TRIGGER", "SET", "TOOK", "OUTCOME"]
    assert name == "orders"
    assert row.split()[2:5] == ["import", "rotation",
                                current.cluster("orders")["imported_fingerprint"][:12]]
    assert ctl(current, "history", "nobody").returncode == 64
