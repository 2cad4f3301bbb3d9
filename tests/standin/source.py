"""The source of replication: a server that requires a client certificate with a given subject."""

from __future__ import annotations

import time
from pathlib import Path

from .client import quoted
from .pki import Pair
from .server import Server
from .workspace import Workspace

REPLICATION_USER = "repl_aurora"
REPLICATION_PASSWORD = "replication of the stand-in"


class Source(Server):
    """After kill() or stop(), start() goes on with the same data on the same port."""

    def __init__(self, workspace: Workspace, identity: Pair, client_ca: Path,
                 name: str = "source") -> None:
        super().__init__(workspace, name, ["--server-id=1", "--log-bin=binlog"],
                         identity=identity, client_ca=client_ca)

    def prepare(self, subject: str) -> None:
        # Not replicated: a replica would stop at an ALTER of a user that it does not have.
        self.sql(f"SET sql_log_bin = 0; CREATE USER {REPLICATION_USER}@'%' IDENTIFIED BY "
                 f"{quoted(REPLICATION_PASSWORD)} REQUIRE SUBJECT {quoted(subject)};"
                 f"GRANT REPLICATION SLAVE ON *.* TO {REPLICATION_USER}@'%';"
                 "SET sql_log_bin = 1;"
                 "CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY, text TEXT)")

    def require_subject(self, subject: str, *, end_dumps: bool = True) -> None:
        """Requires another subject of each connection from now on."""
        self.sql("SET sql_log_bin = 0;"
                 f"ALTER USER {REPLICATION_USER}@'%' REQUIRE SUBJECT {quoted(subject)}")
        if end_dumps:
            self.end_dumps()

    def end_dumps(self) -> None:
        """Ends the connections of replicas, which connect again."""
        for row in self.rows("SHOW PROCESSLIST"):
            if str(row["Command"]).startswith("Binlog Dump"):  # with GTIDs: Binlog Dump GTID
                self.end_session(row["Id"])

    def position(self) -> tuple[str, int]:
        row = self.rows(self.make.position)[0]
        return str(row["File"]), int(row["Position"] or 0)

    def executed(self) -> str:
        """The GTIDs of all transactions in the binary log."""
        return str(self.sql(f"SELECT {self.make.executed}")[0][0] or "")

    def purge(self, seconds: float = 60) -> None:
        """Removes all that is in the binary log: a replica that has not read it gets error 1236.

        Replication must be stopped: a file that a replica reads is kept.
        """
        self.sql("FLUSH BINARY LOGS")
        newest, end = self.position()[0], time.monotonic() + seconds
        while [row["Log_name"] for row in self.rows("SHOW BINARY LOGS")] != [newest]:
            if time.monotonic() > end:
                raise AssertionError(f"binary logs before {newest} are in use after {seconds} s")
            self.end_dumps()  # the source notices late that a replica has gone
            self.sql(f"PURGE BINARY LOGS TO {quoted(newest)}")
            time.sleep(0.05)
