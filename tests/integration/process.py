"""A process as /proc shows it: memory, descriptors, limits."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.mockserver.secret import Secret

PAGE = os.sysconf("SC_PAGE_SIZE")
PRESENT = 3 << 62  # in memory or in swap: Documentation/admin-guide/mm/pagemap.rst
PAYLOAD = "/memfd:binlog-ssld-payload"
BATCH = 4096  # pages whose pagemap entries are read at once
MAX_MAPPING = 1 << 32  # only the shadow memory of a sanitizer is larger


class Process:
    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.path = Path(f"/proc/{pid}")

    @property
    def maps(self) -> str:
        return (self.path / "maps").read_text()

    def memory(self) -> Iterator[bytes]:
        """The contents of all readable mappings, by runs of consecutive pages."""
        with open(self.path / "mem", "rb", buffering=0) as memory, \
                open(self.path / "pagemap", "rb", buffering=0) as pagemap:
            for line in self.maps.splitlines():
                begin, end, readable = re.match(r"(\w+)-(\w+) (.)", line).groups()
                first, last = int(begin, 16), int(end, 16)
                if readable != "r" or "[vvar" in line or "[vsyscall]" in line or \
                        last - first > MAX_MAPPING:
                    continue
                yield from _runs(memory, pagemap, first, last)

    def holds(self, secret: Secret) -> set[str]:
        return {name for run in self.memory() for name in secret.found_in(run)}

    def descriptors(self) -> dict[int, str]:
        """The target of each descriptor, without the inode numbers of sockets."""
        names = {}
        for entry in (self.path / "fd").iterdir():
            with suppress(FileNotFoundError):  # closed since
                names[int(entry.name)] = re.sub(r":\[\d+\]$", "", os.readlink(entry))
        return names

    def core_limit(self) -> tuple[str, str]:
        soft, hard = re.search(r"^Max core file size +(\w+) +(\w+)",
                               (self.path / "limits").read_text(), re.M).groups()
        return soft, hard

    def children(self) -> list[int]:
        return [int(child) for child in
                (self.path / "task" / str(self.pid) / "children").read_text().split()]

    def jobs(self) -> list[int]:
        """The children that end by themselves: all but the watch processes."""
        return [child for child in self.children() if Process(child).name() != "binlog-watch"]

    def name(self) -> str:
        try:
            return (self.path / "comm").read_text().strip()
        except OSError:
            return ""  # it has ended

    def start_data(self) -> bytes:
        """Arguments and environment."""
        return (self.path / "cmdline").read_bytes() + (self.path / "environ").read_bytes()

    def state(self) -> str:
        """The state letter of proc(5); X if the process does not exist."""
        try:
            return re.search(r"^State:\t(\w)", (self.path / "status").read_text(), re.M)[1]
        except FileNotFoundError:
            return "X"


def _runs(memory, pagemap, first: int, last: int) -> Iterator[bytes]:
    begin = None
    for start in range(first, last, BATCH * PAGE):
        stop = min(start + BATCH * PAGE, last)
        pagemap.seek(start // PAGE * 8)
        entries = pagemap.read((stop - start) // PAGE * 8)
        if not any(entries) and begin is None:
            continue
        for number, (entry,) in enumerate(struct.iter_unpack("<Q", entries)):
            here = start + number * PAGE
            if entry & PRESENT:
                begin = here if begin is None else begin
            elif begin is not None:
                yield _read(memory, begin, here)
                begin = None
    if begin is not None:
        yield _read(memory, begin, last)


def _read(memory, begin: int, end: int) -> bytes:
    memory.seek(begin)
    content = memory.read(end - begin)
    assert len(content) == end - begin
    return content
