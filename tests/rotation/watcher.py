"""The interface between the suite and a watcher with its target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Mode:
    """Conditions under which a watcher runs. poll: its poll interval in seconds."""

    name: str
    poll: float
    denied: bool = False   # inotify_add_watch fails
    stopped: bool = False  # SIGSTOP while the files are written
    flooded: bool = False  # its event queue overflows while it is stopped


# Where inotify works it must be sufficient: no poll happens within the test.
NEVER = 60.0
MODES = (Mode("both", NEVER), Mode("poll", 0.3, denied=True), Mode("stopped", NEVER, stopped=True),
         Mode("overflow", NEVER, stopped=True, flooded=True))

SETTLE_LIMIT = 0.4  # seconds; setting for a watcher under test


@dataclass(frozen=True)
class Applied:
    """A set that the target has imported; at: a time.time() by which the import was complete."""

    ca: bytes
    cert: bytes
    key: bytes
    at: float


@dataclass(frozen=True)
class Claim:
    """The status that a watcher reports.

    at: time.time() of the answer; imported: fingerprint (generation.fingerprint) of the set that
    the watcher reports as imported; current: it reports that this set is on disk; on_disk:
    fingerprint of the set on disk in the same answer, if reported; invalid: it reports the set on
    disk as invalid; missed: number of changes that only a poll found.
    """

    at: float
    imported: str | None
    current: bool
    invalid: bool
    missed: int
    text: str
    on_disk: str | None = None


class Watcher(Protocol):
    """A watcher of one set with one target. Each pattern run has its own."""

    def start(self, files: Sequence[Path], mode: Mode, *, account: int | None,
              isolated: bool) -> None:
        """Starts to watch CA, certificate and key.

        With a settle time of 50 ms and SETTLE_LIMIT, if the watcher has these settings, and polls
        every mode.poll seconds. mode.denied: started by "inotify_limit.py max_inotify_watches";
        account: as this user id, None for root; isolated: by "unshare --mount --propagation slave".
        Must be started from the calling thread, whose mount namespace it shares.
        """

    def applied(self) -> list[Applied]:
        """Returns the sets that the target has imported, in order.

        The source must be the target, never the watcher.
        """

    def claim(self) -> Claim:
        """Returns the reported status. Called from one thread at a time.

        A watcher without a status can return the last of applied(), which makes invariants 5 and 6
        of doc/testing.md true by construction.
        """

    def pause(self) -> None:
        """SIGSTOP to each of its processes; returns when they have stopped."""

    def resume(self) -> None:
        """SIGCONT."""

    def stop(self) -> None:
        """Ends the watcher, even if it is paused."""

    def log(self) -> str:
        """For the message of a failure."""
