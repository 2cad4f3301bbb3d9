from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .mock_manager import MockManager, cluster, material

BUILD = Path(os.environ.get("BUILD", "build")).resolve()
CTL = BUILD / "binlog-sslctl"


class Ctl:
    """Runs binlog-sslctl with the socket of the mock manager."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.socket = directory / "io.binlogssl.Manager"
        self.environment = {"PATH": os.environ["PATH"], "RUNTIME_DIRECTORY": str(directory),
                            "CONFIGURATION_DIRECTORY": str(directory), "TERM": "xterm",
                            "LC_ALL": "C"}
        self._running: list[subprocess.Popen[str]] = []

    def __call__(self, *arguments: str, seconds: float = 30,
                 **more) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(CTL), *arguments], env=self.environment, capture_output=True,
                              text=True, timeout=seconds, stdin=subprocess.DEVNULL, **more)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen([str(CTL), *arguments], env=self.environment, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        self._running.append(process)
        return process

    def close(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.kill()
            process.communicate()


@pytest.fixture
def ctl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ctl]:
    ctl = Ctl(tmp_path_factory.mktemp("c"))
    yield ctl
    ctl.close()


@pytest.fixture
def manage(ctl: Ctl) -> Iterator[Callable[..., MockManager]]:
    """Starts a mock manager with these materials and clusters, by default one current cluster."""
    managers: list[MockManager] = []

    def start(*clusters: dict, materials: list[dict] | None = None, **more) -> MockManager:
        manager = MockManager(ctl.socket, materials or [material()],
                              list(clusters) or [cluster("orders")], **more)
        manager.start()
        managers.append(manager)
        return manager

    yield start
    for manager in managers:
        manager.stop()
