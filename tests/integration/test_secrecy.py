"""No output of the daemon contains a key or a password, whatever the outcome of an import."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.integration.conftest import configuration
from tests.integration.process import Process
from tests.mockserver.secret import Secret
from tests.standin import write_material
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.proxy import Break, Fault, Proxy
from tests.standin.server import free_port
from tests.standin.varlink import Varlink

BOTH_MAKES = True

CALL = 5  # the flight of an import (test_connections.py)
PROCEDURE = "EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material"
WRONG = "a password that is not the importer's"


class Scenario:
    """One daemon with one cluster behind a proxy, and all secrets used so far."""

    def __init__(self, testbed, service, proxy: Proxy) -> None:
        self.testbed, self.service, self.proxy = testbed, service, proxy
        self.secrets = [Secret.of_password(IMPORT_PASSWORD), Secret.of_password(WRONG)]
        self.outcomes: set[str] = set()

    def rotate(self) -> None:
        pair = self.testbed.client(f"secret-{len(self.secrets)}")
        self.secrets.append(Secret.of_key(pair.key))
        write_material(self.service.material, self.testbed.authority.certificate, pair)

    def configure(self, **more) -> None:
        self.service.configure(configuration(
            self.service, self.testbed.aurora, port=more.pop("port", self.proxy.port),
            daemon="retry-held = 200ms\nimport-timeout = 3s", **more))
        if self.service.running:
            assert self.service.ctl("reload").returncode == 0

    def provoke(self, outcome: str) -> None:
        """With a new set, so that each attempt would send a key."""
        self.rotate()
        self.service.wait(lambda: self.service.cluster("orders")["outcome"] == outcome)
        self.outcomes.add(outcome)


@contextmanager
def fault(scenario: Scenario, flight: int, how: Break) -> Iterator[None]:
    scenario.proxy.fault = Fault(scenario.testbed.flight(flight), "answer", how)
    yield
    scenario.proxy.fault = None


@contextmanager
def sql(scenario: Scenario, do: str, undo: str) -> Iterator[None]:
    scenario.testbed.aurora.sql(do)
    yield
    scenario.testbed.aurora.sql(undo)


@contextmanager
def option(scenario: Scenario, name: str, value: str) -> Iterator[None]:
    scenario.testbed.aurora.set_option(name, value)
    yield
    scenario.testbed.aurora.reset_options()


@contextmanager
def password(scenario: Scenario, text: str) -> Iterator[None]:
    scenario.service.password_file(text)
    yield
    scenario.service.password_file(IMPORT_PASSWORD)


@contextmanager
def settings(scenario: Scenario, **more) -> Iterator[None]:
    scenario.configure(**more)
    yield
    scenario.configure()


@contextmanager
def reader(scenario: Scenario) -> Iterator[None]:
    scenario.testbed.aurora.become_reader()
    yield
    scenario.testbed.aurora.become_writer()


@contextmanager
def wrong_authority(scenario: Scenario) -> Iterator[None]:
    text = (scenario.service.directory / "etc" / "binlog-ssld.conf").read_text()
    scenario.service.configure(text.replace(str(scenario.testbed.aurora.ca),
                                            str(scenario.testbed.authority.certificate)))
    assert scenario.service.ctl("reload").returncode == 0
    yield
    scenario.configure()


@contextmanager
def killed(scenario: Scenario) -> Iterator[None]:
    """Kills every importer as soon as it is in its CALL."""
    stopped = threading.Event()

    def kill_importers() -> None:
        while not stopped.wait(0.02):
            for importer in scenario.service.importers():
                if scenario.testbed.aurora.in_call():
                    with suppress(ProcessLookupError):
                        os.kill(importer, signal.SIGKILL)

    with option(scenario, "slow_seconds", "1"):
        killer = threading.Thread(target=kill_importers)
        killer.start()
        try:
            yield
        finally:
            stopped.set()
            killer.join()


SCENARIOS: list[tuple[str, Callable[[Scenario], object]]] = [
    ("unreachable", lambda scenario: settings(scenario, port=free_port())),
    ("tls", wrong_authority),
    ("auth", lambda scenario: password(scenario, WRONG)),
    ("timed_out", lambda scenario: fault(scenario, CALL - 1, "silence")),
    ("unknown", lambda scenario: fault(scenario, CALL, "reset")),
    ("no_privilege", lambda scenario: sql(scenario, f"REVOKE {PROCEDURE} FROM ssl_importer@'%'",
                                          f"GRANT {PROCEDURE} TO ssl_importer@'%'")),
    ("no_procedure", lambda scenario: scenario.testbed.aurora.without_procedure()),
    ("refused_log", lambda scenario: sql(scenario, "SET GLOBAL general_log = 1",
                                         "SET GLOBAL general_log = 0")),
    ("rejected", lambda scenario: option(scenario, "fail_at", "import")),
    ("replication_failed", lambda scenario: option(scenario, "fail_at", "start")),
    ("crashed", killed),
    ("not_writer", reader),
]


@pytest.fixture
def scenario(testbed, service) -> Iterator[Scenario]:
    with Proxy(testbed.aurora.port) as proxy:
        scenario = Scenario(testbed, service, proxy)
        scenario.configure()
        yield scenario
        service.kill()


def outputs(service, events: list[str]) -> dict[str, str]:
    """Everything that the daemon shows: log, status, metrics, events, records, /proc."""
    answers = {"events": "\n".join(events), "the log": service.log(),
               "the status": service.ctl("status").stdout,
               "the metrics": service.ctl("metrics").stdout,
               "explain": service.ctl("explain").stdout}
    with service.varlink() as varlink:
        for method in ("GetStatus", "GetMetrics", "org.varlink.service.GetInfo"):
            answers[method] = json.dumps(varlink.call(method))
    service.record("orders")
    for path in (service.directory / "state").rglob("*"):
        answers[path.name] = path.read_text()
    process = Process(service.pid)
    answers["arguments and environment"] = process.start_data().decode(errors="replace")
    return answers


def follow(varlink: Varlink, events: list[str]) -> None:
    try:
        for event in varlink.subscribe():
            events.append(json.dumps(event))
    except (EOFError, OSError):
        pass


def test_no_outcome_shows_a_secret(scenario):
    service = scenario.service
    scenario.rotate()
    service.start()
    service.wait_cluster("orders", "current")
    scenario.outcomes.add("imported")
    events: list[str] = []
    subscribed = service.varlink()
    listener = threading.Thread(target=follow, args=(subscribed, events))
    listener.start()
    for outcome, problem in SCENARIOS:
        if outcome == "replication_failed":
            scenario.testbed.aurora.start_replication()
            scenario.configure(cluster="replication = restart")
        with problem(scenario):
            scenario.provoke(outcome)
        if outcome == "replication_failed":
            scenario.configure()
        service.wait_cluster("orders", "current")
    answers = outputs(service, events)
    assert scenario.secrets[-1].found_in((service.material / "client-key.pem").read_text())
    manager = Process(service.pid)
    for secret in scenario.secrets:
        for where, text in answers.items():
            assert secret.found_in(text) == [], where
        assert manager.holds(secret) == set()
    assert all(answers.values())
    for outcome in scenario.outcomes - {"imported"}:  # each outcome was reported
        assert re.search(rf"cluster orders: import {outcome}\b", answers["the log"])
        assert f'"outcome": "{outcome}"' in answers["events"]
        assert f'outcome="{outcome}"' in answers["the metrics"]
    service.kill()
    listener.join()
    subscribed.close()
