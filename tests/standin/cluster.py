"""The stand-in for Aurora: a replica with the procedures and the user of an import."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from .client import Client, Value, quoted
from .pki import PKCS1, Authority, Pair, key_as
from .server import Server
from .session import Session
from .source import REPLICATION_PASSWORD, REPLICATION_USER, Source
from .workspace import Workspace

PROCEDURES = [Path(__file__).with_name(name) for name in ("procedures.sql", "replication.sql")]
EXTERNAL = Path(__file__).with_name("external.sql")

# The procedures whose names depend on the version of Aurora; version 3 stands for 8.4 too.
Version = Literal[2, 3]
NAMES: dict[Version, tuple[str, ...]] = {
    2: ("rds_set_external_master", "rds_set_external_master_with_auto_position",
        "rds_reset_external_master"),
    3: ("rds_set_external_source", "rds_set_external_source_with_auto_position",
        "rds_reset_external_source", "rds_set_binlog_source_ssl"),
}

IMPORT_USER = "ssl_importer"
IMPORT_PASSWORD = "importer of the stand-in"


def document(ca: Path, pair: Pair, *, newlines: Literal["raw", "escaped"] = "raw",
             header: bytes = PKCS1) -> str:
    """The payload of an import. raw, the documented form, has bare line feeds: invalid JSON."""
    text = json.dumps({"ssl_ca": ca.read_text(), "ssl_cert": pair.certificate.read_text(),
                       "ssl_key": key_as(pair.key, header).decode()})
    return text.replace("\\n", "\n") if newlines == "raw" else text


def import_call(text: str) -> str:
    return f"CALL mysql.rds_import_binlog_ssl_material({quoted(text)})"


class Aurora(Server):
    """A replica with Aurora's procedures and the least-privilege user of README.md."""

    def __init__(self, workspace: Workspace, authority: Authority, name: str = "aurora",
                 arguments: tuple[str, ...] = (), names: tuple[str, ...] = (),
                 valid: tuple[float, float] | None = None) -> None:
        """names, valid: of its certificate, as of issue_server()."""
        self.ca = authority.certificate
        super().__init__(workspace, name,
                         ["--server-id=2", workspace.make.stays_stopped, *arguments],
                         identity=authority.issue_server(*names, valid=valid))

    def prepare(self, version: Version = 3) -> None:
        self.sql("".join(file.read_text() for file in (self.make.procedures, *PROCEDURES)))
        self.become_version(version)
        self.sql(f"""
            CREATE USER {IMPORT_USER}@'%' IDENTIFIED BY {quoted(IMPORT_PASSWORD)} REQUIRE SSL;
            GRANT {self.make.status_privilege} ON *.* TO {IMPORT_USER}@'%'""")
        self.grant("rds_import_binlog_ssl_material", "rds_start_replication",
                   "rds_stop_replication")

    def become_version(self, version: Version) -> None:
        """Only the procedures of this version of Aurora remain. Their grants are gone.

        Affects new connections only: an open one may have the others in a cache.
        """
        self.sql("".join(f"DROP PROCEDURE IF EXISTS mysql.{name};"
                         for names in NAMES.values() for name in names))
        text = EXTERNAL.read_text()
        if version == 2:
            text = text.replace("_external_source", "_external_master")
        self.sql(text)
        if version == 2:
            self.sql("DROP PROCEDURE mysql.rds_set_binlog_source_ssl")
        self.version = version

    def grant(self, *procedures: str) -> None:
        """Lets the importer execute them."""
        for name in procedures:
            self.sql(f"GRANT EXECUTE ON PROCEDURE mysql.{name} TO {IMPORT_USER}@'%'")

    def revoke(self, *procedures: str) -> None:
        for name in procedures:
            self.sql(f"REVOKE EXECUTE ON PROCEDURE mysql.{name} FROM {IMPORT_USER}@'%'")

    def follow(self, source: Source, *, auto_position: bool = False, port: int = 0) -> None:
        """Configures replication over TLS, from the source's present position.

        Before an import it is without a client certificate. auto_position: with GTIDs; the replica
        then counts as having executed what the source has. port: of a proxy of the source.
        """
        login = f"'127.0.0.1', {port or source.port}, '{REPLICATION_USER}', {quoted(REPLICATION_PASSWORD)}"
        name = NAMES[self.version][0]
        if auto_position:
            self.sql(self.make.assume(source.executed()))
            self.sql(f"CALL mysql.{name}_with_auto_position({login}, 0)")
        else:
            file, position = source.position()
            self.sql(f"CALL mysql.{name}({login}, '{file}', {position}, 0)")
        self.sql("CALL standin.set_ssl(1)")

    def start_replication(self) -> None:
        """As a person starts it, unless it runs: an import restarts only what is not stopped."""
        status = self.replication()
        if (status["Replica_IO_Running"], status["Replica_SQL_Running"]) == ("No", "No"):
            self.sql("CALL mysql.rds_start_replication()")

    def retry_connect_after(self, seconds: int) -> None:
        """The pause of the I/O thread between two connects. Replication must be stopped."""
        self.sql(self.make.connect_retry.format(seconds))

    def set_option(self, name: str, value: str) -> None:
        self.sql(f"UPDATE standin.options SET value = {quoted(value)} WHERE name = {quoted(name)}")

    def reset_options(self) -> None:
        self.sql("UPDATE standin.options SET value = initial")

    def become_reader(self) -> None:
        """As after a failover: @@innodb_read_only is 1, and replication does not run.

        Logins still work: the grant tables are only read.
        """
        self.restart(["--innodb-read-only"])

    def become_writer(self) -> None:
        self.restart()

    @contextmanager
    def without_procedure(self, name: str = "rds_import_binlog_ssl_material") -> Iterator[None]:
        """As on a version without this procedure: a user with the grant gets error 1305.

        Without the grant the error is 1370, whether the procedure exists or not. Affects new
        connections only: an open one may have it in a cache.
        """
        text = self.rows(f"SHOW CREATE PROCEDURE mysql.{name}")[0]["Create Procedure"]
        self.sql("SET GLOBAL automatic_sp_privileges = 0;"  # DROP keeps the grant
                 f"DROP PROCEDURE mysql.{name}")
        try:
            yield
        finally:
            self.sql(f"USE mysql;\nDELIMITER //\n{text}//\nDELIMITER ;\n"
                     "SET GLOBAL automatic_sp_privileges = 1")

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Another session holds GET_LOCK() of this name within the block."""
        with Session(self.client()) as holder:
            assert holder.ask(f"SELECT GET_LOCK({quoted(name)}, 10)") == "1"
            yield

    def calls(self) -> int:
        """Returns the number of CALLs that sleep (slow_seconds): the server has the payload."""
        return len(self.sql("SELECT 1 FROM information_schema.PROCESSLIST "
                            "WHERE INFO LIKE 'DO SLEEP%'"))

    def in_call(self) -> bool:
        return self.calls() > 0

    def end_calls(self) -> None:
        """Kills the sessions of importers: the server notices a dead client late.

        Importers connect by TCP. Within the procedure, its definer is shown as the user.
        """
        running = "SELECT ID FROM information_schema.PROCESSLIST WHERE HOST LIKE '%:%'"
        threads = self.sql(running)
        for thread, in threads:
            self.end_session(thread)
        end = time.monotonic() + 20
        while any(thread in threads for thread in self.sql(running)):
            if time.monotonic() > end:
                raise AssertionError("a CALL has not ended")
            time.sleep(0.02)

    def material(self) -> list[Path]:
        """The files that imports have stored and that have not been removed."""
        return sorted((self.datadir / "sslreplication").glob("*.pem.BAK"))

    def local_files(self) -> dict[str, bytes]:
        """The files that the I/O thread reads at its next attempt to connect: ca, cert and key."""
        return {path.name.removeprefix("ssl_").removesuffix(".pem.BAK"): path.read_bytes()
                for path in (self.datadir / "ssllocal").glob("*.pem.BAK")}

    def lose_local_files(self) -> None:
        """As at a host replacement of an older Aurora: what is stored is still there."""
        for path in (self.datadir / "ssllocal").glob("*.pem.BAK"):
            path.unlink()

    def history(self) -> list[str]:
        """The calls that have changed replication, in their order: set source, start, ..."""
        return [str(action) for action, in
                self.sql("SELECT action FROM mysql.rds_history ORDER BY id")]

    def imports(self) -> list[dict[str, Value]]:
        return self.rows("SELECT * FROM standin.imports ORDER BY id")

    def replication(self) -> dict[str, Value]:
        """The first row of SHOW REPLICA STATUS; empty if there is none."""
        rows = self.channels()
        return rows[0] if rows else {}

    def channels(self) -> list[dict[str, Value]]:
        """The rows of SHOW REPLICA STATUS, with the names of MySQL's columns."""
        return [{name.replace("Slave", "Replica").replace("Master", "Source"): value
                 for name, value in row.items()} for row in self.rows("SHOW REPLICA STATUS")]

    @contextmanager
    def with_channels(self, *names: str) -> Iterator[None]:
        """Within the block there are these channels too: stopped, of sources that do not exist.

        MySQL has a row for each in its status. MariaDB shows in SHOW REPLICA STATUS only the
        channel without a name, so that there is no row if follow() has not been called.
        """
        # MariaDB has one channel for each address.
        self.sql("".join(self.make.add_channel(name, port)
                         for port, name in enumerate(names, start=1)))
        try:
            yield
        finally:
            self.sql("".join(self.make.remove_channel(name) for name in names))

    def coordinates(self) -> tuple[str, int]:
        """File and position up to which the source's binary log is executed."""
        status = self.replication()
        return str(status["Relay_Source_Log_File"]), int(status["Exec_Source_Log_Pos"] or 0)

    def as_importer(self) -> Client:
        return Client.over_tcp(self.port, IMPORT_USER, IMPORT_PASSWORD, ca=self.ca)

    def wait_for_replication(self, reached: Callable[[dict[str, Value]], bool],
                             seconds: float = 60) -> dict[str, Value]:
        """Returns the first status that fulfils the condition; a start returns before that."""
        end = time.monotonic() + seconds
        while not reached(status := self.replication()):
            if time.monotonic() > end:
                raise AssertionError(f"replication after {seconds} s: {status}")
            time.sleep(0.02)
        return status

    def wait_for_row(self, number: int, seconds: float = 60) -> str | None:
        """Returns the text of a row of app.t when it is replicated; None after a time-out."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            rows = self.sql(f"SELECT text FROM app.t WHERE id = {number}")
            if rows:
                return rows[0][0]
            time.sleep(0.05)
        return None
