"""binlog-sslctl check-clusters: the check through the running service, which changes nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading

import pytest

from tests.integration.conftest import both_makes, configuration
from tests.integration.test_check_clusters import IMPORT, another, outcomes, without_grant
from tests.standin import write_material
from tests.standin.cluster import REPLICATION_PASSWORD
from tests.standin.proxy import Fault, Proxy
from tests.standin.server import free_port
from tests.standin.varlink import INTERFACE, VarlinkError

METHOD = f"{INTERFACE}.CheckClusters"
LOGIN = 2  # a flight of the login, after TLS


@pytest.fixture(autouse=True)
def no_side_effects(testbed, service):
    """Every check: no procedure of replication is called, and no process is left."""
    history = testbed.aurora.history()
    yield
    assert testbed.aurora.history() == history
    if service.running:
        service.wait(lambda: probers(service) == [])


@pytest.fixture
def silent(testbed):
    """A server that stops answering in the login, and goes on with none."""
    with Proxy(testbed.aurora.port) as proxy:
        proxy.fault = Fault(LOGIN, "request", "silence")
        yield proxy


def probers(service):
    return service.processes("binlog-probe")


def records(service):
    return {path.name: path.read_bytes() for path in (service.directory / "state").iterdir()}


def start(testbed, service, *sections, **more):
    """Without material nothing else logs in to a cluster."""
    text = configuration(service, testbed.aurora, **more)
    service.configure(text + "".join(another(text, *section) for section in sections))
    service.start()


def check(service, *names):
    """Returns exit status and clusters."""
    done = service.ctl("--json", "check-clusters", *names)
    assert done.stderr == ""
    document = json.loads(done.stdout)
    assert document["good"] is (done.returncode == 0) and done.returncode in (0, 1)
    return done.returncode, document["clusters"]


def begin(varlink, *names):
    """A check in the socket of the client, whose replies are not read yet."""
    parameters = {"clusters": list(names)} if names else {}
    varlink.send({"method": METHOD, "parameters": parameters, "more": True})


def without_times(clusters):
    return [{**cluster, "duration_usec": None} for cluster in clusters]


@both_makes
def test_it_prints_what_the_command_of_the_daemon_prints(testbed, service):
    start(testbed, service, ("users",), ("down", free_port()), ("off", 0, "enabled = no\n"),
          cluster="replication = restart")
    status, clusters = check(service)
    assert status == 1
    assert [(c["name"], c["import"]) for c in clusters] == [
        ("orders", "works"), ("users", "works"), ("down", "fails"), ("off", "disabled")]
    alone = service.run("--check-clusters", "--json")
    assert without_times(clusters) == without_times(json.loads(alone.stdout)["clusters"])
    alone, done = service.run("--check-clusters"), service.ctl("check-clusters")
    assert (done.returncode, done.stdout, done.stderr) == (alone.returncode, alone.stdout, "")
    assert "  orders    works " in done.stdout and "why:   unreachable: " in done.stdout


def test_only_the_named_clusters_are_asked(testbed, service, silent):
    start(testbed, service, ("users",), ("hang", silent.port))
    status, clusters = check(service, "users", "orders", "users")
    assert (status, [c["name"] for c in clusters]) == (0, ["orders", "users"])
    assert silent.connections == []


def test_an_unknown_name_asks_no_cluster(testbed, service, silent):
    start(testbed, service, port=silent.port)
    done = service.ctl("check-clusters", "orders", "zero")
    assert (done.returncode, done.stdout) == (64, "")
    assert "there is no cluster zero" in done.stderr
    assert silent.connections == []


def test_a_wrong_password(testbed, service):
    service.password_file("wrong")
    start(testbed, service)
    status, (cluster,) = check(service)
    assert status == 1 and outcomes(cluster) == [("auth", "error")]
    assert cluster["certificate"]["verified"] is True


@both_makes
def test_a_missing_grant(testbed, service):
    start(testbed, service)
    restore = without_grant(testbed, f"EXECUTE ON PROCEDURE {IMPORT}")
    try:
        status, (cluster,) = check(service)
    finally:
        restore()
    assert status == 1 and outcomes(cluster) == [("no_privilege", "error")]
    assert check(service)[0] == 0  # the privileges are read again each time


def test_the_records_are_read_and_not_written(testbed, service):
    write_material(service.material, testbed.authority.certificate, testbed.client("recorded"))
    start(testbed, service)
    service.wait_cluster("orders", "current")
    form = service.record("orders")["payload_newlines"]
    before, imports = records(service), len(testbed.aurora.imports())
    status, (cluster,) = check(service)
    assert (status, cluster["payload_newlines"]) == (0, form)
    assert records(service) == before and len(testbed.aurora.imports()) == imports
    assert service.cluster("orders")["state"] == "current"


def test_a_source_is_asked_about_the_set_of_the_service(testbed, service):
    password = service.directory / "etc" / "source-password"
    password.write_text(REPLICATION_PASSWORD + "\n")
    start(testbed, service, cluster="replication = observe\nsource-probe = require\n"
          f"source-password-file = {password}")
    status, (cluster,) = check(service)
    assert status == 0 and cluster["source_probe"]["result"] == "no_set"
    assert outcomes(cluster) == [("source_unreachable", "warning")]
    assert "file-missing" in cluster["findings"][0]["text"]


def test_a_cluster_that_hangs_delays_no_other_and_no_import(testbed, service, silent):
    start(testbed, service, ("hang", silent.port, "material = second\n"),
          daemon="parallel-imports = 1", material="[material second]\n"
          f"directory = {service.directory / 'none'}\n")
    with service.varlink() as varlink:
        begin(varlink, "hang")
        service.wait(lambda: silent.connections)
        write_material(service.material, testbed.authority.certificate, testbed.client("meanwhile"))
        service.wait_cluster("orders", "current")
        assert len(probers(service)) == 1


def test_each_cluster_is_answered_when_it_ends(testbed, service, silent):
    start(testbed, service, ("hang", silent.port))
    with service.varlink() as varlink:
        begin(varlink)
        reply = varlink.answer()
        assert reply["continues"] is True
        assert reply["parameters"]["cluster"]["name"] == "orders"
        assert (reply["parameters"]["index"], reply["parameters"]["remaining"]) == (0, 1)
        silent.interrupt("reset")
        reply = varlink.answer()
        assert "continues" not in reply
        assert (reply["parameters"]["index"], reply["parameters"]["remaining"]) == (1, 0)
        assert varlink.call("GetStatus")["pid"] == service.pid  # the connection goes on


def test_a_cluster_has_import_timeout(testbed, service, silent):
    start(testbed, service, port=silent.port, daemon="import-timeout = 1s")
    status, (cluster,) = check(service)
    assert status == 1 and outcomes(cluster) == [("timed_out", "error")]


def test_a_client_that_goes_away_ends_its_check(testbed, service, silent):
    start(testbed, service, ("hang", silent.port))
    with service.varlink() as varlink:
        begin(varlink, "hang")
        service.wait(lambda: silent.connections)
        with service.varlink() as second, pytest.raises(VarlinkError) as caught:
            begin(second, "orders")
            second.answer()
        assert caught.value.name == "CheckRunning"
        done = service.ctl("check-clusters")
        assert done.returncode == 1 and "another check of the clusters runs" in done.stderr
    service.wait(lambda: probers(service) == [])
    assert silent.connections[0].closed.wait(60)
    service.wait(lambda: check_is_free(service))


def check_is_free(service):
    return service.ctl("check-clusters", "orders").returncode == 0


def test_a_reload_leaves_a_check_with_its_configuration(testbed, service, silent):
    start(testbed, service, ("hang", silent.port), ("users",), daemon="parallel-imports = 1")
    with service.varlink() as varlink:
        begin(varlink, "hang", "users")
        service.wait(lambda: silent.connections)
        service.configure(configuration(service, testbed.aurora))
        assert service.ctl("reload").returncode == 0
        service.wait(lambda: len(service.status()["clusters"]) == 1)
        silent.interrupt("reset")
        replies = [varlink.answer()["parameters"]["cluster"] for _ in range(2)]
    assert [(c["name"], c["import"]) for c in replies] == [("hang", "fails"), ("users", "works")]
    assert [c["name"] for c in check(service)[1]] == ["orders"]
    assert service.ctl("check-clusters", "hang").returncode == 64


def test_a_stop_ends_a_check(testbed, service, silent):
    start(testbed, service, port=silent.port)
    with service.varlink() as varlink:
        begin(varlink)
        service.wait(lambda: silent.connections)
        (prober,) = probers(service)
        assert service.stop() == 0
        with pytest.raises(EOFError):
            varlink.answer()
    service.wait(lambda: not os.path.exists(f"/proc/{prober}"))


def test_a_command_that_is_interrupted_ends_its_check(testbed, service, silent):
    start(testbed, service, port=silent.port)
    command = subprocess.Popen([service.build / "binlog-sslctl", "check-clusters"],
                               env=service.environment)
    try:
        service.wait(lambda: silent.connections)
    finally:
        command.terminate()
        command.wait()
    service.wait(lambda: probers(service) == [])


def test_it_needs_more_and_the_right(testbed, service):
    start(testbed, service)
    with service.varlink() as varlink, pytest.raises(VarlinkError) as caught:
        varlink.call("CheckClusters")
    assert caught.value.name == "org.varlink.service.ExpectedMore"
    done = service_as_nobody(service)
    assert (done.returncode, done.stdout) == (1, "")
    assert "CheckClusters requires root, the service's own user, or a member of" in done.stderr
    assert probers(service) == []


def service_as_nobody(service):
    for path in (service.directory, service.directory / "run"):
        path.chmod(0o755)
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
               str(service.build / "binlog-sslctl"), "check-clusters"]
    return subprocess.run(command, env=service.environment, capture_output=True, text=True,
                          timeout=30, cwd="/")


def test_more_clusters_than_places(testbed, service):
    names = [f"c{n:02}" for n in range(40)]
    start(testbed, service, *[(name,) for name in names], daemon="parallel-imports = 4")
    seen: list[int] = []
    done = threading.Event()

    def watch():
        while not done.is_set():
            seen.append(len(probers(service)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        status, clusters = check(service)
    finally:
        done.set()
        watcher.join()
    assert (status, [c["name"] for c in clusters]) == (0, ["orders", *names])
    assert 0 < max(seen) <= 4
    assert not re.search(r"binlog-probe|check", service.log())
