"""Kills the manager or an importer at random moments of rotations.

    /usr/bin/python3 -m tests.faults.kill --build build --kills 500 --seed 7
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.standin import Workspace

from .scene import Scene

PROCESSES = ("manager", "importer")
ROTATION_SECONDS = 0.8  # a little longer than one takes


def kill_often(scene: Scene, kills: int, seed: int, tell: Callable[[str], None]) -> None:
    """After each kill the service recovers, with one CALL more at most, and replication runs."""
    choice = random.Random(seed)
    calls: Counter[int] = Counter()
    missed = 0
    for number in range(1, kills + 1):
        process, moment = choice.choice(PROCESSES), choice.random() * ROTATION_SECONDS
        before = len(scene.imports())
        scene.rotate()
        time.sleep(moment)
        missed += not kill(scene, process)
        check_record(scene)
        scene.wait_settled()
        new = scene.imports()[before:]
        what = f"kill {number} of seed {seed}: {process} after {moment:.3f} s"
        assert set(new) == {scene.certificate} and len(new) <= 2, f"{what}: {len(new)} CALLs"
        assert "stopped_at" not in scene.service.record("orders"), what
        calls[len(new)] += 1
        if number % 50 == 0 or number == kills:
            tell(f"{number} kills of seed {seed}: " +
                 ", ".join(f"{n} CALLs {count} times" for n, count in sorted(calls.items())) +
                 f"; {missed} found no importer")


def kill(scene: Scene, process: str) -> bool:
    if process == "manager":
        scene.service.kill()
        check_record(scene)
        scene.service.start()
        return True
    for importer in scene.service.importers():
        try:
            os.kill(importer, signal.SIGKILL)
            return True
        except ProcessLookupError:
            pass
    return False


def check_record(scene: Scene) -> None:
    """It is whole at every moment."""
    assert isinstance(json.loads((scene.service.directory / "state" / "orders.json").read_text()),
                      dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.randrange(10000))
    options = parser.parse_args()
    with Workspace() as workspace:
        scene = Scene(options.build.resolve(), workspace)
        try:
            scene.new_service()
            kill_often(scene, options.kills, options.seed, print)
        finally:
            scene.close()


if __name__ == "__main__":
    main()
