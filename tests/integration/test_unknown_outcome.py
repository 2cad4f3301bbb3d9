"""Imports with unknown result: not reported as imported, retried, and counted once."""

from __future__ import annotations

import os
import re
import signal

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material
from tests.standin.proxy import Fault, Proxy

BOTH_MAKES = True

CALL = 5  # the flight of an import (test_connections.py)


@pytest.fixture
def proxy(testbed):
    with Proxy(testbed.aurora.port) as proxy:
        yield proxy


def lost(testbed) -> Fault:
    """The server has completed the CALL; its answer is lost."""
    return Fault(testbed.flight(CALL), "answer", "reset")


def counted(service) -> tuple[dict[str, int], int]:
    """Returns imports_total by outcome, and the number of durations."""
    text = service.ctl("metrics").stdout
    outcomes = re.findall(r'^binlog_ssld_imports_total{cluster="orders",outcome="(\w+)"} (\d+)$',
                          text, re.M)
    count = re.findall(r"^binlog_ssld_import_duration_seconds_count (\d+)$", text, re.M)
    return {outcome: int(number) for outcome, number in outcomes}, int(count[0])


def configure_slow_retry(service, aurora, port: int = 0, *, retry: str = "2s",
                         timeout: str = "60s") -> None:
    """Configures a back-off that is long enough to observe the state between two attempts."""
    service.configure(configuration(service, aurora, port=port)
                      .replace("retry-min = 50ms\nretry-max = 200ms",
                               f"retry-min = {retry}\nretry-max = {retry}\n"
                               f"import-timeout = {timeout}"))


def write(testbed, service, name: str = "unknown"):
    pair = testbed.client(name)
    write_material(service.material, testbed.authority.certificate, pair)
    return pair


def wait_for_call(testbed, service) -> int:
    """Waits for an importer in its CALL; returns its process id."""
    service.wait(testbed.aurora.in_call)
    return service.importers()[0]


def kill_in_its_call(testbed, service) -> None:
    os.kill(wait_for_call(testbed, service), signal.SIGKILL)
    assert service.wait_cluster("orders", "retrying")["outcome"] == "crashed"
    testbed.aurora.end_calls()


def test_a_lost_answer_is_unknown_then_imported_and_each_counted_once(testbed, service, proxy):
    proxy.next_faults.append(lost(testbed))
    before = len(testbed.aurora.imports())
    configure_slow_retry(service, testbed.aurora, proxy.port)
    write(testbed, service)
    service.start()
    cluster = service.wait_cluster("orders", "retrying")
    assert (cluster["outcome"], cluster["imported_fingerprint"]) == ("unknown", None)
    assert cluster["last_success"] is None and cluster["imported_at"] is None
    assert counted(service) == ({"unknown": 1}, 1)
    assert len(testbed.aurora.imports()) == before + 1
    cluster = service.wait_cluster("orders", "current")
    assert cluster["imported_fingerprint"] == service.status()["materials"][0]["fingerprint"]
    assert counted(service) == ({"unknown": 1, "imported": 1}, 2)
    assert len(testbed.aurora.imports()) == before + 2


def test_a_killed_importer_is_crashed_then_imported_and_each_counted_once(testbed, service):
    testbed.aurora.set_option("slow_seconds", "20")
    configure_slow_retry(service, testbed.aurora)
    write(testbed, service)
    service.start()
    kill_in_its_call(testbed, service)
    assert counted(service) == ({"crashed": 1}, 1)
    testbed.aurora.set_option("slow_seconds", "0")
    assert service.ctl("import", "--wait").returncode == 0
    assert counted(service) == ({"crashed": 1, "imported": 1}, 2)


def test_an_importer_killed_at_its_deadline_is_timed_out_and_counted_once(testbed, service):
    testbed.aurora.set_option("slow_seconds", "20")
    configure_slow_retry(service, testbed.aurora, retry="1h", timeout="2s")
    write(testbed, service)
    service.start()
    os.kill(wait_for_call(testbed, service),
            signal.SIGSTOP)  # so that it cannot exit at its own deadline
    cluster = service.wait_cluster("orders", "retrying")
    assert (cluster["outcome"], cluster["imported_fingerprint"]) == ("timed_out", None)
    assert "its process was killed" in cluster["reason"]
    assert counted(service) == ({"timed_out": 1}, 1)
    testbed.aurora.end_calls()
    testbed.aurora.set_option("slow_seconds", "0")
    assert service.ctl("import", "--wait").returncode == 0
    assert counted(service) == ({"timed_out": 1, "imported": 1}, 2)


def all_are(service, state: str) -> bool:
    return {cluster["state"] for cluster in service.status()["clusters"]} == {state}


def lose(testbed, service, proxy) -> None:
    proxy.next_faults.append(lost(testbed))
    write(testbed, service, "in-doubt")
    assert service.wait_cluster("orders", "retrying")["outcome"] == "unknown"


