"""binlog-ssld, started with the environment that systemd would set."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from .process import die_with
from .varlink import Varlink


class Service:
    def __init__(self, build: Path, directory: Path) -> None:
        self.build = build
        self.directory = directory
        self.wrapper: list[str] = []  # a command that executes the daemon
        self.variables: dict[str, str] = {}  # further environment variables
        for name in ("etc", "state", "run", "material"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        self.material = directory / "material"
        self.log_path = directory / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "CONFIGURATION_DIRECTORY": str(self.directory / "etc"),
                "STATE_DIRECTORY": str(self.directory / "state"),
                "RUNTIME_DIRECTORY": str(self.directory / "run"), **self.variables}

    def configure(self, text: str) -> None:
        (self.directory / "etc" / "binlog-ssld.conf").write_text(text)

    def password_file(self, password: str) -> Path:
        path = self.directory / "etc" / "password"
        path.write_text(password + "\n")
        path.chmod(0o600)
        return path

    def start(self, *, wait: bool = True) -> None:
        with open(self.log_path, "ab") as log:
            self._process = subprocess.Popen(
                [*self.wrapper, str(self.build / "binlog-ssld")], env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with(os.getpid()))
        if wait:
            self.wait(self._answers)

    def _answers(self) -> bool:
        """The socket file exists shortly before the daemon listens on it."""
        try:
            self.varlink().close()
        except OSError:
            return False
        return True

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self.wrapper, str(self.build / "binlog-ssld"), *arguments],
                              env=self.environment, capture_output=True, text=True, timeout=60)

    def stop(self, seconds: float = 90) -> int:
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self._process = None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """Negative: the signal that ended it. None: it runs, or was not started."""
        return None if self._process is None else self._process.poll()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def processes(self, name: str) -> list[int]:
        """The process ids of the running children of that name."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children if _name_of(child) == name]

    def importers(self) -> list[int]:
        return self.processes("binlog-import")

    def watchers(self) -> list[int]:
        return self.processes("binlog-watch")

    def ctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(self.build / "binlog-sslctl"), *arguments],
                              env=self.environment, capture_output=True, text=True, timeout=30)

    def status(self) -> dict:
        """By the socket: polling with the command costs a process each time."""
        with self.varlink() as varlink:
            return varlink.call("GetStatus")

    def varlink(self) -> Varlink:
        return Varlink(self.directory / "run" / "io.binlogssl.Manager")

    def cluster(self, name: str) -> dict:
        return next(c for c in self.status()["clusters"] if c["name"] == name)

    def record(self, name: str) -> dict:
        """Returns the record of a cluster, which is written shortly after the status changes."""
        path = self.directory / "state" / f"{name}.json"

        def written() -> bool:
            return path.exists() and (json.loads(path.read_text()).get("last_attempt") ==
                                      self.cluster(name)["last_attempt"])

        self.wait(written)
        return json.loads(path.read_text())

    def wait_cluster(self, name: str, state: str, seconds: float = 60) -> dict:
        seen: list[dict] = []

        def reached() -> bool:
            seen[:] = [self.cluster(name)]
            return seen[0]["state"] == state

        self.wait(reached, seconds)
        return seen[0]  # the one that had the state: a retry may have started since

    def wait_material(self, state: str, seconds: float = 60) -> dict:
        self.wait(lambda: self.status()["materials"][0]["state"] == state, seconds)
        return self.status()["materials"][0]

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def wait(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        """Polls until the condition is true; a failure shows status and log."""
        end = time.monotonic() + seconds
        while not condition():
            if self._process is not None and self._process.poll() is not None:
                raise AssertionError(f"binlog-ssld exited:\n{self.log()}")
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s; {self.ctl('status').stdout}\n"
                                     f"{self.log()}")
            time.sleep(0.02)


def _name_of(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""  # the process has ended
