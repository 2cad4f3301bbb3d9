"""Ways of rotating, of tests/rotation: which of them a contestant misses, or takes wrongly."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from collections.abc import Sequence

from tests.bench.alternatives.contestant import Contestant
from tests.bench.alternatives.host import Host
# Each adds to PATTERNS.
from tests.rotation import directories, in_place, links, renaming  # noqa: F401
from tests.rotation.daemon import Target
from tests.rotation.generation import Generation, Pool, is_pair
from tests.rotation.pattern import PATTERNS, Pattern
from tests.rotation.pattern_run import fingerprint_of

CHOSEN = (
    # files replaced
    "ansible", "mv-files", "rsync-delayed", "tar", "ca-only",
    # files overwritten, also half written for a while, key or certificate first
    "cp", "acme-sh", "scp-slow", "shell-append", "certmonger", "openssl-out", "step-rekey",
    # symbolic links
    "certbot", "kubelet", "istio-hops", "dehydrated", "ln-sfn", "mv-t", "nix-profile",
    # directories
    "mv-directory", "exchange-directories", "rm-mkdir", "gone-for-long", "mv-ancestor",
)
ROTATIONS = 3
LIMIT = 5.0   # seconds after which a complete set that was not imported is missed
START = 20.0  # the same for the first set, which must be imported
REST = 0.4    # seconds in which the processes of a contestant stay the same between two rotations


def chosen() -> list[Pattern]:
    """Those that need neither another user nor mounts, that inotify can see, and whose paths a path
    unit accepts: of each kind some."""
    each = {one.name: one for one in PATTERNS}
    return [each[name] for name in CHOSEN]


class Survey:
    def __init__(self, host: Host) -> None:
        self._host = host
        self._target = Target(host.near)
        self._pool = Pool(host.workspace.path / "pool")
        self._lock = threading.Lock()

    def run(self, contestants: Sequence[Contestant],
            patterns: Sequence[Pattern]) -> dict[str, list[str]]:
        """Returns the names of the missed patterns of each contestant. All run side by side."""
        with ThreadPoolExecutor(len(contestants)) as executor:
            results = executor.map(lambda one: self._survey(one, patterns), contestants)
            return {one.name: missed for one, missed in zip(contestants, results, strict=True)}

    def _survey(self, contestant: Contestant, patterns: Sequence[Pattern]) -> list[str]:
        return [f"{pattern.name}: {reason}" for pattern in patterns
                if (reason := self._try(contestant, pattern))]

    def _try(self, contestant: Contestant, pattern: Pattern) -> str:
        """Returns what was wrong; nothing if each set was imported."""
        user, = contestant.users(1)
        root = self._host.workspace.path / "patterns" / contestant.name / pattern.name
        root.mkdir(parents=True)
        with self._lock:
            generations = self._pool.series(pattern.fresh, 1 + ROTATIONS)
        pattern.layout(root, generations[0])
        first = len(self._target.applied(user))
        contestant.start(self._host.task(root, [user], port=self._host.near.port,
                                         names=pattern.files))
        try:
            if not self._arrives(user, first, generations[0], START):
                raise SystemExit(f"{contestant.name} does not import the first set of "
                                 f"{pattern.name}\n{self._host.log()}")
            for n, generation in enumerate(generations[1:], 1):
                _wait_until_at_rest(contestant)
                pattern.rotate(root, n, generation)
                if not self._arrives(user, first, generation, LIMIT):
                    return f"rotation {n} not imported within {LIMIT:.0f} s"
            _wait_until_at_rest(contestant)
            return self._wrong(user, first, generations)
        finally:
            contestant.stop()

    def _arrives(self, user: str, first: int, generation: Generation, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            taken = self._target.applied(user)[first:]
            if any(fingerprint_of(one) == generation.fingerprint for one in taken):
                return True
            time.sleep(0.05)
        return False

    def _wrong(self, user: str, first: int, generations: Sequence[Generation]) -> str:
        known = {one.fingerprint for one in generations}
        for taken in self._target.applied(user)[first:]:
            if not is_pair(taken.cert, taken.key):
                return "a key was sent with the certificate of another"
            if fingerprint_of(taken) not in known:
                return "a set was sent that was never written"
        return ""


def _wait_until_at_rest(contestant: Contestant) -> None:
    """In reality the next rotation comes weeks later."""
    end = time.monotonic() + START
    before = None
    while (now := contestant.processes()) != before and time.monotonic() < end:
        before = now
        time.sleep(REST)
