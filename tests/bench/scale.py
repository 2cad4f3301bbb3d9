"""Measures what grows with the number of clusters: load, reload, wave, GetStatus, memory.

    /usr/bin/python3 -m tests.bench.scale --build BUILD

Each row is one number of clusters, up to nearly the largest that a configuration may have. The
clusters are one server, which only stores what it gets; so the duration of a wave is that of the
importers and of the server on the same processors, and only the processor time of the manager
itself is of interest. The longest turn of the loop is in processor time (tests/bench/turns.c).
The columns:

    load       binlog-ssld --check
    wave       of a new set: processor time of the manager for each cluster
    GetStatus  at rest
    asked      GetStatus every 10 ms in a wave that one call with all names begins
    reload     of the same configuration
    all new    a reload in which every cluster has another name
    memory     private memory of the manager for each cluster, after a wave
    failed     the same after a wave in which each import failed
"""

from __future__ import annotations

import mmap
import statistics
import struct
import time
from pathlib import Path

from tests.bench.arguments import run
from tests.bench.fleet import StatusClient
from tests.bench.status import Caller
from tests.standin import Aurora, Authority, Workspace, write_material
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.service import Service

CLUSTERS = (100, 400, 1600, 4000)
ROUNDS = 5
IMPORTS = 4000  # about so many for each share of the manager: a wave of few clusters is repeated
WAVES_MAX = 9
CALLS = 31
WAVE_SECONDS = 600
QUIET_SECONDS = 0.5
QUIET_MSEC = 5.0  # of processor time: the records of a wave are written
TURNS = struct.Struct("QQQ")


class Turns:
    """The longest turn of the service's loop since the last look."""

    def __init__(self, service: Service, build: Path) -> None:
        path = service.directory / "turns"
        path.write_bytes(bytes(TURNS.size))
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), TURNS.size)
        service.variables |= {"LD_PRELOAD": str(build / "tests" / "libbench-turns.so"),
                              "BENCH_TURNS": str(path)}

    def begin(self) -> None:
        self._map[:] = bytes(TURNS.size)

    def longest_msec(self) -> float:
        time.sleep(0.05)  # the turn that has sent the last answer ends
        n, _, processor = TURNS.unpack(self._map)
        if n == 0:
            raise SystemExit("no turn of the loop was measured")
        return processor / 1e6


def own_msec(service: Service) -> float:
    """Processor time of the manager, without its children (proc_pid_schedstat)."""
    return int(Path(f"/proc/{service.pid}/schedstat").read_text().split()[0]) / 1e6


def private_kb(service: Service) -> int:
    lines = Path(f"/proc/{service.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon:")).split()[1])


def wait_until_quiet(service: Service) -> None:
    while True:
        before = own_msec(service)
        time.sleep(QUIET_SECONDS)
        if own_msec(service) - before < QUIET_MSEC:
            return


class Scale:
    def __init__(self, workspace: Workspace, build: Path) -> None:
        authority = Authority(workspace.path / "ca")
        self._ca = authority.certificate
        self._pairs = [authority.issue_client("a"), authority.issue_client("b")]
        self._sets = 0
        self.aurora = Aurora(workspace, Authority(workspace.path / "rds", "RDS stand-in CA"),
                             arguments=("--max-connections=200", "--back-log=200"))
        self.aurora.start()
        self.aurora.prepare()
        self.aurora.sql("CREATE OR REPLACE PROCEDURE standin.write_file"
                        "(IN path VARCHAR(512), IN content MEDIUMTEXT) DO 0")
        self._workspace = workspace
        self._build = build

    def service(self, n: int) -> Service:
        service = Service(self._build, self._workspace.path / f"service-{n}")
        self._workspace.own(service)
        self.configure(service, n, "c")
        return service

    def configure(self, service: Service, n: int, prefix: str) -> None:
        service.configure(f"""[material default]
directory = {service.material}
[cluster-defaults]
host = localhost
port = {self.aurora.port}
user = ssl_importer
password-file = {service.password_file(IMPORT_PASSWORD)}
server-ca = {self.aurora.ca}
replication = ignore
""" + "".join(f"[cluster {prefix}{number}]\n" for number in range(n)))

    def imports(self) -> int:
        return int(str(self.aurora.sql("SELECT COUNT(*) FROM standin.imports")[0][0]))

    def rotate(self, service: Service) -> None:
        self._sets += 1
        write_material(service.material, self._ca, self._pairs[self._sets % 2])

    def wave(self, service: Service, n: int, *, by_name: bool = False) -> None:
        """Until each cluster has the next set; by_name: or the same once more, by one call."""
        end = time.monotonic() + WAVE_SECONDS
        wanted = self.imports() + n
        if by_name:
            with service.varlink() as varlink:
                varlink.call("Import", clusters=[f"c{i}" for i in range(n)], force=True)
        else:
            self.rotate(service)
        if not service.running:
            service.start()
        while self.imports() < wanted:
            if time.monotonic() > end:
                raise SystemExit(f"{wanted - self.imports()} imports are missing: {service.log()}")
            time.sleep(0.2)


    def failed_wave(self, service: Service, n: int) -> None:
        """Until an import of the next set has failed in each cluster; nobody asks meanwhile."""
        self.aurora.set_option("fail_at", "import")
        self.rotate(service)
        while service.log().count(": import rejected") < n:
            time.sleep(0.2)
        self.aurora.reset_options()


