"""What nobody knows is not claimed, is tried again, and is counted as what it came to, once."""

from __future__ import annotations

import os
import re
import signal

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material
from tests.standin.proxy import Fault, Proxy

CALL = 5  # the flight of an import (test_connections.py)
LOST = Fault(CALL, "answer", "reset")  # the server has done it; the client never learns


@pytest.fixture
def proxy(house):
    with Proxy(house.aurora.port) as proxy:
        yield proxy


def counted(service) -> tuple[dict[str, int], int]:
    """imports_total by outcome, and how many durations there are."""
    text = service.ctl("metrics").stdout
    outcomes = re.findall(r'^binlog_ssld_imports_total{cluster="orders",outcome="(\w+)"} (\d+)$',
                          text, re.M)
    count = re.findall(r"^binlog_ssld_import_duration_seconds_count (\d+)$", text, re.M)
    return {outcome: int(number) for outcome, number in outcomes}, int(count[0])


def slowly(service, aurora, port: int = 0, *, retry: str = "2s", timeout: str = "60s") -> None:
    """Configured so that a state between two attempts can be looked at."""
    service.configure(configuration(service, aurora, port=port)
                      .replace("retry-min = 50ms\nretry-max = 200ms",
                               f"retry-min = {retry}\nretry-max = {retry}\n"
                               f"import-timeout = {timeout}"))


def write(house, service, name: str = "unknown"):
    pair = house.client(name)
    write_material(service.material, house.authority.certificate, pair)
    return pair


def wait_for_call(house, service) -> int:
    """The importer that is in the CALL."""
    service.wait(house.aurora.in_call)
    return service.importers()[0]


def kill_in_its_call(house, service) -> None:
    os.kill(wait_for_call(house, service), signal.SIGKILL)
    assert service.wait_cluster("orders", "retrying")["outcome"] == "crashed"
    house.aurora.end_calls()


def test_a_lost_answer_is_unknown_then_imported_and_each_counted_once(house, service, proxy):
    proxy.next_faults.append(LOST)
    before = len(house.aurora.imports())
    slowly(service, house.aurora, proxy.port)
    write(house, service)
    service.start()
    cluster = service.wait_cluster("orders", "retrying")
    assert (cluster["outcome"], cluster["imported_fingerprint"]) == ("unknown", None)
    assert cluster["last_success"] is None and cluster["imported_at"] is None
    assert counted(service) == ({"unknown": 1}, 1)
    assert len(house.aurora.imports()) == before + 1
    cluster = service.wait_cluster("orders", "current")
    assert cluster["imported_fingerprint"] == service.status()["materials"][0]["fingerprint"]
    assert counted(service) == ({"unknown": 1, "imported": 1}, 2)
    assert len(house.aurora.imports()) == before + 2


def test_a_killed_importer_is_crashed_then_imported_and_each_counted_once(house, service):
    house.aurora.set_option("slow_seconds", "20")
    slowly(service, house.aurora)
    write(house, service)
    service.start()
    kill_in_its_call(house, service)
    assert counted(service) == ({"crashed": 1}, 1)
    house.aurora.set_option("slow_seconds", "0")
    assert service.ctl("import", "--wait").returncode == 0
    assert counted(service) == ({"crashed": 1, "imported": 1}, 2)


def test_one_that_is_killed_at_its_deadline_is_timed_out_and_counted_once(house, service):
    house.aurora.set_option("slow_seconds", "20")
    slowly(service, house.aurora, retry="1h", timeout="2s")
    write(house, service)
    service.start()
    os.kill(wait_for_call(house, service), signal.SIGSTOP)  # so that it cannot end by itself
    cluster = service.wait_cluster("orders", "retrying")
    assert (cluster["outcome"], cluster["imported_fingerprint"]) == ("timed_out", None)
    assert "the importer was killed" in cluster["reason"]
    assert counted(service) == ({"timed_out": 1}, 1)
    house.aurora.end_calls()
    house.aurora.set_option("slow_seconds", "0")
    assert service.ctl("import", "--wait").returncode == 0
    assert counted(service) == ({"timed_out": 1, "imported": 1}, 2)


def lose(house, service, proxy) -> None:
    proxy.next_faults.append(LOST)
    write(house, service, "in-doubt")
    assert service.wait_cluster("orders", "retrying")["outcome"] == "unknown"


def crash(house, service, proxy) -> None:
    house.aurora.set_option("slow_seconds", "20")
    write(house, service, "in-doubt")
    kill_in_its_call(house, service)
    house.aurora.set_option("slow_seconds", "0")


@pytest.mark.parametrize("doubt", [lose, crash])
@pytest.mark.parametrize("restarted", [False, True])
def test_the_set_before_is_not_claimed_either_and_is_sent_again(house, service, proxy, doubt,
                                                                restarted):
    """Whoever puts the old set back, because the new one fails, would otherwise be told that it is
    current while the server carries the new one."""
    slowly(service, house.aurora, proxy.port, retry="1h")
    first = write(house, service, "good")
    service.start()
    good = service.wait_cluster("orders", "current")["imported_fingerprint"]
    doubt(house, service, proxy)
    cluster = service.cluster("orders")
    assert cluster["imported_fingerprint"] is None and cluster["imported_at"] is None
    before = len(house.aurora.imports())
    if restarted:
        service.stop()
    write_material(service.material, house.authority.certificate, first)
    if restarted:
        service.start()
    service.wait(lambda: service.cluster("orders")["imported_fingerprint"] == good)
    assert len(house.aurora.imports()) == before + 1
    assert house.aurora.imports()[-1]["ssl_cert"] == first.certificate.read_text()


def test_what_failed_before_the_call_leaves_no_doubt(house, service, proxy):
    slowly(service, house.aurora, proxy.port, retry="1h")
    first = write(house, service, "good")
    service.start()
    good = service.wait_cluster("orders", "current")["imported_fingerprint"]
    before = len(house.aurora.imports())
    proxy.next_faults.append(Fault(CALL - 1, "answer", "reset"))
    write(house, service, "lost")
    cluster = service.wait_cluster("orders", "retrying")
    assert (cluster["outcome"], cluster["imported_fingerprint"]) == ("unreachable", good)
    write_material(service.material, house.authority.certificate, first)
    service.wait_cluster("orders", "current")
    assert len(house.aurora.imports()) == before


def test_a_set_that_was_imported_and_is_forced_again_is_in_no_doubt(house, service, proxy):
    """Whatever came of it, the server carries that set."""
    slowly(service, house.aurora, proxy.port, retry="1h")
    write(house, service)
    service.start()
    good = service.wait_cluster("orders", "current")["imported_fingerprint"]
    proxy.next_faults.append(LOST)
    assert service.ctl("import", "--force").returncode == 0
    service.wait(lambda: service.cluster("orders")["outcome"] == "unknown")
    assert service.cluster("orders")["imported_fingerprint"] == good
