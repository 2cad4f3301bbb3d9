"""Reload of the configuration without a restart."""

import contextlib
import os
import re
import signal
import time

import pytest

from tests.integration.conftest import configuration
from tests.standin import Aurora, Authority, write_material
from tests.standin.server import free_port
from tests.standin.varlink import INTERFACE, Varlink, VarlinkError


@pytest.fixture
def current(testbed, service):
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate, testbed.client("reload"))
    service.start()
    service.wait_cluster("orders", "current")
    return service


def reload(service):
    with service.varlink() as varlink:
        return varlink.call("Reload")


def second(text: str) -> str:
    """Adds the same cluster with the name users."""
    return text + text[text.index("[cluster orders]"):].replace("orders", "users")


def names(service):
    return [cluster["name"] for cluster in service.status()["clusters"]]


def test_an_added_cluster_is_imported_and_no_other(testbed, current):
    before = len(testbed.aurora.imports())
    current.configure(second(configuration(current, testbed.aurora)))
    assert reload(current) == {}
    current.wait_cluster("users", "current")
    assert names(current) == ["orders", "users"]
    assert len(testbed.aurora.imports()) == before + 1
    assert "2 clusters" in current.log()


def test_a_removed_cluster_keeps_its_record(testbed, current):
    before = len(testbed.aurora.imports())
    current.configure(configuration(current, testbed.aurora).replace("orders", "users"))
    reload(current)
    current.wait_cluster("users", "current")
    assert names(current) == ["users"]
    current.configure(configuration(current, testbed.aurora))
    reload(current)
    current.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1


def many(text: str, prefix: str = "c", n: int = 3000) -> str:
    """Adds that many disabled clusters."""
    return text + """[cluster-defaults]
host = localhost
user = ssl_importer
password-file = /dev/null
""" + "".join(f"[cluster {prefix}{i}]\nenabled = no\n" for i in range(n))


def at_once(service, *callers: Varlink) -> None:
    """The daemon finds all of these calls of Reload when it looks at its clients again."""
    os.kill(service.pid, signal.SIGSTOP)
    for caller in callers:
        caller.send({"method": f"{INTERFACE}.Reload"})
    os.kill(service.pid, signal.SIGCONT)


def test_two_requests_are_answered_by_one_reload(testbed, current):
    loaded = current.log().count("configuration reloaded")
    with current.varlink() as first, current.varlink() as second:
        for text in (many(configuration(current, testbed.aurora)),
                     many(configuration(current, testbed.aurora), "d")):
            assert first.call("GetStatus") and second.call("GetStatus")
            current.configure(text)
            at_once(current, first, second)
            assert first.answer() == second.answer() == {"parameters": {}}
            assert set(names(current)) == set(re.findall(r"cluster (\S+)]", text))
    assert current.log().count("configuration reloaded") == loaded + 2
    current.wait_cluster("orders", "current")


def test_two_requests_are_refused_by_one_reload(testbed, current):
    with current.varlink() as first, current.varlink() as second:
        assert first.call("GetStatus") and second.call("GetStatus")
        current.configure(many(configuration(current, testbed.aurora)) + "colour = red\n")
        at_once(current, first, second)
        for caller in (first, second):
            with pytest.raises(VarlinkError) as caught:
                caller.answer()
            assert caught.value.name == "InvalidConfiguration"
    assert names(current) == ["orders"]


def test_what_happens_during_a_reload_is_handled(testbed, current):
    """Imports, a rotation and calls of others, while thousands of clusters are made and removed."""
    before = len(testbed.aurora.imports())
    text = configuration(current, testbed.aurora)
    for i in range(6):
        current.configure(many(text, "cd"[i % 2]))
        write_material(current.material, testbed.authority.certificate, testbed.client(f"r{i}"))
        with current.varlink() as caller, current.varlink() as other:
            caller.send({"method": f"{INTERFACE}.Reload"})
            for _ in range(20):
                with contextlib.suppress(VarlinkError):  # the material changes
                    other.call("Import")
            current.wait(lambda i=i: len(testbed.aurora.imports()) == before + i + 1)
            assert caller.answer() == {"parameters": {}}
        current.wait_cluster("orders", "current")
    assert len(names(current)) == 3001


@pytest.mark.parametrize("number", [signal.SIGHUP, None])
def test_a_stop_ends_a_reload(testbed, current, number):
    current.configure(many(configuration(current, testbed.aurora)))
    with current.varlink() as caller:
        if number:
            os.kill(current.pid, number)
        else:
            caller.send({"method": f"{INTERFACE}.Reload"})
        assert current.stop() == 0
    current.start()
    current.wait_cluster("orders", "current")
    assert len(names(current)) == 3001


