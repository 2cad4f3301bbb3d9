"""Measures the time from the last rename to the committed CALL, memory, and idle wake-ups.

    /usr/bin/python3 -m tests.bench.imports --build BUILD
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from tests.bench.arguments import run
from tests.standin import Aurora, Authority, Workspace, write_material
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.service import Service

ROUNDS = 20
CLUSTERS = 40
SETTLE_MSEC = 100
IDLE_SECONDS = 120


def committed_at(aurora: Aurora, number: int) -> float:
    while True:
        rows = aurora.sql(f"SELECT UNIX_TIMESTAMP(at) FROM standin.imports WHERE id = {number}")
        if rows:
            return float(rows[0][0] or 0)
        time.sleep(0.02)


def configuration(service: Service, aurora: Aurora, clusters: int, port: int) -> str:
    text = f"""[material default]
directory = {service.material}
settle = {SETTLE_MSEC}ms
[cluster-defaults]
host = localhost
user = ssl_importer
password-file = {service.password_file(IMPORT_PASSWORD)}
server-ca = {aurora.ca}
replication = ignore
"""
    return text + "".join(f"[cluster c{n}]\nport = {port}\n" for n in range(clusters))


def pss_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1])


def wakes(pid: int) -> int:
    """Returns the number of voluntary context switches, which is that of wake-ups."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("voluntary_ctxt")).split()[1])


def processes(service: Service) -> list[int]:
    """The manager and its watch processes."""
    return [service.pid, *service.watchers()]


def measure(workspace: Workspace, build: Path) -> None:
    authority = Authority(workspace.path / "ca")
    aurora = Aurora(workspace, Authority(workspace.path / "rds", "RDS stand-in CA"))
    aurora.start()
    aurora.prepare()
    service = Service(build, workspace.path / "service")
    workspace.own(service)
    pairs = [authority.issue_client("a"), authority.issue_client("b")]

    service.configure(configuration(service, aurora, 1, aurora.port))
    write_material(service.material, authority.certificate, pairs[0])
    service.start()
    committed_at(aurora, 1)
    delays = []
    for number in range(2, ROUNDS + 2):
        time.sleep(0.3)
        write_material(service.material, authority.certificate, pairs[(number + 1) % 2])
        renamed = time.time()
        delays.append((committed_at(aurora, number) - renamed) * 1000)
    print(f"rename to commit, settle {SETTLE_MSEC} ms: median {statistics.median(delays):.0f} ms, "
          f"max {max(delays):.0f} ms of {ROUNDS}")
    service.stop()

    service.configure(configuration(service, aurora, CLUSTERS, aurora.port))
    service.start()
    service.wait(lambda: service.status()["health"] == "ok" and
                 all(c["state"] == "current" for c in service.status()["clusters"]), 60)
    time.sleep(5)
    each = processes(service)
    print(f"manager and watcher with {CLUSTERS} clusters: "
          f"{' + '.join(str(pss_kb(pid)) for pid in each)} kB proportional set size")
    before = [wakes(pid) for pid in each]
    time.sleep(IDLE_SECONDS)
    print(f"idle for {IDLE_SECONDS} s with poll-interval 30 s: woken "
          f"{' + '.join(str(wakes(pid) - was) for pid, was in zip(each, before))} times")
    service.stop()


if __name__ == "__main__":
    run(measure)
