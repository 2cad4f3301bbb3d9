"""The plan that fail-call.c reads: which call of which process fails."""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

VARIABLE = "FAIL_CALL_PLAN"
FOREVER = 0xffffffff

_FORMAT = "16s24sIIiII"  # struct Plan
_CALL, _SEEN = struct.calcsize("16s"), struct.calcsize("16s24sIIi")


class Plan:
    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(bytes(struct.calcsize(_FORMAT)))
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)

    def variables(self, build: Path) -> dict[str, str]:
        """The environment of a daemon that obeys the plan."""
        return {"LD_PRELOAD": str(build / "tests" / "fail-call.so"), VARIABLE: str(self.path)}

    @staticmethod
    def has_memory(build: Path) -> bool:
        """The library of a build with sanitizers leaves memory to them."""
        return b"__libc_malloc" in (build / "tests" / "fail-call.so").read_bytes()

    def arm(self, process: str, call: str, first: int, last: int, error: int) -> None:
        """Calls number first to last of the function fail from now on, in processes of that name."""
        self.disarm()
        content = struct.pack(_FORMAT, process.encode(), call.encode(), first, last, error, 0, 0)
        self._map[:_CALL] = content[:_CALL]
        self._map[_CALL + 24:] = content[_CALL + 24:]
        self._map[_CALL:_CALL + 24] = content[_CALL:_CALL + 24]  # at last: it arms the plan

    def count(self, process: str, call: str) -> None:
        """Calls are counted, and none fails."""
        self.arm(process, call, FOREVER, FOREVER, 0)

    def disarm(self) -> None:
        self._map[_CALL:_CALL + 24] = bytes(24)

    @property
    def seen(self) -> int:
        return struct.unpack_from("I", self._map, _SEEN)[0]

    @property
    def failed(self) -> int:
        return struct.unpack_from("I", self._map, _SEEN + 4)[0]

    def close(self) -> None:
        self._map.close()
        os.unlink(self.path)
