"""A simple watcher: it reads the three files when the mtime of the certificate changes.

A template for other watchers, and a watcher that must fail the suite (test_invariants.py).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.standin import Workspace

from .generation import fingerprint
from .watcher import Applied, Claim, Mode


class ModificationTime:
    """Watcher and target in this process; a real one runs in its own process with a server."""

    def __init__(self) -> None:
        self._files: Sequence[Path] = ()
        self._taken: list[Applied] = []
        self._running = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self, files: Sequence[Path], mode: Mode, *, account: int | None = None,
              isolated: bool = False) -> None:
        self._files = files
        self._running.set()
        self._thread.start()

    def applied(self) -> list[Applied]:
        return list(self._taken)

    def claim(self) -> Claim:
        newest = self._taken[-1] if self._taken else None
        imported = fingerprint(newest.ca, newest.cert) if newest else None
        return Claim(time.time(), imported, newest is not None, False, 0, f"imported {imported}")

    def pause(self) -> None:
        self._running.clear()

    def resume(self) -> None:
        self._running.set()

    def stop(self) -> None:
        self._running.set()
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()

    def log(self) -> str:
        return ""

    def _watch(self) -> None:
        seen = None
        while not self._stopped.wait(0.02):
            self._running.wait()
            try:
                now = os.stat(self._files[1]).st_mtime_ns
                if now != seen:
                    ca, cert, key = (path.read_bytes() for path in self._files)
                    seen = now
                    self._taken.append(Applied(ca, cert, key, time.time()))
            except OSError:
                continue


@contextmanager
def subject(workspace: Workspace) -> Iterator[Callable[[], ModificationTime]]:
    yield ModificationTime
