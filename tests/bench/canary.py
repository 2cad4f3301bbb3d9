"""Measures the wave of a new set through 200 clusters, with a canary and without.

    /usr/bin/python3 -m tests.bench.canary --build BUILD

A wave lasts from the start of its first import to the end of its last. With a canary it is that of
all other clusters, after the hold.
"""

from __future__ import annotations

import statistics
from pathlib import Path

from tests.bench.arguments import run
from tests.bench.fleet import CLUSTERS, ROUNDS, Fleet
from tests.standin import Workspace

HOLD_SECONDS = 2


def wave_msec(fleet: Fleet, canaries: int) -> float:
    """Rotates once. canaries: how many clusters are not of the wave."""
    before = fleet.service.status()["materials"][0]["fingerprint"]
    fleet.rotate()

    def imported() -> bool:
        status = fleet.service.status()
        fresh = status["materials"][0]["fingerprint"]
        return fresh != before and all(cluster["imported_fingerprint"] == fresh
                                       for cluster in status["clusters"])

    fleet.service.wait(imported, 120)
    times = sorted((cluster["last_attempt"], cluster["last_success"])
                   for cluster in fleet.service.status()["clusters"])[canaries:]
    return (max(end for _, end in times) - times[0][0]) / 1000


def measure(workspace: Workspace, build: Path) -> None:
    fleet = Fleet(workspace, build)
    for name, keys, canaries in (
            ("without a canary", "", 0),
            ("with a canary", f"rollout = canary\ncanary-hold = {HOLD_SECONDS}s", 1)):
        fleet.start(fleet.aurora.ca, keys=keys)
        waves = [wave_msec(fleet, canaries) for _ in range(ROUNDS)]
        print(f"{name}: the wave of {CLUSTERS - canaries} clusters takes "
              f"{statistics.median(waves):.0f} ms ({min(waves):.0f} to {max(waves):.0f} ms)")
        fleet.service.stop()


if __name__ == "__main__":
    run(measure)