def load_msec(service: Service) -> float:
    times = []
    for _ in range(ROUNDS):
        begin = time.monotonic()
        done = service.run("--check")
        times.append((time.monotonic() - begin) * 1000)
        if done.returncode != 0:
            raise SystemExit(f"binlog-ssld --check: {done.stderr}")
    return statistics.median(times)


def reload_msec(service: Service) -> float:
    with service.varlink() as varlink:
        begin = time.monotonic()
        varlink.call("Reload")
        return (time.monotonic() - begin) * 1000


def status_msec(service: Service) -> float:
    caller, delays = Caller(service), []
    for _ in range(CALLS):
        begin = time.monotonic()
        caller.call()
        delays.append((time.monotonic() - begin) * 1000)
    return statistics.median(delays)


def row(scale: Scale, build: Path, n: int, empty_kb: int) -> str:
    service = scale.service(n)
    turns = Turns(service, build)
    scale.wave(service, n)  # the first of all, with the start
    load = load_msec(service)
    wait_until_quiet(service)
    turns.begin()
    shares = []
    for _ in range(max(1, min(WAVES_MAX, IMPORTS // n))):
        before = own_msec(service)
        scale.wave(service, n)
        wait_until_quiet(service)
        shares.append((own_msec(service) - before) / n)
    share, wave_turn = statistics.median(shares), turns.longest_msec()
    kilobytes = (private_kb(service) - empty_kb) / n
    scale.failed_wave(service, n)
    wait_until_quiet(service)
    failed = (private_kb(service) - empty_kb) / n
    turns.begin()
    rest, rest_turn = status_msec(service), turns.longest_msec()
    turns.begin()
    with StatusClient(service, reconnect=False) as client:
        scale.wave(service, n, by_name=True)
    asked_turn = turns.longest_msec()
    meanwhile = statistics.median(client.delays)
    wait_until_quiet(service)
    turns.begin()
    same = statistics.median(reload_msec(service) for _ in range(ROUNDS))
    same_turn = turns.longest_msec()
    scale.configure(service, n, "d")
    turns.begin()
    other, other_turn = reload_msec(service), turns.longest_msec()
    service.kill()
    return "".join(f"{value:>9.2f}" for value in (
        load, share, wave_turn, rest, rest_turn, meanwhile, asked_turn, same, same_turn, other,
        other_turn, kilobytes, failed))


def empty_kb(scale: Scale) -> int:
    """Of a manager with one cluster."""
    service = scale.service(1)
    scale.wave(service, 1)
    wait_until_quiet(service)
    kilobytes = private_kb(service)
    service.stop()
    return kilobytes


def measure(workspace: Workspace, build: Path) -> None:
    scale = Scale(workspace, build)
    empty = empty_kb(scale)
    print("         load     wave              GetStatus         asked             "
          "reload            all new           memory   failed\n"
          "    n     msec   msec/n     turn     msec     turn     msec     turn     msec     turn"
          "     msec     turn    KiB/n    KiB/n")
    for n in CLUSTERS:
        print(f"{n:>5}{row(scale, build, n, empty)}", flush=True)


if __name__ == "__main__":
    run(measure)
