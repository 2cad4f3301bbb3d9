"""One watcher and one directory, for the tests that steer every step by hand."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from .daemon import BinlogSsld
from .generation import Generation, is_pair
from .pattern import CA, CERT, KEY, contents
from .trial import PATIENCE, fingerprint_of
from .watcher import MODES, Applied, Mode

BOTH, POLL = MODES[0], MODES[1]


class Field:
    def __init__(self, watcher: BinlogSsld, place: Path) -> None:
        self.watcher = watcher
        self.place = place
        self.directory = place / "m"
        place.mkdir(parents=True)

    def start(self, mode: Mode = BOTH, *, account: int | None = None,
              limit: str = "max_inotify_watches") -> None:
        self.watcher.start([self.directory / name for name in (CA, CERT, KEY)], mode,
                           account=account, limit=limit)

    def write(self, generation: Generation, *names: str) -> None:
        """These files, or all, each by rename."""
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
        """Fingerprints, each of a matching set."""
        taken: list[Applied] = self.watcher.applied()
        assert all(is_pair(applied.cert, applied.key) for applied in taken), self.story()
        return [fingerprint_of(applied) for applied in taken]

    def land(self, generation: Generation) -> None:
        """Until the target has it, it is called current, and only polls that had to found it."""
        self.wait(lambda status: status["clusters"][0]["state"] == "current" and
                  status["clusters"][0]["imported_fingerprint"] == generation.fingerprint,
                  f"{generation.fingerprint[:12]} current")
        assert self.applied().count(generation.fingerprint) == 1, self.story()

    def wait_material(self, state: str, rule: str | None = None) -> dict:
        """Until it is in that state, with that rule broken, and says a reason."""
        def reached(status: dict) -> bool:
            material = status["materials"][0]
            return material["state"] == state and \
                (rule is None or rule in [problem["rule"] for problem in material["problems"]])
        status = self.wait(reached, f"material {state} {rule or ''}")
        assert status["materials"][0]["reason"], self.story()
        return status["materials"][0]

    def wait(self, condition: Callable[[dict], bool], wanted: str,
             seconds: float = PATIENCE) -> dict:
        end = time.monotonic() + seconds
        while True:
            status = self.watcher.status()
            if condition(status):
                return status
            assert time.monotonic() < end, f"not within {seconds} s: {wanted}\n{self.story()}"
            time.sleep(0.01)

    def holds(self, seconds: float, *allowed: Generation) -> None:
        """Nothing but these was imported, and nothing more will be for a while."""
        time.sleep(seconds)
        assert self.applied() == [generation.fingerprint for generation in allowed], self.story()

    def story(self) -> str:
        order = [fingerprint_of(applied)[:12] for applied in self.watcher.applied()]
        return f"imported: {order}\nstatus: {self.watcher.status()}\nlog:\n{self.watcher.log()}"
