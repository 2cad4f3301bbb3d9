"""The interface of the contestants, and the task that each of them gets."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.service.machine import Machine


@dataclass(frozen=True)
class Task:
    """Files to watch, and the clusters: one server, in which each has a user of its own."""

    ca: Path
    cert: Path
    key: Path
    port: int
    server_ca: Path
    password_file: Path
    users: Sequence[str]

    @property
    def password(self) -> str:
        return self.password_file.read_text().strip()


class Contestant(ABC):
    """A way of bringing sets into clusters, in a container with its own systemd and a slice."""

    name: str   # a word
    title: str  # of its column

    def __init__(self, machine: Machine, directory: Path) -> None:
        """directory: empty, and visible in the machine."""
        self.machine = machine
        self.directory = directory
        # Other containers can have the same control group as their root. Their systemd removes
        # empty groups, so that there is a process in this one; it is not counted.
        self.slice = f"bench{os.getpid()}{self.name}.slice"
        self.run_unit(f"hold-{self.name}", "sleep", "infinity")
        self._group = machine.control_group() / self.slice

    def users(self, count: int) -> list[str]:
        """Names of users that no other contestant has."""
        return [f"{self.name}{n}" for n in range(count)]

    @abstractmethod
    def start(self, task: Task) -> None:
        """The set on disk must be imported, and each that follows."""

    def rotated(self) -> None:
        """Called after the last rename of a set: a contestant that does not watch starts here."""

    @abstractmethod
    def stop(self) -> None: ...

    def processes(self) -> list[int]:
        return [int(pid) for path in self._group.glob("[!h]*/cgroup.procs")
                for pid in path.read_text().split()]

    def processor_seconds(self) -> float:
        """With that of the container's systemd, which does a part of the work of some."""
        used = (self._group / "cpu.stat").read_text().split()
        assert used[0] == "usage_usec"
        init = Path(f"/proc/{self.machine.leader}/schedstat").read_text().split()[0]
        return int(used[1]) / 1e6 + int(init) / 1e9

    def run_unit(self, unit: str, *words: str) -> None:
        """words: options of systemd-run, and a command."""
        self.machine.run("systemd-run", "--quiet", f"--slice={self.slice}", f"--unit={unit}",
                         *words)

    def drop_in(self, unit: str, settings: str) -> None:
        """Must be called in the constructor: a later reload of systemd takes its watches from the
        path unit for a while, in which it sees no change."""
        directory = f"/run/systemd/system/{unit}.d"
        self.machine.shell(f"mkdir -p {directory}")
        self.machine.write(f"{directory}/bench.conf",
                           f"[Service]\nSlice={self.slice}\nPrivateTmp=no\n{settings}")
        self.machine.run("systemctl", "daemon-reload")
