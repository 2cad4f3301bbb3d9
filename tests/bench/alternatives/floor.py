"""The floor: it is told that a set is complete, and sends it unseen."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.bench.alternatives.contestant import Contestant, Task
from tests.service.machine import Machine


class Floor(Contestant):
    name = "floor"
    title = "C client, no watch, no checks"

    def __init__(self, machine: Machine, directory: Path, program: Path) -> None:
        super().__init__(machine, directory)
        self._program = program
        self._command: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._used = 0.0

    def start(self, task: Task) -> None:
        self._command = [str(word) for word in (
            self._program, task.port, task.server_ca, task.password_file, task.cert.parent,
            *task.users)]
        self.rotated()

    def rotated(self) -> None:
        self._wait()
        self._process = subprocess.Popen(self._command)

    def stop(self) -> None:
        self._wait()

    def processes(self) -> list[int]:
        if self._process is None:
            return []
        pid = self._process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def processor_seconds(self) -> float:
        self._wait()
        return self._used

    def _wait(self) -> None:
        if self._process is None:
            return
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._process = None
        if status != 0:
            raise RuntimeError(f"{self._program} failed")
        self._used += usage.ru_utime + usage.ru_stime
