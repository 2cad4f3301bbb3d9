"""A replica in a campaign."""

from __future__ import annotations

from dataclasses import dataclass

from tests.standin import Aurora
from tests.standin.client import quoted
from tests.standin.proxy import Proxy
from tests.standin.source import REPLICATION_PASSWORD, REPLICATION_USER

from .material import MaterialSet


@dataclass
class Cluster:
    """A replica with the networks around it."""

    name: str
    aurora: Aurora
    from_daemon: Proxy
    to_source: Proxy
    position_survives: bool  # SIGKILL leaves the position with which replication goes on
    by_set_external: bool = False

    def imports_of(self, material: MaterialSet) -> int:
        """How many CALLs have imported the set."""
        leaf = material.leaf.certificate.read_text().strip()
        return sum(str(row["ssl_cert"]).strip() == leaf
                   and str(row["ssl_ca"]).split() == material.bundle.split()
                   for row in self.aurora.imports())

    def threads(self) -> tuple[str | None, str | None]:
        status = self.aurora.replication()
        return status["Replica_IO_Running"], status["Replica_SQL_Running"]

    def replicates(self) -> bool:
        return self.threads() == ("Yes", "Yes")

    def is_stopped(self) -> bool:
        return self.threads() == ("No", "No")

    def footprint(self) -> tuple[list[str], int, tuple[str | None, str | None]]:
        """What changes when replication is stopped or configured, or a set imported."""
        return self.aurora.history(), len(self.aurora.imports()), self.threads()

    def delay_files(self) -> None:
        """From now on the files of an import reach the replica with rds_set_external_source."""
        self.aurora.set_option("local_files", "by_set_external")
        self.by_set_external = True

    def repoint(self) -> None:
        """Sets the source that is set, by file, with the files of the newest import."""
        status = self.aurora.replication()
        self.aurora.sql(
            f"CALL mysql.rds_set_external_source('127.0.0.1', {self.to_source.port}, "
            f"'{REPLICATION_USER}', {quoted(REPLICATION_PASSWORD)}, "
            f"'{status['Relay_Source_Log_File']}', {status['Exec_Source_Log_Pos']}, 1)")

    def crash(self) -> None:
        """Ends the server and starts it; replication runs if the last procedure was the start.

        The daemon reaches it only then: before, it would look as after a person's stop.
        """
        self.from_daemon.refuse()
        if self.position_survives:
            self.aurora.kill()
        self.aurora.restart()
        if self.aurora.history()[-1] == "start":
            self.aurora.sql("START REPLICA")
        self.from_daemon.listen()
