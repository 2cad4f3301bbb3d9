"""The methods of the socket, its access control and its limits."""

import os
import resource
import socket
import subprocess
from pathlib import Path

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material
from tests.standin.varlink import Varlink, VarlinkError


@pytest.fixture
def current(testbed, service):
    service.configure(configuration(service, testbed.aurora, cluster="replication = ignore"))
    write_material(service.material, testbed.authority.certificate, testbed.client("socket"))
    service.start()
    service.wait_cluster("orders", "current")
    return service


def until(events, condition):
    """Returns the events up to the first that fulfils the condition."""
    seen = []
    for event in events:
        seen.append(event)
        if condition(event):
            return seen


def state_of(event):
    return event["cluster"] and event["cluster"]["state"]


def test_a_subscriber_gets_the_whole_state_and_then_each_transition(testbed, current):
    with current.varlink() as varlink:
        events = varlink.subscribe()
        first = until(events, lambda event: event["event"] == "ready")
        assert [event["event"] for event in first] == ["state", "state", "ready"]
        status = current.status()
        assert first[0]["material"]["fingerprint"] == status["materials"][0]["fingerprint"]
        assert first[1]["cluster"] == status["clusters"][0]
        write_material(current.material, testbed.authority.certificate, testbed.client("next"))
        seen = until(events, lambda event: state_of(event) == "current")
        states = [state for event in seen if (state := state_of(event))]
        assert "importing" in states and states[-1] == "current"
        materials = [event["material"] for event in seen if event["material"]]
        assert materials[-1]["fingerprint"] == seen[-1]["cluster"]["imported_fingerprint"]


def test_the_first_answer_waits_for_the_first_inspection(current):
    fingerprint = current.status()["materials"][0]["fingerprint"]
    for _ in range(3):
        assert current.stop() == 0
        current.start()  # the socket is there, and is asked at once
        first = current.status()
        assert first["materials"][0]["fingerprint"] == fingerprint
        assert (first["materials"][0]["state"], first["clusters"][0]["state"]) == \
            ("valid", "current")


def test_subscribe_requires_more(current):
    with current.varlink() as varlink, pytest.raises(VarlinkError) as caught:
        varlink.call("Subscribe")
    assert caught.value.name == "org.varlink.service.ExpectedMore"


def test_import_starts_only_what_is_not_current_unless_forced(testbed, current):
    before = len(testbed.aurora.imports())
    with current.varlink() as varlink:
        assert varlink.call("Import") == {"started": []}
        assert varlink.call("Import", clusters=["orders"], force=False) == {"started": []}
        assert varlink.call("Import", clusters=["orders"], force=True) == {"started": ["orders"]}
    current.wait(lambda: len(testbed.aurora.imports()) == before + 1)
    current.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1


@pytest.mark.parametrize("force", [False, True])
def test_an_import_during_a_forced_one_is_that_one(testbed, current, force):
    before = len(testbed.aurora.imports())
    testbed.aurora.set_option("slow_seconds", "2")
    with current.varlink() as varlink:
        for again in (True, force, force):
            assert varlink.call("Import", clusters=["orders"], force=again) == {"started": ["orders"]}
    current.wait(lambda: len(testbed.aurora.imports()) > before)
    current.wait_cluster("orders", "current")
    with current.varlink() as varlink:  # a reload comes after what was due
        varlink.call("Reload")
    current.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1


def test_import_does_not_wait_for_the_back_off(testbed, service):
    testbed.aurora.set_option("fail_at", "import")
    service.configure(configuration(service, testbed.aurora, cluster="replication = ignore"))
    write_material(service.material, testbed.authority.certificate, testbed.client("granted"))
    service.start()
    held = service.wait_cluster("orders", "held")
    assert held["out_of_sync_since"] is not None
    testbed.aurora.set_option("fail_at", "")
    with service.varlink() as varlink:
        assert varlink.call("Import") == {"started": ["orders"]}
    assert service.wait_cluster("orders", "current")["out_of_sync_since"] is None


@pytest.mark.parametrize("parameters, error, details", [
    ({"clusters": ["nobody"]}, "NoSuchCluster", {"name": "nobody"}),
    ({"clusters": "orders"}, "org.varlink.service.InvalidParameter", {"parameter": "clusters"}),
    ({"clusters": [1]}, "org.varlink.service.InvalidParameter", {"parameter": "clusters"}),
    ({"force": "yes"}, "org.varlink.service.InvalidParameter", {"parameter": "force"}),
    ({"colour": 1}, "org.varlink.service.InvalidParameter", {"parameter": "colour"}),
])
def test_import_reports_invalid_parameters(current, parameters, error, details):
    with current.varlink() as varlink, pytest.raises(VarlinkError) as caught:
        varlink.call("Import", **parameters)
    assert (caught.value.name, caught.value.parameters) == (error, details)


def test_import_without_a_set_on_disk_reports_the_reason(current):
    (current.material / "client-key.pem").unlink()
    current.wait_material("missing")
    with current.varlink() as varlink, pytest.raises(VarlinkError) as caught:
        varlink.call("Import", force=True)
    assert caught.value.name == "MaterialNotReady"
    assert caught.value.parameters["name"] == "default"
    assert caught.value.parameters["state"] == "missing"
    assert "file-missing" in caught.value.parameters["reason"]


