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

from .generation import Pool
from .trial import Trial
from .watcher import Watcher

AT_ONCE = int(os.environ.get("ROTATE_AT_ONCE", "8"))  # trials mostly wait
SUBJECT = os.environ.get("ROTATE_SUBJECT", "tests.rotate.daemon:subject")


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


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest, ground: Ground) -> Iterator[dict[str, Future[None]]]:
    """All selected trials, begun at once, by the name of their test."""
    executor = ThreadPoolExecutor(AT_ONCE)
    futures = {}
    for item in request.session.items:
        parameters = getattr(item, "callspec", None) and item.callspec.params
        if parameters and {"pattern", "mode"} <= parameters.keys():
            futures[item.name] = executor.submit(
                _run, ground, parameters["pattern"], parameters["mode"], ground.place())
    yield futures
    executor.shutdown(cancel_futures=True)


def _run(ground: Ground, pattern, mode, place: Path) -> None:
    error: list[BaseException] = []

    def trial() -> None:
        try:
            Trial(pattern, mode, place, ground.pool, ground.make).run()
        except BaseException as caught:
            error.append(caught)

    # Its own thread: a mount namespace is entered for good, and the watcher dies with it.
    thread = threading.Thread(target=trial, name=f"{pattern.name}-{mode.name}")
    thread.start()
    thread.join()
    if error:
        raise error[0]
