"""The wall clock is stepped by a day while the service runs, forward or back.

The set that is imported stays imported, what is planned comes when it would have come, and what the
status says of it follows the clock. The kernel's times of the files do not: they are a day off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from .scene import Scene

DAY = 24 * 3600
HOUR = 3600
steps = pytest.mark.parametrize("step", [DAY, -DAY], ids=["forward", "back"])


def cluster(scene: Scene) -> dict:
    return scene.service.cluster("orders")


def seconds_left(scene: Scene) -> float:
    """Until the next attempt, as a person computes it who reads the status."""
    return cluster(scene)["next_attempt"] / 1e6 - scene.clock.now


def hold(scene: Scene) -> None:
    """The cluster is tried again in an hour."""
    scene.aurora.set_option("fail_at", "import")
    scene.rotate()
    scene.wait(lambda: cluster(scene)["state"] == "held")


@pytest.fixture(autouse=True)
def options(scene: Scene) -> Iterator[None]:
    yield
    scene.aurora.reset_options()


@steps
def test_the_next_attempt_follows_the_clock(scene: Scene, step: int) -> None:
    hold(scene)
    assert HOUR - 60 < seconds_left(scene) <= HOUR
    scene.clock.set(step)
    assert HOUR - 60 < seconds_left(scene) <= HOUR
    shown = " ".join(scene.service.ctl("status").stdout.split())
    assert re.search(r"out of sync for \d{1,2}s; held for \d{1,2}s; next try in (1h|59min)", shown)


@steps
def test_sets_are_imported_once_after_a_step_and_across_a_restart(scene: Scene, step: int) -> None:
    before = len(scene.imports())
    scene.clock.set(step)
    for _ in range(2):
        scene.rotate()
        scene.wait_settled()
    assert len(scene.imports()) == before + 2
    # Then what the record has is a day ahead, or a day old.
    scene.stop()
    scene.clock.set(0)
    scene.service.start()
    scene.wait_settled()
    assert len(scene.imports()) == before + 2
    scene.rotate()
    scene.wait_settled()
    assert len(scene.imports()) == before + 3
