"""Measures binlog-ssld and what people use instead, side by side, and prints a table.

    tests/bench/run --build BUILD
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.alternatives import rotations
from tests.bench.alternatives.contestant import Contestant
from tests.bench.alternatives.floor import Floor
from tests.bench.alternatives.host import Host
from tests.bench.alternatives.measure import Measurement, Row
from tests.bench.alternatives.report import full_table
from tests.bench.alternatives.scripts import Incron, Loop, PathUnit
from tests.bench.alternatives.service import BinlogSsld
from tests.service.machine import Machine
from tests.service.package import SOURCE
from tests.standin import Workspace

CLUSTERS = (40, 200)
IDLE_SECONDS = 60
PROGRAMS = ("incrond", "inotifywait", "systemd-nspawn")
KINDS = ("rename", "processor", "round", "memory", "wakes", "missed")  # the order of the rows


@contextmanager
def contestants(build: Path, clusters: int) -> Iterator[tuple[Host, list[Contestant]]]:
    """clusters: the most that one of them gets."""
    with ExitStack() as stack:
        workspace = stack.enter_context(Workspace())
        installed = workspace.directory("installed")
        subprocess.run(["meson", "install", "--no-rebuild", "-C", build, "--destdir", installed],
                       check=True, stdout=subprocess.DEVNULL)
        machine = stack.enter_context(Machine(installed, SOURCE, workspace.path))
        machine.shell("cp -a /packages/. / && systemd-sysusers")
        stack.enter_context(machine.network())
        host = Host(workspace, machine, build, stack)
        each = [Floor(machine, workspace.directory("floor"), build / "tests" / "bench-floor"),
                *(kind(machine, workspace.directory(kind.name))
                  for kind in (Loop, PathUnit, Incron, BinlogSsld))]
        host.create_users(host.near, [user for one in each for user in one.users(1)])
        if clusters > 1:
            host.create_users(host.far, [user for one in each for user in one.users(clusters)])
        yield host, each


def measure_all(host: Host, each: Sequence[Contestant]) -> list[Row]:
    measurement = Measurement(host, each)
    patterns = rotations.chosen()
    few, many = CLUSTERS
    rows = [
        *measurement.latency(1, 7, port=host.near.port),
        *measurement.latency(few, 3, then=lambda: measurement.wakes(IDLE_SECONDS)),
        *measurement.latency(many, 3),
        *measurement.round_trips(),
        *measurement.memory(few),
    ]
    missed = rotations.Survey(host).run(each[1:], patterns)
    return [*rows, Row("missed", f"ways of rotating missed, of {len(patterns)}", "", {
        name: [float(len(found))] for name, found in missed.items()}, missed)]


def describe() -> dict[str, str]:
    """The machine and the commit."""
    names = dict(line.rstrip().split("=", 1) for line in open("/etc/os-release") if "=" in line)
    model = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                 if line.startswith("model name"))
    commit = subprocess.run(["git", "-C", SOURCE, "describe", "--always", "--dirty", "--abbrev=12"],
                            capture_output=True, text=True).stdout.strip()
    return {"commit": commit or "unknown", "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "machine": f"{model}, {os.cpu_count()} processors, {names['PRETTY_NAME']}, kernel "
                       f"{os.uname().release}".replace('"', ""),
            "load": f"{os.getloadavg()[0]:.1f}"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="run")
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--json", type=Path, help="also write all values to this file")
    parser.add_argument("--short", action="store_true", help="one rotation, one cluster")
    options = parser.parse_args()
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        raise SystemExit(f"not installed: {', '.join(missing)}; see tests/install-packages")
    about = describe()
    with contestants(options.build.resolve(), 1 if options.short else max(CLUSTERS)) as all_of_it:
        host, each = all_of_it
        rows = (Measurement(host, each).latency(1, 1, port=host.near.port) if options.short
                else measure_all(host, each))
    result = {**about, "contestants": {one.name: one.title for one in each},
              "rows": [asdict(row) for row in sorted(
                  rows, key=lambda row: KINDS.index(row.name.partition("-")[0]))]}
    print(full_table(result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