def test_changed_settings_are_used_and_the_back_off_is_reset(testbed, service):
    text = configuration(service, testbed.aurora, port=free_port()).replace(
        "retry-min = 50ms\nretry-max = 200ms", "retry-min = 1h\nretry-max = 2h")
    service.configure(text)
    write_material(service.material, testbed.authority.certificate, testbed.client("moved"))
    service.start()
    service.wait_cluster("orders", "retrying")
    service.configure(configuration(service, testbed.aurora))
    reload(service)
    service.wait_cluster("orders", "current")


def test_another_directory_is_another_material(testbed, current):
    other = current.directory / "other"
    write_material(other, testbed.authority.certificate, testbed.client("elsewhere"))
    current.configure(configuration(current, testbed.aurora).replace(
        f"directory = {current.material}", f"directory = {other}"))
    before = len(testbed.aurora.imports())
    reload(current)
    current.wait(lambda: len(testbed.aurora.imports()) == before + 1)
    current.wait_cluster("orders", "current")
    assert current.status()["materials"][0]["directory"] == str(other)


def test_a_bad_configuration_is_refused_and_the_old_one_stays_in_force(testbed, current):
    loaded = current.status()["loaded_at"]
    current.configure(configuration(current, testbed.aurora, cluster="colour = red"))
    with pytest.raises(VarlinkError) as caught:
        reload(current)
    assert caught.value.name == "InvalidConfiguration"
    assert caught.value.parameters["file"].endswith("binlog-ssld.conf")
    assert caught.value.parameters["line"] == 17
    assert "unknown key colour" in caught.value.parameters["text"]
    refused = current.ctl("status")
    assert refused.returncode == 1
    assert "configuration refused: " in refused.stdout.splitlines()[0]
    assert re.search("why:  .*binlog-ssld.conf:17: unknown key colour", refused.stdout)
    trial = current.ctl("reload", "--dry-run")
    assert trial.returncode == 1 and "unknown key colour" in trial.stderr
    assert current.status()["loaded_at"] == loaded
    before = len(testbed.aurora.imports())
    write_material(current.material, testbed.authority.certificate, testbed.client("still"))
    current.wait(lambda: len(testbed.aurora.imports()) == before + 1)
    assert "the previous one stays in force" in current.log()
    current.configure(configuration(current, testbed.aurora))
    assert current.ctl("reload", "--dry-run").stdout == "the configuration on disk can be loaded\n"
    assert current.status()["refused"]["line"] == 17  # until it is loaded
    assert current.ctl("reload").returncode == 0
    assert current.status()["refused"] is None


def test_a_signal_reloads_as_well(testbed, current):
    loaded = current.status()["loaded_at"]
    current.configure(second(configuration(current, testbed.aurora)))
    os.kill(current.pid, signal.SIGHUP)
    current.wait(lambda: current.status()["loaded_at"] != loaded)
    current.wait_cluster("users", "current")


def test_a_running_import_ends_although_its_cluster_is_removed(testbed, service):
    testbed.aurora.set_option("slow_seconds", "1")
    service.configure(second(configuration(service, testbed.aurora)))
    write_material(service.material, testbed.authority.certificate, testbed.client("leaving"))
    before = len(testbed.aurora.imports())
    service.start()
    service.wait(lambda: len(service.importers()) == 2)
    service.configure(configuration(service, testbed.aurora))
    reload(service)
    assert names(service) == ["orders"]
    assert len(service.importers()) == 2
    service.wait(lambda: len(testbed.aurora.imports()) == before + 2)
    service.wait_cluster("orders", "current")
    service.wait(lambda: service.importers() == [])
    assert "cluster users: set" in service.log()


def imported(testbed, before: int) -> int:
    return len(testbed.aurora.imports()) - before


def test_a_cluster_that_comes_back_while_it_imports_has_one_import(testbed, service):
    """Two importers would call the procedure at once and write the same record."""
    testbed.aurora.set_option("slow_seconds", "3")
    two = second(configuration(service, testbed.aurora))
    service.configure(two)
    write_material(service.material, testbed.authority.certificate, testbed.client("returning"))
    before = len(testbed.aurora.imports())
    service.start()
    service.wait(lambda: testbed.aurora.calls() == 2)
    first = set(service.importers())
    for text in (configuration(service, testbed.aurora), two):
        service.configure(text)
        reload(service)
    assert names(service) == ["orders", "users"]
    assert service.cluster("users")["state"] == "importing"

    def ended():
        assert testbed.aurora.calls() <= 2
        assert set(service.importers()) <= first
        return {cluster["state"] for cluster in service.status()["clusters"]} == {"current"}

    service.wait(ended)
    assert imported(testbed, before) == 2
    assert service.record("users")["imported_fingerprint"]


