"""Measures the processor time of one import: binlog-ssld with its inspector and importers.

    /usr/bin/python3 -m tests.bench.processor --build BUILD
"""

from __future__ import annotations

import resource
import statistics
from pathlib import Path

from tests.bench.arguments import run
from tests.bench.imports import configuration
from tests.standin import Aurora, Authority, Workspace, write_material
from tests.standin.service import Service

CLUSTERS = 100
ROUNDS = 11


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(workspace: Workspace, build: Path) -> None:
    authority = Authority(workspace.path / "ca")
    aurora = Aurora(workspace, Authority(workspace.path / "rds", "RDS stand-in CA"))
    aurora.start()
    aurora.prepare()
    service = Service(build, workspace.path / "service")
    service.configure(configuration(service, aurora, CLUSTERS, aurora.port))
    pairs = [authority.issue_client("a"), authority.issue_client("b")]
    times = []
    for number in range(ROUNDS):
        write_material(service.material, authority.certificate, pairs[number % 2])
        before = processor_seconds()
        assert service.run("--once").returncode == 0
        times.append((processor_seconds() - before) * 1000 / CLUSTERS)
    print(f"processor time of an import: median {statistics.median(times):.2f} ms, "
          f"{min(times):.2f} to {max(times):.2f} ms in {ROUNDS} rounds of {CLUSTERS} clusters")


if __name__ == "__main__":
    run(measure)
