"""Whether the use of resources stays flat: what the samples at rest must have in common."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from .sample import Sample
from .scene import EXTRAS, NAMES

# The share of the samples at rest that counts for nothing: the heap reaches its highest mark at the
# first moment of each kind of load.
WARM_UP = 0.2
TENTH = 0.1
MEMORY = ("manager_anonymous_kb", "watch_anonymous_kb")
EQUAL = ("processes", "descriptors", "sockets", "memfds", "inotifies", "timerfds", "signalfds",
         "eventpolls", "others", "inotify_watches")
# The allocator keeps what a busy moment has needed, and page tables of children are shared or not.
NOISE_KB = 128
BYTES_PER_ROTATION = 64


def growth(samples: Sequence[Sample], name: str) -> tuple[float, int]:
    """From the first tenth after the warm-up to the last: of the medians, and in rotations."""
    first, last = _tenths(at_rest(samples))
    return (statistics.median(getattr(one, name) for one in last) -
            statistics.median(getattr(one, name) for one in first),
            last[0].rotations - first[-1].rotations)


def faults(samples: Sequence[Sample]) -> list[str]:
    """What is not flat; empty if all is."""
    resting = at_rest(samples)
    found = []
    for name in EQUAL:
        values = {getattr(one, name) for one in resting}
        if len(values) > 1:
            found.append(f"{name} at rest: {sorted(values)}")
    for name in MEMORY:
        more_kb, rotations = growth(samples, name)
        if more_kb > NOISE_KB + BYTES_PER_ROTATION * rotations / 1024:
            found.append(f"{name}: {more_kb:.0f} KiB more after {rotations} rotations")
    if max(one.records for one in resting) > EXTRAS + len(NAMES):
        found.append("records: more than there are names of clusters")
    return found


def at_rest(samples: Sequence[Sample]) -> list[Sample]:
    """Those after the warm-up."""
    resting = [one for one in samples if one.rest]
    return resting[max(1, int(len(resting) * WARM_UP)):]


def _tenths(resting: list[Sample]) -> tuple[list[Sample], list[Sample]]:
    length = max(1, int(len(resting) * TENTH))
    return resting[:length], resting[-length:]
