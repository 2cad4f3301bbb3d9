"""The wall clock of one program, which can be stepped."""

from __future__ import annotations

import mmap
import struct
import time
from pathlib import Path


class Clock:
    """A program that runs with these variables has this clock, from its start on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_bytes(bytes(8))
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)

    def variables(self, build: Path) -> dict[str, str]:
        return {"LD_PRELOAD": str(build / "tests" / "clock.so"), "CLOCK_OFFSET": str(self._path)}

    def set(self, seconds: int) -> None:
        """From the clock of the machine."""
        self._map[:] = struct.pack("q", seconds)

    @property
    def now(self) -> float:
        return time.time() + struct.unpack("q", self._map[:])[0]
