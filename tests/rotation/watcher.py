"""The subject under test and its target, as far as the suite has to know them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Mode:
    """How much a watcher is hindered. `poll` is its poll interval in seconds."""

    name: str
    poll: float
    denied: bool = False   # no inotify watch is to be had
    stopped: bool = False  # SIGSTOP while the files are written
    flooded: bool = False  # and the queue of its events overflows meanwhile


# Where inotify is to be had it has to do alone: no poll comes to its help within the test.
NEVER = 60.0
MODES = (Mode("both", NEVER), Mode("poll", 0.3, denied=True), Mode("stopped", NEVER, stopped=True),
         Mode("overflow", NEVER, stopped=True, flooded=True))

SETTLE_LIMIT = 0.4  # seconds; what a watcher under test is to be set to


@dataclass(frozen=True)
class Applied:
    """One set that the target took, and when it had it for sure (time.time())."""

    ca: bytes
    cert: bytes
    key: bytes
    at: float


@dataclass(frozen=True)
class Claim:
    """What the watcher says of itself, and when the answer was there.

    `imported` is the fingerprint (generation.fingerprint) of the set it takes to be the target's,
    `current` whether it says that this is what stands on disk; `on_disk` the fingerprint of what
    does, in the same answer, if it says so; `invalid` whether it says that what stands there is no
    valid set; `missed` counts the changes that only a poll has found.
    """

    at: float
    imported: str | None
    current: bool
    invalid: bool
    missed: int
    text: str
    on_disk: str | None = None


class Watcher(Protocol):
    """One watcher of one set with one target. Made anew for each trial."""

    def start(self, files: Sequence[Path], mode: Mode, *, account: int | None,
              isolated: bool) -> None:
        """Watch CA, certificate and key; as the user with this number, or as root; isolated in a
        mount namespace that is a slave of the caller's."""

    def applied(self) -> list[Applied]:
        """What the target of this watcher took, in order."""

    def claim(self) -> Claim: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def stop(self) -> None: ...

    def log(self) -> str: ...
