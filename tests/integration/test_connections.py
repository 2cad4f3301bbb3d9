"""Connections that break or stop answering at each step, and the outcome of the import.

The flights of an import with TLS 1.3: 0 connect and greeting, 1 TLS hello, 2 login, 3 server
variables, 4 prepare, 5 the CALL.
"""

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material
from tests.standin.proxy import Fault, Proxy

CALL = 5


@pytest.fixture
def proxy(testbed):
    with Proxy(testbed.aurora.port) as proxy:
        yield proxy


def start(testbed, service, proxy, fault: Fault, **more):
    """The first import has the fault; later ones do not."""
    proxy.next_faults.append(fault)
    service.configure(configuration(service, testbed.aurora, port=proxy.port, **more))
    write_material(service.material, testbed.authority.certificate, testbed.client("connection"))
    service.start()


def first_outcome(service) -> str:
    """Returns the outcome of the first attempt, from the log, after a later one has succeeded."""
    service.wait_cluster("orders", "current")
    line = next(line for line in service.log().splitlines() if "cluster orders: import " in line)
    return line.split("import ")[1].split(":")[0].split(" ")[0]


@pytest.mark.parametrize("flight", range(CALL))
@pytest.mark.parametrize("at", ["request", "answer"])
@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_failure_before_the_call_is_not_unknown(testbed, service, proxy, flight, at, how):
    before = len(testbed.aurora.imports())
    start(testbed, service, proxy, Fault(flight, at, how))
    assert first_outcome(service) in ("unreachable", "tls")
    assert len(testbed.aurora.imports()) == before + 1


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_call_whose_answer_is_lost_is_unknown_and_sent_again(testbed, service, proxy, how):
    before = len(testbed.aurora.imports())
    start(testbed, service, proxy, Fault(CALL, "answer", how))
    assert first_outcome(service) == "unknown"
    assert len(testbed.aurora.imports()) == before + 2


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_call_that_did_not_arrive_is_unknown_too(testbed, service, proxy, how):
    before = len(testbed.aurora.imports())
    start(testbed, service, proxy, Fault(CALL, "request", how))
    assert first_outcome(service) == "unknown"
    assert len(testbed.aurora.imports()) == before + 1


@pytest.mark.parametrize("flight, outcome", [
    (0, "timed_out"), (1, "timed_out"), (2, "timed_out"), (3, "timed_out"), (4, "timed_out"),
    (CALL, "unknown")])
def test_silence_ends_at_the_deadline(testbed, service, proxy, flight, outcome):
    start(testbed, service, proxy, Fault(flight, "answer", "silence"),
          daemon="import-timeout = 2s")
    assert first_outcome(service) == outcome
