"""One pattern in one mode: three rotations, and what has to hold at every moment."""

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

ROTATIONS = 3    # in a row, because the second and the third are what watchers lose
PATIENCE = 12.0  # seconds for what inotify, or a poll of 0.3 s, has to bring: a bound
QUIET = 0.25     # after the last set: a second import of it would come now
EVENTS = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())


class Sampler(threading.Thread):
    """Asks the watcher all the time, and holds every answer against what the target has."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(daemon=True)
        self.watcher = watcher
        self.claims: list[Claim] = []  # without repeats
        self.lies: list[str] = []
        self.began = time.time()       # of the rotation that runs
        self._confirmed: set[str] = set()
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.01):
            try:
                claim = self.watcher.claim()
            except OSError as error:
                if not self._over.is_set():
                    self.lies.append(f"no answer: {error}")
                return
            self._check(claim)
            if not self.claims or self.claims[-1].text != claim.text:
                self.claims.append(claim)

    def end(self) -> None:
        self._over.set()
        self.join()

    def last(self) -> Claim | None:
        return self.claims[-1] if self.claims else None

    def _check(self, claim: Claim) -> None:
        if claim.imported is not None and claim.imported not in self._confirmed:
            if not any(fingerprint_of(a) == claim.imported and a.at <= claim.at
                       for a in self.watcher.applied()):
                self.lies.append(f"claims an import that the target has not done: {claim.text}")
            self._confirmed.add(claim.imported)
        if claim.current and claim.on_disk is not None and claim.on_disk != claim.imported:
            self.lies.append(f"current, but on disk is another set: {claim.text}")
        if claim.invalid and self.began < claim.at < self.began + SETTLE_LIMIT:
            self.lies.append(f"invalid {claim.at - self.began:.3f} s after the rotation began, "
                             f"settle-limit is {SETTLE_LIMIT} s: {claim.text}")


class Trial:
    def __init__(self, pattern: Pattern, mode: Mode, place: Path, pool: Pool,
                 make: Callable[[], Watcher], rotations: int = ROTATIONS) -> None:
        self.patience = PATIENCE
        self.pattern = pattern
        self.mode = mode
        if pattern.silent and not mode.denied:
            self.mode = Mode(mode.name, 0.5, mode.denied, mode.stopped, mode.flooded)
        self.place = place
        self.generations = pool.series(
            pattern.fresh, 1 + rotations + (1 if mode.flooded else 0))
        self.watcher = make()
        self.sampler = Sampler(self.watcher)
        self.rotation = 0

    def run(self) -> None:
        """In a thread of its own: the namespace, if there is one, ends with it."""
        if self.pattern.mounts:
            enter_private_namespace(shared=self.pattern.isolated)
        self.place.mkdir(parents=True)
        self.place.chmod(0o755)
        self.pattern.layout(self.place, self.generations[0])
        try:
            self.watcher.start([self.place / path for path in self.pattern.files], self.mode,
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
        # What an overflow swallowed (a watch that ended, say) shows at the next rotation without.
        flooded = self.mode.flooded and n % 2 == 1
        stopped = flooded if self.mode.flooded else self.mode.stopped
        if stopped:
            self.watcher.pause()
        try:
            if flooded:
                flood(self.place)
            self.sampler.began = time.time()
            self.pattern.rotate(self.place, n, generation)
        finally:
            if stopped:
                # A watcher that slept through it cannot know how old the change is.
                self.sampler.began = time.time()
                self.watcher.resume()
        if self.pattern.lands:
            self._await(generation)

    def _await(self, generation: Generation) -> None:
        """Until the target has it and the watcher says so."""
        wanted = generation.fingerprint
        end = time.monotonic() + self.patience
        while True:
            claim = self.sampler.last()
            if claim is not None and claim.current and claim.imported == wanted:
                return
            if time.monotonic() > end:
                landed = any(fingerprint_of(a) == wanted for a in self.watcher.applied())
                self._fail(f"{generation.name} ({wanted[:12]}) was "
                           f"{'imported, but not called current' if landed else 'not imported'} "
                           f"within {self.patience:.0f} s")
            self._check()
            time.sleep(0.02)

    def _check(self, *, final: bool = False) -> None:
        known = {g.fingerprint: g for g in self.generations}
        taken = self.watcher.applied()
        for applied in taken:
            if fingerprint_of(applied) not in known:
                self._fail("a set was imported that was never laid out: no CA and certificate of "
                           "one generation")
            if not is_pair(applied.cert, applied.key):
                self._fail(f"{known[fingerprint_of(applied)].name} was imported with a key that "
                           "does not match")
        for wanted, generation in known.items():
            times = sum(fingerprint_of(applied) == wanted for applied in taken)
            if times > 1:
                self._fail(f"{generation.name} was imported {times} times")
        if not self.pattern.lands and len(taken) > 1:
            self._fail("a set was imported that does not show under the path")
        if self.sampler.lies:
            self._fail(self.sampler.lies[0])
        claim = self.sampler.last()
        if final and claim is not None and not self.mode.denied and not self.pattern.silent and \
                claim.missed > 0:
            self._fail(f"{claim.missed} changes were found by a poll only")

    def _fail(self, text: str) -> None:
        said = "\n".join(f"  {claim.at:.3f} {claim.text}" for claim in self.sampler.claims[-12:])
        order = ", ".join(fingerprint_of(applied)[:12] for applied in self.watcher.applied())
        raise AssertionError(
            f"{self.pattern.name} ({self.pattern.tool}), mode {self.mode.name}, rotation "
            f"{self.rotation}: {text}\nimported in this order: {order}\n"
            f"rotation began {self.sampler.began:.3f}; the watcher said:\n{said}\n"
            f"its log:\n{self.watcher.log()[-3000:]}")


def fingerprint_of(applied: Applied) -> str:
    return Generation("", applied.ca, applied.cert, b"").fingerprint


def flood(place: Path) -> None:
    """More events in a directory that every watcher of place has to watch than its queue holds.

    The kernel merges an event with the one before it if they are equal, so the two take turns."""
    one, other = place / ".flood", place / ".flood-2"
    one.touch()
    for _ in range(EVENTS // 2 + 500):
        os.rename(one, other)  # MOVED_FROM, MOVED_TO
        os.rename(other, one)
    one.unlink()
