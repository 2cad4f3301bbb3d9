"""A stop of the daemon waits for running imports; one that it ends is in doubt afterwards."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import both_makes, configuration
from tests.standin import write_material
from tests.standin.proxy import Fault, Proxy


@pytest.fixture
def notified(service) -> Iterator[socket.socket]:
    """The socket on which systemd would receive the messages of sd_notify(3)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        path = service.directory / "run" / "notify"
        notified.bind(str(path))
        notified.settimeout(20)
        service.variables["NOTIFY_SOCKET"] = str(path)
        yield notified


def configure(testbed, service, timeout: str = "60s", **more) -> None:
    service.configure(configuration(service, testbed.aurora,
                                    daemon=f"import-timeout = {timeout}", **more))


def write(testbed, service, name: str):
    pair = testbed.client(name)
    write_material(service.material, testbed.authority.certificate, pair)
    return pair


def record(service) -> dict:
    """Of a daemon that has ended."""
    return json.loads((service.directory / "state" / "orders.json").read_text())


def send(service, number: signal.Signals = signal.SIGTERM) -> None:
    os.kill(service.pid, number)


def ended(process: int) -> bool:
    return not Path(f"/proc/{process}").exists()


def import_is_running(testbed, service, seconds: str):
    """Imports one set; returns with the next one in its CALL. Returns the first and its name."""
    first = write(testbed, service, "before-the-stop")
    service.start()
    good = service.wait_cluster("orders", "current")["imported_fingerprint"]
    testbed.aurora.set_option("slow_seconds", seconds)
    write(testbed, service, "while-it-stops")
    service.wait(testbed.aurora.in_call)
    return first, good


def expect_imported_again(testbed, service, pair, good: str) -> None:
    """The older set is on disk again, and the server may have the newer one."""
    testbed.aurora.end_calls()
    testbed.aurora.set_option("slow_seconds", "0")
    write_material(service.material, testbed.authority.certificate, pair)
    before = len(testbed.aurora.imports())
    service.start()
    cluster = service.wait_cluster("orders", "current")
    assert cluster["imported_fingerprint"] == good
    assert len(testbed.aurora.imports()) == before + 1
    assert testbed.aurora.imports()[-1]["ssl_cert"] == pair.certificate.read_text()


@both_makes
def test_an_import_ends_within_its_deadline_and_is_recorded(testbed, service):
    configure(testbed, service)
    _, good = import_is_running(testbed, service, "2")
    before = len(testbed.aurora.imports())
    assert service.stop(30) == 0
    assert len(testbed.aurora.imports()) == before + 1
    assert record(service)["outcome"] == "imported"
    assert record(service)["imported_fingerprint"] != good
    assert "waiting for 1 running import," in service.log()
    service.start()
    service.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1


def test_systemd_is_told_that_the_stop_takes_longer(testbed, service, notified):
    configure(testbed, service)
    import_is_running(testbed, service, "2")
    send(service)
    seen = []
    while not seen or "EXTEND_TIMEOUT_USEC" not in seen[-1]:
        seen.append(notified.recv(4096).decode())
    assert any(message.startswith("STOPPING=1\n") for message in seen)
    extended = int(seen[-1].removeprefix("EXTEND_TIMEOUT_USEC="))
    unit = (Path(__file__).parents[2] / "systemd" / "binlog-ssld.service.in").read_text()
    assert "TimeoutStopSec=20s" in unit and extended >= 20_000_000
    assert service.stop() == 0


@both_makes
def test_a_second_signal_ends_the_import_and_leaves_it_in_doubt(testbed, service):
    configure(testbed, service)
    first, good = import_is_running(testbed, service, "20")
    importer, = service.importers()
    send(service)
    service.wait(lambda: "waiting for 1 running import," in service.log())
    assert not ended(importer)
    assert service.stop() == 0  # sends the second one
    assert ended(importer)
    assert record(service)["outcome"] == "unknown"
    assert "imported_fingerprint" not in record(service)
    assert "the service was stopped before the import ended" in service.log()
    expect_imported_again(testbed, service, first, good)


@pytest.mark.parametrize("stuck", [False, True])
def test_the_deadline_of_the_import_ends_the_stop(testbed, service, stuck):
    configure(testbed, service, timeout="3s")
    first, good = import_is_running(testbed, service, "20")
    if stuck:
        os.kill(service.importers()[0], signal.SIGSTOP)
    assert service.stop(30) == 0
    assert record(service)["outcome"] == ("timed_out" if stuck else "unknown")
    assert "imported_fingerprint" not in record(service)
    expect_imported_again(testbed, service, first, good)


def test_the_import_of_a_removed_cluster_is_in_doubt_as_well(testbed, service):
    configure(testbed, service)
    first, good = import_is_running(testbed, service, "20")
    text = configuration(service, testbed.aurora)
    service.configure(text.replace("[cluster orders]", "[cluster users]") + "enabled = no\n")
    assert service.ctl("reload").returncode == 0
    send(service)
    service.wait(lambda: "waiting for 1 running import," in service.log())
    assert service.stop() == 0
    assert "imported_fingerprint" not in record(service)
    configure(testbed, service)
    expect_imported_again(testbed, service, first, good)


def test_a_stop_does_not_wait_for_a_check(testbed, service):
    with Proxy(testbed.aurora.port) as proxy:
        service.configure(configuration(service, testbed.aurora, port=proxy.port,
                                        daemon="check-interval = 200ms",
                                        cluster="replication = observe"))
        write(testbed, service, "check-at-the-stop")
        proxy.next_faults += [None, Fault(1, "request", "silence")]
        service.start()
        service.wait_cluster("orders", "current")
        service.wait(lambda: len(proxy.connections) == 2)
        assert service.stop(10) == 0
    assert "no import runs" in service.log()