def test_a_cluster_that_comes_back_with_another_material_gets_it_after_the_import(testbed, service):
    testbed.aurora.set_option("slow_seconds", "2")
    one = configuration(service, testbed.aurora)
    other = service.directory / "other"
    pair = testbed.client("the-other")
    write_material(other, testbed.authority.certificate, pair)
    service.configure(one)
    write_material(service.material, testbed.authority.certificate, testbed.client("the-first"))
    before = len(testbed.aurora.imports())
    service.start()
    service.wait(testbed.aurora.in_call)
    for text in (one.replace("orders", "users") + "enabled = no\n",
                 one.replace(f"directory = {service.material}", f"directory = {other}")):
        service.configure(text)
        reload(service)

    def ended():
        assert testbed.aurora.calls() <= 1
        return service.cluster("orders")["state"] == "current"

    service.wait(ended)
    assert imported(testbed, before) == 2
    assert testbed.aurora.imports()[-1]["ssl_cert"] == pair.certificate.read_text()


def test_a_cluster_with_a_new_name_waits_for_the_import_of_the_former_one(testbed, service):
    testbed.aurora.set_option("slow_seconds", "2")
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate, testbed.client("renamed"))
    before = len(testbed.aurora.imports())
    service.start()
    service.wait(testbed.aurora.in_call)
    service.configure(configuration(service, testbed.aurora).replace("orders", "users"))
    reload(service)

    def ended():
        assert testbed.aurora.calls() <= 1
        return service.cluster("users")["state"] == "current"

    service.wait(ended)
    assert imported(testbed, before) == 2
    assert 'cluster="orders"' not in service.ctl("metrics").stdout


def test_a_removed_cluster_is_published_no_more(testbed, service):
    testbed.aurora.set_option("slow_seconds", "1")
    service.configure(second(configuration(service, testbed.aurora)))
    write_material(service.material, testbed.authority.certificate, testbed.client("gone"))
    service.start()
    with service.varlink() as varlink:
        events = varlink.subscribe()
        assert any(event["event"] == "ready" for event in events)
        service.wait(lambda: len(service.importers()) == 2)
        service.configure(configuration(service, testbed.aurora))
        reload(service)
        service.wait_cluster("orders", "current")
        service.wait(lambda: service.importers() == [])
        service.wait(lambda: "cluster users: set" in service.log())
        reload(service)
        seen = []
        for event in events:
            seen.append((event["event"], (event.get("cluster") or {}).get("name")))
            if seen.count(("reloaded", None)) == 2:
                break
    assert ("removed", "users") in seen
    assert "users" not in [name for _, name in seen[seen.index(("removed", "users")) + 1:]]


def test_a_cluster_that_is_disabled_while_it_imports_ends_its_import(testbed, service):
    testbed.aurora.set_option("slow_seconds", "2")
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate, testbed.client("disabled"))
    before = len(testbed.aurora.imports())
    service.start()
    service.wait(testbed.aurora.in_call)
    service.configure(configuration(service, testbed.aurora, cluster="enabled = no"))
    reload(service)
    cluster = service.wait_cluster("orders", "disabled")
    assert imported(testbed, before) == 1 and cluster["imported_fingerprint"]
    service.configure(configuration(service, testbed.aurora))
    reload(service)
    service.wait_cluster("orders", "current")
    assert imported(testbed, before) == 1


def test_the_metrics_file_is_updated_and_moved(testbed, current):
    first, other = current.directory / "a.prom", current.directory / "b.prom"
    current.configure(configuration(current, testbed.aurora, daemon=f"metrics-file = {first}"))
    reload(current)
    current.wait(first.exists)
    assert first.stat().st_mode & 0o777 == 0o644
    written = first.stat().st_mtime
    current.wait(lambda: first.stat().st_mtime > written)  # by the next poll
    current.configure(configuration(current, testbed.aurora, daemon=f"metrics-file = {other}"))
    reload(current)
    current.wait(other.exists)
    assert not first.exists()
    current.configure(configuration(current, testbed.aurora,
                                    daemon="metrics-file = /missing/c.prom"))
    reload(current)
    current.wait(lambda: "metrics file /missing/c.prom cannot be written" in current.log())
    time.sleep(1.5)
    assert current.log().count("cannot be written") == 1


@pytest.fixture(scope="module")
def elsewhere(testbed):
    """Another cluster, with the same procedures and user."""
    aurora = Aurora(testbed.workspace, Authority(testbed.workspace.path / "elsewhere-ca", "Other CA"),
                    "elsewhere")
    aurora.start()
    aurora.prepare()
    yield aurora
    aurora.stop()


@pytest.mark.parametrize("how", ["reload", "restart"])
def test_another_server_behind_the_same_name_gets_the_set(testbed, current, elsewhere, how):
    """A move: the record is one of the server before."""
    before = len(testbed.aurora.imports()), len(elsewhere.imports())
    if how == "restart":
        assert current.stop() == 0
    current.configure(configuration(current, elsewhere))
    if how == "restart":
        current.start()
    else:
        reload(current)
    current.wait_cluster("orders", "current")
    assert (len(testbed.aurora.imports()), len(elsewhere.imports())) == (before[0], before[1] + 1)
