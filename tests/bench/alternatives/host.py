"""What the contestants share: a container, the servers, proxies, and the sets."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.bench.alternatives.contestant import Contestant, Task
from tests.bench.fleet import CALL_SECONDS, SlowProxy
from tests.service.machine import Machine
from tests.standin import Aurora, Authority, Workspace, write_material
from tests.standin.client import quoted
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.pki import PKCS1, PKCS8, Pair
from tests.standin.proxy import Proxy
from tests.standin.session import Session

CALL = "mysql.rds_import_binlog_ssl_material"
TIMEOUT = 60.0
INTERVAL = 0.05


class Host:
    """near: a server without delay that stores what it gets. far: behind a delay, each CALL takes
    as long as in the only public transcript, and stores nothing."""

    def __init__(self, workspace: Workspace, machine: Machine, build: Path,
                 stack: ExitStack) -> None:
        self.workspace = workspace
        self.machine = machine
        authority = Authority(workspace.path / "ca")
        self._ca = authority.certificate
        self._pairs = [authority.issue_client("a"), authority.issue_client("b")]
        rds = Authority(workspace.path / "rds", "RDS stand-in CA")
        self._server_ca = rds.certificate
        self._password = workspace.path / "password"
        self._password.write_text(IMPORT_PASSWORD + "\n")
        self._password.chmod(0o600)
        self.near = Aurora(workspace, rds, "near")
        self.far = Aurora(workspace, rds, "far", ("--max-connections=500", "--back-log=500",
                                                  "--thread-cache-size=256"))
        for server in (self.near, self.far):
            server.start()
            server.prepare()
        self.far.sql("CREATE OR REPLACE PROCEDURE standin.write_file"
                     "(IN path VARCHAR(512), IN content MEDIUMTEXT) DO 0")
        self.reset_call()
        self._wire = SlowProxy(build, self.far.port)
        workspace.own(self._wire)
        self.counter = stack.enter_context(Proxy(self.near.port))
        self._sessions = {server: stack.enter_context(Session(server.client()))
                          for server in (self.near, self.far)}
        self._sets: Counter[Path] = Counter()

    def create_users(self, server: Aurora, users: list[str]) -> None:
        server.sql("".join(
            f"CREATE USER {user}@'%' IDENTIFIED BY {quoted(IMPORT_PASSWORD)} REQUIRE SSL;"
            f"GRANT EXECUTE ON PROCEDURE {CALL} TO {user}@'%';" for user in users))

    def lengthen_call(self, seconds: float) -> None:
        self.far.set_option("slow_seconds", str(seconds))

    def reset_call(self) -> None:
        self.far.set_option("slow_seconds", CALL_SECONDS)

    def task(self, directory: Path, users: list[str], *, port: int = 0,
             names: tuple[str, str, str] = ("ca.pem", "client-cert.pem", "client-key.pem")) -> Task:
        """port: by default that of the delay to the far server."""
        ca, cert, key = (directory / name for name in names)
        return Task(ca, cert, key, port or self._wire.port, self._server_ca, self._password, users)

    def server(self, task: Task) -> Aurora:
        return self.far if task.port == self._wire.port else self.near

    def write(self, task: Task) -> Pair:
        """Writes another set, each file by rename. The key has the form that most tools write."""
        directory = task.cert.parent
        self._sets[directory] += 1
        pair = self._pairs[self._sets[directory] % 2]
        # The floor converts nothing.
        header = PKCS1 if task.users[0].startswith("floor") else PKCS8
        write_material(directory, self._ca, pair, header=header)
        return pair

    def newest(self, task: Task) -> int:
        """The number of the newest import."""
        return int(self._sessions[self.server(task)].ask("SELECT standin.newest_import()"))

    def commits(self, task: Task, pair: Pair, after: int) -> tuple[int, float]:
        """How many clusters have the set by an import after that one; when the last got it."""
        line = pair.certificate.read_text().split("\n")[-4]
        name = task.users[0].rstrip("0")
        count, last = self._sessions[self.server(task)].ask(
            "SELECT COUNT(*), IFNULL(MAX(first), 0) FROM (SELECT UNIX_TIMESTAMP(MIN(at)) AS first "
            f"FROM standin.imports WHERE id > {after} AND account LIKE '{name}%' "
            f"AND INSTR(ssl_cert, '{line}') GROUP BY account) AS each_account").split("\t")
        return int(count), float(last)

    def wait(self, contestant: Contestant, task: Task, pair: Pair, after: int,
             sample: list[float] | None = None) -> float:
        """Waits for every cluster; returns the time of the last. sample: gets the memory, in MB."""
        end = time.monotonic() + TIMEOUT
        while True:
            count, last = self.commits(task, pair, after)
            if count == len(task.users):
                return last
            if time.monotonic() > end:
                raise SystemExit(f"{contestant.name}: {count} of {len(task.users)} clusters have "
                                 f"the set after {TIMEOUT:.0f} s\n{self.log()}")
            if sample is not None:
                sample.append(memory_mb(contestant))
            time.sleep(0 if sample is not None else INTERVAL)

    def log(self) -> str:
        return self.machine.run("journalctl", "--no-pager", "--lines=60", check=False).stdout


def memory_mb(contestant: Contestant) -> float:
    """The proportional set size of all its processes."""
    total = 0
    for pid in contestant.processes():
        with suppress(OSError):  # it has ended
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024


def wakes(contestant: Contestant) -> int:
    """Voluntary context switches."""
    total = 0
    for pid in contestant.processes():
        for path in Path(f"/proc/{pid}/task").glob("*/status"):
            lines = path.read_text().splitlines()
            total += int(next(line for line in lines if line.startswith("voluntary_")).split()[1])
    return total
