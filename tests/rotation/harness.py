"""One binlog-ssld and one directory, for tests that control each step."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from .daemon import BinlogSsld
from .generation import Generation, is_pair
from .pattern import CA, CERT, KEY, contents
from .pattern_run import TIMEOUT, fingerprint_of
from .watcher import MODES, Applied, Mode

BOTH, POLL = MODES[0], MODES[1]


class Harness:
    def __init__(self, watcher: BinlogSsld, root: Path) -> None:
        self.watcher = watcher
        self.root = root
        self.directory = root / "m"
        root.mkdir(parents=True)

    def start(self, mode: Mode = BOTH, *, account: int | None = None,
              limit: str = "max_inotify_watches") -> None:
        self.watcher.start([self.directory / name for name in (CA, CERT, KEY)], mode,
                           account=account, limit=limit)

    def write(self, generation: Generation, *names: str) -> None:
        """Writes the named files, by default all three, each by rename."""
        self.directory.mkdir(exist_ok=True)
        for name in names or (CA, CERT, KEY):
            fresh = self.directory / f".{name}"
            fresh.write_bytes(contents(generation)[name])
            fresh.chmod(0o644)
            os.rename(fresh, self.directory / name)

    @property
    def material(self) -> dict:
        return self.watcher.status()["materials"][0]

    @property
    def cluster(self) -> dict:
        return self.watcher.status()["clusters"][0]

    def applied(self) -> list[str]:
        """Returns the fingerprints of all imported sets; each certificate must match its key."""
        taken: list[Applied] = self.watcher.applied()
        assert all(is_pair(applied.cert, applied.key) for applied in taken), self.describe()
        return [fingerprint_of(applied) for applied in taken]

    def wait_imported(self, generation: Generation) -> None:
        """Waits until the target has this set, exactly once, and the status is current."""
        self.wait(lambda status: status["clusters"][0]["state"] == "current" and
                  status["clusters"][0]["imported_fingerprint"] == generation.fingerprint,
                  f"{generation.fingerprint[:12]} current")
        assert self.applied().count(generation.fingerprint) == 1, self.describe()

    def wait_material(self, state: str, rule: str | None = None) -> dict:
        """Waits until the material has this state, with a reason, and violates the rule, if any."""
        def reached(status: dict) -> bool:
            material = status["materials"][0]
            return material["state"] == state and \
                (rule is None or rule in [problem["rule"] for problem in material["problems"]])
        status = self.wait(reached, f"material {state} {rule or ''}")
        assert status["materials"][0]["reason"], self.describe()
        return status["materials"][0]

    def wait(self, condition: Callable[[dict], bool], wanted: str,
             seconds: float = TIMEOUT) -> dict:
        end = time.monotonic() + seconds
        while True:
            status = self.watcher.status()
            if condition(status):
                return status
            assert time.monotonic() < end, f"not within {seconds} s: {wanted}\n{self.describe()}"
            time.sleep(0.01)

    def assert_imported(self, seconds: float, *allowed: Generation) -> None:
        """Exactly these sets have been imported, and no other within so many seconds."""
        time.sleep(seconds)
        assert self.applied() == [generation.fingerprint for generation in allowed], self.describe()

    def describe(self) -> str:
        order = [fingerprint_of(applied)[:12] for applied in self.watcher.applied()]
        return f"imported: {order}\nstatus: {self.watcher.status()}\nlog:\n{self.watcher.log()}"
