"""A call of a process fails while a set is rotated, or the service starts, once or for a while.

The manager does not crash: it goes on, or ends with an error of its own and is started again, as
systemd does. The status says only what is true, and the service recovers by itself: the set is
imported, replication runs, and no descriptor or process is left.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from .calls import ERRORS, ROTATION, START
from .scene import Fault, Scene

# Every call by its number, up to this one; by default three of them, spread.
ALL = int(os.environ.get("FAULTS", 0))


def chosen(n_calls: int) -> list[int]:
    if ALL:
        return list(range(1, min(n_calls, ALL) + 1))
    return sorted({1, (n_calls + 1) // 2, n_calls})


def cases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(process, call) for process, calls in table.items() for call in calls]


def fail_each(scene: Scene, process: str, call: str, prepare: Callable[[], None],
              act: Callable[[], None]) -> None:
    if call == "malloc" and not scene.plan.has_memory(scene.service.build):
        pytest.skip("the sanitizers have memory functions of their own")
    n_calls = scene.count_calls(process, call, prepare, act)
    assert n_calls > 0, f"{process} makes no call of {call}"
    for first in chosen(n_calls):
        scene.suffer(Fault(process, call, ERRORS[call], first), prepare, act)
    scene.suffer(Fault(process, call, ERRORS[call], 1, lasts=True), prepare, act)


@pytest.mark.parametrize("process, call", cases(ROTATION))
def test_a_rotation_recovers(scene: Scene, process: str, call: str) -> None:
    def act() -> None:
        scene.rotate()
        scene.service.ctl("reload")

    fail_each(scene, process, call, lambda: None, act)


@pytest.mark.parametrize("process, call", cases(START))
def test_a_start_recovers(scene: Scene, process: str, call: str) -> None:
    def prepare() -> None:
        scene.stop()
        scene.rotate()

    fail_each(scene, process, call, prepare, lambda: scene.service.start(wait=False))
