"""A stop of replication by a person, which only a person may end."""

from __future__ import annotations

from .cluster import Cluster
from .schedule import WRONG, Rotation


class PersonsStop:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        cluster.aurora.sql("CALL mysql.rds_stop_replication()")
        self._history = cluster.aurora.history()

    def may_outlast(self, planned: Rotation) -> bool:
        """The rotation ends as it should although this cluster does not replicate."""
        return planned.guard != "canary" and planned.fault not in ("disk-full", "person", *WRONG)

    def is_told(self, statuses: list[dict]) -> bool:
        """Status has the statement that starts replication."""
        mine = next(one for one in statuses if one["name"] == self.cluster.name)
        return "rds_start_replication" in f"{mine['reason']} {mine['next_step']}"

    def holds(self) -> bool:
        """Replication has not been started since, and its configuration has not been changed."""
        return self.cluster.is_stopped() and self.cluster.aurora.history() == self._history

    def end(self) -> None:
        """With the new files, which may reach the replica only together with its source."""
        if self.cluster.by_set_external:
            self.cluster.repoint()
        self.cluster.aurora.sql("CALL mysql.rds_start_replication()")