def crash(testbed, service, proxy) -> None:
    testbed.aurora.set_option("slow_seconds", "20")
    write(testbed, service, "in-doubt")
    kill_in_its_call(testbed, service)
    testbed.aurora.set_option("slow_seconds", "0")


@pytest.mark.parametrize("doubt", [lose, crash])
@pytest.mark.parametrize("restarted", [False, True])
def test_the_previous_set_is_not_reported_as_imported_and_is_sent_again(testbed, service, proxy,
                                                                        doubt,
                                                                        restarted):
    """Otherwise, after the old set is restored because the new one fails, the status would be
    current while the server has the new set."""
    configure_slow_retry(service, testbed.aurora, proxy.port, retry="1h")
    first = write(testbed, service, "good")
    service.start()
    good = service.wait_cluster("orders", "current")["imported_fingerprint"]
    doubt(testbed, service, proxy)
    cluster = service.cluster("orders")
    assert cluster["imported_fingerprint"] is None and cluster["imported_at"] is None
    before = len(testbed.aurora.imports())
    if restarted:
        service.stop()
    write_material(service.material, testbed.authority.certificate, first)
    if restarted:
        service.start()
    service.wait(lambda: service.cluster("orders")["imported_fingerprint"] == good)
    assert len(testbed.aurora.imports()) == before + 1
    assert testbed.aurora.imports()[-1]["ssl_cert"] == first.certificate.read_text()


@pytest.mark.parametrize("clusters", [1, 2])
def test_a_daemon_that_is_killed_in_a_call_puts_the_older_set_in_doubt(testbed, service, clusters):
    """Restored before the next start, it would be current while the server has the newer one. Each
    cluster gets it again, and a second kill changes nothing of that."""
    text = configuration(service, testbed.aurora)
    if clusters == 2:
        text += text[text.index("[cluster orders]"):].replace("orders", "users")
    service.configure(text)
    first = write(testbed, service, "good")
    service.start()
    service.wait(lambda: all_are(service, "current"))
    testbed.aurora.set_option("slow_seconds", "20")
    write(testbed, service, "in-doubt")
    service.wait(lambda: testbed.aurora.calls() == clusters)
    service.kill()
    testbed.aurora.end_calls()
    write_material(service.material, testbed.authority.certificate, first)
    service.start()
    service.wait(lambda: testbed.aurora.calls() == clusters)
    service.kill()
    testbed.aurora.end_calls()
    testbed.aurora.set_option("slow_seconds", "0")
    before = len(testbed.aurora.imports())
    service.start()
    service.wait(lambda: all_are(service, "current"))
    assert len(testbed.aurora.imports()) == before + clusters
    assert testbed.aurora.imports()[-1]["ssl_cert"] == first.certificate.read_text()


def test_a_daemon_that_ends_by_itself_leaves_no_doubt(testbed, service):
    """A held cluster keeps its imported set over a restart, although another is on its way."""
    configure_slow_retry(service, testbed.aurora, retry="1h")
    first = write(testbed, service, "good")
    service.start()
    good = service.wait_cluster("orders", "current")["imported_fingerprint"]
    testbed.aurora.set_option("fail_at", "import")
    write(testbed, service, "refused")
    service.wait_cluster("orders", "held")
    rollout = service.directory / "state" / "default.rollout"
    assert rollout.read_text().strip() == service.status()["materials"][0]["fingerprint"]
    assert service.stop() == 0
    assert not rollout.exists()
    write_material(service.material, testbed.authority.certificate, first)
    before = len(testbed.aurora.imports())
    service.start()
    assert service.wait_cluster("orders", "current")["imported_fingerprint"] == good
    assert len(testbed.aurora.imports()) == before


def test_a_failure_before_the_call_keeps_the_imported_set(testbed, service, proxy):
    configure_slow_retry(service, testbed.aurora, proxy.port, retry="1h")
    first = write(testbed, service, "good")
    service.start()
    good = service.wait_cluster("orders", "current")["imported_fingerprint"]
    before = len(testbed.aurora.imports())
    proxy.next_faults.append(Fault(testbed.flight(CALL - 1), "answer", "reset"))
    write(testbed, service, "lost")
    cluster = service.wait_cluster("orders", "retrying")
    assert (cluster["outcome"], cluster["imported_fingerprint"]) == ("unreachable", good)
    write_material(service.material, testbed.authority.certificate, first)
    service.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before


def test_an_unknown_outcome_of_a_forced_repetition_keeps_the_imported_set(testbed, service, proxy):
    """Whatever the result, the server has this set."""
    configure_slow_retry(service, testbed.aurora, proxy.port, retry="1h")
    write(testbed, service)
    service.start()
    good = service.wait_cluster("orders", "current")["imported_fingerprint"]
    proxy.next_faults.append(lost(testbed))
    assert service.ctl("import", "--force").returncode == 0
    service.wait(lambda: service.cluster("orders")["outcome"] == "unknown")
    assert service.cluster("orders")["imported_fingerprint"] == good