OTHER_USER = """
import os, sys
os.setgroups([int(group) for group in sys.argv[3:]])
os.setgid(65534); os.setuid(65534)
from tests.standin.varlink import Varlink, VarlinkError
with Varlink(sys.argv[1]) as varlink:
    varlink.call("GetStatus")
    try:
        print(varlink.call(sys.argv[2]))
    except VarlinkError as error:
        print(error.name)
"""


def call_as_other_user(service, method, *groups):
    done = subprocess.run(
        ["/usr/bin/python3", "-c", OTHER_USER, service.directory / "run/io.binlogssl.Manager",
         method,
         *map(str, groups)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("method, answer", [
    ("Import", "{"), ("Reload", "{"), ("Remove", "org.varlink.service.InvalidParameter")])
def test_other_users_may_only_read(testbed, current, method, answer):
    assert call_as_other_user(current, method) == "org.varlink.service.PermissionDenied"
    current.configure(configuration(current, testbed.aurora, cluster="replication = ignore",
                                    daemon="control-group = games"))
    with current.varlink() as varlink:
        varlink.call("Reload")
    assert call_as_other_user(current, method) == "org.varlink.service.PermissionDenied"
    assert call_as_other_user(current, method, 60).startswith(answer)  # games, on every Debian


def test_metrics_are_returned(current):
    with current.varlink() as varlink:
        text = varlink.call("GetMetrics")["text"]
    assert 'binlog_ssld_cluster_current{cluster="orders"} 1\n' in text
    assert 'binlog_ssld_imports_total{cluster="orders",outcome="imported"} 1\n' in text
    assert 'binlog_ssld_material_valid{material="default"} 1\n' in text
    assert "binlog_ssld_import_duration_seconds_count 1\n" in text


def test_clients_that_disconnect_or_send_garbage_affect_no_other(current):
    path = current.directory / "run" / "io.binlogssl.Manager"
    clients = [Varlink(path) for _ in range(60)]
    for varlink in clients[:20]:
        varlink.send({"method": "io.binlogssl.Manager.GetStatus"})
        varlink.close()
    clients[20].send({"method": 7})
    with pytest.raises(EOFError):
        clients[20].answer()
    for varlink in clients[21:]:
        assert varlink.call("GetStatus")["health"] == "ok"
        varlink.close()
    assert os.path.exists(path)


def connect(service):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(str(service.directory / "run" / "io.binlogssl.Manager"))  # queued
    client.settimeout(10)
    return client


def memory_kb(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmData:")).split()[1])


def test_a_message_without_end_closes_the_connection(current):
    """The second one needs no more memory; an allocator with a sanitizer keeps that of the first."""
    memory = []
    for _ in range(2):
        sent = 0
        with connect(current) as client, pytest.raises(OSError):
            while sent < 1 << 30:
                sent += client.send(b"x" * 65536)
        assert sent < 1 << 20
        memory.append(memory_kb(current.pid))
    assert memory[1] - memory[0] < 1024
    assert current.status()["health"] == "ok"


def test_connections_over_the_limit_are_told_and_closed(current):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    clients = []
    try:
        for _ in range(1000):
            clients.append(connect(current))
        descriptors = len(os.listdir(f"/proc/{current.pid}/fd"))
        assert descriptors < 64 + 40
        current.wait(lambda: sum(is_refused(client) for client in clients) >= 1000 - 64)
    finally:
        for client in clients:
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    current.wait(lambda: current.ctl("status").returncode == 0)


def is_refused(client):
    client.setblocking(False)
    try:
        return client.recv(100, socket.MSG_PEEK) == (
            b'{"error":"io.binlogssl.Manager.TooManyClients"}\0')
    except BlockingIOError:
        return False


@pytest.mark.parametrize("text", [
    b'{"method":"io.binlogssl.Manager.GetStatus"',
    b'{"method":"\xff\xfe"}',
    b"[" * 10_000 + b"]" * 10_000,
    b'{"method":"io.binlogssl.Manager.GetStatus","method":"a.b.C"}',
    b'{"method":7}',
    b"",
])
def test_an_invalid_call_closes_only_its_connection(current, text):
    with connect(current) as other, connect(current) as client:
        client.sendall(text + b"\0")
        assert client.recv(1) == b""
        other.sendall(b'{"method":"org.varlink.service.GetInfo"}\0')
        assert b"binlog-ssld" in other.recv(4096)


def test_an_incomplete_call_is_waited_for(current):
    call = b'{"method":"org.varlink.service.GetInfo"}\0'
    with connect(current) as client:
        client.sendall(call[:20])
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(10)
        client.sendall(call[20:] + call)
        answers = b""
        while answers.count(b"\0") < 2:
            answers += client.recv(4096)
        assert len(set(answers.split(b"\0")[:2])) == 1


def test_oneway_is_never_answered(current):
    with connect(current) as client:
        for method in ("io.binlogssl.Manager.GetStatus", "io.binlogssl.Manager.Nothing",
                       "io.binlogssl.Manager.Subscribe"):
            client.sendall(b'{"method":"%s","oneway":true,"more":true}\0' % method.encode())
        client.sendall(b'{"method":"io.binlogssl.Manager.Nothing"}\0')
        assert client.recv(4096).startswith(b'{"error":"org.varlink.service.MethodNotFound"')
