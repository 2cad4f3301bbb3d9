"""Measures 200 clusters with 50 ms round-trip time: duration, status latency, memory.

    /usr/bin/python3 -m tests.bench.fleet --build BUILD

The servers, the proxy and this program share the processors with the measured processes; therefore
the processor time of each is printed too.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import statistics
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.arguments import run
from tests.bench.status import Caller
from tests.standin import Aurora, Authority, Workspace, write_material
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.process import die_with
from tests.standin.service import Service

CLUSTERS = 200
HUNG = 5
ONE_WAY_MSEC = 25
ROUNDS = 5
CALL_INTERVAL = 0.01
CLIENT_NICE = -10
CALL_SECONDS = "0.09"  # duration of the procedure in the only public transcript
SETTLED_SECONDS = 1.5  # after this, the records of the previous round are written
IMPORT_TIMEOUT_SECONDS = 10
AS_THE_UNIT = ["chrt", "--reset-on-fork", "--other", "0", "nice", "-n", "-10"]
TICKS = os.sysconf("SC_CLK_TCK")
REGIONS = 36  # each has three roots in the global bundle: RSA 2048, RSA 4096, P-384


class SlowProxy:
    def __init__(self, build: Path, port: int) -> None:
        self._process = subprocess.Popen(
            [build / "tests" / "bench-wire", str(port), str(ONE_WAY_MSEC)],
            stdout=subprocess.PIPE, text=True, preexec_fn=die_with(os.getpid()))
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.pid = self._process.pid

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def bundles(directory: Path, own: Path) -> tuple[Path, Path]:
    """Bundles like those of AWS, of one region and of all; the needed root is the last."""
    directory.mkdir()
    roots = []
    for kind, parameter in (("RSA", "rsa_keygen_bits:2048"), ("RSA", "rsa_keygen_bits:4096"),
                            ("EC", "ec_paramgen_curve:P-384")):
        key = directory / parameter.partition(":")[2]
        subprocess.run(["openssl", "genpkey", "-algorithm", kind, "-pkeyopt", parameter,
                        "-out", str(key)], check=True, capture_output=True)
        roots += [Authority(directory / f"{key.name}-{region}",
                            f"Amazon RDS region-{region} Root CA {key.name} G1",
                            key=key).certificate.read_text() for region in range(REGIONS)]
    paths = directory / "region-bundle.pem", directory / "global-bundle.pem"
    for path, chosen in zip(paths, (roots[::REGIONS], roots), strict=True):
        path.write_text("".join(chosen) + own.read_text())
    return paths


def rehashed(directory: Path, bundle: Path) -> Path:
    """The same roots as a hashed directory, of which a connection reads only the needed root."""
    directory.mkdir()
    for number, root in enumerate(bundle.read_text().split("-----BEGIN")[1:]):
        (directory / f"{number}.pem").write_text("-----BEGIN" + root)
    subprocess.run(["openssl", "rehash", str(directory)], check=True)
    return directory


def cpu_seconds(pid: int, *, children: bool = False) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(value) for value in fields[11:15 if children else 13]) / TICKS


def busy_seconds() -> float:
    """Returns the busy time of all processors."""
    user, nice, system, _, _, irq, softirq = (
        int(value) for value in Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / TICKS


class StatusClient:
    """Calls GetStatus periodically while something else runs, and records the delays.

    A process of its own with a high priority, so that the delays are those of the manager and do
    not include the time for which a client waits for a processor.
    """

    def __init__(self, service: Service, *, reconnect: bool) -> None:
        self.delays: list[float] = []
        self._service = service
        self._reconnect = reconnect
        self._done = multiprocessing.Event()
        self._ours, self._theirs = multiprocessing.Pipe(duplex=False)
        self._process = multiprocessing.Process(target=self._run)

    def _run(self) -> None:
        os.nice(CLIENT_NICE)
        delays = []
        caller = Caller(self._service)
        while not self._done.wait(CALL_INTERVAL):
            begin = time.monotonic()
            if self._reconnect:
                caller = Caller(self._service)
            caller.call()
            delays.append((time.monotonic() - begin) * 1000)
        self._theirs.send(delays)

    def __enter__(self) -> StatusClient:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.delays = self._ours.recv()
        self._process.join()


class Memory:
    """The highest sum of the sizes of manager and importers."""

    def __init__(self, service: Service) -> None:
        self.pss_kb = self.rss_kb = self.tables_kb = self.processes = 0
        self._service = service

    def sample(self) -> None:
        sizes = [size for pid in [self._service.pid, *self._service.importers()]
                 if (size := _size_kb(pid))]
        self.processes = max(self.processes, len(sizes))
        pss, rss, tables = (sum(values) for values in zip(*sizes, strict=True))
        if pss > self.pss_kb:
            self.pss_kb, self.rss_kb, self.tables_kb = pss, rss, tables


def _size_kb(pid: int) -> tuple[int, int, int] | None:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        text += Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None  # the process has ended
    values = {line.split(":")[0]: line.split()[1] for line in text.splitlines()[1:]
              if line.endswith("kB")}
    return tuple(int(values.get(name, 0)) for name in ("Pss", "Rss", "VmPTE"))


@dataclass
class Figures:
    msec: list[float] = field(default_factory=list)
    kept: list[float] = field(default_factory=list)   # delays of answers, one connection
    fresh: list[float] = field(default_factory=list)  # a new connection each
    ours: list[float] = field(default_factory=list)   # seconds of processor time
    theirs: list[float] = field(default_factory=list)
    rest: list[float] = field(default_factory=list)   # this program and all others

    @property
    def median(self) -> float:
        return statistics.median(self.msec)


class Fleet:
    def __init__(self, workspace: Workspace, build: Path) -> None:
        authority = Authority(workspace.path / "ca")
        rds = Authority(workspace.path / "rds", "RDS stand-in CA")
        many = ("--max-connections=500", "--back-log=500", "--thread-cache-size=256")
        self.aurora = Aurora(workspace, rds, arguments=many)
        self.slow_aurora = Aurora(workspace, rds, "slow")
        for server in (self.aurora, self.slow_aurora):
            server.start()
            server.prepare()
            # A cluster processes the material on its own processors: the procedure only sleeps.
            server.sql("CREATE OR REPLACE PROCEDURE standin.write_file"
                       "(IN path VARCHAR(512), IN content MEDIUMTEXT) DO 0")
            server.set_option("slow_seconds", CALL_SECONDS)
        self.proxy = SlowProxy(build, self.aurora.port)
        self.silent = SlowProxy(build, self.aurora.port)
        self.slow = SlowProxy(build, self.slow_aurora.port)
        self.service = Service(build, workspace.path / "service")
        self.service.wrapper = AS_THE_UNIT
        for owned in (self.proxy, self.silent, self.slow, self.service):
            workspace.own(owned)
        self._authority = authority
        self.rotate()
        self.names = [f"c{n}" for n in range(CLUSTERS)]
        self.healthy, self.hung = self.names[:-HUNG], self.names[-HUNG:]

    def rotate(self) -> None:
        write_material(self.service.material, self._authority.certificate,
                       self._authority.issue_client("a"))

    def start(self, server_ca: Path, *, hung: bool = False, keys: str = "") -> None:
        """hung: half of the hung clusters will hang before the greeting, half in the CALL.

        keys: further ones of the daemon.
        """
        ports = {name: self.proxy.port for name in self.names}
        if hung:
            ports |= {name: (self.silent.port, self.slow.port)[number % 2]
                      for number, name in enumerate(self.hung)}
        self.service.configure(f"""[daemon]
