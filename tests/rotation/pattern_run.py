"""Runs one pattern in one mode: three rotations, and the invariants of doc/testing.md."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .generation import Generation, Pool, is_pair
from .mounts import enter_private_namespace
from .pattern import Pattern
from .renaming import NOBODY
from .watcher import SETTLE_LIMIT, Applied, Claim, Mode, Watcher

ROTATIONS = 3    # three, because watchers often miss the second or the third
TIMEOUT = 40.0  # seconds within which inotify, or a poll every 0.3 s, leads to an import; before NEVER
QUIET = 0.25     # seconds after the last set in which a second import of it would occur
EVENTS = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())


class Sampler(threading.Thread):
    """Requests the watcher's status all the time and compares it with the imports of the target."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(daemon=True)
        self.watcher = watcher
        self.claims: list[Claim] = []  # without repetitions
        self.violations: list[str] = []
        self.began = time.time()       # start of the current rotation
        self._confirmed: set[str] = set()
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(0.01):
            try:
                claim = self.watcher.claim()
            except OSError as error:
                if not self._stopped.is_set():
                    self.violations.append(f"no answer: {error}")
                return
            self._check(claim)
            if not self.claims or self.claims[-1].text != claim.text:
                self.claims.append(claim)

    def end(self) -> None:
        self._stopped.set()
        self.join()

    def last(self) -> Claim | None:
        return self.claims[-1] if self.claims else None

    def _check(self, claim: Claim) -> None:
        if claim.imported is not None and claim.imported not in self._confirmed:
            if not any(fingerprint_of(a) == claim.imported and a.at <= claim.at
                       for a in self.watcher.applied()):
                self.violations.append(
                    f"claims an import that the target has not done: {claim.text}")
            self._confirmed.add(claim.imported)
        if claim.current and claim.on_disk is not None and claim.on_disk != claim.imported:
            self.violations.append(f"current, but another set is on disk: {claim.text}")
        if claim.invalid and self.began < claim.at < self.began + SETTLE_LIMIT:
            self.violations.append(f"invalid {claim.at - self.began:.3f} s after the rotation "
                                   f"began, settle-limit is {SETTLE_LIMIT} s: {claim.text}")


class PatternRun:
    def __init__(self, pattern: Pattern, mode: Mode, root: Path, pool: Pool,
                 make: Callable[[], Watcher], rotations: int = ROTATIONS) -> None:
        self.timeout = TIMEOUT
        self.pattern = pattern
        self.mode = mode
        if pattern.silent and not mode.denied:
            self.mode = Mode(mode.name, 0.5, mode.denied, mode.stopped, mode.flooded)
        self.root = root
        self.generations = pool.series(
            pattern.fresh, 1 + rotations + (1 if mode.flooded else 0))
        self.watcher = make()
        self.sampler = Sampler(self.watcher)
        self.rotation = 0

    def run(self) -> None:
        """Must be called in a thread of its own: a mount namespace ends with the thread."""
        if self.pattern.mounts:
            enter_private_namespace(shared=self.pattern.isolated)
        self.root.mkdir(parents=True)
        self.root.chmod(0o755)
        self.pattern.layout(self.root, self.generations[0])
        try:
            self.watcher.start([self.root / path for path in self.pattern.files], self.mode,
                               account=NOBODY if self.pattern.account else None,
                               isolated=self.pattern.isolated)
            self.sampler.start()
            if not self.pattern.starts_empty:
                self._await(self.generations[0])
            for n, generation in enumerate(self.generations[1:], 1):
                self.rotation = n
                self._rotate(n, generation)
                self._check()
            time.sleep(QUIET + (self.mode.poll if self.mode.poll < 1 else 0))
            self._check(final=True)
        finally:
            if self.sampler.ident is not None:
                self.sampler.end()
            self.watcher.stop()

    def _rotate(self, n: int, generation: Generation) -> None:
        # Events lost in an overflow, such as IN_IGNORED, have an effect at the next rotation.
        flooded = self.mode.flooded and n % 2 == 1
        stopped = flooded if self.mode.flooded else self.mode.stopped
        if stopped:
            self.watcher.pause()
        try:
            if flooded:
                flood(self.root)
            self.sampler.began = time.time()
            self.pattern.rotate(self.root, n, generation)
        finally:
            if stopped:
                # A stopped watcher cannot know the age of the change.
                self.sampler.began = time.time()
                self.watcher.resume()
        if self.pattern.visible:
            self._await(generation)

    def _await(self, generation: Generation) -> None:
        """Waits until the target has this generation and the watcher reports it as current."""
        wanted = generation.fingerprint
        end = time.monotonic() + self.timeout
        while True:
            claim = self.sampler.last()
            if claim is not None and claim.current and claim.imported == wanted:
                return
            if time.monotonic() > end:
                imported = any(fingerprint_of(a) == wanted for a in self.watcher.applied())
                problem = "imported, but not reported as current" if imported else "not imported"
                self._fail(f"{generation.name} ({wanted[:12]}) was {problem} "
                           f"within {self.timeout:.0f} s")
            self._check()
            time.sleep(0.02)

    def _check(self, *, final: bool = False) -> None:
        known = {g.fingerprint: g for g in self.generations}
        taken = self.watcher.applied()
        for applied in taken:
            if fingerprint_of(applied) not in known:
                self._fail("a set was imported that was never written: CA and certificate are not "
                           "of one generation")
            if not is_pair(applied.cert, applied.key):
                self._fail(f"{known[fingerprint_of(applied)].name} was imported with a key that "
                           "does not match")
        for wanted, generation in known.items():
            times = sum(fingerprint_of(applied) == wanted for applied in taken)
            if times > 1:
                self._fail(f"{generation.name} was imported {times} times")
        if not self.pattern.visible and len(taken) > 1:
            self._fail("a set was imported that is not visible under the path")
        if self.sampler.violations:
            self._fail(self.sampler.violations[0])
        claim = self.sampler.last()
        if final and claim is not None and not self.mode.denied and not self.pattern.silent and \
                claim.missed > 0:
            self._fail(f"{claim.missed} changes were found only by a poll")

    def _fail(self, text: str) -> None:
        claims = "\n".join(f"  {claim.at:.3f} {claim.text}" for claim in self.sampler.claims[-12:])
        order = ", ".join(fingerprint_of(applied)[:12] for applied in self.watcher.applied())
        raise AssertionError(
            f"{self.pattern.name} ({self.pattern.tool}), mode {self.mode.name}, rotation "
            f"{self.rotation}: {text}\nimported in this order: {order}\n"
            f"rotation began {self.sampler.began:.3f}; claims of the watcher:\n{claims}\n"
            f"log of the watcher:\n{self.watcher.log()[-3000:]}")


def fingerprint_of(applied: Applied) -> str:
    return Generation("", applied.ca, applied.cert, b"").fingerprint


def flood(root: Path) -> None:
    """Overflows the event queue of each watcher of the directory root.

    Two different renames alternate, because the kernel merges equal consecutive events.
    """
    one, other = root / ".flood", root / ".flood-2"
    one.touch()
    for _ in range(EVENTS // 2 + 500):
        os.rename(one, other)  # MOVED_FROM, MOVED_TO
        os.rename(other, one)
    one.unlink()
