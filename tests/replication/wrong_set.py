"""What must have become of a wrong set, by what the configuration has against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .cluster import Cluster
from .configuration import CANARY
from .material import MaterialSet
from .schedule import Guard


class WrongSet:
    """A wrong set that has been written. The clusters are as they were before."""

    def __init__(self, guard: Guard, wrong: MaterialSet, good: MaterialSet,
                 clusters: Sequence[Cluster]) -> None:
        self._wrong = wrong
        self._good = good
        self._clusters = clusters
        self._before = [cluster.footprint() for cluster in clusters]
        self._calls = [cluster.imports_of(good) for cluster in clusters]
        self._check: Callable[[list[dict]], bool] = {
            "none": self._told, "probe": self._refused, "canary": self._stopped,
            "rollback": self._undone}[guard]

    def handled(self, statuses: list[dict]) -> bool:
        """The wrong set has met its end. False: not yet, or wrongly."""
        return self._check(statuses)

    def _told(self, statuses: list[dict]) -> bool:
        """Without a guard it does harm, and the daemon says so."""
        return all(one["state"] == "held" and one["outcome"] == "replication_failed"
                   for one in statuses)

    def _refused(self, statuses: list[dict]) -> bool:
        return (all(one["outcome"] == "source_refused" and one["state"] == "held"
                    for one in statuses)
                and self._untouched(0))

    def _stopped(self, statuses: list[dict]) -> bool:
        """Only the canary has it; the others say which canary fell."""
        canary, others = statuses[CANARY], statuses[CANARY + 1:]
        return (canary["state"] == "held"
                and self._clusters[CANARY].imports_of(self._wrong) == 1
                and all(canary["name"] in (one["reason"] or "") for one in others)
                and self._untouched(CANARY + 1))

    def _undone(self, statuses: list[dict]) -> bool:
        return (all(one["outcome"] == "rolled_back" and one["state"] == "held"
                    for one in statuses)
                and all(cluster.imports_of(self._wrong) == 1
                        and cluster.imports_of(self._good) == calls + 1 and cluster.replicates()
                        for cluster, calls in zip(self._clusters, self._calls)))

    def _untouched(self, begin: int) -> bool:
        return all(cluster.footprint() == before for cluster, before in
                   zip(self._clusters[begin:], self._before[begin:]))
