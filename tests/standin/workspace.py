"""The temporary directory of one test session, and its removal."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from .make import ACCOUNT, Make
from .mariadb import MariaDB

# Removes the directory if this process ends without doing so (SIGKILL, a crash), which ends the
# standard input of this script. The servers are killed at the same time and may still write, hence
# the loop.
CLEANUP = """
trap '' HUP INT TERM
cat >/dev/null
tries=0
until rm -rf -- "$1" 2>/dev/null || [ $tries -ge 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
"""


class Stoppable(Protocol):
    def kill(self) -> None: ...


class Workspace:
    """make: of all its servers, MariaDB by default."""

    def __init__(self, directory: Path | None = None, make: Make | None = None) -> None:
        if os.geteuid() != 0:
            raise RuntimeError("the stand-in needs root, because it starts servers as user mysql")
        if directory is None:
            self.path = Path(tempfile.mkdtemp(prefix="standin-")).resolve()
        else:
            directory.mkdir()
            self.path = directory.resolve()
        self.make = make or MariaDB()
        self._running: list[Stoppable] = []
        self._template: Path | None = None
        self._cleanup = subprocess.Popen(
            ["/bin/sh", "-c", CLEANUP, "standin-cleanup", str(self.path)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd="/", start_new_session=True)
        # Other users must be able to reach their directories, but not to list this one.
        self.path.chmod(0o711)
        atexit.register(self.close)

    def own(self, server: Stoppable) -> None:
        self._running.append(server)

    def directory(self, name: str, *, account: str | None = None, mode: int = 0o755) -> Path:
        path = self.path / name
        path.mkdir()
        path.chmod(mode)
        if account is not None:
            shutil.chown(path, account, account)
        return path

    def template(self) -> Path:
        """Returns an initialised data directory, created once and copied for each server."""
        if self._template is None:
            path = self.directory("template", account=ACCOUNT, mode=0o700)
            # Two servers with one directory delete each other's temporary tables.
            with tempfile.TemporaryDirectory(dir=self.path) as temporary:
                shutil.chown(temporary, ACCOUNT, ACCOUNT)
                made = subprocess.run(
                    self.make.initialisation(path), **self.child(), stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, text=True, errors="replace",
                    env={**os.environ, "TMPDIR": temporary})
            if made.returncode != 0:
                shutil.rmtree(path, ignore_errors=True)
                raise RuntimeError(
                    f"{self.make.name}: no data directory:\n{made.stdout[-2000:]}")
            # MySQL's server UUID: each copy must have its own.
            (path / "auto.cnf").unlink(missing_ok=True)
            self._template = path
        return self._template

    def child(self) -> dict[str, Any]:
        """Arguments of Popen for a process of a server."""
        return self.make.child(self.path.parent)

    def close(self) -> None:
        atexit.unregister(self.close)
        for server in reversed(self._running):
            server.kill()
        self._running.clear()
        shutil.rmtree(self.path, ignore_errors=True)
        if self._cleanup.stdin is not None and not self._cleanup.stdin.closed:
            self._cleanup.stdin.close()
        self._cleanup.wait()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()
