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
from .generation import Generation, Pool
from .harness import Harness
from .pattern import Pattern
from .pattern_run import PatternRun
from .watcher import MODES, Mode, Watcher

JOBS = int(os.environ.get("ROTATION_JOBS", "8"))  # pattern runs mostly wait
SUBJECT = os.environ.get("ROTATION_SUBJECT", "tests.rotation.daemon:subject")


@dataclass
class Environment:
    """A pool of certificate sets, a constructor of watchers, and directories for pattern runs."""

    workspace: Workspace
    pool: Pool
    make: Callable[[], Watcher]
    roots: int = 0

    def new_root(self) -> Path:
        self.roots += 1
        return self.workspace.path / "p" / str(self.roots)


@pytest.fixture(scope="session")
def environment() -> Iterator[Environment]:
    module, name = SUBJECT.split(":")
    with Workspace() as workspace:
        pool = Pool(workspace.path / "pool")
        with getattr(importlib.import_module(module), name)(workspace) as make:
            yield Environment(workspace, pool, make)


@pytest.fixture(scope="session", autouse=True)
def outcomes(request: pytest.FixtureRequest,
             environment: Environment) -> Iterator[dict[str, Future[None]]]:
    """Starts all selected pattern runs before the first test; the results are by test name."""
    executor = ThreadPoolExecutor(JOBS)
    futures = {}
    for item in request.session.items:
        parameters = getattr(item, "callspec", None) and item.callspec.params
        if parameters and {"pattern", "mode"} <= parameters.keys():
            futures[item.name] = executor.submit(
                _run, environment, parameters["pattern"], parameters["mode"],
                environment.new_root())
    yield futures
    executor.shutdown(cancel_futures=True)


@pytest.fixture
def run_pattern(environment: Environment) -> Callable[[Pattern, int], None]:
    return lambda pattern, rotations: _run(environment, pattern, MODES[0], environment.new_root(),
                                           rotations)


@pytest.fixture
def harness(environment: Environment) -> Iterator[Harness]:
    watcher = environment.make()
    if not isinstance(watcher, BinlogSsld):
        pytest.skip("uses settings and status fields that only binlog-ssld has")
    harness = Harness(watcher, environment.new_root())
    yield harness
    watcher.stop()


@pytest.fixture
def series(environment: Environment) -> Callable[..., list[Generation]]:
    return lambda length=2: environment.pool.series("pair", length)


def _run(environment: Environment, pattern: Pattern, mode: Mode, root: Path,
         rotations: int = 3) -> None:
    error: list[BaseException] = []

    def perform() -> None:
        try:
            PatternRun(pattern, mode, root, environment.pool, environment.make, rotations).run()
        except BaseException as caught:
            error.append(caught)

    # A thread of its own: it cannot leave a mount namespace, and the watcher dies with it.
    thread = threading.Thread(target=perform, name=f"{pattern.name}-{mode.name}")
    thread.start()
    thread.join()
    if error:
        raise error[0]