parallel-imports = {CLUSTERS}
import-timeout = {IMPORT_TIMEOUT_SECONDS}s
retry-min = 1h
retry-max = 1h
{keys}
[material default]
directory = {self.service.material}
[cluster-defaults]
host = localhost
user = ssl_importer
password-file = {self.service.password_file(IMPORT_PASSWORD)}
server-ca = {server_ca}
replication = ignore
""" + "".join(f"[cluster {name}]\nport = {port}\n" for name, port in ports.items()))
        self.service.start()
        self.service.wait(lambda: self.states(self.names) == {"current"}, 120)

    def states(self, names: list[str]) -> set[str]:
        return {cluster["state"] for cluster in self.service.status()["clusters"]
                if cluster["name"] in names}

    def import_again(self, figures: Figures, asked: list[str], awaited: list[str], *,
                     ask: bool = True, memory: Memory | None = None) -> None:
        servers = [server.pid for server in (self.aurora, self.slow_aurora) if server.pid]
        proxies = [proxy.pid for proxy in (self.proxy, self.silent, self.slow)]

        def spent() -> tuple[float, float, float]:
            ours = cpu_seconds(self.service.pid, children=True)
            theirs = sum(cpu_seconds(pid) for pid in servers + proxies)
            return ours, theirs, busy_seconds() - ours - theirs

        time.sleep(SETTLED_SECONDS)
        kept = StatusClient(self.service, reconnect=False)
        fresh = StatusClient(self.service, reconnect=True)
        with ExitStack() as stack:
            varlink = stack.enter_context(self.service.varlink())
            if ask:
                stack.enter_context(kept)
                stack.enter_context(fresh)
            before, begin = spent(), time.time()
            varlink.call("Import", clusters=asked, force=True)
            while True:
                clusters = [cluster for cluster in varlink.call("GetStatus")["clusters"]
                            if cluster["name"] in awaited]
                if all(cluster["state"] != "importing" for cluster in clusters):
                    break
                if memory:
                    memory.sample()
                time.sleep(0.02 if memory else 0.1)
            after = spent()
        bad = [cluster for cluster in clusters if cluster["outcome"] != "imported"]
        if bad:
            raise SystemExit(f"not imported: {bad[0]}")
        end = max(cluster["last_success"] for cluster in clusters)
        figures.msec.append(end / 1000 - begin * 1000)
        figures.kept += kept.delays
        figures.fresh += fresh.delays
        for row, begun, ended in zip((figures.ours, figures.theirs, figures.rest), before, after,
                                     strict=True):
            row.append(ended - begun)

    def hang(self) -> None:
        self.silent.signal(signal.SIGSTOP)  # the kernel still accepts connections
        self.slow_aurora.set_option("slow_seconds", "3600")

    def recover(self) -> None:
        """Waits until the deadline has ended the hung imports."""
        self.service.wait(lambda: "importing" not in self.states(self.names), 120)
        self.silent.signal(signal.SIGCONT)
        self.slow_aurora.set_option("slow_seconds", CALL_SECONDS)


def describe(name: str, delays: list[float]) -> str:
    quantiles = statistics.quantiles(delays, n=100)
    return (f"  GetStatus {name}: median {statistics.median(delays):.1f} ms, 99th percentile "
            f"{quantiles[98]:.1f} ms, worst {max(delays):.1f} ms of {len(delays)}")


def compare(fleet: Fleet) -> None:
    one, calm, asked = Figures(), Figures(), Figures()
    for _ in range(2 * ROUNDS):
        fleet.import_again(one, fleet.names[:1], fleet.names[:1], ask=False)
    for _ in range(ROUNDS):
        fleet.import_again(calm, fleet.names, fleet.names, ask=False)
        fleet.import_again(asked, fleet.names, fleet.names)
    print(f"  one import alone {one.median:.0f} ms; the last of {CLUSTERS} after "
          f"{calm.median:.0f} ms, {calm.median / one.median:.2f} times that "
          f"({min(calm.msec):.0f} to {max(calm.msec):.0f} ms)")
    print(f"  processor time for {CLUSTERS}: manager and importers "
          f"{statistics.median(calm.ours):.2f} s, servers and proxy "
          f"{statistics.median(calm.theirs):.2f} s, all else {statistics.median(calm.rest):.2f} s, "
          f"on {os.cpu_count()} processors")
    print(f"  with GetStatus calls: {asked.median:.0f} ms")
    print(describe("on one connection", asked.kept))
    print(describe("on a new connection", asked.fresh))


def measure_memory(fleet: Fleet) -> None:
    memory = Memory(fleet.service)
    fleet.aurora.set_option("slow_seconds", "3")  # so that all importers run at the same time
    fleet.import_again(Figures(), fleet.names, fleet.names, ask=False, memory=memory)
    fleet.aurora.set_option("slow_seconds", CALL_SECONDS)
    print(f"  memory of {memory.processes} processes: {memory.pss_kb / 1024:.0f} MB proportional, "
          f"{memory.rss_kb / 1024:.0f} MB resident, page tables {memory.tables_kb / 1024:.0f} MB")


def measure_hung(fleet: Fleet) -> None:
    well, hung = Figures(), Figures()
    for _ in range(ROUNDS):
        fleet.import_again(well, fleet.names, fleet.names, ask=False)
        fleet.hang()
        fleet.import_again(hung, fleet.names, fleet.healthy, ask=False)
        fleet.recover()
    print(f"  {HUNG} of {CLUSTERS} hung: the other {len(fleet.healthy)} after "
          f"{hung.median:.0f} ms; without hung ones all after {well.median:.0f} ms")


def measure(workspace: Workspace, build: Path) -> None:
    fleet = Fleet(workspace, build)
    of_region, of_all = bundles(workspace.path / "bundles", fleet.aurora.ca)
    print(f"{CLUSTERS} clusters with {2 * ONE_WAY_MSEC} ms round-trip time, CALL {CALL_SECONDS} s; "
          f"load {os.getloadavg()[0]:.1f}")
    directory = rehashed(workspace.path / "roots", of_all)
    for name, server_ca in (("one region", of_region), ("all regions", of_all),
                            ("all regions in a directory", directory)):
        print(f"server-ca with the roots of {name}:")
        fleet.start(server_ca)
        compare(fleet)
        measure_memory(fleet)
        fleet.service.stop()
    fleet.start(of_region, hung=True)
    measure_hung(fleet)
    fleet.service.stop()


if __name__ == "__main__":
    run(measure)
