"""The parts of a soak: three replicas of one source, three materials, and one daemon."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.rotation.generation import Pool
from tests.standin import Aurora, Authority, Source, Workspace
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.service import Service
from tests.standin.source import REPLICATION_USER

from .material import Material

NAMES = ("orders", "billing", "stock")
MODES = ("restart", "restart", "observe")
EXTRAS = 12  # names of clusters that come and go: a record outlives its cluster
SECONDS = 90  # for what takes one or two on an idle machine
STEADY = 10  # equal readings

# A hundredth of what an operator would set, where the keys allow it.
DAEMON = """[daemon]
rollout = {rollout}
canary-hold = 1s
import-timeout = 20s
retry-min = 10ms
retry-max = 3s
retry-held = 36s
check-interval = 3s
parallel-imports = {parallel}
metrics-file = {metrics}
"""

MATERIAL = """[material {name}]
ca = {files[0]}
cert = {files[1]}
key = {files[2]}
settle = 20ms
settle-limit = 300ms
poll-interval = 300ms
"""

CLUSTER = """[cluster {name}]
host = localhost
port = {port}
user = ssl_importer
password-file = {password}
server-ca = {ca}
material = {material}
replication = {mode}
"""


class Scene:
    def __init__(self, build: Path, workspace: Workspace) -> None:
        self.workspace = workspace
        self.pool = Pool(workspace.path / "pool", renewed=True)
        self.source = self._new_source()
        rds = Authority(workspace.path / "rds", "RDS stand-in CA")
        self.servers = [Aurora(workspace, rds, name, (f"--server-id={number}",))
                        for number, name in enumerate(NAMES, 2)]
        for server in (self.source, *self.servers):
            server.start(wait=False)
        self.source.ready()
        self.source.prepare("/CN=nobody")
        self.source.sql(f"SET sql_log_bin = 0; ALTER USER {REPLICATION_USER}@'%' REQUIRE X509")
        for server in self.servers:
            server.ready()
            server.prepare()
            server.follow(self.source, auto_position=True)
        self.materials = [Material(name, workspace.path / f"material-{name}", self.pool)
                          for name in NAMES]
        self.extras: set[int] = set()
        self.rollout, self.parallel = "parallel", 32
        self.service = Service(build, workspace.directory("daemon"))
        self.service.password_file(IMPORT_PASSWORD)

    def _new_source(self) -> Source:
        bundle = self.workspace.path / "authorities.pem"
        bundle.write_bytes(b"".join(one.certificate.read_bytes() for one in self.pool.authorities))
        return Source(self.workspace, self.pool.authorities[0].issue_server(), bundle)

    def start(self) -> None:
        """Until every cluster has its first set, with which replication is started."""
        self.configure()
        self.service.start()
        self.converge()
        for server in self.servers:
            server.start_replication()
        self.wait(self.replicates, "replication does not start")

    def close(self) -> None:
        self.service.kill()

    def configuration(self) -> str:
        directory = self.service.directory
        clusters = [(name, number, MODES[number]) for number, name in enumerate(NAMES)]
        clusters += [(f"extra-{extra}", extra % len(NAMES), "ignore" if extra % 2 else "observe")
                     for extra in sorted(self.extras)]
        return (DAEMON.format(rollout=self.rollout, parallel=self.parallel,
                              metrics=directory / "binlog-ssld.prom") +
                "".join(MATERIAL.format(name=one.name, files=one.files) for one in self.materials) +
                "".join(CLUSTER.format(name=name, port=self.servers[number].port,
                                       password=directory / "etc" / "password",
                                       ca=self.servers[number].ca, material=NAMES[number],
                                       mode=mode)
                        for name, number, mode in clusters))

    def configure(self) -> None:
        self.service.configure(self.configuration())

    def reload(self) -> None:
        self.configure()
        # A flood of clients that have just gone can be in the way of the command.
        self.wait(lambda: self.service.ctl("reload").returncode == 0, "no reload")

    def is_current(self, *names: str) -> bool:
        """Of the named materials, or all: the last sets are in all of their clusters, truly so."""
        status = self.service.status()
        wanted = {one.name: one.fingerprint for one in self.materials
                  if one.name in (names or NAMES)}
        return (all(one["state"] == "valid" and one["fingerprint"] == wanted[one["name"]]
                    for one in status["materials"] if one["name"] in wanted) and
                all(one["state"] == "current" and
                    one["imported_fingerprint"] == wanted[one["material"]]
                    for one in status["clusters"] if one["material"] in wanted))

    def converge(self, *names: str) -> None:
        self.wait(lambda: self.is_current(*names), "the last sets are not imported")
        for material, server in zip(self.materials, self.servers, strict=True):
            if material.name in (names or NAMES):
                last = str(server.rows("SELECT ssl_cert FROM standin.imports "
                                       "ORDER BY id DESC LIMIT 1")[0]["ssl_cert"])
                if last.split() != material.generation.cert.decode().split():
                    raise AssertionError(f"{material.name} is current with a set that "
                                         f"its server has not: {self.service.status()}")

    def replicates(self) -> bool:
        return all((row["Replica_IO_Running"], row["Replica_SQL_Running"]) == ("Yes", "Yes")
                   for row in (server.replication() for server in self.servers))

    def is_idle(self) -> bool:
        """Only the watch processes are left."""
        children = Path(f"/proc/{self.service.pid}/task/{self.service.pid}/children").read_text()
        return len(children.split()) == len(NAMES) == len(self.service.watchers())

    def rest(self) -> None:
        """The same configuration and the same kind of files each time, and nothing to do."""
        self.extras.clear()
        self.rollout, self.parallel = "parallel", 32
        for material in self.materials:
            material.become_plain()
        self.reload()
        self.converge()
        self.wait(self.replicates, "replication does not run")
        self.wait(self.is_idle, "processes are left")

    def wait(self, reached: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + SECONDS
        while not reached():
            if not self.service.running:
                raise AssertionError(f"the service has ended: {self.service.log()[-8000:]}")
            if time.monotonic() > end:
                raise AssertionError(
                    f"{what}, {SECONDS} s: {[one.describe() for one in self.materials]} "
                    f"{self.service.status()}\n{self.service.log()[-8000:]}")
            time.sleep(0.05)
