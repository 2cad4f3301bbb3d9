"""Whatever an import came to, nothing that is told of it afterwards holds a key or a password."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.integration.conftest import configuration
from tests.integration.process import Process
from tests.mockserver.secret import Secret
from tests.standin import write_material
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.proxy import Fault, Proxy
from tests.standin.server import free_port
from tests.standin.varlink import Varlink

CALL = 5  # the flight of an import (test_connections.py)
PROCEDURE = "EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material"
WRONG = "a password that is not the importer's"


class Scene:
    """One daemon with one cluster behind a proxy, and all secrets there were."""

    def __init__(self, house, service, proxy: Proxy) -> None:
        self.house, self.service, self.proxy = house, service, proxy
        self.secrets = [Secret.of_password(IMPORT_PASSWORD), Secret.of_password(WRONG)]
        self.outcomes: set[str] = set()

    def rotate(self) -> None:
        pair = self.house.client(f"secret-{len(self.secrets)}")
        self.secrets.append(Secret.of_key(pair.key))
        write_material(self.service.material, self.house.authority.certificate, pair)

    def configure(self, **more) -> None:
        self.service.configure(configuration(
            self.service, self.house.aurora, port=more.pop("port", self.proxy.port),
            daemon="retry-held = 200ms\nimport-timeout = 3s", **more))
        if self.service.running:
            assert self.service.ctl("reload").returncode == 0

    def meet(self, outcome: str) -> None:
        """Only a set that is new is sent: the key is under way in every attempt."""
        self.rotate()
        self.service.wait(lambda: self.service.cluster("orders")["outcome"] == outcome)
        self.outcomes.add(outcome)


@contextmanager
def fault(scene: Scene, what: Fault) -> Iterator[None]:
    scene.proxy.fault = what
    yield
    scene.proxy.fault = None


@contextmanager
def sql(scene: Scene, do: str, undo: str) -> Iterator[None]:
    scene.house.aurora.sql(do)
    yield
    scene.house.aurora.sql(undo)


@contextmanager
def option(scene: Scene, name: str, value: str) -> Iterator[None]:
    scene.house.aurora.set_option(name, value)
    yield
    scene.house.aurora.reset_options()


@contextmanager
def password(scene: Scene, text: str) -> Iterator[None]:
    scene.service.password_file(text)
    yield
    scene.service.password_file(IMPORT_PASSWORD)


@contextmanager
def settings(scene: Scene, **more) -> Iterator[None]:
    scene.configure(**more)
    yield
    scene.configure()


@contextmanager
def reader(scene: Scene) -> Iterator[None]:
    scene.house.aurora.become_reader()
    yield
    scene.house.aurora.become_writer()


@contextmanager
def wrong_authority(scene: Scene) -> Iterator[None]:
    text = (scene.service.directory / "etc" / "binlog-ssld.conf").read_text()
    scene.service.configure(text.replace(str(scene.house.aurora.ca),
                                         str(scene.house.authority.certificate)))
    assert scene.service.ctl("reload").returncode == 0
    yield
    scene.configure()


@contextmanager
def killed(scene: Scene) -> Iterator[None]:
    """Every importer, as soon as it is seen in its CALL."""
    over = threading.Event()

    def hunt() -> None:
        while not over.wait(0.02):
            for importer in scene.service.importers():
                if scene.house.aurora.in_call():
                    os.kill(importer, signal.SIGKILL)

    with option(scene, "slow_seconds", "1"):
        hunter = threading.Thread(target=hunt)
        hunter.start()
        try:
            yield
        finally:
            over.set()
            hunter.join()


SCENES: list[tuple[str, Callable[[Scene], object]]] = [
    ("unreachable", lambda scene: settings(scene, port=free_port())),
    ("tls", wrong_authority),
    ("auth", lambda scene: password(scene, WRONG)),
    ("timed_out", lambda scene: fault(scene, Fault(CALL - 1, "answer", "silence"))),
    ("unknown", lambda scene: fault(scene, Fault(CALL, "answer", "reset"))),
    ("no_privilege", lambda scene: sql(scene, f"REVOKE {PROCEDURE} FROM ssl_importer@'%'",
                                       f"GRANT {PROCEDURE} TO ssl_importer@'%'")),
    ("no_procedure", lambda scene: scene.house.aurora.without_procedure()),
    ("refused_log", lambda scene: sql(scene, "SET GLOBAL general_log = 1",
                                      "SET GLOBAL general_log = 0")),
    ("rejected", lambda scene: option(scene, "fail_at", "import")),
    ("replication_failed", lambda scene: option(scene, "fail_at", "start")),
    ("crashed", killed),
    ("not_writer", reader),
]


@pytest.fixture
def scene(house, service) -> Iterator[Scene]:
    with Proxy(house.aurora.port) as proxy:
        scene = Scene(house, service, proxy)
        scene.configure()
        yield scene
        service.kill()


def told(service, events: list[str]) -> dict[str, str]:
    """All that the daemon tells anybody."""
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
    answers["arguments and environment"] = process.told_at_start().decode(errors="replace")
    return answers


def follow(varlink: Varlink, events: list[str]) -> None:
    try:
        for event in varlink.subscribe():
            events.append(json.dumps(event))
    except (EOFError, OSError):
        pass


def test_no_outcome_tells_a_secret(scene):
    service = scene.service
    scene.rotate()
    service.start()
    service.wait_cluster("orders", "current")
    scene.outcomes.add("imported")
    events: list[str] = []
    subscribed = service.varlink()
    listener = threading.Thread(target=follow, args=(subscribed, events))
    listener.start()
    for outcome, trouble in SCENES:
        if outcome == "replication_failed":
            scene.configure(cluster="replication = restart")
        with trouble(scene):
            scene.meet(outcome)
        if outcome == "replication_failed":
            scene.configure()
        service.wait_cluster("orders", "current")
    answers = told(service, events)
    assert scene.secrets[-1].found_in((service.material / "client-key.pem").read_text())
    manager = Process(service.pid)
    for secret in scene.secrets:
        for where, text in answers.items():
            assert secret.found_in(text) == [], where
        assert manager.holds(secret) == set()
    assert all(answers.values())
    for outcome in scene.outcomes - {"imported"}:  # of each of them something was told
        assert re.search(rf"cluster orders: import {outcome}\b", answers["the log"])
        assert f'"outcome": "{outcome}"' in answers["events"]
        assert f'outcome="{outcome}"' in answers["the metrics"]
    service.kill()
    listener.join()
    subscribed.close()
