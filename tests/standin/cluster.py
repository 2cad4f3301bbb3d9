"""The two ends of the replication: a source that demands a subject, and Aurora's stand-in."""

from __future__ import annotations

import time
from pathlib import Path

from .client import Client, Value, quoted
from .pki import Authority, Pair
from .server import Server
from .workspace import Workspace

PROCEDURES = Path(__file__).with_name("procedures.sql")
REPLICATION_USER = "repl_aurora"
REPLICATION_PASSWORD = "replication of the stand-in"
IMPORT_USER = "ssl_importer"
IMPORT_PASSWORD = "importer of the stand-in"


class Source(Server):
    """Lets its replication user in only over TLS with a client certificate of one subject."""

    def __init__(self, workspace: Workspace, identity: Pair, client_ca: Path,
                 name: str = "source") -> None:
        super().__init__(workspace, name, ["--server-id=1", "--log-bin=binlog"],
                         identity=identity, client_ca=client_ca)

    def prepare(self, subject: str) -> None:
        self.sql(f"CREATE USER {REPLICATION_USER}@'%' IDENTIFIED BY "
                 f"{quoted(REPLICATION_PASSWORD)} REQUIRE SUBJECT {quoted(subject)};"
                 f"GRANT REPLICATION SLAVE ON *.* TO {REPLICATION_USER}@'%';"
                 "CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY, text TEXT)")

    def demand(self, subject: str) -> None:
        """From now on another subject; who is connected is thrown out."""
        self.sql(f"ALTER USER {REPLICATION_USER}@'%' REQUIRE SUBJECT {quoted(subject)}")
        for row in self.rows("SHOW PROCESSLIST"):
            if row["Command"] == "Binlog Dump":
                self.sql(f"KILL {row['Id']}")

    def position(self) -> tuple[str, int]:
        row = self.rows("SHOW MASTER STATUS")[0]
        return str(row["File"]), int(row["Position"] or 0)


class Aurora(Server):
    """A replica with Aurora's procedures and the least-privilege user of the README."""

    def __init__(self, workspace: Workspace, authority: Authority, name: str = "aurora",
                 arguments: tuple[str, ...] = ()) -> None:
        self.ca = authority.certificate
        super().__init__(workspace, name,
                         ["--server-id=2", "--skip-slave-start", *arguments],
                         identity=authority.issue_server())

    def prepare(self) -> None:
        material = self.directory / "material"
        self.workspace.directory(f"{self.name}/material", account="mysql", mode=0o700)
        self.sql(f"SET @directory = {quoted(str(material))};\n" + PROCEDURES.read_text())
        self.sql(f"""
            CREATE USER {IMPORT_USER}@'%' IDENTIFIED BY {quoted(IMPORT_PASSWORD)} REQUIRE SSL;
            GRANT EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material TO {IMPORT_USER}@'%';
            GRANT EXECUTE ON PROCEDURE mysql.rds_start_replication TO {IMPORT_USER}@'%';
            GRANT EXECUTE ON PROCEDURE mysql.rds_stop_replication TO {IMPORT_USER}@'%';
            GRANT REPLICA MONITOR ON *.* TO {IMPORT_USER}@'%'""")

    def follow(self, source: Source) -> None:
        file, position = source.position()
        self.sql("CALL mysql.rds_set_external_source('127.0.0.1', "
                 f"{source.port}, '{REPLICATION_USER}', {quoted(REPLICATION_PASSWORD)}, "
                 f"'{file}', {position}, 1)")

    def set_option(self, name: str, value: str) -> None:
        self.sql(f"UPDATE standin.options SET value = {quoted(value)} WHERE name = {quoted(name)}")

    def imports(self) -> list[dict[str, Value]]:
        return self.rows("SELECT * FROM standin.imports ORDER BY id")

    def replication(self) -> dict[str, Value]:
        rows = self.rows("SHOW REPLICA STATUS")
        return rows[0] if rows else {}

    def as_importer(self) -> Client:
        return Client.over_tcp(self.port, IMPORT_USER, IMPORT_PASSWORD, ca=self.ca)

    def wait_for_row(self, number: int, seconds: float = 20) -> str | None:
        """The text of a row of app.t once it has arrived."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            rows = self.sql(f"SELECT text FROM app.t WHERE id = {number}")
            if rows:
                return rows[0][0]
            time.sleep(0.05)
        return None
