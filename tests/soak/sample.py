"""What the manager and its watch processes use at one moment, as /proc shows it."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from tests.standin.service import Service

KINDS = ("socket", "memfd", "inotify", "timerfd", "signalfd", "eventpoll", "other")


@dataclass(frozen=True)
class Sample:
    seconds: float
    rest: int  # 1: nothing has been left to do
    rotations: int
    imports: int
    manager_rss_kb: int
    manager_anonymous_kb: int
    watch_anonymous_kb: int  # of the oldest watch process, shared with the manager or not
    processes: int  # all descendants, and the manager
    descriptors: int  # of the manager and its watch processes; by kind:
    sockets: int
    memfds: int
    inotifies: int
    timerfds: int
    signalfds: int
    eventpolls: int
    others: int
    armed_timers: int
    inotify_watches: int
    records: int  # files in the state directory
    records_bytes: int
    switches: int  # voluntary context switches of the manager so far
    processor_msec: int  # of the manager so far

    @staticmethod
    def header() -> str:
        return ",".join(field.name for field in fields(Sample))

    def row(self) -> str:
        return ",".join(str(value) for value in astuple(self))


def take(
        service: Service, *, seconds: float, rest: bool, rotations: int, imports: int) -> Sample:
    manager, watchers = service.pid, service.watchers()
    kinds: Counter[str] = Counter()
    armed = watches = 0
    for pid in (manager, *watchers):
        for kind, info in _descriptors(pid):
            kinds[kind] += 1
            armed += kind == "timerfd" and "it_value: (0, 0)" not in info
            watches += info.count("inotify wd:")
    memory = _values(Path(f"/proc/{manager}/status"))
    records = [path.stat().st_size for path in _files(service.directory / "state")]
    oldest = min(watchers, key=started, default=manager)
    watch = _values(Path(f"/proc/{oldest}/status"))
    return Sample(
        round(seconds, 1), int(rest), rotations, imports, memory["VmRSS"], memory["RssAnon"],
        watch.get("RssAnon", 0),
        1 + len(_children(manager)), sum(kinds.values()), *(kinds[kind] for kind in KINDS), armed,
        watches, len(records), sum(records), memory["voluntary_ctxt_switches"],
        int(Path(f"/proc/{manager}/schedstat").read_text().split()[0]) // 1_000_000)


def started(pid: int) -> int:
    """Clock ticks after the boot (proc_pid_stat(5)); the largest number if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return sys.maxsize


def _files(directory: Path) -> list[Path]:
    """Without one that is being written."""
    return [path for path in directory.iterdir() if path.suffix == ".json"]


def _descriptors(pid: int) -> list[tuple[str, str]]:
    found = []
    with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
        for name in os.listdir(f"/proc/{pid}/fd"):
            with suppress(FileNotFoundError):
                target = os.readlink(f"/proc/{pid}/fd/{name}")
                kind = next((one for one in KINDS if one in target), "other")
                found.append((kind, Path(f"/proc/{pid}/fdinfo/{name}").read_text()))
    return found


def _children(pid: int) -> list[str]:
    """With theirs."""
    try:
        own = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return own + [one for child in own for one in _children(int(child))]


def _values(path: Path) -> dict[str, int]:
    try:
        return {name: int(value) for name, value in
                re.findall(r"^(\w+):\s+(\d+)", path.read_text(), re.M)}
    except (FileNotFoundError, ProcessLookupError):
        return {}
