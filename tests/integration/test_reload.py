"""Another configuration without a restart."""

import os
import signal
import time

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material
from tests.standin.server import free_port
from tests.standin.varlink import VarlinkError


@pytest.fixture
def current(house, service):
    service.configure(configuration(service, house.aurora))
    write_material(service.material, house.authority.certificate, house.client("reload"))
    service.start()
    service.wait_cluster("orders", "current")
    return service


def reload(service):
    with service.varlink() as varlink:
        return varlink.call("Reload")


def second(text: str) -> str:
    """The cluster once more, under the name users."""
    return text + text[text.index("[cluster orders]"):].replace("orders", "users")


def names(service):
    return [cluster["name"] for cluster in service.status()["clusters"]]


def test_a_cluster_that_is_added_is_imported_and_no_other(house, current):
    before = len(house.aurora.imports())
    current.configure(second(configuration(current, house.aurora)))
    assert reload(current) == {}
    current.wait_cluster("users", "current")
    assert names(current) == ["orders", "users"]
    assert len(house.aurora.imports()) == before + 1
    assert "2 clusters" in current.log()


def test_a_cluster_that_is_removed_is_gone_and_remembered(house, current):
    before = len(house.aurora.imports())
    current.configure(configuration(current, house.aurora).replace("orders", "users"))
    reload(current)
    current.wait_cluster("users", "current")
    assert names(current) == ["users"]
    current.configure(configuration(current, house.aurora))
    reload(current)
    current.wait_cluster("orders", "current")
    assert len(house.aurora.imports()) == before + 1


def test_what_changed_is_used_and_the_back_off_forgotten(house, service):
    text = configuration(service, house.aurora, port=free_port()).replace(
        "retry-min = 50ms\nretry-max = 200ms", "retry-min = 1h\nretry-max = 2h")
    service.configure(text)
    write_material(service.material, house.authority.certificate, house.client("moved"))
    service.start()
    service.wait_cluster("orders", "retrying")
    service.configure(configuration(service, house.aurora))
    reload(service)
    service.wait_cluster("orders", "current")


def test_another_directory_is_another_material(house, current):
    other = current.directory / "other"
    write_material(other, house.authority.certificate, house.client("elsewhere"))
    current.configure(configuration(current, house.aurora).replace(
        f"directory = {current.material}", f"directory = {other}"))
    before = len(house.aurora.imports())
    reload(current)
    current.wait(lambda: len(house.aurora.imports()) == before + 1)
    current.wait_cluster("orders", "current")
    assert current.status()["materials"][0]["directory"] == str(other)


def test_a_bad_configuration_is_refused_and_the_old_one_goes_on(house, current):
    loaded = current.status()["loaded_at"]
    current.configure(configuration(current, house.aurora, cluster="colour = red"))
    with pytest.raises(VarlinkError) as caught:
        reload(current)
    assert caught.value.name == "InvalidConfiguration"
    assert caught.value.parameters["file"].endswith("binlog-ssld.conf")
    assert caught.value.parameters["line"] == 17
    assert "unknown key colour" in caught.value.parameters["text"]
    assert current.status()["loaded_at"] == loaded
    before = len(house.aurora.imports())
    write_material(current.material, house.authority.certificate, house.client("still"))
    current.wait(lambda: len(house.aurora.imports()) == before + 1)
    assert "the old one stays in force" in current.log()


def test_a_signal_reloads_as_well(house, current):
    loaded = current.status()["loaded_at"]
    current.configure(second(configuration(current, house.aurora)))
    os.kill(current.pid, signal.SIGHUP)
    current.wait(lambda: current.status()["loaded_at"] != loaded)
    current.wait_cluster("users", "current")


def test_an_import_that_runs_ends_though_its_cluster_is_removed(house, service):
    house.aurora.set_option("slow_seconds", "1")
    service.configure(second(configuration(service, house.aurora)))
    write_material(service.material, house.authority.certificate, house.client("leaving"))
    before = len(house.aurora.imports())
    service.start()
    service.wait(lambda: len(service.importers()) == 2)
    service.configure(configuration(service, house.aurora))
    reload(service)
    assert names(service) == ["orders"]
    assert len(service.importers()) == 2
    service.wait(lambda: len(house.aurora.imports()) == before + 2)
    service.wait_cluster("orders", "current")
    service.wait(lambda: service.importers() == [])
    assert "cluster users: set" in service.log()


def test_the_metrics_file_is_kept_current_and_moves(house, current):
    first, other = current.directory / "a.prom", current.directory / "b.prom"
    current.configure(configuration(current, house.aurora, daemon=f"metrics-file = {first}"))
    reload(current)
    current.wait(first.exists)
    assert first.stat().st_mode & 0o777 == 0o644
    written = first.stat().st_mtime
    current.wait(lambda: first.stat().st_mtime > written)  # by the next poll
    current.configure(configuration(current, house.aurora, daemon=f"metrics-file = {other}"))
    reload(current)
    current.wait(other.exists)
    assert not first.exists()
    current.configure(configuration(current, house.aurora, daemon="metrics-file = /missing/c.prom"))
    reload(current)
    current.wait(lambda: "metrics file /missing/c.prom cannot be written" in current.log())
    time.sleep(1.5)
    assert current.log().count("cannot be written") == 1
