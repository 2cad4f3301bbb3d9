"""The service has no disk, no descriptors or no memory for a while, in which sets are rotated.

It does not crash: it goes on, or ends with an error of its own and is started again, as systemd does.
It does not lie: with an older set than that on disk it is not healthy, shows that it does not look at
the files, or does not answer; and it does not call a shortage a bug of its own. Its loop does not spin. Afterwards the last set is imported by itself, and no set has had a CALL more than one.
"""

from __future__ import annotations

import errno
import mmap
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import pytest

from tests.standin.service import Service
from tests.standin.state_disk import StateDisk

from .calls import IMPORT, INSPECT, MANAGER, WATCH
from .plan import FOREVER
from .scene import Scene

ROTATIONS = 3
LOOKS = 12  # at the status after each of them, a third of a poll apart
LOOK_SECONDS = 0.2
MORE_TURNS = 4  # times as many as in the same rotations without a shortage

Shortage = Callable[[Scene], Iterator[None]]


class Turns:
    """Of the loop of the manager, which tests/bench/turns.c counts."""

    def __init__(self, service: Service) -> None:
        self._path = service.directory / "turns"
        self._path.write_bytes(bytes(24))
        library = service.build / "tests" / "libbench-turns.so"
        service.variables |= {"LD_PRELOAD": f"{service.variables['LD_PRELOAD']} {library}",
                              "BENCH_TURNS": str(self._path)}

    @property
    def count(self) -> int:
        return int.from_bytes(self._path.read_bytes()[:8], "little")


@contextmanager
def limited(service: Service, kind: int, limit: int) -> Iterator[None]:
    """A limit of the manager that runs now, and of the children that it starts."""
    pid = service.pid
    soft, hard = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (limit, hard))
    try:
        yield
    finally:
        if service.running and service.pid == pid:
            resource.prlimit(pid, kind, (soft, hard))


@contextmanager
def no_shortage(scene: Scene) -> Iterator[None]:
    yield


@contextmanager
def no_disk(scene: Scene) -> Iterator[None]:
    disk = scene.disk
    disk.fill()
    yield
    disk.clear()


@contextmanager
def no_descriptors(scene: Scene) -> Iterator[None]:
    """All that the manager has stay open, and there is no other."""
    highest = max(int(path.name) for path in Path(f"/proc/{scene.service.pid}/fd").iterdir())
    with limited(scene.service, resource.RLIMIT_NOFILE, highest + 1):
        yield


@contextmanager
def few_descriptors(scene: Scene) -> Iterator[None]:
    """Enough for a client, but not for what an inspection or an import needs."""
    highest = max(int(path.name) for path in Path(f"/proc/{scene.service.pid}/fd").iterdir())
    with limited(scene.service, resource.RLIMIT_NOFILE, highest + 3):
        yield


@contextmanager
def no_address_space(scene: Scene) -> Iterator[None]:
    size = int(Path(f"/proc/{scene.service.pid}/statm").read_text().split()[0]) * mmap.PAGESIZE
    with limited(scene.service, resource.RLIMIT_AS, size):
        yield


def no_memory(process: str) -> Shortage:
    @contextmanager
    def failing(scene: Scene) -> Iterator[None]:
        if not scene.plan.has_memory(scene.service.build):
            pytest.skip("the sanitizers have memory functions of their own")
        scene.plan.arm(process, "malloc", 1, FOREVER, errno.ENOMEM)
        yield
        scene.plan.disarm()
    failing.__name__ = f"no_memory_{process}"
    return failing


SHORTAGES = [no_disk, no_descriptors, few_descriptors, no_address_space,
             *(no_memory(process) for process in (MANAGER, WATCH, INSPECT, IMPORT))]



@pytest.fixture
def starving(shared: Scene) -> Iterator[Scene]:
    resources: list[StateDisk] = []

    def arrange(service: Service) -> None:
        shared.turns = Turns(service)
        shared.disk = StateDisk(service.directory / "state")
        resources.append(shared.disk)
        service.wrapper = shared.disk.wrapper()

    shared.new_service(arrange)
    yield shared
    shared.close_service()
    for disk in resources:
        disk.close()


def is_truthful(scene: Scene) -> bool:
    """Current with the set on disk, or one that shows that something is wrong, or silent."""
    status = scene.status()
    return (status is None or status["health"] != "ok" or scene.is_current() or
            status["materials"][0]["watch"].startswith("none ("))


def rotate_for_a_while(scene: Scene) -> int:
    """Returns the number of turns that the loop has made, in all lives of the service."""
    turns = 0
    for _ in range(ROTATIONS):
        begin, life = scene.turns.count, scene.service.pid
        scene.rotate()
        for _ in range(LOOKS):
            time.sleep(LOOK_SECONDS)
            if scene.service.exit_status is not None:
                scene.start_again()
            scene.is_current()  # for its assertion
        assert is_truthful(scene), f"{scene.status()}\n{scene.service.log()}"
        turns += scene.turns.count - (begin if scene.service.pid == life else 0)
    return turns


@pytest.mark.parametrize("shortage", SHORTAGES, ids=lambda shortage: shortage.__name__)
def test_rotations_while_something_is_short(starving: Scene, shortage: Shortage) -> None:
    usual = rotate_for_a_while(starving)
    starving.wait_settled()
    before = len(starving.imports())
    with shortage(starving):
        turns = rotate_for_a_while(starving)
    starving.wait_settled()
    assert turns <= MORE_TURNS * usual, f"{turns} turns of the loop, {usual} without a shortage"
    new = starving.imports()[before:]
    assert new[-1] == starving.certificate
    for _, same in groupby(new):
        assert len(list(same)) <= 2, f"{len(new)} imports of {ROTATIONS} sets"
    assert starving.service.log().count("\n") < 400
    assert "this is a bug" not in starving.service.log()
    assert starving.status()["health"] == "ok"
