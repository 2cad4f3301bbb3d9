from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.standin import Workspace

from .daemon import BinlogSsld
from .field import Field
from .generation import Generation, Pool
from .pattern import Pattern
from .trial import Trial
from .watcher import MODES, Mode, Watcher

AT_ONCE = int(os.environ.get("ROTATE_AT_ONCE", "8"))  # trials mostly wait
SUBJECT = os.environ.get("ROTATE_SUBJECT", "tests.rotation.daemon:subject")


@dataclass
class Ground:
    """Where trials happen: a pool of sets, a maker of watchers, and room."""

    workspace: Workspace
    pool: Pool
    make: Callable[[], Watcher]
    places: int = 0

    def place(self) -> Path:
        self.places += 1
        return self.workspace.path / "p" / str(self.places)


@pytest.fixture(scope="session")
def ground() -> Iterator[Ground]:
    module, name = SUBJECT.split(":")
    with Workspace() as workspace:
        pool = Pool(workspace.path / "pool")
        with getattr(importlib.import_module(module), name)(workspace) as make:
            yield Ground(workspace, pool, make)


@pytest.fixture(scope="session", autouse=True)
def outcomes(request: pytest.FixtureRequest, ground: Ground) -> Iterator[dict[str, Future[None]]]:
    """All selected trials, begun before the first test of the session, by the name of theirs."""
    executor = ThreadPoolExecutor(AT_ONCE)
    futures = {}
    for item in request.session.items:
        parameters = getattr(item, "callspec", None) and item.callspec.params
        if parameters and {"pattern", "mode"} <= parameters.keys():
            futures[item.name] = executor.submit(
                _run, ground, parameters["pattern"], parameters["mode"], ground.place())
    yield futures
    executor.shutdown(cancel_futures=True)


@pytest.fixture
def trial(ground: Ground) -> Callable[[Pattern, int], None]:
    return lambda pattern, rotations: _run(ground, pattern, MODES[0], ground.place(), rotations)


@pytest.fixture
def field(ground: Ground) -> Iterator[Field]:
    watcher = ground.make()
    if not isinstance(watcher, BinlogSsld):
        pytest.skip("steers settings and reads answers that only binlog-ssld has")
    field = Field(watcher, ground.place())
    yield field
    watcher.stop()


@pytest.fixture
def series(ground: Ground) -> Callable[..., list[Generation]]:
    return lambda length=2: ground.pool.series("pair", length)


def _run(ground: Ground, pattern: Pattern, mode: Mode, place: Path, rotations: int = 3) -> None:
    error: list[BaseException] = []

    def perform() -> None:
        try:
            Trial(pattern, mode, place, ground.pool, ground.make, rotations).run()
        except BaseException as caught:
            error.append(caught)

    # Its own thread: a mount namespace is entered for good, and the watcher dies with it.
    thread = threading.Thread(target=perform, name=f"{pattern.name}-{mode.name}")
    thread.start()
    thread.join()
    if error:
        raise error[0]
