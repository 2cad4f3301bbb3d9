"""One service with a replica that replicates, of which calls fail while its set is rotated."""

from __future__ import annotations

import hashlib
import json
import os
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.integration.conftest import configuration
from tests.standin import Aurora, Authority, Source, Workspace, write_material
from tests.standin.clock import Clock
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.pki import Pair
from tests.standin.service import Service

from .plan import FOREVER, Plan

SECONDS = 60.0
SETS = 2
VALID = (-30 * 24 * 3600, 300 * 24 * 3600)  # every certificate: the clock may step by days
STEADY = 10  # equal readings
LASTING_CALLS = 3  # that fail before a lasting fault ends
LASTING_SECONDS = 3.0  # the longest, where the service makes fewer calls


@dataclass(frozen=True)
class Fault:
    process: str
    call: str
    error: int
    first: int
    lasts: bool = False

    def __str__(self) -> str:
        return (f"{self.process}: {self.call} number {self.first}{' and on' * self.lasts}, "
                f"{os.strerror(self.error)}")


class Scene:
    def __init__(self, build: Path, workspace: Workspace) -> None:
        self._authority = Authority(workspace.path / "ca", valid=VALID)
        self._source = Source(workspace, self._authority.issue_server(valid=VALID),
                              self._authority.certificate)
        self.aurora = Aurora(workspace, Authority(workspace.path / "rds", "RDS stand-in CA",
                                                  valid=VALID), valid=VALID)
        self._source.start(wait=False)
        self.aurora.start(wait=False)
        self._source.ready()
        self.aurora.ready()
        self.aurora.prepare()
        self.aurora.follow(self._source)
        self._source.prepare("/CN=faults")
        self._pairs: list[Pair] = [self._authority.issue_client("faults", valid=VALID) for _ in range(SETS)]
        self._written = 0
        self._build = build
        self._workspace = workspace
        self.plan = Plan(workspace.path / "plan")
        self.clock = Clock(workspace.path / "clock")
        self._service: Service | None = None
        self._services = 0
        self._at_rest = 0

    @property
    def service(self) -> Service:
        assert self._service is not None
        return self._service

    def new_service(self, arrange: Callable[[Service], None] = lambda service: None) -> Service:
        """A service that has never failed, current with a set, whose replica replicates.

        arrange: called with it before it starts.
        """
        self.close_service()
        self._services += 1
        service = self._service = Service(
            self._build, self._workspace.directory(f"service-{self._services}"))
        plan, clock = self.plan.variables(self._build), self.clock.variables(self._build)
        service.variables = plan | clock | {
            "LD_PRELOAD": f"{plan['LD_PRELOAD']} {clock['LD_PRELOAD']}"}
        service.password_file(IMPORT_PASSWORD)
        service.configure(configuration(
            service, self.aurora, cluster="replication = restart",
            daemon="import-timeout = 30s\nretry-held = 1h"))
        arrange(service)
        self.aurora.start_replication()
        self.rotate()
        service.start()
        self.wait_settled()
        self._at_rest = self._steady_descriptors()
        return service

    def close_service(self) -> None:
        self.plan.disarm()
        self.clock.set(0)
        if self._service is not None:
            self._service.kill()
            self._service = None

    def close(self) -> None:
        self.close_service()
        self.plan.close()

    def rotate(self) -> None:
        self._written += 1
        write_material(self.service.material, self._authority.certificate, self._pair)

    @property
    def _pair(self) -> Pair:
        return self._pairs[self._written % SETS]

    @property
    def certificate(self) -> str:
        """Of the set on disk, as the cluster has it after an import."""
        return self._pair.certificate.read_text().strip()

    def imports(self) -> list[str]:
        return [str(one["ssl_cert"]).strip() for one in self.aurora.imports()]

    def status(self) -> dict | None:
        """None: the service does not answer, which a fault permits."""
        printed = self.service.ctl("--json", "status").stdout
        return json.loads(printed) if printed else None

    def is_current(self) -> bool:
        """With the set on disk, and truly so."""
        status = self.status()
        if status is None:
            return False
        cluster, material = status["clusters"][0], status["materials"][0]
        imported = cluster["imported_fingerprint"]
        current = (cluster["state"] == "current" and imported is not None and
                   imported == material["fingerprint"] and material["state"] == "valid" and
                   material["certificate"]["sha256"] == _sha256(self._pair.certificate))
        if current:
            assert self.imports()[-1] == self.certificate, f"status lies: {status}"
        return current

    def replicates(self) -> bool:
        status = self.aurora.replication()
        return (status["Replica_IO_Running"], status["Replica_SQL_Running"]) == ("Yes", "Yes")

    def wait(self, reached: Callable[[], bool]) -> None:
        """As systemd does, starts a service again that has ended with an error of its own."""
        end = time.monotonic() + SECONDS
        while not reached():
            self.start_again()
            if time.monotonic() > end:
                raise AssertionError(f"not within {SECONDS} s: {self.status()}\n"
                                     f"{self.service.log()}")
            time.sleep(0.02)

    def start_again(self) -> None:
        status = self.service.exit_status
        if status is None:
            return
        assert status == 1, f"exit {status}:\n{self.service.log()}"
        self.plan.disarm()
        self.service.start()

    def wait_settled(self) -> None:
        self.wait(self.is_current)
        self.wait(self.replicates)
        self.wait(self._is_idle)

    def _is_idle(self) -> bool:
        """Only the watch process is left."""
        children = Path(f"/proc/{self.service.pid}/task/{self.service.pid}/children").read_text()
        return len(children.split()) == 1 == len(self.service.watchers())

    def _descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.service.pid}/fd"))

    def _steady_descriptors(self) -> int:
        """The number without those of a client or a child that comes and goes."""
        seen: list[int] = []

        def steady() -> bool:
            seen.append(self._descriptors())
            return len(seen) >= STEADY and len(set(seen[-STEADY:])) == 1

        self.wait(steady)
        return seen[-1]

    def count_calls(self, process: str, call: str, prepare: Callable[[], None],
                    act: Callable[[], None]) -> int:
        prepare()
        self.plan.count(process, call)
        act()
        self.wait_settled()
        seen = self.plan.seen
        self.plan.disarm()
        return seen

    def stop(self) -> None:
        assert self.service.stop() == 0, self.service.log()

    def suffer(self, fault: Fault, prepare: Callable[[], None], act: Callable[[], None]) -> None:
        """Calls fail from act() on. Ends when the service has recovered, by itself."""
        print(fault)  # which of them it was, if the test fails
        before = len(self.imports())
        prepare()
        self.plan.arm(fault.process, fault.call, fault.first,
                      FOREVER if fault.lasts else fault.first, fault.error)
        act()
        if fault.lasts:
            end = time.monotonic() + LASTING_SECONDS
            while time.monotonic() < end and self.plan.failed < LASTING_CALLS:
                self.is_current()  # for its assertion
                self.start_again()
                time.sleep(0.02)
            self.plan.disarm()
        self.wait_settled()
        self.plan.disarm()
        new = self.imports()[before:]
        assert new and set(new) == {self.certificate}, f"{len(new)} imports"
        # One that cannot tell its result, or is not recorded, is repeated.
        assert fault.lasts or len(new) <= 2, f"{len(new)} imports"
        self.wait(lambda: self._descriptors() == self._at_rest)
        record = self.service.record("orders")
        assert record["imported_fingerprint"] and "stopped_at" not in record



def _sha256(certificate: Path) -> str:
    """As status shows it."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()
