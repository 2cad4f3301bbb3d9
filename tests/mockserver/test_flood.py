"""Servers that never stop: the importer has a bounded time and a bounded size, and the manager
sees nothing of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from . import deed, packet
from .conversation import Deed
from .stage import Stage

DEADLINE = 3.0
GRACE = 2.0
IMPORTER = 160 << 20
MANAGER = 16 << 20  # more than before
LONG_ROW = packet.text_row(["x" * 200, "y" * 4000])

FLOODS: dict[str, tuple[str, Deed]] = {
    "look-packet-without-an-end": ("look", deed.flood_of_bytes),
    "look-rows-without-an-end": ("look", deed.flood_of_rows(LONG_ROW)),
    "look-results-without-an-end": ("look", deed.flood_of_results),
    "call-packet-without-an-end": ("call", deed.flood_of_bytes),
    "call-rows-without-an-end": ("call", deed.flood_of_rows(b"\0\0" + LONG_ROW)),
    "call-results-without-an-end": ("call", deed.flood_of_results),
    "login-packet-without-an-end": ("login", deed.flood_of_bytes),
}


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


class Scale:
    """The largest importer while it stands, and the largest manager."""

    def __init__(self, stage: Stage) -> None:
        self.importer = self.manager = 0
        self._stage = stage
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._weigh)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _weigh(self) -> None:
        service = self._stage.service
        while not self._over.wait(0.05):
            self.manager = max(self.manager, resident(service.pid))
            self.importer = max([self.importer, *map(resident, service.importers())])


@pytest.mark.parametrize("name", FLOODS)
def test_flood(make_stage: Callable[[str], Stage], name: str) -> None:
    step, how = FLOODS[name]
    stage = make_stage(f"import-timeout = {DEADLINE:.0f}s")
    stage.add(name, stage.script(deeds={step: how}))
    begin = time.monotonic()
    stage.start()
    before = resident(stage.service.pid)
    scale = Scale(stage)
    try:
        cluster = stage.wait(DEADLINE + GRACE)[name]
    finally:
        scale.stop()
    took = time.monotonic() - begin
    assert cluster["state"] == "retrying", cluster["reason"]
    assert took < DEADLINE + GRACE
    assert stage.service.importers() == []
    assert scale.manager - before < MANAGER
    # Under a sanitizer there is no limit: its own memory would be over it.
    if not stage.sanitized:
        assert scale.importer < IMPORTER, f"{scale.importer >> 20} MB"
    assert stage.service.stop() == 0
