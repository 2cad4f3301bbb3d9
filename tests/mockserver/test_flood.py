"""Servers that send without end: time and memory of the importer are bounded, and the memory of
the manager does not grow."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from . import faults, packet
from .conversation import Handler
from .harness import Harness

DEADLINE = 3.0
GRACE = 2.0
IMPORTER = 160 << 20
MANAGER = 16 << 20  # growth
LONG_ROW = packet.text_row(["x" * 200, "y" * 4000])

FLOODS: dict[str, tuple[str, Handler]] = {
    "variables-packet-endless": ("variables", faults.flood_of_bytes),
    "variables-rows-endless": ("variables", faults.flood_of_rows(LONG_ROW)),
    "variables-results-endless": ("variables", faults.flood_of_results),
    "call-packet-endless": ("call", faults.flood_of_bytes),
    "call-rows-endless": ("call", faults.flood_of_rows(b"\0\0" + LONG_ROW)),
    "call-results-endless": ("call", faults.flood_of_results),
    "login-packet-endless": ("login", faults.flood_of_bytes),
}


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


class MemoryMonitor:
    """The largest resident size of an importer and of the manager."""

    def __init__(self, harness: Harness) -> None:
        self.importer = self.manager = 0
        self._stage = harness
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._measure)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _measure(self) -> None:
        service = self._stage.service
        while not self._stopped.wait(0.05):
            self.manager = max(self.manager, resident(service.pid))
            self.importer = max([self.importer, *map(resident, service.importers())])


@pytest.mark.parametrize("name", FLOODS)
def test_flood(make_harness: Callable[[str], Harness], name: str) -> None:
    step, how = FLOODS[name]
    harness = make_harness(f"import-timeout = {DEADLINE:.0f}s")
    harness.add(name, harness.script(handlers={step: how}))
    begin = time.monotonic()
    harness.start()
    before = resident(harness.service.pid)
    memory = MemoryMonitor(harness)
    try:
        cluster = harness.wait(DEADLINE + GRACE)[name]
    finally:
        memory.stop()
    took = time.monotonic() - begin
    assert cluster["state"] == "retrying", cluster["reason"]
    assert took < DEADLINE + GRACE
    assert harness.service.importers() == []
    assert memory.manager - before < MANAGER
    # No limit under a sanitizer, whose own memory exceeds it.
    if not harness.sanitized:
        assert memory.importer < IMPORTER, f"{memory.importer >> 20} MB"
    assert harness.service.stop() == 0
