"""Clients that call without a pause, and subscribers to the most clusters that there can be."""

import json
import os
import socket
import subprocess
import threading
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material
from tests.standin.process import die_with

CLIENTS = 64  # the limit of the service
CLUSTERS = 4096

ONEWAY = [
    b'{"method":"io.binlogssl.Manager.GetStatus","oneway":true}\0',
    b'{"method":"org.varlink.service.GetInfo","oneway":true}\0',
]


def connect(service):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(str(service.directory / "run" / "io.binlogssl.Manager"))
    return client


def send_until_closed(client, calls):
    with suppress(OSError):
        while True:
            client.sendall(calls)


@pytest.fixture
def current(testbed, service):
    service.configure(configuration(service, testbed.aurora, cluster="replication = ignore"))
    write_material(service.material, testbed.authority.certificate, testbed.client("busy"))
    service.start()
    service.wait_cluster("orders", "current")
    return service


def test_clients_that_flood_delay_neither_a_call_nor_an_import(testbed, current):
    """All clients but one send oneway calls; the last one calls and waits for an import."""
    before = len(testbed.aurora.imports())
    threads = []
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(current)) for _ in range(CLIENTS - 2)]
        with current.varlink() as varlink:
            for n, client in enumerate(clients):
                threads.append(threading.Thread(
                    target=send_until_closed, args=(client, ONEWAY[n % 2] * 1000)))
                threads[-1].start()
            for _ in range(100):
                assert varlink.call("GetStatus")["health"] == "ok"
            write_material(current.material, testbed.authority.certificate,
                           testbed.client("next"))
            current.wait(lambda: len(testbed.aurora.imports()) == before + 1)
            assert varlink.call("GetMetrics")["text"]
        for client in clients:
            client.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def test_pipelined_calls_wait_for_a_client_that_reads_later(current):
    call = b'{"method":"io.binlogssl.Manager.GetStatus"}\0'
    calls = 2000
    with connect(current) as client:
        client.settimeout(60)
        sender = threading.Thread(target=client.sendall, args=(call * calls,))
        sender.start()
        for _ in range(10):
            assert current.status()["health"] == "ok"
        answers = 0
        while answers < calls:
            received = client.recv(1 << 16)
            assert received
            answers += received.count(b"\0")
        sender.join()
    assert answers == calls


def status(service):
    """Without binlog-sslctl: with sanitizers it takes more than 30 s to read so many clusters."""
    with service.varlink() as varlink:
        return varlink.call("GetStatus")


@pytest.fixture
def many(testbed, service):
    """The most clusters, all disabled."""
    service.configure(configuration(service, testbed.aurora, cluster="enabled = no") + "".join(
        f"[cluster c{n}]\nhost = localhost\nuser = u\npassword-file = /nowhere\nenabled = no\n"
        for n in range(CLUSTERS - 1)))
    write_material(service.material, testbed.authority.certificate, testbed.client("many"))
    service.start()
    service.wait(lambda: status(service)["materials"][0]["state"] == "valid")
    return service


def messages(client):
    """Yields the parameters of each answer."""
    rest = b""
    while True:
        received = client.recv(1 << 20)
        if not received:
            raise EOFError("the daemon closed the connection")
        *complete, rest = (rest + received).split(b"\0")
        for text in complete:
            yield json.loads(text)["parameters"]


def fingerprint(service):
    return status(service)["materials"][0]["fingerprint"]


def test_a_subscriber_to_the_most_clusters_gets_the_whole_state(testbed, many):
    """The material changes, and a reload removes half of the clusters, before it reads."""
    before = fingerprint(many)
    with connect(many) as client:
        client.settimeout(30)
        client.sendall(b'{"method":"io.binlogssl.Manager.Subscribe","more":true}\0')
        assert status(many)["health"]
        write_material(many.material, testbed.authority.certificate, testbed.client("other"))
        many.wait(lambda: fingerprint(many) != before)
        many.configure(configuration(many, testbed.aurora, cluster="enabled = no") + "".join(
            f"[cluster c{n}]\nhost = localhost\nuser = u\npassword-file = /nowhere\n"
            "enabled = no\n" for n in range(CLUSTERS // 2)))
        with many.varlink() as varlink:
            varlink.call("Reload")
        shown, material = {}, None
        for event in messages(client):
            cluster = event["cluster"]
            if event["event"] == "ready":
                break
            if event["event"] == "removed":
                shown.pop(cluster["name"], None)
            elif cluster:
                shown[cluster["name"]] = cluster
            material = event["material"] or material
    assert shown == {cluster["name"]: cluster for cluster in status(many)["clusters"]}
    assert len(shown) == CLUSTERS // 2 + 1
    assert material["fingerprint"] == fingerprint(many)


SUBSCRIBE = b'{"method":"io.binlogssl.Manager.Subscribe","more":true}\0'
OPEN = """
import os, socket, sys
os.setgroups([])
os.setgid({uid})
os.setuid({uid})
clients = []
for _ in range({number}):
    clients.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    clients[-1].connect({path!r})
    try:
        clients[-1].sendall({call!r})
    except BrokenPipeError:
        pass  # refused
served = 0
for client in clients:
    try:
        served += client.recv(16).startswith(b'{{"parameters"')
    except ConnectionError:
        pass
print(served, flush=True)
sys.stdin.read()
"""


@contextmanager
def subscriptions(service, uid, number):
    """Subscriptions of a user, who reads nothing more. Yields how many of them are served."""
    text = OPEN.format(uid=uid, number=number, call=SUBSCRIBE,
                       path=str(service.directory / "run" / "io.binlogssl.Manager"))
    with subprocess.Popen(["/usr/bin/python3", "-c", text], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True,
                          preexec_fn=die_with(os.getpid())) as process:
        yield int(process.stdout.readline())
        process.stdin.close()


def as_user(uid):
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]


def test_a_user_who_keeps_connections_open_locks_nobody_out(current):
    for directory in (current.directory, *current.directory.parents):
        assert directory.stat().st_mode & 0o001, f"{directory} is closed to other users"
    with subscriptions(current, 60001, CLIENTS) as served:
        assert served == 16
        with subscriptions(current, 60002, 2) as of_another:
            assert of_another == 2
        with ExitStack() as stack:
            more = [stack.enter_context(subscriptions(current, 60003 + n, 16)) for n in range(3)]
            assert more == [16, 16, 8]
            refused = subprocess.run(
                [*as_user(60001), str(current.build / "binlog-sslctl"), "status"],
                env=current.environment, capture_output=True, text=True, timeout=60)
            assert refused.returncode == 3
            assert "as many clients as it takes" in refused.stderr
            assert "a client of the socket was refused: user 60001 has 16 connec" in current.log()
            assert current.ctl("status").returncode == 0
            assert current.ctl("reload").returncode == 0
    current.wait(lambda: current.ctl("status").returncode == 0)
    with subscriptions(current, 60001, 2) as served:
        assert served == 2
